use crate::house::House;

#[test]
fn lines_are_listed_in_columns_in_both_languages() {
    let house = House::open();
    let chinese = house.told(&["line", "list", "--lang", "zh-CN"]);
    let expected = "\
标识          名称        状态  人手      等候  最长  通话
comfort       解忧热线    开放  无人在岗     0     -     0
duty          值班热线    开放  无人在岗     0     -     0
emergency     急诊咨询    开放  无人在岗     0     -     0
outpatient-1  门诊热线一  开放  无人在岗     0     -     0
outpatient-2  门诊热线二  开放  无人在岗     0     -     0
staff         职工内线    开放  无人在岗     0     -     0
switchboard   总机        开放  无人在岗     0     -     0
";
    assert_eq!(chinese, expected);
    let english = house.told(&["line", "list"]);
    assert!(english.starts_with("LINE          TITLE                   STATE  COVER"), "{english}");
    let wide = house.told(&["line", "list", "-o", "wide"]);
    assert!(wide.lines().next().expect("a head").ends_with("ARRIVED  ANSWERED  IN TIME"), "{wide}");
    let ids = house.told(&["line", "list", "-o", "name"]);
    assert_eq!(ids, "comfort\nduty\nemergency\noutpatient-1\noutpatient-2\nstaff\nswitchboard\n");
}

#[test]
fn a_line_is_closed_and_opened_by_hand() {
    let house = House::open();
    let closed = house.ask(&["line", "close", "duty", "--for", "30m", "--reason", "repair"]);
    assert_eq!((closed.code, closed.out.as_str()), (0, ""), "{closed:?}");
    assert!(closed.err.contains("duty is closed for 30m") && closed.err.contains("hotline line open duty"));
    let item = house.object(&["line", "show", "duty"])["item"].clone();
    assert_eq!(item["state"], "closed_by_hand");
    let left = item["remaining_ms"].as_u64().expect("some time is left");
    assert!((1..=1_800_000).contains(&left), "{left}");
    assert_eq!((item["plan"]["class"].as_str(), item["plan"]["tiers"].as_u64()), (Some("normal"), Some(7)));
    let opened = house.object(&["line", "open", "duty"]);
    assert_eq!((opened["kind"].as_str(), opened["item"]["id"].as_str()), (Some("line_opened"), Some("duty")));
    assert_eq!(house.object(&["line", "show", "du"])["item"]["state"], "open");
}

#[test]
fn an_emergency_line_is_diverted_before_it_is_closed() {
    let house = House::open();
    let close = ["line", "close", "emergency", "--for", "1h"];
    house.ask(&close).refused(1, &["closes only while it is diverted", "hotline line divert LINE --to"]);
    house.ask(&[&close[..], &["--lang", "zh"]].concat()).refused(1, &["错误：急诊热线", "办法：先执行"]);
    let wrong = house.ask(&["line", "divert", "emergency", "--to", "duty-fone", "--for", "1h"]);
    wrong.refused(1, &["there is no destination \"duty-fone\"", "did you mean duty-phone?"]);
    house.told(&["line", "divert", "emergency", "--to", "duty-phone", "--for", "1h"]);
    assert_eq!(house.object(&["line", "show", "emergency"])["item"]["diverted_to"], "duty-phone");
    assert_eq!(house.object(&close)["kind"], "line_closed");
    house.told(&["line", "open", "emergency"]);
    let ended = house.object(&["line", "divert", "emergency", "--end"]);
    assert_eq!(ended["kind"], "line_divert_ended");
    house.ask(&["line", "divert", "emergency"]).refused(2, &["--to"]);
}

#[test]
fn what_was_done_stands_in_the_record() {
    let house = House::open();
    let seq =
        house.object(&["line", "close", "duty", "--for", "2h"])["item"]["seq"].as_u64().expect("a place");
    let from = seq.to_string();
    let told = house.told(&["events", "tail", "--from", &from, "--no-follow", "-o", "json"]);
    let event: serde_json::Value =
        serde_json::from_str(told.lines().next().expect("one line")).expect("JSON");
    assert_eq!((event["version"].as_u64(), event["kind"].as_str()), (Some(1), Some("event")));
    assert_eq!(event["item"]["events"][0], "line_closed_by_hand");
    assert!(event["item"]["decision"]["input"].to_string().contains("admin"), "who did it: {event}");
    let all = house.told(&["events", "tail", "--from", "beginning", "--limit", "1"]);
    assert!(all.contains("plan_adopted") && all.lines().count() == 1, "{all}");
    house
        .ask(&["events", "tail", "--from", "yesterday"])
        .refused(2, &["no place in the record", "beginning"]);
    house.ask(&["events", "tail", "--from", "999"]).refused(2, &["there is no decision 999 yet"]);
}

#[test]
fn the_board_is_drawn_and_counted() {
    let house = House::open();
    let board = house.told(&["board", "--lang", "zh-CN"]);
    assert!(
        board.contains("急诊咨询") && board.contains("20秒内接通") && board.contains("服务水平 = "),
        "{board}"
    );
    assert!(!board.contains('\u{1b}'), "no terminal, no control codes");
    let item = house.object(&["board"])["item"].clone();
    assert_eq!(item["lines"].as_array().map(Vec::len), Some(7));
    assert_eq!(item["lines"][0]["account"]["arrived"], 0);
    assert!(
        item["lines"][0]["diverted_to"].is_null() && item["lines"][0]["remaining_ms"].is_null(),
        "{item}"
    );

    house.told(&["line", "divert", "emergency", "--to", "duty-phone", "--for", "1h"]);
    let board = house.told(&["board", "--lang", "zh-CN"]);
    assert!(board.contains("急诊咨询 → duty-phone"), "{board}");
    let item = house.object(&["board"])["item"].clone();
    let lines = item["lines"].as_array().expect("lines");
    let line = lines.iter().find(|line| line["id"] == "emergency").expect("it is there");
    assert_eq!((line["state"].as_str(), line["diverted_to"].as_str()), (Some("open"), Some("duty-phone")));
    assert!((1..=3_600_000).contains(&line["remaining_ms"].as_u64().expect("some time is left")), "{line}");
}

#[test]
fn what_the_plan_says_of_a_line_is_told_in_both_languages() {
    let house = House::open();
    let hours = "hours = [\"Fri 18:00-24:00\", \"Sat,Sun 00:00-24:00\"]";
    house.write(
        "weekend.toml",
        &plan::HOSPITAL.replace("[lines.duty]\n", &format!("[lines.duty]\n{hours}\n")),
    );
    house.told(&["plan", "apply", "-f", "weekend.toml", "--yes"]);
    let chinese = house.told(&["line", "show", "duty", "--lang", "zh-CN"]);
    for words in ["普通", "周五 18:00-24:00, 周六 00:00-24:00, 周日 00:00-24:00", "播放提示"] {
        assert!(chinese.contains(words), "{words} is not in {chinese}");
    }
    let plan = house.object(&["line", "show", "duty"])["item"]["plan"].clone();
    assert_eq!(plan["hours"], serde_json::json!(["Fri 18:00-24:00", "Sat 00:00-24:00", "Sun 00:00-24:00"]));
    assert_eq!((plan["class"].as_str(), plan["when_closed"].as_str()), (Some("normal"), Some("message")));
}
