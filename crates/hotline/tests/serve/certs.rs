//! A private authority, TLS by it, and certificates that change under a running server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use api::{Client, EventFeed, v1};

use crate::server::Server;

fn certs(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotline")).arg("certs").args(arguments).output().expect("ended")
}

fn init(directory: &Path) {
    let shown = directory.to_str().expect("a path");
    let output = certs(&["init", shown, "--lang", "en"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    let told =
        ["certificate for localhost, 127.0.0.1, ::1 until 20", "ca.pem to clients", "ca-key.pem elsewhere"];
    for words in told {
        assert!(said.contains(words), "{words} is not in {said}");
    }
    assert!(said.ends_with(&format!("hotline serve --data DIR --tls {shown}\n")), "{said}");
}

#[test]
fn keys_are_for_their_owner_alone_and_never_overwritten() {
    let directory = tempfile::tempdir().expect("a directory");
    let inside = directory.path().join("certs");
    init(&inside);
    let mode = |name: &str| fs::metadata(inside.join(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!((mode("ca-key.pem"), mode("server-key.pem"), mode("")), (0o600, 0o600, 0o700));
    let authority = fs::read(inside.join("ca.pem")).expect("an authority");
    let again = certs(&["init", inside.to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains("hotline certs renew"), "{said}");
    assert_eq!(fs::read(inside.join("ca.pem")).expect("an authority"), authority);
    let nothing = certs(&["renew", directory.path().to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&nothing.stderr);
    assert!(!nothing.status.success() && said.contains("hotline certs init"), "{said}");
    let chinese = |arguments: &[&str]| {
        let output = certs(&[arguments, &["--lang", "zh-CN"]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let again = chinese(&["init", inside.to_str().expect("a path")]);
    assert!(
        again.starts_with("错误：")
            && again.contains(" 中已有证书机构；要由它换发证书：hotline certs renew ")
    );
    let nothing = chinese(&["renew", directory.path().to_str().expect("a path")]);
    assert!(
        nothing.contains("ca-key.pem；用 hotline certs init 建立证书机构\n  原因：没有这个文件或目录"),
        "{nothing}"
    );
    let odd = certs(&["renew", inside.to_str().expect("a path"), "--name", "热线"]);
    assert!(!odd.status.success(), "no such name in a certificate");
}

#[test]
fn a_certificate_keeps_its_names_and_this_machines_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let inside = directory.path().join("certs");
    let path = inside.to_str().expect("a path");
    let names = || {
        let pem = fs::read(inside.join("server.pem")).expect("a certificate");
        routing::certificate_names(&pem).expect("names")
    };
    let said = certs(&["init", path, "--name", "hotline.example", "--name", "10.0.0.7"]);
    assert!(said.status.success(), "{said:?}");
    let all = ["hotline.example", "10.0.0.7", "localhost", "127.0.0.1", "::1"];
    assert_eq!(names(), all);
    let before = fs::read(inside.join("server.pem")).expect("a certificate");
    assert!(certs(&["renew", path]).status.success());
    assert_eq!(names(), all, "renewed without a name it keeps them");
    assert_ne!(fs::read(inside.join("server.pem")).expect("a certificate"), before);
    assert!(certs(&["renew", path, "--name", "other.example"]).status.success());
    assert_eq!(
        names(),
        ["other.example", "localhost", "127.0.0.1", "::1"],
        "those that are said take their place"
    );
    fs::write(inside.join("server.pem"), "damaged").expect("written");
    let unread = certs(&["renew", path]);
    let said = String::from_utf8_lossy(&unread.stderr);
    assert!(!unread.status.success() && said.contains("--name NAME"), "{said}");
}

#[test]
fn an_attempt_that_was_cut_off_is_gone_on_with() {
    let directory = tempfile::tempdir().expect("a directory");
    let inside = directory.path().join("certs");
    init(&inside);
    let key = fs::read(inside.join("ca-key.pem")).expect("a key");
    for name in ["ca.pem", "server.pem", "server-key.pem"] {
        fs::remove_file(inside.join(name)).expect(name);
    }
    init(&inside);
    assert_eq!(fs::read(inside.join("ca-key.pem")).expect("a key"), key, "the key that was made stays");
    assert!(certs(&["renew", inside.to_str().expect("a path")]).status.success());

    fs::remove_file(inside.join("ca-key.pem")).expect("removed");
    let authority = fs::read(inside.join("ca.pem")).expect("an authority");
    let refused = certs(&["init", inside.to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("without its key"), "{said}");
    assert_eq!(fs::read(inside.join("ca.pem")).expect("an authority"), authority);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_certificate_is_taken_up_and_nobody_is_cut() {
    let directory = tempfile::tempdir().expect("a directory");
    let (served, other) = (directory.path().join("served"), directory.path().join("other"));
    init(&served);
    init(&other);
    let read = |from: &Path, name: &str| fs::read_to_string(from.join(name)).expect(name);
    let (old, new) = (read(&served, "ca.pem"), read(&other, "ca.pem"));
    let mut server = Server::start("tls", &["--tls", served.to_str().expect("a path")]);
    let ready = server.ready();
    let address = ready["address"].as_str().expect("an address");
    assert!(address.starts_with("https://"));
    let client = |authority: &str| Client::trusting(address, server.token("admin"), authority).expect("TLS");
    let before = client(&old);
    let mut record = before.attach(EventFeed::default());
    record.next().await.expect("the plan's adoption");

    // Half of a change first: it is left until the other half is there.
    for name in ["server-key.pem", "server.pem"] {
        fs::write(served.join(name), read(&other, name)).expect("written");
    }
    let give_up_at = Instant::now() + Duration::from_secs(30);
    let plan = v1::GetPlanRequest::default();
    while client(&new).admin().get_plan(plan).await.is_err() {
        assert!(Instant::now() < give_up_at, "the changed certificate is not served");
        tokio::task::yield_now().await;
    }
    client(&old).admin().get_plan(plan).await.expect_err("the old one is not served any more");
    let close = v1::CloseLineRequest {
        line_id: "duty".into(),
        reason: "flood".into(),
        lasting_ms: 600_000,
        ..v1::CloseLineRequest::default()
    };
    before.supervisor().close_line(close).await.expect("the connection that is open goes on");
    let told = record.next().await.expect("and its stream").into_message();
    assert!(!told.decisions.is_empty());

    let renewed = certs(&["renew", other.to_str().expect("a path"), "--name", "hotline.example"]);
    assert!(renewed.status.success(), "{}", String::from_utf8_lossy(&renewed.stderr));
    assert_ne!(read(&other, "server.pem"), read(&served, "server.pem"));
    assert_eq!(read(&other, "ca.pem"), new, "the authority stays");
    let log = server.log();
    assert!(log.contains("a changed certificate is in use"), "{log}");
}
