//! `hotline health` and servers that are well, hung, and gone.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::server::Server;

fn health(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.arg("health").args(arguments).env("LC_ALL", "C").env_remove("HOTLINE_DATA");
    command.output().expect("ended")
}

fn said(output: &Output) -> (Option<i32>, String) {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(both).expect("text"))
}

fn signal(server: &Server, name: &str) {
    let told = Command::new("kill").args([name, &server.child.id().to_string()]).status();
    assert!(told.expect("kill").success());
}

#[test]
fn a_server_that_serves_is_told_from_one_that_is_hung_and_one_that_is_gone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    let data = data.to_str().expect("a path");
    let (code, words) = said(&health(&["--data", data]));
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("server.json") && words.contains("when it has started"), "{words}");

    let mut server = Server::start("health", &["--data", data]);
    let address = server.ready()["address"].as_str().expect("an address").to_owned();
    for at in [["--data", data], ["--server", &address]] {
        let (code, words) = said(&health(&at));
        assert_eq!((code, words.as_str()), (Some(0), format!("{address} serves\n").as_str()));
    }
    let (code, words) = said(&health(&["--data", data, "--lang", "zh-CN"]));
    assert_eq!((code, words.contains("正在服务")), (Some(0), true), "{words}");

    signal(&server, "-STOP");
    let (code, words) = said(&health(&["--data", data]));
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("does not answer"), "{words}");
    signal(&server, "-CONT");
    drop(server.log());
    let (code, words) = said(&health(&["--data", data, "--lang", "zh-CN"]));
    assert_eq!((code, words.contains("没有应答")), (Some(1), true), "{words}");
}

#[test]
fn over_tls_it_trusts_the_authority_that_was_written_down_or_said_and_no_other() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let place = |name: &str| dir.path().join(name).to_str().expect("a path").to_owned();
    for certs in ["certs", "others"] {
        let made =
            Command::new(env!("CARGO_BIN_EXE_hotline")).args(["certs", "init", &place(certs)]).status();
        assert!(made.expect("ended").success());
    }
    let flags = ["--data", &place("data"), "--tls", &place("certs")];
    let mut server = Server::start("health-tls", &flags);
    let address = server.ready()["address"].as_str().expect("an address").to_owned();
    assert!(address.starts_with("https://"), "{address}");
    let ask = |arguments: &[&str]| said(&health(arguments));
    assert_eq!(ask(&["--data", &place("data")]), (Some(0), format!("{address} serves\n")));
    for flag in ["--ca", "--authority"] {
        assert_eq!(ask(&["--server", &address, flag, &place("certs/ca.pem")]).0, Some(0));
    }
    let (code, words) = ask(&["--server", &address, "--ca", &place("others/ca.pem")]);
    assert_eq!(code, Some(1), "{words}");
    let (code, words) = ask(&["--server", &address]);
    assert_eq!((code, words.contains("--ca FILE")), (Some(2), true), "{words}");
    drop(server.log());
}

#[test]
fn what_is_no_server_does_not_serve() {
    let (code, words) = said(&health(&["--server", "nowhere at all"]));
    assert_eq!(code, Some(2), "{words}");
    let (code, words) = said(&health(&["--server", "http://127.0.0.1:1", "--data", "data"]));
    assert_eq!(code, Some(2), "{words}");
    // It takes connections, and nobody ever says a word.
    let mute = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", mute.local_addr().expect("bound"));
    let (code, words) = said(&health(&["--server", &address]));
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains(&address) && words.contains("does not answer"), "{words}");
}
