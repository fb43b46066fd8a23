use std::fs;
use std::process::Stdio;

use crate::house::{House, command_in, said};

#[test]
fn slips_in_nouns_and_verbs_get_the_nearest() {
    let dir = tempfile::tempdir().expect("a directory");
    for (arguments, tip) in
        [(["lien", "list"], "'line'"), (["line", "lst"], "'list'"), (["plan", "aply"], "'apply'")]
    {
        said(command_in(dir.path(), &arguments)).refused(2, &["similar", tip]);
    }
    said(command_in(dir.path(), &["line", "list", "-o", "jsn"])).refused(2, &["json"]);
}

#[test]
fn without_a_token_it_is_said_where_one_comes_from() {
    let dir = tempfile::tempdir().expect("a directory");
    let ask = |arguments: &[&str]| said(command_in(dir.path(), arguments));
    ask(&["line", "list"])
        .refused(4, &["there is no token for http://127.0.0.1:7430", "--token-file", "--data"]);
    ask(&["line", "list", "--lang", "zh"]).refused(4, &["没有用于 http://127.0.0.1:7430 的令牌"]);
    ask(&["line", "list", "--data", "nowhere"]).refused(4, &["nowhere/tokens.json is not there"]);
    ask(&["line", "list", "--token-file", "gone"])
        .refused(4, &["gone cannot be read", "hotline token create"]);
    let as_object = ask(&["line", "list", "-o", "json"]);
    let fault: serde_json::Value = serde_json::from_str(&as_object.err).expect("a fault for programs");
    assert_eq!((fault["kind"].as_str(), fault["item"]["code"].as_str()), (Some("error"), Some("NO_TOKEN")));
    assert_eq!(fault["item"]["exit"], 4);
    let as_yaml = ask(&["line", "list", "-o", "yaml"]).err;
    assert!(as_yaml.starts_with("item:\n  code: \"NO_TOKEN\"\n  exit: 4\n"), "{as_yaml}");
    assert!(as_yaml.ends_with("kind: \"error\"\nversion: 1\n"), "{as_yaml}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let house = House::open();
    house.write_private("admin.token", &house.token("admin"));
    let ask = |more: &[&str]| house.ask(&[&["line", "list", "--token-file", "admin.token"], more].concat());
    ask(&["--server", "http://127.0.0.1:9"])
        .refused(3, &["no server answers at http://127.0.0.1:9", "refused", "HOTLINE_SERVER"]);
    ask(&["--server", "127.0.0.1:9"]).refused(2, &["not the address of a server", "http://HOST:PORT"]);
    ask(&["--server", "http://203.0.113.7:1"]).refused(2, &["in the clear", "--insecure-plaintext"]);
    ask(&["--server", "https://127.0.0.1:9"]).refused(2, &["--ca FILE"]);
}

#[test]
fn lengths_of_time_have_units() {
    let house = House::open();
    let close = |lasting: &str| house.ask(&["line", "close", "duty", "--for", lasting]);
    close("30min").refused(2, &["not a length of time", "write 30m"]);
    close("30").refused(2, &["the unit is missing"]);
    close("31d").refused(1, &["1m to 30d"]);
    close("1s").refused(1, &["1m to 30d"]);
    house
        .ask(&["line", "close", "duty", "--for", "1h", "--reason", "it broke"])
        .refused(2, &["no free text"]);
    assert_eq!(house.object(&["line", "show", "duty"])["item"]["state"], "open", "nothing was half done");
}

#[test]
fn a_pipe_closed_early_ends_quietly() {
    let house = House::open();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = house.command(&["plan", "get"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().expect("it ran");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("error"), "{output:?}");
}

#[test]
fn a_verdict_outlives_its_reader() {
    let house = House::open();
    house.write("other.toml", &plan::HOSPITAL.replace("max_waiting = 80 ", "max_waiting = 90 "));
    house.write("bad.toml", "[shifts]\n");
    house.write("bad-roster.toml", "[shift]\n");
    let commands: [(&[&str], i32); 6] = [
        (&["plan", "diff", "-f", "other.toml"], 1),
        (&["plan", "diff", "-f", "other.toml", "-o", "json"], 1),
        (&["plan", "validate", "-f", "bad.toml", "--offline"], 1),
        (&["roster", "validate", "-f", "bad-roster.toml"], 1),
        (&["audit", "verify"], 0),
        (&["doctor", "--data", "data", "--config", "nowhere.toml"], 1),
    ];
    for (arguments, code) in commands {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = house.command(arguments).stdout(writer).stderr(Stdio::piped()).output().expect("it ran");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }
}

#[test]
fn a_full_disk_behind_the_output_is_said() {
    let house = House::open();
    let mut command = house.command(&["plan", "get"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let output = command.stdout(full).stderr(Stdio::piped()).output().expect("it ran");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output cannot be written to"));
}
