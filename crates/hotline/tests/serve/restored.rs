//! A token file that somebody damaged, and a copy that is begun with where a key lies already.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::server::Server;

fn hotline(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.env("LC_ALL", "C").env_remove("HOTLINE_SEAL_KEY").stdin(Stdio::null());
    command.args(arguments).output().expect("ended")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn a_damaged_token_file_takes_no_gateways_token() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let tokens = dir.path().join("tokens.json");
    let mut server = Server::start("undamaged", &["--data", text(&data)]);
    server.ready();
    fs::copy(&server.tokens, &tokens).expect("copied");
    let secret = server.secret("gateway");
    server.terminate();
    assert!(server.ended().success());

    let whole = fs::read_to_string(&tokens).expect("the token file");
    fs::write(&tokens, &whole[..whole.len() / 2]).expect("written");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--with-parent", "--data", text(&data)];
    let refused = hotline(&[&serve[..], &["--tokens-file", text(&tokens)]].concat());
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{}", said(&refused));
    for words in ["is damaged", "{\"site\":\"main\",\"tokens\":[]}", "gateways keep their tokens"] {
        assert!(said(&refused).contains(words), "{words} is not in {}", said(&refused));
    }
    let mut again = Server::start("undamaged", &["--data", text(&data)]);
    again.ready();
    assert_eq!(again.secret("gateway"), secret, "nobody was given another meanwhile");
}

#[test]
fn a_key_that_is_there_is_compared_before_anything_is_begun() {
    let dir = tempfile::tempdir().expect("a directory");
    let [data, copy, new] = ["data", "a.backup", "new"].map(|name| dir.path().join(name));
    let mut server = Server::start("compared", &["--data", text(&data)]);
    server.ready();
    let made = hotline(&["backup", "--data", text(&data), "--to", text(&copy)]);
    assert!(made.status.success(), "{}", said(&made));
    let key = data.join("seal.key");
    let restore = |more: &[&str]| {
        let first = ["restore", "--from", text(&copy), "--data", text(&new), "--lang", "en"];
        hotline(&[&first[..], more].concat())
    };
    fs::create_dir(&new).expect("made");
    fs::write(new.join("seal.key"), "0".repeat(64)).expect("written");
    let other = restore(&["--seal-key", text(&key)]);
    assert_eq!(other.status.code(), Some(1), "{}", said(&other));
    assert!(said(&other).contains("is another key"), "{}", said(&other));
    assert!(!new.join("journal.db").exists(), "nothing was begun");

    fs::copy(&key, new.join("seal.key")).expect("copied");
    let same = restore(&["--seal-key", text(&key)]);
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
    assert!(said(&same).contains("gateways keep their tokens"), "{}", said(&same));
    assert!(new.join("journal.db").exists() && new.join("tokens.json").exists());

    fs::remove_file(new.join("journal.db")).expect("removed");
    let nowhere = dir.path().join("no/such/tokens.json");
    let half = restore(&["--tokens-file", text(&nowhere)]);
    assert_eq!(half.status.code(), Some(3), "{}", said(&half));
    assert!(said(&half).contains("the journal is in") && new.join("journal.db").exists(), "{}", said(&half));
}
