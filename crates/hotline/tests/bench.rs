//! `hotline bench` in its shortest form: every call lives its whole life, and what cannot be compared is left out by
//! name.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

#[test]
fn every_life_is_whole_and_a_missing_peer_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let output = bench(dir.path(), &["-o", "json", "--peers", "no-such-program"]);
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    let object: Value = serde_json::from_str(said.lines().last().expect("a line")).expect("one object");
    for figure in ["r1", "r2", "control"] {
        assert!(object[figure].as_f64().is_some_and(|figure| figure > 0.0), "{figure}: {object}");
    }
    for left_out in ["r3", "desk_kb", "restart_s"] {
        assert!(object[left_out].is_null(), "{left_out}: {object}");
    }
    let rounds = object["rounds"].as_array().expect("rounds");
    assert_eq!(rounds.len(), 1);
    for service in ["durable", "control", "memory"] {
        assert!(rounds[0]["lives_per_s"][service].as_f64().is_some_and(|rate| rate > 0.0), "{object}");
    }
    for times in ["offer", "offer_alone", "offer_open", "echo", "append_512"] {
        assert!(rounds[0][times]["count"].as_u64().is_some_and(|count| count > 0), "{times}: {object}");
    }
    assert!(told.contains("cargo build -p peers"), "{told}");
    assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 0, "nothing is left behind");
}

#[test]
fn wrong_words_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(bench(dir.path(), &["--rounds", "0"]).status.code(), Some(2));
    let nowhere = bench(&dir.path().join("nowhere"), &[]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(text(&nowhere.stderr).contains("nowhere"), "{}", text(&nowhere.stderr));
}

fn bench(dir: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(["bench", "--small", "--lang", "en", "--seconds", "1", "--dir"]).arg(dir);
    if !words.contains(&"--rounds") {
        command.args(["--rounds", "1"]);
    }
    command.args(words).output().expect("ended")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
