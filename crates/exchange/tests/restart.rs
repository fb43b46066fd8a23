//! Starting again from a data directory: with a snapshot, without, and with one that cannot be used.

mod site;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use exchange::{Clock, Exchange, ExchangeConfig, ExchangeHandle};
use session::{Derived, Journal, Row, SqliteStore, Writer, verify};
use site::*;
use switchboard::Switchboard;
use switchboard::decision::Decision;
use switchboard::id::Seq;
use switchboard::time::SiteTime;

/// More than a snapshot at the end asks for.
const VISITORS: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_the_same_with_and_without_a_snapshot() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (exchange, store) = began(dir.path(), "a").await;
    for n in 0..VISITORS {
        ask(&exchange, add_visitor(n)).await;
    }
    let (before, cursor) = (exchange.read(|sb| sb.state_hash()), exchange.cursor());
    exchange.close().await;
    let snapshot = store.snapshot(main_site(), cursor.seq).await.expect("readable").expect("it was taken");
    assert_eq!((snapshot.seq, snapshot.hash), (cursor.seq, before));
    ended(exchange, store).await;

    let (restored, store) = began(dir.path(), "b").await;
    assert_eq!((restored.read(|sb| sb.state_hash()), restored.cursor()), (before, cursor));
    ask(&restored, add_visitor(VISITORS)).await;
    let after = restored.read(|sb| sb.state_hash());
    ended(restored, store).await;

    remove_derived(dir.path());
    let (replayed, store) = began(dir.path(), "c").await;
    assert_eq!(replayed.read(|sb| sb.state_hash()), after);
    ended(replayed, store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_cannot_be_used_costs_time_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (exchange, store) = began(dir.path(), "a").await;
    for n in 0..VISITORS {
        ask(&exchange, add_visitor(n)).await;
    }
    let before = exchange.read(|sb| sb.state_hash());
    exchange.close().await;
    let sound = store.snapshot(main_site(), Seq(u64::MAX)).await.expect("readable").expect("it was taken");
    ended(exchange, store).await;

    let mut torn = sound.clone();
    torn.body.truncate(torn.body.len() / 2);
    let mut other_version = sound.clone();
    other_version.state_version += 1;
    let mut other_history = sound.clone();
    other_history.row.hash.0[0] ^= 1;
    let mut from_the_future = sound.clone();
    from_the_future.seq = Seq(sound.seq.0 + 1_000);
    for bad in [torn, other_version, other_history, from_the_future] {
        let store = SqliteStore::open(dir.path()).await.expect("its files");
        store.keep_snapshot(main_site(), &bad).await.expect("kept");
        store.close().await;
        let (exchange, store) = began(dir.path(), "b").await;
        assert_eq!(exchange.read(|sb| sb.state_hash()), before);
        ended(exchange, store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_the_fold_of_the_journal_over_restarts() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (exchange, store) = began(dir.path(), "a").await;
    let stream = open(&exchange).await;
    let desk = on_duty(&exchange, 1).await;
    for n in 0..20 {
        ask(&exchange, arrive(n)).await;
        if n % 2 == 0 {
            ask(&exchange, hang_up(n)).await;
        }
    }
    drop((stream, desk));
    ended(exchange, store).await;

    let (exchange, store) = began(dir.path(), "b").await;
    for n in 0..20 {
        if n % 2 == 1 {
            ask(&exchange, hang_up(n)).await;
        }
    }
    exchange.close().await;
    let records = store.records(main_site(), Seq(0), 100).await.expect("readable");
    assert_eq!(records.len(), 20);
    assert!(records.iter().all(|record| record.closed.is_some()), "{records:?}");
    assert_eq!(store.open_records(main_site()).await.expect("readable"), []);
    let verified = verify(&*store, Some(&*store), main_site(), |_| {}).await.expect("it agrees");
    assert_eq!(verified.records, 20);
    ended(exchange, store).await;

    remove_derived(dir.path());
    let (exchange, store) = began(dir.path(), "c").await;
    exchange.close().await;
    let again = store.records(main_site(), Seq(0), 100).await.expect("readable");
    assert_eq!(again, records, "made again they are the same");
    ended(exchange, store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_longer_than_most_ends_in_a_snapshot_like_any_other() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut switchboard = Switchboard::new();
    let mut decide = |n| switchboard.handle(SiteTime(0), add_visitor(n)).expect("accepted");
    let decisions: Vec<Decision> = (0..VISITORS).map(&mut decide).collect();
    let row = Row {
        seq: Seq(1),
        last_seq: Seq(VISITORS),
        at: SiteTime(0),
        wall_us: 0,
        writer: Writer::new("another"),
        format: session::FORMAT,
        body: session::encode(&decisions),
    };
    let store = SqliteStore::open(dir.path()).await.expect("its files");
    store.append(main_site(), &row).await.expect("stored");
    store.close().await;

    let (exchange, store) = began(dir.path(), "a").await;
    exchange.close().await;
    let snapshot = store.snapshot(main_site(), Seq(u64::MAX)).await.expect("readable").expect("it was taken");
    assert_eq!((snapshot.seq, snapshot.row.seq), (Seq(VISITORS), Seq(1)));
    ended(exchange, store).await;
}

async fn began(dir: &Path, writer: &str) -> (ExchangeHandle, Arc<SqliteStore>) {
    let store = Arc::new(SqliteStore::open(dir).await.expect("its files"));
    let derived: Arc<dyn Derived> = Arc::clone(&store) as _;
    let journal: Arc<dyn Journal> = Arc::clone(&store) as _;
    let config = ExchangeConfig::alone(main_site(), Writer::new(writer)).with_derived(derived);
    let exchange = Exchange::spawn(config, journal, Clock::STEPPED).await.expect("the journal can be read");
    (exchange, store)
}

/// The directory is free afterwards.
async fn ended(exchange: ExchangeHandle, store: Arc<SqliteStore>) {
    exchange.close().await;
    drop(exchange);
    let mut store = Some(store);
    while let Some(held) = store.take() {
        match Arc::try_unwrap(held) {
            Ok(alone) => alone.close().await,
            Err(shared) => {
                // The exchange's own task lets go of it as it ends.
                tokio::task::yield_now().await;
                store = Some(shared);
            }
        }
    }
}

fn remove_derived(dir: &Path) {
    for name in ["derived.db", "derived.db-wal", "derived.db-shm"] {
        // Some are only there while it is open.
        let _removed = fs::remove_file(dir.join(name));
    }
}
