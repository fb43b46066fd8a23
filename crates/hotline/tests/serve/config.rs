//! The configuration file, and flags over it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use api::{Client, v1};
use serde_json::Value;

use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_and_flags_come_first() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("server.toml");
    let plan = plan::HOSPITAL.replace("wrap_up      = \"15s\"", "wrap_up      = \"16s\"");
    assert_ne!(plan, plan::HOSPITAL);
    fs::write(directory.path().join("plan.toml"), &plan).expect("written");
    let text = "site = \"west\"\nplan = \"plan.toml\"\ngateways = [\"gw-7\"]\nlisten = [\"203.0.113.1:1\"]\n\
                staff = [\"8001\"]\n[tokens]\nfile = \"unused.json\"\n[limits]\nwrong_tokens_per_minute = 1\n";
    fs::write(&file, text).expect("written");
    let mut server = Server::start("config", &["--config", file.to_str().expect("a path")]);
    let ready = server.ready();
    assert_eq!(ready["site"], "west");
    let address = ready["address"].as_str().expect("the flag's address, not the file's");
    let admin = Client::new(address, server.token("admin")).expect("an address");
    assert_eq!(admin.send(v1::GetPlanRequest::default()).await.expect("a plan").text, plan);
    assert!(!directory.path().join("unused.json").exists(), "the flag's file was written");
    let tokens = fs::read_to_string(&server.tokens).expect("the token file");
    assert!(tokens.contains("gw-7") && tokens.contains("west"), "{tokens}");
    let thief = admin.with_token(api::Bearer::new("hl_x_y").expect("letters"));
    let codes = [tonic_code(&thief).await, tonic_code(&thief).await];
    assert_eq!(codes, ["Unauthenticated", "ResourceExhausted"], "the file's limit");
}

async fn tonic_code(client: &Client) -> String {
    let status = client.admin().get_plan(v1::GetPlanRequest::default()).await.expect_err("no token");
    format!("{:?}", status.code())
}

#[test]
fn every_address_is_listened_on() {
    let mut server = Server::start("addresses", &["--listen", "[::1]:0"]);
    let ready = server.ready();
    let addresses: Vec<&str> =
        ready["addresses"].as_array().expect("addresses").iter().filter_map(Value::as_str).collect();
    assert!(
        matches!(addresses[..], [first, second] if first.contains("127.0.0.1") && second.contains("[::1]"))
    );
}

#[test]
fn a_mistake_is_shown_where_it_stands() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("server.toml");
    fs::write(&file, "site = \"main\"\n\n[limits]\nconections = 5\n").expect("written");
    let serve = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
        let output = command.arg("serve").args(arguments).stdin(Stdio::null()).output().expect("ended");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = serve(&["--config", file.to_str().expect("a path"), "--tokens-file", "unused"]);
    for part in ["unknown field `conections`", "server.toml:4:1", "4 | conections = 5", "^^^^^^^^^^", "help:"]
    {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    fs::write(&file, "[retention]\nnumbers_days = 31\nrecords_days = 30\n").expect("written");
    let said = serve(&["--config", file.to_str().expect("a path"), "--tokens-file", "unused"]);
    assert!(said.contains("keep records at least as long"), "{said}");
    fs::write(&file, "site = \"main\"\n\n[limits]\nconections = 5\n").expect("written");
    let said = serve(&["--config", file.to_str().expect("a path"), "--lang", "zh-CN"]);
    for part in [
        "错误：没有字段 conections，可写 ",
        "server.toml:4:1",
        "4 | conections = 5",
        "= 办法：config/server.toml 中有每个字段",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert!(serve(&[]).contains("--tokens-file"), "where to write the tokens");
}

/// Whoever supervises a server starts it again after 1, and not after 2.
#[test]
fn what_makes_no_sense_is_told_from_what_is_not_there_yet() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).to_str().expect("a path").to_owned();
    let written = |name: &str, text: &str| {
        fs::write(path(name), text).expect("written");
        path(name)
    };
    let (data, empty, tokens) = (path("data"), path("empty"), path("tokens.json"));
    let (plan, words) =
        (written("plan.toml", "[timers]\nring = 15\n"), written("words", "neither this nor that"));
    let half = path("half");
    fs::create_dir(&half).expect("made");
    let key = written("half/seal.key", "0f0f");
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("changed");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("bound").to_string();
    let digits = "0f".repeat(32);
    let in_file = written("server.toml", &format!("seal_key = \"{}\"\n", &digits[1..]));
    let cases: [(&[&str], i32, &str); 17] = [
        (&["--data", &data, "--config", &in_file], 2, "a key stands where the name of its file is wanted"),
        (
            &["--config", "/nowhere/server.toml"],
            1,
            "cannot read the configuration /nowhere/server.toml\n  why:  No such",
        ),
        (
            &["--config", "/nowhere/server.toml", "--lang", "zh-CN"],
            1,
            "/nowhere/server.toml\n  原因：没有这个文件",
        ),
        (
            &["--postgres", "/nowhere/address"],
            1,
            "cannot read the address of the database in /nowhere/address",
        ),
        (&["--data", &data, "--seal-key", &digits], 2, "a key stands where the name of its file is wanted"),
        (&["--data", &half], 2, "seal.key holds no key"),
        (&["--listen", "0.0.0.0:0"], 2, "has no TLS"),
        (&["--listen", "0.0.0.0:0", "--insecure-plaintext", "--clock", "stepped"], 2, "a stepped clock"),
        (&["--plan", &plan], 2, "plan.toml:2:"),
        (&["--data", &data, "--seal-key", &words], 2, "words holds no key, which is 64 hexadecimal digits"),
        (&["--data", &empty, "--postgres", &words], 2, "words: that is no address of a database"),
        (&["--postgres", "postgres://a:secret@b/c"], 2, "write the address into a file"),
        (&["--plan", "/nowhere/plan.toml"], 1, "cannot read the plan /nowhere/plan.toml"),
        (&["--data", &data, "--seal-key", "/nowhere/key"], 1, "the key file /nowhere/key cannot be used"),
        (&["--tls", "/nowhere"], 1, "cannot read /nowhere/server.pem; a certificate and its key come from"),
        (&["--listen", &taken], 1, "or free this one"),
        (&["--data", "/proc/hotline"], 1, "cannot be made"),
    ];
    for (arguments, code, words) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
        command.args(["serve", "--with-parent", "--tokens-file", &tokens]).args(arguments);
        command.stdin(Stdio::null()).env("LC_ALL", "C");
        command.env_remove("HOTLINE_POSTGRES").env_remove("HOTLINE_SEAL_KEY");
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let ended = command.output().expect("ended");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains(words), "{words} is not in {arguments:?}: {said}");
        assert!(!said.contains("secret") && !said.contains(&digits[1..]), "{said}");
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(code), 0), "{arguments:?}: {said}");
    }
}

#[test]
fn a_retention_that_nobody_follows_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("server.toml");
    fs::write(&file, "[retention]\nrecords_days = 30\n").expect("written");
    let config = ["--config", file.to_str().expect("a path")];
    let log = |name: &str, more: &[&str]| {
        let mut server = Server::start(name, &[&config[..], more].concat());
        server.ready();
        server.log()
    };
    assert!(log("unfollowed", &[]).contains("[retention] is not followed"));
    let data = directory.path().join("data");
    assert!(!log("followed", &["--data", data.to_str().expect("a path")]).contains("[retention]"));
}
