//! Two servers on one database, under load; one of them stands still, for a moment or past every lease, and wakes. Its
//! people went on at the other, and nothing that it believed is acted on.

use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::database::Database;
use crate::hospital::{Hospital, Staffing};
use crate::pair::Pair;
use crate::server::verify;
use crate::trouble::signal;

/// Longer than a desk's lease and a gateway's, than any ring, and than a connection is believed to live.
const PAST_EVERY_LEASE: Duration = Duration::from_secs(35);
/// Stops in between, each of some part of what a connection and an offer are given.
const SHORT_STOPS: usize = 10;
const SHORT_MS: u64 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_stands_still_past_every_lease_wakes_and_undoes_nothing() {
    let database = Database::new();
    let pair = Pair::start(&database);
    let mut hospital = pair.hospital(Staffing::usual(31)).await;
    clean(&mut hospital, &pair, "at first").await;
    // The one that has every other desk; then the one that has the gateway, and everybody since.
    for which in [1, 0] {
        stands_still(&pair, &mut hospital, which, PAST_EVERY_LEASE).await;
    }
    let mut chance = Chance::new(31);
    for stop in 0..SHORT_STOPS {
        let stopped = Duration::from_millis(chance.between(100, SHORT_MS));
        stands_still(&pair, &mut hospital, stop % 2, stopped).await;
    }
    verify(&pair.first);
    println!(
        "{} calls, {} decisions, {} offers; 0 lost, 0 doubly connected, 0 phantom, 0 unbalanced\n{}",
        hospital.books.calls(),
        hospital.books.seq().0,
        hospital.books.offers(),
        hospital.witness.refusals(),
    );
}

async fn stands_still(pair: &Pair, hospital: &mut Hospital, which: usize, stopped: Duration) {
    let server = if which == 0 { &pair.first } else { &pair.second };
    hospital.books.read(&pair.first.journal()).await;
    hospital.books.answered();
    signal(server.pid(), "STOP");
    let began = Instant::now();
    if stopped == PAST_EVERY_LEASE {
        let heard = hospital.everybody_hears().await;
        clean(hospital, pair, "while it stands still").await;
        println!("  at the other everybody has heard something after {} ms", heard.as_millis());
    }
    tokio::time::sleep(stopped.saturating_sub(began.elapsed())).await;
    hospital.books.read(&pair.first.journal()).await;
    let waits = hospital.books.answered();
    signal(server.pid(), "CONT");
    let woken = Instant::now();
    pair.serve_again().await;
    let serves = woken.elapsed();
    let heard = hospital.everybody_hears().await;
    clean(hospital, pair, "awake").await;
    println!(
        "server {which} stopped for {} ms, both serve after {} ms, everybody heard something after {} ms; \
         from an offer to an answer: {}",
        stopped.as_millis(),
        serves.as_millis(),
        heard.as_millis(),
        waits_in_words(waits)
    );
}

async fn clean(hospital: &mut Hospital, pair: &Pair, when: &str) {
    let (findings, _) = hospital.comes_to_rest(&pair.first).await;
    assert!(findings.is_clean(), "{when}: {findings}\n{}", hospital.witness.refusals());
}

/// How long callers waited for an answer after they were first offered to somebody.
pub(crate) fn waits_in_words(mut waits: Vec<Duration>) -> String {
    waits.sort_unstable();
    let at = |part: usize| {
        waits.get(waits.len().saturating_sub(1) * part / 100).map_or(0, |wait| wait.as_millis())
    };
    format!(
        "{} callers, median {} ms, 99 of 100 within {} ms, longest {} ms",
        waits.len(),
        at(50),
        at(99),
        at(100)
    )
}
