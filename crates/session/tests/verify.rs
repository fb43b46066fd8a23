//! A journal that agrees with itself, and every way in which one may not.

use std::path::Path;

use session::{
    Derived, FORMAT, Journal, MemoryCallers, MemoryJournal, RecordCursor, RecordFold, Retention, Row,
    RowMark, Snapshot, SqliteStore, SweptStores, Verified, VerifyFault, Writer, sweep, verify,
};
use sim::drive::Drive;
use sim::world::{World, WorldConfig};
use switchboard::Switchboard;
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{Seq, SiteId};
use switchboard::time::{SiteTime, Span};

type Lie = fn(&mut Decision);

const CALLS: u32 = 60;
const DECISIONS_A_ROW: usize = 7;
/// What the wall clock shows all day.
const WALL_US: i64 = 1_649_001_600_000_000;

#[tokio::test]
async fn a_days_journal_agrees_with_itself() {
    let day = day();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = kept(dir.path(), &day).await;
    let mut told = Vec::new();
    let verified = verify(&store, Some(&store), main(), |progress| told.push(progress.seq)).await;
    let arrived =
        day.iter().flat_map(|d| &d.events).filter(|e| matches!(e, Event::CallArrived { .. })).count();
    let Verified { rows, decisions, snapshots, passed_over, records, let_go, state } =
        verified.expect("it agrees");
    assert_eq!((rows, decisions), (day.len().div_ceil(DECISIONS_A_ROW) as u64, day.len() as u64));
    assert_eq!((snapshots, passed_over), (1, 0));
    assert_eq!((records, let_go, state), (arrived as u64, 0, replayed(&day).state_hash()));
    assert!(told.is_sorted() && told.last() == Some(&Seq(day.len() as u64)));
}

#[tokio::test]
async fn an_empty_journal_agrees_with_itself() {
    let verified = verify(&MemoryJournal::new(), None, main(), |_| {}).await.expect("nothing to say");
    assert_eq!((verified.decisions, verified.state), (0, Switchboard::new().state_hash()));
}

/// L01 over what is stored: each of these would be replayed without a word.
#[tokio::test]
async fn a_decision_that_was_changed_is_decided_otherwise() {
    let day = day();
    let at = |wanted: fn(&Event) -> bool| {
        day.iter().position(|decision| decision.events.iter().any(wanted)).expect("it happens on such a day")
    };
    let offered = at(|event| matches!(event, Event::OfferMade { .. }));
    let arrived = at(|event| matches!(event, Event::CallArrived { .. }));
    let lies: [(usize, Lie); 4] = [
        (offered, |decision| decision.events.clear()),
        (offered, |decision| {
            for event in &mut decision.events {
                if let Event::OfferMade { ring_until, .. } = event {
                    *ring_until = *ring_until + Span::secs(1);
                }
            }
        }),
        (arrived, |decision| decision.input.command = switchboard::command::Command::Tick),
        (arrived, |decision| decision.reply = switchboard::decision::Reply::Expired),
    ];
    for (nth, (at, lie)) in lies.into_iter().enumerate() {
        let mut changed = day.clone();
        lie(&mut changed[at]);
        let fault = fault_of(&changed).await;
        let seen = matches!(&fault, VerifyFault::DecidedOtherwise { seq, .. } if *seq == day[at].seq);
        assert!(seen, "lie {nth}: {fault}");
    }
}

#[tokio::test]
async fn a_missing_row_and_a_step_back_in_time_are_seen() {
    let day = day();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = kept(dir.path(), &day).await;
    store.close().await;
    sql(&dir.path().join("journal.db"), "DELETE FROM journal WHERE seq = 15").await;
    let store = SqliteStore::inspect(dir.path()).await.expect("readable");
    let fault = verify(&store, None, main(), |_| {}).await.expect_err("a gap");
    assert!(matches!(fault, VerifyFault::Gap { after: Seq(14), found: Seq(22) }), "{fault}");

    let mut back = day.clone();
    back[20].at = SiteTime(0);
    back[19].at = back[19].at + Span::secs(1);
    assert!(!matches!(fault_of(&back).await, VerifyFault::Gap { .. }));
}

#[tokio::test]
async fn a_snapshot_that_lies_is_seen() {
    let day = day();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = kept(dir.path(), &day).await;
    let sound = store.snapshot(main(), Seq(u64::MAX)).await.expect("readable").expect("it was kept");
    let mut state = sound.open().expect("sound");
    state.operators.pop_first().expect("somebody");
    store.keep_snapshot(main(), &Snapshot::of(&state, sound.row)).await.expect("kept");
    let fault = verify(&store, Some(&store), main(), |_| {}).await.expect_err("a lie");
    assert!(matches!(fault, VerifyFault::Snapshot { seq } if seq == sound.seq), "{fault}");
}

#[tokio::test]
async fn records_that_were_kept_long_enough_are_not_missed() {
    let day = day();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = kept(dir.path(), &day).await;
    let subjects = MemoryCallers::random();
    let stores =
        SweptStores { journal: &store, derived: &store, records: &store, subjects: &subjects, audit: &store };
    let retention = Retention { records_days: Some(30), ..Retention::default() };
    let later_us = WALL_US + 40 * 24 * 60 * 60 * 1_000_000;
    let swept = sweep(main(), &retention, later_us, stores).await.expect("swept");
    let open = store.open_records(main()).await.expect("readable").len() as u64;
    assert!(swept.records > 0);
    let verified = verify(&store, Some(&store), main(), |_| {}).await.expect("it agrees");
    assert_eq!((verified.records, verified.let_go), (open, swept.records));
}

#[tokio::test]
async fn records_that_lie_are_seen() {
    let day = day();
    let forge = |change: &'static str| {
        let day = day.clone();
        async move {
            let dir = tempfile::tempdir().expect("a temporary directory");
            kept(dir.path(), &day).await.close().await;
            sql(&dir.path().join("derived.db"), change).await;
            let store = SqliteStore::inspect(dir.path()).await.expect("readable");
            verify(&store, Some(&store), main(), |_| {}).await.expect_err("a lie")
        }
    };
    for change in [
        "UPDATE call_record SET offers = offers + 1 WHERE call_id = (SELECT MIN(call_id) FROM call_record)",
        "UPDATE call_record SET outcome = NULL WHERE call_id = (SELECT MAX(call_id) FROM call_record)",
        "INSERT INTO call_record SELECT site, '00000000-0000-0000-0000-000000000001', first_seq, last_seq, gateway, \
         caller_ref, kind, line_called, line, class, wall_us, rang_us, answered_us, answered_by, offers, tiers, \
         closed_us, outcome, asked FROM call_record LIMIT 1",
    ] {
        let fault = forge(change).await;
        assert!(matches!(fault, VerifyFault::Record { .. }), "{fault}");
    }
    for change in [
        "UPDATE record_cursor SET row_hash = (SELECT hash FROM snapshot LIMIT 1)",
        "UPDATE record_cursor SET seq = seq + 1000",
    ] {
        let fault = forge(change).await;
        assert!(matches!(fault, VerifyFault::RecordsElsewhere { .. }), "{fault}");
    }
}

async fn fault_of(decisions: &[Decision]) -> VerifyFault {
    let journal = MemoryJournal::new();
    append(&journal, decisions).await;
    verify(&journal, None, main(), |_| {}).await.expect_err("a lie")
}

/// A hospital's small day.
fn day() -> Vec<Decision> {
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).expect("the shipped plan").plan;
    let world = World::new(WorldConfig::hospital(&plan, 3, CALLS, 1), &plan);
    let end = world.end();
    let mut drive = Drive::new(world, &plan, SiteTime(0));
    // The driver shows only what follows the adoption of the plan.
    let (at, input) = drive.script()[0].clone();
    let mut decisions = vec![Switchboard::new().handle(at, input).expect("a first plan")];
    drive.run(end, |decision, _| decisions.push(decision.clone()));
    decisions
}

fn replayed(decisions: &[Decision]) -> Switchboard {
    let mut switchboard = Switchboard::new();
    decisions.iter().for_each(|decision| switchboard.evolve(decision));
    switchboard
}

/// The day as a server keeps it.
async fn kept(dir: &Path, decisions: &[Decision]) -> SqliteStore {
    let store = SqliteStore::open(dir).await.expect("a fresh directory");
    append(&store, decisions).await;
    let rows = store.tail(main(), Seq(0), usize::MAX).await.expect("readable");
    let last = rows.last().expect("rows");
    let row = RowMark::of(last);
    let mut fold = RecordFold::default();
    for stored in &rows {
        for decision in session::decode(&stored.row).expect("sound") {
            fold.fold(&decision, stored.row.wall_us);
        }
    }
    let cursor = RecordCursor { seq: last.row.last_seq, row };
    store.keep_records(main(), &fold.take_changed(), None, cursor).await.expect("kept");
    store.keep_snapshot(main(), &Snapshot::of(replayed(decisions).state(), row)).await.expect("kept");
    store
}

async fn append(journal: &dyn Journal, decisions: &[Decision]) {
    for row in decisions.chunks(DECISIONS_A_ROW) {
        let (first, last) = (&row[0], &row[row.len() - 1]);
        let row = Row {
            seq: first.seq,
            last_seq: last.seq,
            at: last.at,
            wall_us: WALL_US,
            writer: Writer::new("test"),
            format: FORMAT,
            body: session::encode(row),
        };
        journal.append(main(), &row).await.expect("stored");
    }
}

async fn sql(path: &Path, change: &str) {
    use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.expect("opened");
    connection.execute(AssertSqlSafe(change.to_owned())).await.expect("changed");
    connection.close().await.expect("closed");
}

fn main() -> SiteId {
    "main".parse().expect("a name")
}
