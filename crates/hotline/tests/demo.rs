//! The demonstration from outside: its flags, its report, its repeatability, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const HOTLINE: &str = env!("CARGO_BIN_EXE_hotline");

fn demo(flags: &str) -> Command {
    let mut command = Command::new(HOTLINE);
    command.arg("demo").args(flags.split_whitespace()).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

fn played(flags: &str) -> Output {
    let output = demo(flags).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{flags}: {}\n{said}", output.status);
    output
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

fn object(flags: &str) -> Value {
    serde_json::from_str(&last_line(&played(flags))).unwrap()
}

fn sum(outcomes: &Value) -> u64 {
    outcomes.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn a_small_day_is_reported_and_balances() {
    let day = object("--seed 5 --calls 60 -o json");
    let calls = &day["calls"];
    let figure = |name: &str| calls[name].as_u64().unwrap();
    assert_eq!(day["seed"], 5);
    assert_eq!(figure("first_attempts"), 60);
    assert_eq!(figure("offered"), figure("first_attempts") + figure("redials"));
    assert_eq!(figure("offered"), sum(&calls["outcomes"]) + figure("inside"));
    assert!(figure("overflowed") <= figure("offered"));
    assert!(figure("answered") > 30, "{day:#}");
    assert_eq!(day["ledger"]["balanced"], true, "{day:#}");
    assert_eq!(day["ledger"]["faults"], Value::Array(Vec::new()));
    assert_eq!(day["ledger"]["hash"].as_str().unwrap().len(), 64);

    let lines = day["lines"].as_array().unwrap();
    let names: Vec<&str> = lines.iter().map(|line| line["line_id"].as_str().unwrap()).collect();
    let all = ["switchboard", "outpatient-1", "outpatient-2", "emergency", "duty", "comfort", "staff"];
    assert_eq!(names, all);
    let of_lines = |name: &str| lines.iter().map(|line| line[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(of_lines("offered"), figure("offered"));
    assert_eq!(of_lines("moved_in"), of_lines("moved_out"));
    for line in lines {
        let came = line["offered"].as_u64().unwrap() + line["moved_in"].as_u64().unwrap();
        let went = sum(&line["outcomes"]) + line["moved_out"].as_u64().unwrap();
        assert_eq!(came, went + line["inside"].as_u64().unwrap(), "{line:#}");
        assert_eq!(line["service_level"]["threshold_ms"], 20_000);
        assert!(line["answered"].as_u64().unwrap() <= line["answerable"].as_u64().unwrap(), "{line:#}");
    }
    assert_eq!(of_lines("answerable"), figure("offered"));
}

/// The hospital is the same state machine in one process and over the network: if the wire loses, delays or reorders
/// anything that matters, the accounts differ.
#[test]
fn a_day_over_the_wire_is_the_day_without_one() {
    let over_the_wire = object("--seed 21 --calls 150 -o json");
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan;
    let day = sim::day::play(sim::world::WorldConfig::hospital(&plan, 21, 150, 1), &plan);
    let total = day.ledger.total();
    let calls = &over_the_wire["calls"];
    assert_eq!(calls["offered"], total.arrived);
    assert_eq!(calls["answered"], total.answered);
    assert_eq!(calls["abandoned"], total.abandoned());
    assert_eq!(calls["overflowed"], total.overflowed);
    assert_eq!(calls["inside"], day.switchboard.state().calls.len());
    for line in over_the_wire["lines"].as_array().unwrap() {
        let id = line["line_id"].as_str().unwrap().parse().unwrap();
        let account = day.ledger.lines().get(&id).cloned().unwrap_or_default();
        assert_eq!(line["answered"], account.answered, "{id}");
        assert_eq!(line["wait_max_ms"], account.wait_max.0 / 1_000, "{id}");
    }
}

#[test]
fn the_same_seed_gives_the_same_day_whatever_the_pace() {
    let flags = "--seed 11 --calls 25 -o json";
    let first = last_line(&played(flags));
    assert_eq!(first, last_line(&played(flags)));
    // A day in less than two seconds, and yet with waiting between the steps.
    assert_eq!(first, last_line(&played(&format!("{flags} --pace 60000x --lang zh-CN"))));
    assert_ne!(first, last_line(&played("--seed 12 --calls 25 -o json")));
}

#[test]
fn a_surge_is_so_many_times_as_many_callers_and_still_the_same_each_time() {
    let flags = "--seed 3 --calls 20 --surge 10 -o json";
    let first = last_line(&played(flags));
    assert_eq!(first, last_line(&played(flags)));
    let day: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(day["calls"]["first_attempts"], 200);
    assert_eq!(day["ledger"]["balanced"], true);
}

#[test]
fn the_report_for_people_is_in_their_language() {
    let zh = String::from_utf8(played("--calls 10 --lang zh-CN").stdout).unwrap();
    for words in ["全天报告", "急诊咨询", "遇忙转移", "20秒内接通", "账平"] {
        assert!(zh.contains(words), "{words} in {zh}");
    }
    let output = demo("--calls 10").env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), zh, "the locale says the same as the flag");
    let en = String::from_utf8(played("--calls 10").stdout).unwrap();
    for words in ["The day's report", "Emergency consultation", "overflowed", "in 20 s", "Balanced"] {
        assert!(en.contains(words), "{words} in {en}");
    }
}

#[test]
fn away_from_a_terminal_the_board_is_lines_without_control_codes() {
    let output = played("--calls 10 -o json");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().filter(|line| line.ends_with("balanced")).count() >= 24, "one line an hour: {said}");
    assert!(!said.contains('\x1b'), "{said:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1, "nothing but the object");
}

#[test]
fn flags_that_make_no_sense_are_refused_with_what_to_write() {
    let cases = [
        ("--calls 0", "0"),
        ("--calls -3", "--calls"),
        ("--surge 0", "0"),
        ("--pace fast", "write 1x, 60x, another whole number with an x, or max"),
        ("--lang fr", "write zh-CN or en"),
        ("-o xml", "xml"),
        ("--kill -1", "-1"),
        ("--kill often", "often"),
        ("--sed 4", "--seed"),
    ];
    for (flags, words) in cases {
        let output = demo(flags).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags}: {said}");
        assert!(said.contains(words), "{flags}: {said}");
        assert!(output.stdout.is_empty());
    }
    let output = demo("--calls 200000 --surge 50").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("10000000 callers"), "{output:?}");
}

#[test]
fn without_a_private_place_for_tokens_nothing_is_started() {
    let nowhere = demo("--calls 5").env("TMPDIR", "/nowhere-at-all").output().unwrap();
    assert_eq!(nowhere.status.code(), Some(3));
    let said = String::from_utf8_lossy(&nowhere.stderr);
    assert!(said.contains("making a private directory for the service"), "{said}");
}

#[test]
fn the_service_does_not_survive_a_demo_that_is_killed() {
    let mut demo = under_way("--pace 1x");
    let service = child_of(demo.id()).expect("the service runs");
    demo.kill().unwrap();
    demo.wait().unwrap();
    wait_until("the service is gone", || !is_running(service));
}

#[test]
fn an_interrupt_ends_the_demo_and_its_service_in_good_order() {
    let mut demo = under_way("--pace 1x");
    let service = child_of(demo.id()).expect("the service runs");
    let sent = Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(demo.wait().unwrap().code(), Some(130));
    assert!(!is_running(service), "the demo waits for its service to end");
}

#[test]
fn a_service_in_memory_that_dies_ends_the_demo_with_a_word_about_it() {
    let mut demo = under_way("--pace 1x");
    kill(child_of(demo.id()).expect("the service runs"));
    let status = demo.wait().unwrap();
    let mut said = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("the service ended in the middle of the day"), "{said}");
}

/// Killed again and again with requests on their way: the account of the day is true all the same.
#[test]
fn a_service_that_is_killed_all_day_long_still_balances() {
    let day = object("--seed 9 --calls 250 --kill 12 -o json");
    let service = &day["service"];
    let count = |name: &str| service[name].as_u64().unwrap();
    assert_eq!(count("deaths"), 12, "{service:#}");
    assert_eq!(count("by_the_demo"), 12, "{service:#}");
    assert_eq!(count("with_requests_in_flight"), 12, "{service:#}");
    for death in service["each"].as_array().unwrap() {
        assert!(death["how"].as_str().unwrap().contains("SIGKILL"), "{death:#}");
        assert!(death["in_flight"].is_string(), "{death:#}");
    }
    assert_eq!(service["journal"]["verified"], true, "{service:#}");
    assert_eq!(service["journal"]["same_decisions"], true, "{service:#}");
    assert_eq!(day["ledger"]["balanced"], true, "{:#}", day["ledger"]);
    let calls = &day["calls"];
    let figure = |name: &str| calls[name].as_u64().unwrap();
    assert_eq!(figure("first_attempts"), 250, "who calls does not depend on the service");
    assert_eq!(figure("offered"), figure("first_attempts") + figure("redials"));
    assert_eq!(figure("offered"), sum(&calls["outcomes"]) + figure("inside"));
    assert!(figure("answered") > 150, "{day:#}");
}

#[test]
fn a_service_on_disk_that_dies_by_itself_is_started_again_and_the_day_goes_on() {
    let mut demo = under_way("--seed 6 --calls 40 --kill 0 --pace 20000x -o json");
    kill(child_of(demo.id()).expect("the service runs"));
    let mut said = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let mut day = String::new();
    demo.stdout.take().unwrap().read_to_string(&mut day).unwrap();
    assert_eq!(demo.wait().unwrap().code(), Some(0), "{said}");
    let day: Value = serde_json::from_str(&day).unwrap();
    assert_eq!(day["service"]["deaths"], 1, "{said}");
    assert_eq!(day["service"]["by_the_demo"], 0);
    assert_eq!(day["service"]["journal"]["verified"], true);
    assert_eq!(day["ledger"]["balanced"], true, "{day:#}");
    assert!(said.contains("the service died (signal: 9 (SIGKILL))"), "{said}");
    assert!(said.contains("the service is back after"), "{said}");
}

#[test]
fn a_service_that_never_comes_to_anything_is_given_up() {
    let mut demo = under_way("--calls 40 --kill 0 --pace 1x");
    let status = loop {
        if let Some(status) = demo.try_wait().unwrap() {
            break status;
        }
        if let Some(service) = child_of(demo.id()) {
            kill(service);
        }
        std::thread::yield_now();
    };
    let mut said = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("ended each time before it had answered anything"), "{said}");
}

#[test]
fn a_demo_with_deaths_leaves_nothing_behind_and_tells_in_chinese() {
    let home = tempfile::tempdir().unwrap();
    let output = demo("--calls 30 --kill 1 --lang zh-CN").env("TMPDIR", home.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("服务进程死亡") && said.contains("秒后恢复"), "{said}");
    let report = String::from_utf8_lossy(&output.stdout);
    for words in ["服务进程死亡 1 次", "hotline journal verify", "逐项相同", "账平"] {
        assert!(report.contains(words), "{words} in {report}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

/// A demo, once its first line of the board is out.
fn under_way(flags: &str) -> Child {
    let mut demo = demo(flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(demo.stderr.take().unwrap());
    let mut first = String::new();
    stderr.read_line(&mut first).unwrap();
    assert!(first.starts_with("00:00:00"), "{first}");
    demo.stderr = Some(stderr.into_inner());
    demo
}

fn child_of(parent: u32) -> Option<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(path).ok()?;
    Some(children.split_whitespace().next()?.parse().unwrap())
}

fn kill(process: u32) {
    // One that has ended meanwhile is as dead.
    Command::new("kill").args(["-KILL", &process.to_string()]).stderr(Stdio::null()).status().unwrap();
}

fn is_running(process: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
    // A zombie has ended: nobody has asked for its status yet.
    !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < patience, "not within 20 s: {what}");
        std::thread::yield_now();
    }
}
