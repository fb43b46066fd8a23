//! Time that jumps or stands still: the wall clock days off, and a server that does not run for a while.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use api::v1;
use serde_json::Value;

use crate::database::Database;
use crate::desk::Habit;
use crate::hospital::{Hospital, Staffing, until};
use crate::pair::Pair;
use crate::server::{Server, client_when_there, verify};
use crate::trouble::{WallClock, signal};

const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than a desk's grace, and than a gateway's and a desk's connection is believed to live.
const STOPPED: Duration = Duration::from_secs(17);

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_three_days_off_moves_no_ring() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let wall = WallClock::in_dir(dir.path());
    let plan = plan::HOSPITAL.replace("ring         = \"15s\"", "ring         = \"4s\"");
    assert_ne!(plan, plan::HOSPITAL, "rings are shortened");
    let mut server = Server::new(dir.path()).with_plan(&plan).through(wall.wrapper());
    assert!(server.start(None), "the first start");
    let staffing = Staffing { desks: 6, habit: Habit::Misses, calls_per_second: 0, ..Staffing::usual(11) };
    let mut hospital = Hospital::open(&server, staffing).await;
    hospital.is_back(0).await;
    let _call = hospital.rings_in();
    let first = ring(&hospital, || {}).await;
    let days_later = ring(&hospital, || wall.moved("+3d")).await;
    let days_earlier = ring(&hospital, || wall.moved("-3d")).await;
    for moved in [days_later, days_earlier] {
        let ratio = moved.as_secs_f64() / first.as_secs_f64();
        assert!((0.75..1.33).contains(&ratio), "{first:?} and {moved:?}");
    }
    let findings = hospital.settle(&server).await;
    assert!(findings.is_clean(), "{findings}");

    // A start under a clock that is days behind the journal's last row.
    let before = hospital.attachments();
    server.kill();
    hospital.server_is_gone();
    assert!(server.start(None), "it starts again");
    hospital.is_back(before).await;
    let findings = hospital.settle(&server).await;
    assert!(findings.is_clean(), "{findings}");
    verify(&server);
}

/// How long the next offer rings, from its screen to the one after it; `meanwhile` happens once it rings.
async fn ring(hospital: &Hospital, meanwhile: impl FnOnce()) -> Duration {
    let offer = || hospital.witness.notes().last_offer;
    let known = offer();
    until("an offer", PATIENCE, || offer() != known).await;
    let began = offer().expect("there is one");
    meanwhile();
    until("the next offer", PATIENCE, || offer() != Some(began)).await;
    offer().expect("there is one") - began
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_loses_nobody() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::new(dir.path());
    assert!(server.start(None), "the first start");
    let mut hospital = Hospital::open(&server, Staffing::usual(13)).await;
    hospital.is_back(0).await;
    let findings = hospital.settle(&server).await;
    assert!(findings.is_clean(), "{findings}");
    signal(server.pid(), "STOP");
    // Callers give up meanwhile, and others ring in.
    hospital.calls_per_second(10);
    tokio::time::sleep(STOPPED).await;
    let before = hospital.attachments();
    hospital.server_is_gone();
    signal(server.pid(), "CONT");
    let began = Instant::now();
    hospital.is_back(before).await;
    println!("stopped for {STOPPED:?}: everybody back after {:?}", began.elapsed());
    let findings = hospital.settle(&server).await;
    assert!(findings.is_clean(), "{findings}\n{}", hospital.witness.refusals());
    server.kill();
    verify(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_routers_whose_clocks_are_days_apart_lose_nobody_and_doctor_tells_both() {
    let (database, dir) = (Database::new(), tempfile::tempdir().expect("a temporary directory"));
    let wall = WallClock::in_dir(dir.path());
    wall.moved("+3d");
    let pair = Pair::of(&database.address(), |which, server| match which {
        0 => server,
        _ => server.through(wall.wrapper()),
    });
    // The last decision is of the one that is ahead.
    let [_, ahead] = pair.places();
    let close = v1::CloseLineRequest {
        line_id: "duty".to_owned(),
        reason: "flood".to_owned(),
        lasting_ms: 3_600_000,
        ..Default::default()
    };
    client_when_there(&ahead, "admin").await.send(close).await.expect("closed");
    let right = looked(&pair.first);
    told(&right, "clocks", "good", "agree");
    told(&right, "clock", "bad", "s before the last decision");
    let wrong = looked(&pair.second);
    told(&wrong, "clocks", "doubtful", "s behind this machine's");
    told(&wrong, "clock", "good", "not before the last decision");

    let mut hospital = pair.hospital(Staffing::usual(37)).await;
    hospital.everybody_hears().await;
    let (findings, _) = hospital.comes_to_rest(&pair.first).await;
    assert!(findings.is_clean(), "{findings}\n{}", hospital.witness.refusals());
    verify(&pair.first);
}

/// What doctor finds beside a server, by the check. Its exit code is that of the worst, and something is not good.
fn looked(server: &Server) -> BTreeMap<String, Value> {
    let looked = server.looked_at();
    let object: Value = serde_json::from_slice(&looked.stdout).expect("one object");
    let items = object["items"].as_array().expect("items");
    let is_bad = items.iter().any(|item| item["verdict"] == "bad");
    assert_eq!(looked.status.code(), Some(if is_bad { 1 } else { 3 }), "{object}");
    items.iter().map(|item| (item["id"].as_str().expect("an id").to_owned(), item.clone())).collect()
}

fn told(found: &BTreeMap<String, Value>, check: &str, verdict: &str, words: &str) {
    let item = found.get(check).unwrap_or_else(|| panic!("{check} in {found:?}"));
    assert!(item["verdict"] == verdict && item["words"].to_string().contains(words), "{item}");
}
