//! `hotline bench` in its shortest form: every call lives its whole life, and what cannot be compared is left out by
//! name.

#[path = "ground/database.rs"]
mod database;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::database::Database;

#[test]
fn every_life_is_whole_and_a_missing_peer_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let output = bench(dir.path(), &["-o", "json", "--peers", "no-such-program"]);
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    let object: Value = serde_json::from_str(said.lines().last().expect("a line")).expect("one object");
    for figure in ["r1", "r2", "control"] {
        assert!(object[figure].as_f64().is_some_and(|figure| figure > 0.0), "{figure}: {object}");
    }
    for left_out in ["r3", "r4", "desk_kb", "restart_s"] {
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
fn the_same_is_measured_on_a_postgres_that_is_named() {
    let (dir, beside) = (tempfile::tempdir(), tempfile::tempdir());
    let (dir, beside) = (dir.expect("a temporary directory"), beside.expect("a temporary directory"));
    let database = Database::new();
    let file = database.named_in(beside.path());
    let words = ["-o", "json", "--peers", "no-such-program", "--postgres", file.to_str().expect("a path")];
    let output = bench(dir.path(), &words);
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    let object: Value = serde_json::from_str(said.lines().last().expect("a line")).expect("one object");
    let round = &object["rounds"][0];
    assert!(round["lives_per_s"]["postgres"].as_f64().is_some_and(|rate| rate > 0.0), "{object}");
    assert!(round["lives_per_s"]["skip_locked"].is_null() && object["r4"].is_null(), "{object}");
    assert!(told.contains("Postgres: lives/s"), "{told}");
    assert!(!told.contains("there still"), "what was made was dropped: {told}");
}

#[test]
fn two_servers_take_over_from_each_other_and_many_sites_share_one() {
    let (dir, server) = (tempfile::tempdir().expect("a directory"), Database::new());
    let file = server.named_in(dir.path());
    let postgres = ["--postgres", file.to_str().expect("a path")];
    let rooms =
        ["--rate", "20", "--takeovers", "2", "--sites", "3", "-o", "json", "--peers", "no-such-program"];
    let output = bench(dir.path(), &[&postgres[..], &rooms].concat());
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    let last = said.lines().last().unwrap_or_else(|| panic!("it was not measured: {told}"));
    let object: Value = serde_json::from_str(last).expect("one object");
    let (routers, sites) = (&object["routers"], &object["sites"]);
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("no number in {object}"));
    for calls in [&routers["calls"], &sites["calls"]] {
        assert!(number(&calls["lives"]) > 0, "{object}");
        assert_eq!(number(&calls["refused"]), 0, "{object}");
    }
    for away in ["killed", "stopped"] {
        assert_eq!(number(&routers[away]["times"]), 2, "{object}");
        assert_eq!(number(&routers[away]["next_offer"]["count"]), 24, "12 desks of each that went: {object}");
    }
    // Which of the two has the desk whose turn it is, is chance: among so few all may be at one.
    let [all, same, across] =
        ["all", "same", "across"].map(|offers| number(&routers["offer_at_two"][offers]["count"]));
    assert!(all > 0 && all == same + across, "{object}");
    assert!(number(&routers["appends"]["stored"]) > 0, "{object}");
    assert_eq!(number(&sites["sites"]), 3);
    assert!(number(&sites["offer"]["count"]) > 0, "{object}");
    for line in ["the next offer at each of its desks", "3 sites of 15 operators"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("listed").collect();
    assert_eq!(left.len(), 1, "nothing but the address is left behind: {left:?}");
}

#[test]
fn wrong_words_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(bench(dir.path(), &["--rounds", "0"]).status.code(), Some(2));
    assert_eq!(bench(dir.path(), &["--sites", "3"]).status.code(), Some(2), "without a database");
    let nowhere = bench(&dir.path().join("nowhere"), &[]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(text(&nowhere.stderr).contains("nowhere"), "{}", text(&nowhere.stderr));
    let unnamed = bench(dir.path(), &["--postgres", "no-such-file"]);
    assert_eq!(unnamed.status.code(), Some(3));
    assert!(text(&unnamed.stderr).contains("no-such-file"), "{}", text(&unnamed.stderr));
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
