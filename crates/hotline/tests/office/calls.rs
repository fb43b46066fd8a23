use crate::house::House;
use crate::play::Gateway;

const CALLS: [&str; 2] = ["0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11", "0290a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a12"];

#[test]
fn calls_are_listed_a_page_at_a_time() {
    let house = House::open();
    assert_eq!(house.ask(&["call", "list"]).err, "there are none\n");
    house.ring(&[(CALLS[0], "duty"), (CALLS[1], "emergency")]);
    let all = house.told(&["call", "list"]);
    assert!(all.starts_with("CALL ") && all.contains(CALLS[0]) && !all.contains("138019"), "{all}");
    let first = house.object(&["call", "list", "--limit", "1"]);
    assert_eq!(first["items"][0]["id"], CALLS[1], "an emergency comes first");
    let next = first["next"].as_str().expect("there are more");
    let second = house.object(&["call", "list", "--limit", "1", "--after", next]);
    assert_eq!((second["items"][0]["id"].as_str(), second.get("next")), (Some(CALLS[0]), None));
    let one = house.object(&["call", "list", "--line", "du"]);
    assert_eq!(one["items"].as_array().map(Vec::len), Some(1));
    house.ask(&["call", "list", "--after", "nonsense"]).refused(1, &["page_token"]);
}

#[test]
fn why_a_call_waits_is_said_in_words_of_both_languages() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    house.ring(&[(CALLS[0], "duty")]);
    let english = house.told(&["call", "why", &CALLS[0][..6]]);
    for words in ["calls ahead", "the line's own operators", "from the start", "li-na", "on a pause"] {
        assert!(english.contains(words), "{words:?} is not in {english}");
    }
    let chinese = house.told(&["call", "why", CALLS[0], "--lang", "zh-CN"]);
    for words in ["排在前面", "专线接线员", "外线号码 duty-phone，振铃 30秒", "暂停中"] {
        assert!(chinese.contains(words), "{words:?} is not in {chinese}");
    }
    let item = house.object(&["call", "why", CALLS[0]])["item"].clone();
    assert_eq!(item["candidates"][0]["against"][0]["code"], "paused");
    assert_eq!(item["tiers"][0]["who"]["code"], "own");
    let person = house.told(&["operator", "why", "li-na", "--lang", "zh-CN"]);
    assert!(person.contains(CALLS[0]) && person.contains("暂停中"), "{person}");
}

#[test]
fn a_call_is_moved_by_its_whole_id() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    house.ring(&[(CALLS[0], "duty")]);
    let moving = |call: &str, to: &str| house.ask(&["call", "move", call, "--to", to]);
    moving("0190", "comfort").refused(1, &["a change takes the whole id", CALLS[0]]);
    moving(CALLS[0], "comfrt").refused(1, &["did you mean comfort?"]);
    moving(CALLS[1], "comfort").refused(1, &["hotline call list"]);
    assert_eq!(moving(CALLS[0], "comfort").code, 0);
    let shown = house.object(&["call", "show", "0190"])["item"].clone();
    assert_eq!((shown["line"].as_str(), shown["called_line"].as_str()), (Some("comfort"), Some("duty")));
}

#[test]
fn a_call_that_is_over_tells_how_it_went() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    house.ring(&[(CALLS[0], "duty")]);
    let inside = house.object(&["call", "why", CALLS[0]])["item"].clone();
    assert!(inside["path"][0]["events"][0] == "call_arrived" && inside["tiers"].is_array(), "{inside}");
    let seq = inside["path"][0]["seq"].as_u64().expect("a decision").to_string();
    house.hang_up(CALLS[0]);
    let english = house.told(&["call", "why", CALLS[0]]);
    for words in ["AFTER", "0.0s", "rang in on duty", "gateway", "the caller left while waiting"] {
        assert!(english.contains(words), "{words:?} is not in {english}");
    }
    assert!(!english.contains("OPENS WHEN"), "it is over: {english}");
    let chinese = house.told(&["call", "why", CALLS[0], "--lang", "zh-CN"]);
    assert!(chinese.contains("拨入 duty") && chinese.contains("来电者在等候中离开"), "{chinese}");
    let then = house.told(&["call", "why", CALLS[0], "--at", &seq]);
    for words in ["as of decision", "rang in on duty", "the line's own operators", "on a pause"] {
        assert!(then.contains(words), "{words:?} is not in {then}");
    }
    assert!(!then.contains("left while waiting"), "that was later: {then}");
    house.ask(&["call", "why", CALLS[0], "--at", "1"]).refused(1, &["the decisions about it are from"]);
    house.ask(&["call", "why", CALLS[0], "--at", "2999-01-01 00:00"]).refused(2, &["is in the future"]);
    house.ask(&["call", "why", CALLS[0], "--at", "noon"]).refused(2, &["is not a time", "RFC 3339"]);
    house.ask(&["call", "why", CALLS[1]]).refused(1, &["hotline call list"]);
    let person = house.object(&["operator", "why", "li-na", "--at", &seq])["item"].clone();
    assert_eq!((person["as_of_seq"].to_string(), person["calls"][0]["id"].as_str()), (seq, Some(CALLS[0])));
    house.ask(&["operator", "why", "li-na", "--at", "1"]).refused(1, &["no such operator"]);
}

#[test]
fn a_path_says_who_was_asked_and_who_made_it_so() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    house.ring(&[(CALLS[0], "duty")]);
    house.told(&["operator", "resume", "li-na"]);
    let english = house.told(&["call", "why", CALLS[0]]);
    let row = english.lines().find(|line| line.contains("offered to li-na")).expect("an offer");
    assert!(row.contains("administrator admin") && row.contains("(tier 1), rings for"), "{english}");
    house.hang_up(CALLS[0]);
    let item = house.object(&["call", "why", CALLS[0], "--lang", "zh"])["item"].clone();
    let steps = item["path"].as_array().expect("steps");
    let last = steps.last().expect("its end");
    assert_eq!((last["by"]["role"].as_str(), last["by"]["id"].as_str()), (Some("gateway"), Some("gw-1")));
    assert!(last["words"].to_string().contains("收回派给 li-na 的振铃：来电者已挂断"), "{last}");
    assert!(steps.iter().all(|step| step["wall_us"].as_i64() > Some(0)), "{item}");
}

#[test]
fn of_a_call_that_somebody_has_it_is_said_who_and_no_ladder() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    let gateway = Gateway::attach(&house);
    gateway.ring(CALLS[0], "duty");
    house.told(&["operator", "resume", "li-na"]);
    let ringing = house.told(&["call", "why", CALLS[0]]);
    assert!(ringing.contains("OPENS WHEN"), "{ringing}");
    gateway.pick_up(CALLS[0], 1);
    let english = house.ask(&["call", "why", CALLS[0]]);
    assert!(english.out.contains("It was answered by li-na, and nobody else is asked."), "{english:?}");
    assert!(!english.out.contains("OPENS WHEN") && !english.out.contains("OPERATOR"), "{english:?}");
    assert!(english.err.starts_with("times are by this machine's clock: "), "{english:?}");
    let chinese = house.told(&["call", "why", CALLS[0], "--lang", "zh-CN"]);
    assert!(chinese.contains("由 li-na 接听，不再派给别人。"), "{chinese}");
    let item = house.object(&["call", "why", CALLS[0]])["item"].clone();
    assert!(
        item["state"] == "connected" && item["tiers"].is_array(),
        "programs read the same as before: {item}"
    );
}

#[test]
fn calls_that_are_over_are_listed_from_their_records() {
    let house = House::open();
    house.ring(&[(CALLS[0], "duty"), (CALLS[1], "emergency")]);
    for call in CALLS {
        house.hang_up(call);
    }
    let closed = ["call", "list", "--closed"];
    // Records are made beside the decisions, a little later.
    let listed = house.until(&closed, |list| list["items"].as_array().is_some_and(|items| items.len() == 2));
    let outcome = listed["items"][0]["outcome"].as_str().expect("an outcome").to_owned();
    assert!(outcome.starts_with("abandoned_"), "{listed}");
    let first = house.object(&[&closed[..], &["--limit", "1"]].concat());
    let next = first["next"].as_str().expect("there are more");
    let second = house.object(&[&closed[..], &["--limit", "1", "--after", next]].concat());
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    let count = |more: &[&str]| {
        let list = house.object(&[&closed[..], more].concat());
        list["items"].as_array().map(Vec::len)
    };
    assert_eq!(count(&["--line", "duty", "--from", "10m"]), Some(1));
    assert!(count(&["--outcome", &outcome]) >= Some(1));
    assert_eq!((count(&["--until", "10m"]), count(&["--outcome", "refused_full"])), (Some(0), Some(0)));
    let table = house.told(&closed);
    assert!(table.starts_with("CALL ") && table.contains("left while"), "{table}");
    house.ask(&["call", "list", "--from", "10m"]).refused(2, &["--closed"]);
    assert_eq!(house.object(&["call", "show", &CALLS[0][..6]])["item"]["state"], "closed");
    assert!(house.told(&["call", "why", &CALLS[1][..6]]).contains("rang in on emergency"));
    house.ask(&["call", "why", "0"]).refused(2, &["could be more than one call", CALLS[0], CALLS[1]]);
    for none in ["0190a5c3", "0190a5c26d3e", "nobody"] {
        house.ask(&["call", "why", none]).refused(1, &["there is no call", "hotline call list"]);
    }
}

#[test]
fn a_call_closed_long_ago_is_shown_from_its_record() {
    let house = House::open_with(&["--clock", "stepped", "--seed", "7"]);
    house.ring(&[(CALLS[0], "duty")]);
    house.hang_up(CALLS[0]);
    house.step(3_600_000_000);
    house.ring(&[(CALLS[1], "duty")]);
    house.until(&["call", "list", "--closed"], |list| {
        list["items"].as_array().is_some_and(|all| !all.is_empty())
    });
    let shown = house.object(&["call", "show", &CALLS[0][..6]]);
    assert_eq!((shown["kind"].as_str(), shown["item"]["line"].as_str()), (Some("closed_call"), Some("duty")));
    let table = house.told(&["call", "show", CALLS[0]]);
    assert!(table.contains("outcome") && table.contains("hotline call why 0190a5c2"), "{table}");
    assert!(house.told(&["call", "why", CALLS[0]]).contains("rang in on duty"));
}
