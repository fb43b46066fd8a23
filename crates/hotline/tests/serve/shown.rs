//! `hotline serve` with a Redis, without one that it should have, and with words about one that make no sense.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::redis_server;
use crate::server::Server;

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until this server shows who is free.
fn until_shown(place: &redis_server::Server, question: &str) {
    let give_up_at = Instant::now() + PATIENCE;
    while place.answer(question).as_deref() != Some(":1") {
        assert!(Instant::now() < give_up_at, "nobody shows who is free");
        std::thread::yield_now();
    }
}

const IS_SHOWN: &str = "EXISTS hotline:{main}:free";

#[test]
fn a_server_shows_who_is_free_also_in_a_redis_that_comes_later() {
    let place = redis_server::Server::start();
    let mut server = Server::start("redis", &["--redis", &place.address()]);
    server.ready();
    until_shown(&place, IS_SHOWN);
    let port = place.kill();
    let mut late = Server::start("redis-late", &["--redis", &format!("redis://127.0.0.1:{port}")]);
    assert_eq!(late.ready()["site"], "main", "it serves without it");
    let place = redis_server::Server::on(port);
    until_shown(&place, IS_SHOWN);
    assert!(late.log().contains("Redis is not there"), "and says so");
}

#[test]
fn a_password_comes_from_a_file_and_is_shown_nowhere() {
    let place = redis_server::Server::start();
    assert_eq!(place.answer("CONFIG SET requirepass s3cret-word").as_deref(), Some("+OK"));
    let directory = tempfile::tempdir().expect("a directory");
    let configuration = directory.path().join("server.toml");
    let text = format!("[redis]\naddress = \"{}\"\npassword_file = \"password\"\n", place.address());
    fs::write(&configuration, text).expect("written");
    fs::write(directory.path().join("password"), "s3cret-word\n").expect("written");
    let configuration = configuration.to_str().expect("a path");
    let mut server = Server::start("redis-password", &["--config", configuration, "--log", "debug"]);
    server.ready();
    until_shown(&place, &format!("AUTH s3cret-word\r\n{IS_SHOWN}"));
    assert!(!server.log().contains("s3cret-word"));
}

#[test]
fn an_address_that_is_none_is_refused_with_a_sentence() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("server.toml");
    let path = file.to_str().expect("a path");
    let refused_with = |code: i32, arguments: &[&str], variable: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--tokens-file", "unused"]).args(arguments);
        let output = command.env("HOTLINE_REDIS", variable).stdin(Stdio::null()).output().expect("ended");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("s3cret"), "{said}");
        said
    };
    let refused = |arguments: &[&str], variable: &str| refused_with(2, arguments, variable);
    let said = refused(&["--redis", "cache:6379"], "");
    assert!(said.contains("--redis cannot be used") && said.contains("redis://host:6379"), "{said}");
    let said = refused(&["--redis", "redis://:s3cret@cache"], "");
    assert!(said.contains("an address holds no secrets") && said.contains("password_file"), "{said}");
    assert!(refused(&[], "redis+ring://cache").contains("HOTLINE_REDIS cannot be used"));
    fs::write(&file, "[redis]\naddress = \"redis://one,two\"\n").expect("written");
    let said = refused(&["--config", path], "");
    assert!(said.contains("several hosts") && said.contains("server.toml:2:11"), "{said}");
    fs::write(&file, "[redis]\naddress = \"redis://:s3cret@cache\"\n").expect("written");
    assert!(refused(&["--config", path], "").contains("an address holds no secrets"));
    fs::write(&file, "[redis]\npassword_file = \"password\"\n").expect("written");
    assert!(refused(&["--config", path], "").contains("says no address"));
    fs::write(&file, "[redis]\naddress = \"redis://cache\"\npassword_file = \"password\"\n")
        .expect("written");
    let said = refused_with(1, &["--config", path], "");
    assert!(said.contains("cannot read the password"), "it may be there later: {said}");
}
