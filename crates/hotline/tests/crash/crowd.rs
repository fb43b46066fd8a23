//! Many at once: every desk of a large site comes back in the same moment, and ten times the callers a site can serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use api::{Client, is_worth_retrying, v1};
use uuid::Uuid;

use crate::hospital::{Hospital, Staffing, until};
use crate::server::Server;
use crate::trouble::Syncs;

const DESKS: usize = 2_000;
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_desks_come_back_at_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::new(dir.path());
    assert!(server.start(None), "the first start");
    let staffing = Staffing { desks: DESKS, calls_per_second: 5, ..Staffing::usual(17) };
    let mut hospital = Hospital::open(&server, staffing).await;
    until("every desk is open", PATIENCE, || hospital.everybody_is_attached()).await;
    server.kill();
    hospital.server_is_gone();
    let began = Instant::now();
    assert!(server.start(None), "it starts again");
    let up = began.elapsed();
    // A desk is back when it has been shown everything again.
    until("every desk is back", PATIENCE, || hospital.everybody_is_attached()).await;
    println!("{DESKS} desks: up after {up:?}, all back with their screens after {:?}", began.elapsed());
    let findings = hospital.settle(&server).await;
    assert!(findings.is_clean(), "{findings}");
}

/// What became of callers who rang in once, without trying again.
#[derive(Default)]
struct Fates {
    noted: AtomicUsize,
    told_to_wait: AtomicUsize,
    otherwise: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread")]
async fn with_ten_times_the_callers_emergencies_and_progress_are_never_refused() {
    const FLOOD: usize = 6_000;
    const CONNECTIONS: usize = 8;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::new(dir.path());
    assert!(server.start(None), "the first start");
    let staffing = Staffing { calls_per_second: 10, ..Staffing::usual(19) };
    let hospital = Hospital::open(&server, staffing).await;
    hospital.is_back(0).await;
    // So slow that far more ring in than can be written down.
    let slow = Syncs::of(server.pid(), "delay_enter=300000");
    let (flood, urgent) = (Arc::new(Fates::default()), Arc::new(Fates::default()));
    let connections: Vec<Client> = (0..CONNECTIONS).map(|_| server.client("gateway")).collect();
    let mut ringing: Vec<_> = Vec::new();
    for nth in 0..FLOOD {
        let client = connections[nth % CONNECTIONS].clone();
        ringing.push(tokio::spawn(rings_in(client, "switchboard", Arc::clone(&flood))));
        if nth % 60 == 0 {
            let client = server.client("gateway");
            ringing.push(tokio::spawn(rings_in(client, "emergency", Arc::clone(&urgent))));
        }
    }
    until("a full lane refuses", PATIENCE, || flood.told_to_wait.load(Ordering::Relaxed) > 0).await;
    drop(slow);
    for ring in ringing {
        ring.await.expect("a caller");
    }
    let count = |fate: &AtomicUsize| fate.load(Ordering::Relaxed);
    println!(
        "of {FLOOD} callers at once {} were written down, {} told to come again; of {} emergencies {}",
        count(&flood.noted),
        count(&flood.told_to_wait),
        FLOOD / 60,
        count(&urgent.noted)
    );
    assert_eq!(count(&flood.otherwise), 0, "a refusal says when to come again");
    assert_eq!(count(&urgent.noted), FLOOD / 60, "emergencies are never refused");
    let refusals = hospital.witness.notes().refusals.clone();
    let exhausted: Vec<_> = refusals.keys().filter(|why| why.contains("ResourceExhausted")).collect();
    assert!(exhausted.is_empty(), "progress is never refused: {exhausted:?}");
    assert_eq!(server.died(), None);
}

fn is_exhausted(code: impl std::fmt::Debug) -> bool {
    format!("{code:?}") == "ResourceExhausted"
}

async fn rings_in(client: Client, line: &str, fates: Arc<Fates>) {
    let call_id = Uuid::new_v4().to_string();
    let number = format!("+861{}", &call_id[..8]).into_bytes();
    let arrival = v1::Arrival { call_id, line_id: line.to_owned(), number, ..Default::default() };
    let facts = vec![v1::Fact { fact: Some(v1::fact::Fact::Arrival(arrival)) }];
    let fate = match client.gateway().report(v1::ReportRequest { facts }).await {
        Ok(_) => &fates.noted,
        Err(status) if is_exhausted(status.code()) && is_worth_retrying(&status) => &fates.told_to_wait,
        Err(_) => &fates.otherwise,
    };
    fate.fetch_add(1, Ordering::Relaxed);
}
