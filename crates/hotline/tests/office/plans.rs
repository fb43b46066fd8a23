use crate::house::House;
use crate::play::Gateway;

const CALL: &str = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";

fn changed() -> String {
    let text = plan::HOSPITAL.replace("wrap_up      = \"15s\"", "wrap_up      = \"16s\"");
    assert_ne!(text, plan::HOSPITAL);
    text
}

fn without_a_line() -> String {
    let start = plan::HOSPITAL.find("[lines.outpatient-2]").expect("the line");
    let end = plan::HOSPITAL.find("# Emergency comes before").expect("what follows it");
    format!("{}{}", &plan::HOSPITAL[..start], &plan::HOSPITAL[end..])
}

#[test]
fn a_plan_is_got_compared_and_applied() {
    let house = House::open();
    let got = house.told(&["plan", "get"]);
    assert_eq!(got, plan::HOSPITAL, "as it was written");
    house.write("same.toml", &got);
    house.write("new.toml", &changed());
    let same = house.ask(&["plan", "diff", "-f", "same.toml"]);
    assert_eq!((same.code, same.out.as_str()), (0, ""), "{same:?}");
    let diff = house.ask(&["plan", "diff", "-f", "new.toml"]);
    assert_eq!(diff.code, 1);
    assert!(diff.out.contains("~ lines.duty.wrap_up: 15000000 -> 16000000"), "{diff:?}");
    house
        .ask(&["plan", "apply", "-f", "new.toml"])
        .refused(2, &["nobody can be asked", "changes will be in force"]);
    let dry = house.told(&["plan", "apply", "-f", "new.toml", "--dry-run"]);
    assert!(dry.starts_with("compared with revision 1") && dry.contains("~ lines.duty.wrap_up"), "{dry}");
    let applied = house.object(&["plan", "apply", "-f", "new.toml", "--yes"])["item"].clone();
    assert_eq!((applied["changed"].as_bool(), applied["revision"].as_u64()), (Some(true), Some(2)));
    assert_eq!(house.told(&["plan", "get"]), changed());
    let again = house.object(&["plan", "apply", "-f", "new.toml", "--yes"])["item"].clone();
    assert_eq!((again["changed"].as_bool(), again["revision"].as_u64()), (Some(false), Some(2)));
}

#[test]
fn an_earlier_plan_is_listed_and_put_in_force_again() {
    let house = House::open();
    house.write("new.toml", &changed());
    house.told(&["plan", "apply", "-f", "new.toml", "--yes", "--why", "longer wrap-up"]);
    let history = house.object(&["plan", "history"]);
    let items = history["items"].as_array().expect("revisions");
    let shown: Vec<_> = items.iter().map(|item| (item["id"].as_str(), item["in_force"].as_bool())).collect();
    assert_eq!(shown, [(Some("2"), Some(true)), (Some("1"), Some(false))]);
    assert_eq!((items[0]["who"].as_str(), items[0]["why"].as_str()), (Some("admin"), Some("longer wrap-up")));
    assert_ne!(items[0]["hash"], items[1]["hash"]);
    assert_eq!(house.told(&["plan", "get", "--revision", "1"]), plan::HOSPITAL);
    let dry = house.told(&["plan", "rollback", "1", "--dry-run"]);
    assert!(dry.contains("~ lines.duty.wrap_up: 16000000 -> 15000000"), "{dry}");
    let done = house.object(&["plan", "rollback", "1", "--yes"])["item"].clone();
    assert_eq!((done["changed"].as_bool(), done["revision"].as_u64()), (Some(true), Some(3)));
    assert_eq!(house.told(&["plan", "get"]), plan::HOSPITAL, "comments and all");
    house.ask(&["plan", "rollback", "9", "--yes"]).refused(1, &["the last one is 3"]);
}

#[test]
fn two_administrators_at_once_are_told_apart() {
    let house = House::open();
    house.write("new.toml", &changed());
    house.told(&["plan", "apply", "-f", "new.toml", "--yes"]);
    house.write("other.toml", &plan::HOSPITAL.replace("max_waiting = 80 ", "max_waiting = 90 "));
    let late = ["plan", "apply", "-f", "other.toml", "--yes", "--expect-revision", "1"];
    house
        .ask(&late)
        .refused(1, &["somebody else applied a plan", "revision 2 is in force", "nothing was changed"]);
    house
        .ask(&[&late[..], &["--lang", "zh"]].concat())
        .refused(1, &["其间有人应用了另一版方案", "现行的是第 2 版"]);
    assert_eq!(house.told(&["plan", "get"]), changed(), "nothing was applied");
}

#[test]
fn removing_a_line_shows_who_waits_and_where_they_would_go() {
    let house = House::open();
    house.have_somebody_paused("li-na", "outpatient-2");
    house.ring(&[(CALL, "outpatient-2")]);
    house.write("less.toml", &without_a_line());
    let apply = ["plan", "apply", "-f", "less.toml"];
    house
        .ask(&apply)
        .refused(1, &["would remove the lines outpatient-2", "1 waiting caller", CALL, "--allow-remove"]);
    let moved = ["--allow-remove", "--move-waiting-to", "outpatient-2=outpatient-1"];
    let dry = house.told(&[&apply[..], &moved, &["--dry-run"]].concat());
    assert!(dry.contains("1 waiting caller would move to outpatient-1") && dry.contains(CALL), "{dry}");
    let slip = ["--allow-remove", "--move-waiting-to", "outpatient-2=outpatient-3"];
    house.ask(&[&apply[..], &slip].concat()).refused(1, &["did you mean outpatient-1?"]);
    let applied = house.object(&[&apply[..], &moved, &["--yes"]].concat());
    assert_eq!(applied["item"]["revision"], 2);
    assert_eq!(house.object(&["call", "show", CALL])["item"]["line"], "outpatient-1");
}

#[test]
fn callers_who_wait_are_counted_before_they_are_promised_the_new_plan() {
    const OTHERS: [&str; 2] =
        ["0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a12", "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a13"];
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    house.have_somebody_paused("wang", "outpatient-2");
    let gateway = Gateway::attach(&house);
    gateway.ring(CALL, "duty");
    gateway.ring(OTHERS[0], "duty");
    gateway.ring(OTHERS[1], "outpatient-2");
    let promised = |call: &str| house.object(&["call", "why", call])["item"]["plan_revision"].clone();
    house.write("new.toml", &changed());
    let plain = house.object(&["plan", "apply", "-f", "new.toml", "--dry-run"])["item"].clone();
    assert!(plain["migrate"] == false && plain.get("migrating").is_none(), "{plain}");
    house.told(&["plan", "apply", "-f", "new.toml", "--yes"]);
    assert_eq!(promised(CALL), 1, "who waits keeps what was promised");

    // One of the three waits on a line that goes.
    house.write("less.toml", &without_a_line());
    let apply = ["plan", "apply", "-f", "less.toml", "--allow-remove", "--migrate"];
    let dry = house.told(&[&apply[..], &["--dry-run"]].concat());
    assert!(dry.contains("2 waiting callers on lines that stay would be promised the new plan"), "{dry}");
    assert!(dry.contains("1 waiting caller would finish where they are"), "{dry}");
    let item = house.object(&[&apply[..], &["--dry-run"]].concat())["item"].clone();
    assert!(item["migrate"] == true && item["migrating"] == 2, "{item}");
    house.ask(&apply).refused(2, &["2 waiting callers on lines that stay", "also for the callers who wait"]);
    let chinese = house.ask(&[&apply[..], &["--lang", "zh-CN"]].concat());
    chinese.refused(2, &["保留的热线上有 2 个等候的来电改用新方案", "等候的来电也改用新方案"]);
    assert_eq!(promised(CALL), 1, "nothing was changed");
    house.told(&[&apply[..], &["--yes"]].concat());
    assert_eq!((promised(CALL), promised(OTHERS[0])), (3.into(), 3.into()));
    assert_eq!(promised(OTHERS[1]), 1, "a line that goes is as it was promised");
}

#[test]
fn a_file_that_is_none_is_refused_in_clear_words() {
    let house = House::open();
    house.write("bad.toml", &plan::HOSPITAL.replace("class        = \"emergency\"", "class = \"urgent\""));
    std::fs::write(house.path("latin.toml"), b"# caf\xe9\n").expect("written");
    std::fs::write(house.path("long.toml"), vec![b'#'; plan::TEXT_BYTES_MAX + 1]).expect("written");
    for verb in ["validate", "diff", "apply"] {
        let ask = |file: &str| house.ask(&["plan", verb, "-f", file]);
        ask("data").refused(2, &["data cannot be read", "it is a directory"]);
        ask("gone.toml").refused(2, &["gone.toml cannot be read", "hotline plan get > hospital.toml"]);
        ask("long.toml").refused(2, &["long.toml is too long", "1 MiB"]);
    }
    for (verb, code) in [("diff", 2), ("apply", 1)] {
        house.ask(&["plan", verb, "-f", "latin.toml"]).refused(code, &["latin.toml", "UTF-8"]);
        house.ask(&["plan", verb, "-f", "bad.toml"]).refused(code, &["bad.toml:", "urgent", "^"]);
    }
    let validated = house.ask(&["plan", "validate", "-f", "bad.toml"]);
    assert_eq!(validated.code, 1);
    assert!(
        validated.out.contains("urgent") && validated.err.contains("cannot be applied: 1 wrong"),
        "{validated:?}"
    );
    let here =
        house.ask(&["plan", "validate", "-f", "bad.toml", "--offline", "--server", "http://127.0.0.1:1"]);
    assert_eq!((here.code, here.out), (validated.code, validated.out), "no server is asked");
    let words = ["错误：没有优先级 'urgent'", "--> bad.toml:", "class = \"urgent\"", "^", "= 办法：优先级有"];
    let chinese = house.ask(&["plan", "validate", "-f", "bad.toml", "--lang", "zh-CN"]);
    for words in words {
        assert!(chinese.out.contains(words), "{words:?} is not in {}", chinese.out);
    }
    assert!(!chinese.out.contains("error") && !chinese.out.contains("help"), "{}", chinese.out);
    for (verb, code) in [("diff", 2), ("apply", 1)] {
        house.ask(&["plan", verb, "-f", "bad.toml", "--lang", "zh-CN"]).refused(code, &words);
    }
    let object = house.ask(&["plan", "validate", "-f", "bad.toml", "--lang", "zh-CN", "-o", "json"]);
    let object: serde_json::Value = serde_json::from_str(&object.out).expect("one object");
    assert_eq!(object["item"]["complaints"][0]["message"], "没有优先级 'urgent'");
}

#[test]
fn a_plan_comes_by_a_pipe_too() {
    use std::io::Write;
    use std::process::Stdio;
    let house = House::open();
    let mut command = house.command(&["plan", "diff", "-f", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    child.stdin.take().expect("piped").write_all(changed().as_bytes()).expect("read");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
