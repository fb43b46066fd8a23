//! A disk that fails, is slow, or is full, under the real server and its load.

use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use api::v1;
use serde_json::Value;
use tempfile::TempDir;

use crate::hospital::{Hospital, Staffing, until};
use crate::server::{Server, verify};
use crate::trouble::{Syncs, TinyDisk};

/// The exit code that asks for a restart.
const RESTART_NEEDED: i32 = 75;
const PATIENCE: Duration = Duration::from_secs(60);
/// Nobody is answered for so long: longer than an append takes that is only unlucky.
const SILENCE: Duration = Duration::from_secs(2);

async fn opened(dir: &TempDir, mut server: Server) -> (Server, Hospital) {
    assert!(server.start(None), "the first start in {}", dir.path().display());
    let hospital = Hospital::open(&server, Staffing::usual(7)).await;
    hospital.is_back(0).await;
    (server, hospital)
}

pub(crate) async fn is_clean(hospital: &mut Hospital, server: &Server) {
    let findings = hospital.settle(server).await;
    assert!(findings.is_clean(), "{findings}\n{}", hospital.witness.refusals());
}

async fn ended(server: &mut Server) -> ExitStatus {
    let give_up_at = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = server.died() {
            return status;
        }
        assert!(Instant::now() < give_up_at, "it goes on");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn answers(hospital: &Hospital) -> u64 {
    hospital.witness.notes().answers
}

/// Waits until nobody has been answered for a while.
pub(crate) async fn silence(hospital: &Hospital) {
    let give_up_at = Instant::now() + PATIENCE;
    let (mut last, mut since) = (answers(hospital), Instant::now());
    while since.elapsed() < SILENCE {
        assert!(Instant::now() < give_up_at, "somebody is always answered");
        tokio::time::sleep(Duration::from_millis(5)).await;
        if answers(hospital) != last {
            (last, since) = (answers(hospital), Instant::now());
        }
    }
}

/// It answers those who only read, and is the same process.
pub(crate) async fn lives(server: &mut Server) {
    let supervisor = server.client("supervisor");
    supervisor.send(v1::ListCallsRequest::default()).await.expect("reads go on");
    assert_eq!(server.died(), None);
}

/// Waits until people are answered again.
pub(crate) async fn goes_on(hospital: &Hospital) {
    let before = answers(hospital);
    until("people are answered again", PATIENCE, || answers(hospital) > before + 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_ends_it_with_75_and_loses_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut server, mut hospital) = opened(&dir, Server::new(dir.path())).await;
    for when in [1, 9, 60] {
        let before = hospital.attachments();
        let syncs = Syncs::of(server.pid(), &format!("error=EIO:when={when}"));
        let status = ended(&mut server).await;
        drop(syncs);
        assert_eq!(status.code(), Some(RESTART_NEEDED), "{status}");
        hospital.server_is_gone();
        assert!(server.start(None), "its supervisor starts it again");
        hospital.is_back(before).await;
        is_clean(&mut hospital, &server).await;
    }
    verify(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_at_the_start_ends_it_with_75_too() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::new(dir.path());
    assert!(server.start(None), "the first start");
    server.kill();
    for when in 1..=4 {
        // Without its file it makes tokens anew, with a sync for each.
        let _is_gone = std::fs::remove_file(dir.path().join("tokens.json"));
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={when}+");
        let tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e"];
        let words = tracer.into_iter().chain(["trace=fsync,fdatasync", "-e", &inject]);
        let mut failing = Server::new(dir.path()).through(words.map(str::to_owned).collect());
        assert!(!failing.start(None), "it serves over sync {when}");
        assert_eq!(ended(&mut failing).await.code(), Some(RESTART_NEEDED), "sync {when}");
    }
    assert!(server.start(None), "its supervisor starts it again");
    server.kill();
    verify(&server);
}

/// The demo's supervisor starts its service again, as often as a sync of a thread fails for the 60th time.
#[test]
fn the_demo_goes_on_over_every_failed_sync() {
    let demo = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", "trace=fsync,fdatasync"])
        .args(["-e", "inject=fsync,fdatasync:error=EIO:when=60", env!("CARGO_BIN_EXE_hotline")])
        .args(["demo", "--seed", "3", "--calls", "30", "--kill", "0", "-o", "json"])
        .output()
        .expect("strace is there");
    let said = String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{said}");
    let day: Value = serde_json::from_slice(&demo.stdout).expect("one object");
    let deaths = day["service"]["each"].as_array().expect("deaths");
    assert!(!deaths.is_empty(), "{said}");
    for death in deaths {
        assert_eq!(death["how"], format!("exit status: {RESTART_NEEDED}"), "{death:#}");
    }
    println!("{} deaths of a failed sync", deaths.len());
    assert_eq!(day["ledger"]["balanced"], true, "{day:#}");
    assert_eq!(day["service"]["journal"]["verified"], true, "{day:#}");
    assert_eq!(day["service"]["journal"]["same_decisions"], true, "{day:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk_is_waited_for_and_a_kill_meanwhile_loses_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut server, mut hospital) = opened(&dir, Server::new(dir.path())).await;
    // As many as can be served with five appends a second.
    hospital.calls_per_second(10);
    let slow = Syncs::of(server.pid(), "delay_enter=200000");
    goes_on(&hospital).await;
    lives(&mut server).await;
    let before = hospital.attachments();
    server.kill();
    drop(slow);
    hospital.server_is_gone();
    assert!(server.start(None), "it starts again");
    hospital.is_back(before).await;
    is_clean(&mut hospital, &server).await;
    verify(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stalls_answers_nobody_and_all_goes_on_by_itself() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut server, mut hospital) = opened(&dir, Server::new(dir.path())).await;
    let stalls = Syncs::of(server.pid(), "delay_enter=5000000:when=3");
    silence(&hospital).await;
    lives(&mut server).await;
    goes_on(&hospital).await;
    drop(stalls);
    assert!(hospital.everybody_is_attached(), "nobody was cut off");
    is_clean(&mut hospital, &server).await;
    assert_eq!(server.died(), None, "it went on by itself");
    server.kill();
    verify(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_answers_nobody_until_there_is_room() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let disk = TinyDisk::of_megabytes(dir.path(), 24);
    let data = disk.path().join("data");
    let (mut server, mut hospital) = opened(&dir, Server::new(dir.path()).with_data(&data)).await;
    for _ in 0..2 {
        disk.fill();
        silence(&hospital).await;
        lives(&mut server).await;
        disk.make_room().expect("the ballast is there");
        goes_on(&hospital).await;
        is_clean(&mut hospital, &server).await;
    }
    // Full, and then killed: what it finds is a journal, and what was acknowledged is in it.
    disk.fill();
    silence(&hospital).await;
    let before = hospital.attachments();
    server.kill();
    disk.make_room().expect("the ballast is there");
    hospital.server_is_gone();
    assert!(server.start(None), "it starts again");
    hospital.is_back(before).await;
    is_clean(&mut hospital, &server).await;
    verify(&server);
    server.kill();
}
