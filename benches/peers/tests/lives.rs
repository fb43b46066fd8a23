//! `hotline bench` with every peer: calls live their whole lives at each, and nothing is left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The address of a server on which tests may make databases.
const SERVER: &str = "HOTLINE_TEST_POSTGRES";

#[test]
fn calls_live_at_every_peer() {
    let server = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} names no Postgres server; run: tests/tools/postgres.sh run cargo test --workspace")
    });
    let (dir, beside) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let file = beside.path().join("address");
    fs::write(&file, &server).expect("written");
    let output = bench(dir.path(), &file);
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    let last = said.lines().last().unwrap_or_else(|| panic!("{told}"));
    let object: Value = serde_json::from_str(last).expect("one object");
    let lives = &object["rounds"][0]["lives_per_s"];
    for service in ["durable", "memory", "postgres", "redis_lua", "redis_lua_bare", "skip_locked"] {
        assert!(lives[service].as_f64().is_some_and(|rate| rate > 0.0), "{service}: {object}");
    }
    for figure in ["r3", "r4"] {
        assert!(object[figure].as_f64().is_some_and(|figure| figure > 0.0), "{figure}: {object}");
    }
    assert!(told.contains("SKIP LOCKED and NOTIFY") && !told.contains("there still"), "{told}");
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0, "nothing is left behind");
    let password = server.split(['@', ':']).nth(2).expect("a password");
    assert!(!said.contains(password) && !told.contains(password), "no password is told");
}

#[test]
fn a_database_that_is_not_there_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = peers(&["skip-locked", "--postgres", "nowhere"]);
    assert!(!output.status.success() && text(&output.stderr).contains("nowhere"), "{output:?}");
    let file = dir.path().join("address");
    fs::write(&file, "postgres://nobody@127.0.0.1:1/nothing").expect("written");
    let output = peers(&["skip-locked", "--postgres", file.to_str().expect("a path")]);
    assert!(!output.status.success() && text(&output.stderr).contains("no Postgres there"), "{output:?}");
}

fn bench(dir: &Path, postgres: &Path) -> Output {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_peers"));
    let hotline = program.with_file_name("hotline");
    let mut command = Command::new(&hotline);
    command.args([
        "bench",
        "--small",
        "--lang",
        "en",
        "--rounds",
        "1",
        "--seconds",
        "1",
        "-o",
        "json",
        "--dir",
    ]);
    command.arg(dir).arg("--peers").arg(program).arg("--postgres").arg(postgres);
    let ended = command.output();
    ended.unwrap_or_else(|fault| panic!("{}: {fault}; cargo build --workspace --bins", hotline.display()))
}

fn peers(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peers")).args(words).output().expect("ended")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
