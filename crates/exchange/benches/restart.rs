//! How long a start takes behind a long history: with a snapshot, and without one.
//!
//! `cargo bench -p exchange --bench restart -- [DECISIONS] [DIR]`; a million and a temporary directory if not given.
//! The history is that of a simulated hospital, one decision in a row, which is the slowest to read. On a DIR in memory
//! (`/dev/shm`) it is written much faster; it is read from the machine's memory either way. Nothing is asserted here.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use exchange::{Clock, Exchange, ExchangeConfig};
use session::{Derived, FORMAT, Journal, Row, SqliteStore, Writer, verify};
use sim::drive::Drive;
use sim::world::{World, WorldConfig};
use switchboard::id::{Seq, SiteId};
use switchboard::time::{SiteTime, Span};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const CALLS_A_DAY: u32 = 4_000;
/// A day of so many calls has more decisions than this.
const DECISIONS_A_DAY: u64 = 25_000;
const ROUNDS: usize = 3;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    let decisions = words.next().map_or(1_000_000, |word| word.parse().expect("a number of decisions"));
    let place = words.next().unwrap_or_else(|| std::env::temp_dir().display().to_string());
    let dir = tempfile::tempdir_in(&place).expect("a directory");
    let runtime = Runtime::new().expect("a runtime");
    let began = Instant::now();
    runtime.block_on(fill(dir.path(), decisions));
    let bytes = fs::metadata(dir.path().join("journal.db")).expect("the journal").len();
    println!(
        "{decisions} decisions in {place}: journal {} MB, made in {:.1} s",
        bytes / 1_000_000,
        began.elapsed().as_secs_f64()
    );
    for round in 1..=ROUNDS {
        forget(dir.path());
        let (replay, keep) = runtime.block_on(start(dir.path()));
        let (restore, _) = runtime.block_on(start(dir.path()));
        println!(
            "round {round}: start without a snapshot {:.2} s, records and snapshot made behind it in {:.2} s; \
             start with a snapshot {:.3} s",
            replay.as_secs_f64(),
            keep.as_secs_f64(),
            restore.as_secs_f64()
        );
    }
    let began = Instant::now();
    let verified = runtime.block_on(async {
        let store = SqliteStore::inspect(dir.path()).await.expect("readable");
        verify(&store, Some(&store), main_site(), |_| {}).await.expect("it agrees")
    });
    println!("verified in {:.1} s: {verified:?}", began.elapsed().as_secs_f64());
}

/// The history of as many days as it takes.
async fn fill(dir: &Path, decisions: u64) {
    let (rows, mut made) = mpsc::channel::<Row>(4_096);
    let making = std::thread::spawn(move || make(decisions, &rows));
    let store = SqliteStore::open(dir).await.expect("a fresh directory");
    while let Some(row) = made.recv().await {
        store.append(main_site(), &row).await.expect("stored");
    }
    making.join().expect("made");
    assert_eq!(store.head(main_site()).await.expect("readable").last_seq, Seq(decisions));
    store.close().await;
}

fn make(decisions: u64, rows: &mpsc::Sender<Row>) {
    let days = decisions / DECISIONS_A_DAY + 1;
    let calls = CALLS_A_DAY * u32::try_from(days).expect("a number of days");
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).expect("the shipped plan").plan;
    let mut config = WorldConfig::hospital(&plan, 1, calls, 1);
    config.length = Span::secs(86_400 * days);
    let world = World::new(config, &plan);
    let end = world.end();
    let mut drive = Drive::new(world, &plan, SiteTime(0));
    let (at, adoption) = drive.script()[0].clone();
    let first = switchboard::Switchboard::new().handle(at, adoption).expect("a first plan");
    let send = |decision: &switchboard::decision::Decision| {
        let row = Row {
            seq: decision.seq,
            last_seq: decision.seq,
            at: decision.at,
            wall_us: 0,
            writer: Writer::new("bench"),
            format: FORMAT,
            body: session::encode([decision]),
        };
        if decision.seq.0 <= decisions {
            rows.blocking_send(row).expect("the store takes them");
        }
    };
    send(&first);
    // By the hour, to stop when there are enough.
    let mut until = SiteTime(0);
    while until < end && drive.switchboard.state().seq.0 < decisions {
        until = until + Span::secs(3_600);
        drive.run(until, |decision, _| send(decision));
    }
}

/// How long until it serves, and how long until everything derived is kept.
async fn start(dir: &Path) -> (Duration, Duration) {
    let began = Instant::now();
    let store = Arc::new(SqliteStore::open(dir).await.expect("its files"));
    let derived: Arc<dyn Derived> = Arc::clone(&store) as _;
    let journal: Arc<dyn Journal> = Arc::clone(&store) as _;
    let config = ExchangeConfig::alone(main_site(), Writer::new("bench")).with_derived(derived);
    let exchange = Exchange::spawn(config, journal, Clock::STEPPED).await.expect("the journal is sound");
    let served = began.elapsed();
    exchange.close().await;
    drop(exchange);
    let kept = began.elapsed() - served;
    let mut held = store;
    loop {
        match Arc::try_unwrap(held) {
            Ok(store) => break store.close().await,
            Err(shared) => held = shared,
        }
        tokio::task::yield_now().await;
    }
    (served, kept)
}

fn forget(dir: &Path) {
    for name in ["derived.db", "derived.db-wal", "derived.db-shm"] {
        // Some are only there while it is open.
        let _removed = fs::remove_file(dir.join(name));
    }
}

fn main_site() -> SiteId {
    "main".parse().expect("a name")
}
