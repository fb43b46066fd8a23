use crate::house::House;
use crate::play::Gateway;

const CALL: &str = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";

const ALL_DAY: &str =
    "[shifts]\nday = { from = \"00:00\", to = \"24:00\" }\n\n[weekly]\nli-na = \"daily day\"\n";

#[test]
fn a_roster_is_applied_got_and_followed() {
    let house = House::open();
    assert_eq!(house.ask(&["roster", "get"]).err, "there is no roster yet\n");
    house.told(&["operator", "add", "li-na", "--home", "duty"]);
    house.write("roster.toml", ALL_DAY);
    let apply = ["roster", "apply", "-f", "roster.toml"];
    house.ask(&apply).refused(2, &["nobody can be asked", "this roster will be in force"]);
    let dry = house.ask(&[&apply[..], &["--dry-run"]].concat());
    assert!(dry.code == 0 && dry.err.contains("nothing was changed"), "{dry:?}");
    assert!(dry.err.lines().all(|line| !line.is_empty()), "no line without words: {dry:?}");
    let item = house.object(&[&apply[..], &["--yes"]].concat())["item"].clone();
    assert_eq!((item["changed"].as_bool(), item["revision"].as_u64()), (Some(true), Some(1)));
    assert_eq!(house.told(&["roster", "get"]), ALL_DAY, "as it was written");
    let again = house.object(&[&apply[..], &["--yes"]].concat())["item"].clone();
    assert_eq!(again["changed"], false);
    let due = house.object(&["roster", "due", "--ahead", "2h"])["items"][0].clone();
    assert_eq!((due["id"].as_str(), due["shift"].as_str()), (Some("li-na"), Some("day")));
    let attendance = due["attendance"].as_str().expect("a word");
    assert!(["late", "absent"].contains(&attendance), "{due}");
    let due = house.ask(&["roster", "due"]);
    assert!(due.err.contains("times are by this machine's clock: "), "{due:?}");
    let table = house.told(&["roster", "due", "--lang", "zh"]);
    assert!(table.starts_with("接线员") && table.contains("li-na"), "{table}");
}

#[test]
fn whoever_goes_after_the_call_is_leaving_and_who_pauses_without_a_shift_is_seen() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    house.have_somebody_paused("wang", "comfort");
    house.write("roster.toml", ALL_DAY);
    house.told(&["roster", "apply", "-f", "roster.toml", "--yes"]);
    let gateway = Gateway::attach(&house);
    gateway.ring(CALL, "duty");
    house.told(&["operator", "resume", "li-na"]);
    gateway.pick_up(CALL, 1);
    house.told(&["operator", "off", "li-na"]);
    let due = house.object(&["roster", "due"])["items"].clone();
    let told = |n: usize| ["id", "attendance", "duty", "shift"].map(|field| due[n][field].as_str());
    assert_eq!(told(0), [Some("li-na"), Some("leaving"), Some("leaving"), Some("day")]);
    assert_eq!(told(1), [Some("wang"), Some("extra"), Some("paused"), None]);
    let wide = house.told(&["roster", "due", "-o", "wide"]);
    for words in ["leaving", "there, not on shift", "DUTY", "paused"] {
        assert!(wide.contains(words), "{words:?} is not in {wide}");
    }
    let chinese = house.told(&["roster", "due", "--lang", "zh"]);
    assert!(chinese.contains("将离") && chinese.contains("在岗，不在班"), "{chinese}");
}

#[test]
fn two_who_make_rosters_at_once_are_told_apart() {
    let house = House::open();
    house.told(&["operator", "add", "li-na"]);
    house.write("roster.toml", ALL_DAY);
    house.told(&["roster", "apply", "-f", "roster.toml", "--yes", "--expect-revision", "0"]);
    house.write("other.toml", &ALL_DAY.replace("daily", "Mon-Fri"));
    let late = ["roster", "apply", "-f", "other.toml", "--yes", "--expect-revision", "0"];
    house
        .ask(&late)
        .refused(1, &["somebody else applied a roster", "roster 1 is in force", "hotline roster get"]);
    house.ask(&[&late[..], &["--lang", "zh"]].concat()).refused(1, &["其间有人应用了另一版排班表"]);
    assert_eq!(house.told(&["roster", "get"]), ALL_DAY, "nothing was applied");
}

#[test]
fn an_unknown_zone_and_two_shifts_at_once_change_nothing() {
    let house = House::open();
    house.told(&["operator", "add", "li-na"]);
    house.write("roster.toml", ALL_DAY);
    house.told(&["roster", "apply", "-f", "roster.toml", "--yes"]);
    house.write("zone.toml", &format!("time_zone = \"Europe/Berlni\"\n{ALL_DAY}"));
    let noon = "\nnoon = { from = \"11:00\", to = \"13:00\" }\n\n\
                [weekly]\nli-na = [\"daily day\", \"daily noon\"]\n";
    let (shifts, _) = ALL_DAY.split_once("\n\n").expect("two tables");
    house.write("twice.toml", &format!("{shifts}{noon}"));
    let cases = [
        ("zone.toml", ["no time zone", "Europe/Berlin"], ["zone.toml:1:", "没有时区"]),
        ("twice.toml", ["'noon' at once on", "from 11:00 to 13:00"], ["twice.toml:6:", "同时排了"]),
    ];
    for (file, english, chinese) in cases {
        let validated = house.ask(&["roster", "validate", "-f", file]);
        assert_eq!(validated.code, 1, "{validated:?}");
        for words in english {
            assert!(validated.out.contains(words), "{words:?} is not in {}", validated.out);
        }
        let apply = ["roster", "apply", "-f", file, "--yes"];
        house.ask(&apply).refused(1, &english);
        let told = house.ask(&[&apply[..], &["--lang", "zh-CN"]].concat());
        told.refused(1, &chinese);
        assert!(!told.err.contains(english[0]), "{told:?}");
    }
    assert_eq!(house.told(&["roster", "get"]), ALL_DAY, "nothing was applied");
}

#[test]
fn what_is_wrong_with_a_roster_is_drawn_and_gaps_are_told() {
    let house = House::open();
    house.write("bad.toml", &ALL_DAY.replace("daily day", "daily night"));
    house.write("nobody.toml", &ALL_DAY.replace("24:00", "12:00"));
    let bad = house.ask(&["roster", "validate", "-f", "bad.toml"]);
    assert_eq!(bad.code, 1);
    assert!(
        bad.out.contains("night") && bad.out.contains('^') && bad.err.contains("cannot be applied"),
        "{bad:?}"
    );
    let nobody = house.ask(&["roster", "validate", "-f", "nobody.toml"]);
    assert!(nobody.code == 1 && nobody.out.contains("li-na"), "{nobody:?}");
    assert!(nobody.out.contains("--> nobody.toml:5:"), "the file's name, not the server's: {nobody:?}");
    house
        .ask(&["roster", "apply", "-f", "nobody.toml", "--yes"])
        .refused(1, &["nobody.toml has mistakes", "li-na"]);
    let chinese = |arguments: &[&str]| house.ask(&[&["roster"], arguments, &["--lang", "zh"]].concat());
    let bad = chinese(&["validate", "-f", "bad.toml"]);
    for words in ["错误：没有班次 'night'", "--> bad.toml:5:", "daily night", "= 办法：在 [shifts] 下声明它"]
    {
        assert!(bad.out.contains(words), "{words:?} is not in {}", bad.out);
    }
    // What only the server can know.
    chinese(&["apply", "-f", "nobody.toml", "--yes"]).refused(
        1,
        &["nobody.toml 有误", "错误：没有接线员 li-na", "--> nobody.toml:5:", "= 办法：先添加这名接线员"],
    );
    house
        .ask(&["roster", "apply", "-f", "gone.toml"])
        .refused(2, &["the roster gone.toml", "hotline roster get"]);
    house.told(&["operator", "add", "li-na", "--home", "duty"]);
    let chinese = house.ask(&["roster", "validate", "-f", "nobody.toml", "--lang", "zh"]);
    assert!(
        chinese.code == 0 && chinese.out.contains("警告：") && chinese.err.contains("可以应用"),
        "{chinese:?}"
    );
    let object = house.object(&["roster", "validate", "-f", "nobody.toml"])["item"].clone();
    assert!(object["gaps"][0]["lines"].is_array() && object["valid"] == true, "{object}");
    let gaps = object["gaps"].as_array().expect("gaps");
    let stretches: usize = gaps.iter().map(|gap| gap["times"].as_array().expect("times").len()).sum();
    assert!(stretches > gaps.len(), "one warning tells of several: {object}");
    let asked = house.ask(&["roster", "apply", "-f", "nobody.toml"]);
    assert!(asked.err.contains(&format!("next 14 days {stretches} ")), "{asked:?}");
    house.told(&["roster", "apply", "-f", "nobody.toml", "--yes"]);
    house.write("plan.toml", plan::HOSPITAL);
    let planned = house.object(&["plan", "validate", "-f", "plan.toml"])["item"].clone();
    assert!(planned["gaps"].as_array().is_some_and(|gaps| !gaps.is_empty()), "{planned}");
}

#[test]
fn dates_that_are_over_are_told_in_both_languages() {
    let house = House::open();
    house.told(&["operator", "add", "li-na"]);
    let dated = "\n[[exceptions]]\ndate = \"2020-02-29\"\noff = [\"li-na\"]\n";
    house.write("past.toml", &format!("{ALL_DAY}{dated}"));
    let validate = ["roster", "validate", "-f", "past.toml"];
    let found = house.told(&validate);
    for words in ["warning: 2020-02-29 is over", "--> past.toml:8:8", "= help: look at the year"] {
        assert!(found.contains(words), "{words:?} is not in {found}");
    }
    let chinese = house.told(&[&validate[..], &["--lang", "zh"]].concat());
    for words in ["警告：2020-02-29 已经过去", "= 办法：看看年份"] {
        assert!(chinese.contains(words), "{words:?} is not in {chinese}");
    }
    house.told(&["roster", "apply", "-f", "past.toml", "--yes"]);
    let again = house.told(&validate);
    assert!(!again.contains("is over"), "it is in force, and nobody is told again: {again}");
}
