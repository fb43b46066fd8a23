//! Single changes of the plan: lines and teams.

use crate::house::House;

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
fn a_team_is_added_and_removed_unless_it_is_used() {
    let house = House::open();
    let add = ["team", "add", "night", "--zh", "夜班", "--en", "Night team"];
    let added = house.object(&[&add[..], &["--yes"]].concat());
    assert_eq!((added["kind"].as_str(), added["item"]["id"].as_str()), (Some("team_added"), Some("night")));
    house.ask(&[&add[..], &["--yes"]].concat()).refused(1, &["there is a team night already"]);
    house.told(&["operator", "add", "li-na", "--team", "night"]);
    house.ask(&["team", "remove", "night", "--yes"]).refused(1, &["people in team night", "li-na"]);
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
