//! Single changes of the plan: lines and teams.

use crate::house::House;
use crate::play::Gateway;

const CALL: &str = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";

#[test]
fn a_line_is_added_and_nothing_else_in_the_text_moves() {
    let house = House::open();
    let add =
        ["line", "add", "duty-2", "--zh", "值班热线二", "--en", "Duty line 2", "--number", "021-5550-0177"];
    let like = [&add[..], &["--like", "comfort"]].concat();
    house.ask(&like).refused(2, &["nobody can be asked", "changes will be in force"]);
    let dry = house.told(&[&like[..], &["--dry-run"]].concat());
    assert!(dry.contains("+ lines.duty-2") && dry.contains("021-5550-0177"), "{dry}");
    assert_eq!(house.told(&["plan", "get"]), plan::HOSPITAL, "nothing was changed");
    let added = house.object(&[&like[..], &["--yes"]].concat());
    assert_eq!((added["kind"].as_str(), added["item"]["revision"].as_u64()), (Some("line_added"), Some(2)));
    let text = house.told(&["plan", "get"]);
    let kept: Vec<&str> =
        text.lines().filter(|line| plan::HOSPITAL.lines().any(|old| old == *line)).collect();
    assert!(
        plan::HOSPITAL.lines().all(|old| kept.contains(&old)),
        "every line that stood there stands there"
    );
    assert_eq!(house.object(&["line", "show", "duty-2"])["item"]["plan"]["wrap_up_ms"], 30_000);
    house.ask(&[&add[..], &["--yes"]].concat()).refused(1, &["there is a line duty-2 already", "another id"]);
    let nowhere =
        ["line", "add", "duty-3", "--zh", "三", "--en", "Three", "--destination", "number-dutty", "--yes"];
    house.ask(&nowhere).refused(1, &["did you mean number-duty?"]);
    let bad = ["line", "add", "Duty 3", "--zh", "三", "--en", "Three", "--yes"];
    house.ask(&bad).refused(2, &["duty-3"]);
    let unlike = ["line", "add", "duty-3", "--zh", "三", "--en", "Three", "--like", "dutty"];
    house.ask(&unlike).refused(1, &["did you mean duty?"]);
}

#[test]
fn a_line_is_removed_and_who_waits_is_told() {
    let house = House::open();
    house.have_somebody_paused("li-na", "outpatient-2");
    house.ring(&[(CALL, "outpatient-2")]);
    let remove = ["line", "remove", "outpatient-2"];
    let dry = house.told(&[&remove[..], &["--dry-run"]].concat());
    assert!(dry.contains("1 waiting caller would finish where they are") && dry.contains(CALL), "{dry}");
    house.ask(&["line", "remove", "outpatient", "--yes"]).refused(1, &["takes the whole id"]);
    house.ask(&[&remove[..], &["--move-waiting-to", "outpatient-3"]].concat()).refused(1, &["outpatient-1?"]);
    let moved = house.ask(&[&remove[..], &["--move-waiting-to", "outpatient-1", "--yes"]].concat());
    assert!(moved.code == 0 && moved.err.contains("would move to outpatient-1"), "{moved:?}");
    assert_eq!(house.object(&["call", "show", CALL])["item"]["line"], "outpatient-1");
    house.hang_up(CALL);
    let over = |list: &serde_json::Value| list["items"].as_array().is_some_and(|items| items.len() == 1);
    house.until(&["call", "list", "--closed"], over);
    assert!(
        over(&house.object(&["call", "list", "--closed", "--line", "outpatient-2"])),
        "its calls stay known"
    );
    house.ask(&["call", "list", "--closed", "--line", "outpatient-9"]).refused(1, &["there is no line"]);
    let used = ["line", "remove", "staff", "--yes"];
    house.ask(&used).refused(1, &["lines.staff is still used", "change these places first"]);
    house
        .ask(&[&used[..], &["--lang", "zh"]].concat())
        .refused(1, &["方案里还有地方用到 lines.staff", "第 "]);
}

#[test]
fn a_number_in_use_is_said_in_one_sentence() {
    let house = House::open();
    let published = plan::parse("plan", plan::HOSPITAL).expect("a plan").plan;
    let number = &published.destinations[&published.lines[&"duty".parse().expect("an id")].numbers[0]].number;
    let add =
        ["line", "add", "duty-2", "--zh", "值班热线二", "--en", "Duty line 2", "--yes", "--number", number];
    let refused = house.ask(&add);
    refused.refused(1, &["is published for line duty already", "take it from line duty first"]);
    assert_eq!(refused.err.lines().count(), 2, "{refused:?}");
    house.ask(&[&add[..], &["--lang", "zh"]].concat()).refused(1, &["已公布给热线 duty"]);
    let by_name =
        ["line", "add", "duty-2", "--zh", "二", "--en", "Two", "--destination", "number-duty", "--yes"];
    house.ask(&by_name).refused(1, &["is published for line duty already"]);
}

#[test]
fn a_line_that_goes_now_sends_everybody_on_and_hangs_up_on_nobody() {
    const OTHERS: [&str; 2] =
        ["0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a12", "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a13"];
    let house = House::open();
    house.have_somebody_paused("li-na", "outpatient-2");
    // One talks, one waits behind it; the rest of the hospital has nobody.
    let gateway = Gateway::attach(&house);
    gateway.ring(CALL, "outpatient-2");
    house.told(&["operator", "resume", "li-na"]);
    gateway.pick_up(CALL, 1);
    OTHERS.iter().for_each(|call| gateway.ring(call, "outpatient-2"));
    let remove = ["line", "remove", "outpatient-2", "--now"];
    let asked = house.ask(&remove);
    asked.refused(2, &["--now takes --yes", "2 waiting callers would move to", OTHERS[0], OTHERS[1]]);
    assert_eq!(house.object(&["line", "show", "outpatient-2"])["item"]["state"], "open", "nothing was done");
    let dry = house.told(&[&remove[..], &["--dry-run"]].concat());
    assert!(dry.contains("1 other call finishes as usual"), "{dry}");
    let done = house.ask(&[&remove[..], &["--yes", "--move-waiting-to", "outpatient-1"]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("1 call goes on on line outpatient-2"), "{done:?}");
    for waiting in OTHERS {
        let call = house.object(&["call", "show", waiting])["item"].clone();
        assert_eq!((call["line"].as_str(), call["outcome"].as_str()), (Some("outpatient-1"), None), "{call}");
    }
    let talking = house.object(&["call", "show", CALL])["item"].clone();
    assert_eq!(
        (talking["line"].as_str(), talking["state"].as_str()),
        (Some("outpatient-2"), Some("connected"))
    );
    gateway.hang_up(CALL);
    let lines = house.object(&["line", "list"]).to_string();
    assert!(!lines.contains("outpatient-2") || lines.contains("retired"), "{lines}");
}

#[test]
fn a_line_that_goes_now_overflows_as_the_plan_says() {
    let house = House::open();
    house.have_somebody_paused("li-na", "outpatient-2");
    house.ring(&[(CALL, "outpatient-2")]);
    let done = house.ask(&["line", "remove", "outpatient-2", "--now", "--yes"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("nobody is on line outpatient-2 any more"), "{done:?}");
    let call = house.object(&["call", "show", CALL])["item"].clone();
    // Its tiers ask every other line, and nobody waits on any of its class: the first of them by id.
    assert!(call["line"] == "comfort" && call["outcome"].is_null(), "{call}");
    house.ask(&["line", "remove", "staff", "--now", "--yes"]).refused(1, &["staff"]);
}

#[test]
fn a_team_is_added_and_removed_unless_it_is_used() {
    let house = House::open();
    let add = ["team", "add", "night", "--zh", "夜班", "--en", "Night team"];
    let added = house.object(&[&add[..], &["--yes"]].concat());
    assert_eq!((added["kind"].as_str(), added["item"]["id"].as_str()), (Some("team_added"), Some("night")));
    house.ask(&[&add[..], &["--yes"]].concat()).refused(1, &["there is a team night already"]);
    house.told(&["operator", "add", "li-na", "--team", "night"]);
    house
        .ask(&["team", "remove", "night", "--yes"])
        .refused(1, &["people in team night", "li-na", "hotline operator change"]);
    let change = house.object(&["operator", "change", "li-na", "--no-team", "--skill", "cantonese"]);
    assert_eq!(change["kind"], "operator_changed");
    let person = house.object(&["operator", "show", "li-na"])["item"].clone();
    assert!(person["teams"] == serde_json::json!([]) && person["skills"][0] == "cantonese", "{person}");
    house.told(&["operator", "remove", "li-na", "--yes"]);
    assert_eq!(house.object(&["team", "remove", "night", "--yes"])["kind"], "team_removed");
    assert_eq!(house.told(&["plan", "get"]), plan::HOSPITAL);
    house
        .ask(&["team", "remove", "youth", "--yes"])
        .refused(1, &["line ", "tiers", "remove these tiers first"]);
    house
        .ask(&["team", "remove", "youth", "--yes", "--lang", "zh"])
        .refused(1, &["方案里还有地方用到 teams.youth", "用到它的地方"]);
}
