//! What is let go when, and that the audit tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use session::{
    Appended, Audit, AuditEntry, CallRecord, CallerNumber, Callers, Derived, DerivedFault, Journal,
    RecordCursor, Retention, Row, RowMark, SealKey, SqliteCallers, SqliteStore, SubjectRecords, Subjects,
    Swept, SweptStores, Writer, may_have_dropped_records, sweep, walk_audit,
};
use switchboard::call::{CallerKind, Class, Outcome};
use switchboard::command::{Actor, Command, Input};
use switchboard::decision::{Decision, Reply};
use switchboard::event::Event;
use switchboard::id::{CallId, CallerRef, Revision, Seq, SiteId};
use switchboard::time::SiteTime;
use uuid::Uuid;

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

struct Kept {
    store: Arc<SqliteStore>,
    callers: SqliteCallers,
    _dir: tempfile::TempDir,
}

impl Kept {
    async fn open() -> Kept {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Arc::new(SqliteStore::open(dir.path()).await.expect("a fresh directory"));
        let key = SealKey::parse(&"5".repeat(64)).expect("a key");
        let callers = SqliteCallers::random(Arc::clone(&store), key).await.expect("its callers");
        Kept { store, callers, _dir: dir }
    }

    async fn sweep(&self, retention: &Retention, day: i64) -> Swept {
        self.sweep_with(&*self.store, retention, day).await
    }

    async fn sweep_with(&self, records: &dyn SubjectRecords, retention: &Retention, day: i64) -> Swept {
        let (store, subjects) = (&*self.store, &self.callers);
        let stores = SweptStores { journal: store, derived: store, records, subjects, audit: store };
        sweep(main(), retention, day * DAY_US, stores).await.expect("swept")
    }

    /// Callers with a record of a call on this day each; day none means no record at all.
    async fn callers(&self, days: &[Option<i64>]) -> Vec<CallerRef> {
        let mut callers = Vec::new();
        let mut records = Vec::new();
        for (n, day) in (1..).zip(days) {
            let number = CallerNumber::received(&format!("1380013800{n}"));
            let caller = self.callers.reference(main(), &number).await.expect("begun");
            records.extend(day.map(|day| record(n, caller, day * DAY_US)));
            callers.push(caller);
        }
        self.append(0, 9, "[]".to_owned()).await;
        let stored = self.store.tail(main(), Seq(0), 1).await.expect("readable");
        let to = RecordCursor { seq: Seq(9), row: RowMark::of(&stored[0]) };
        self.store.keep_records(main(), &records, None, to).await.expect("kept");
        callers
    }

    /// A row behind the last, of so many decisions.
    async fn append(&self, day: i64, decisions: u64, body: String) {
        let last = self.store.head(main()).await.expect("readable").last_seq;
        let row = Row {
            seq: last.next(),
            last_seq: Seq(last.0 + decisions),
            at: SiteTime(1),
            wall_us: day * DAY_US,
            writer: Writer::new("test"),
            format: session::FORMAT,
            body,
        };
        assert_eq!(self.store.append(main(), &row).await, Ok(Appended::Stored));
    }

    /// Somebody rings in, and nobody has a record of it yet.
    async fn ring_in(&self, caller: CallerRef, day: i64) {
        let seq = self.store.head(main()).await.expect("readable").last_seq.next();
        let record = record(seq.0, caller, day * DAY_US);
        let CallRecord { call, gateway, caller, kind, line, class, rang_at, .. } = record;
        let arrived = Event::CallArrived {
            call,
            gateway,
            caller,
            kind,
            line,
            class,
            revision: Revision(1),
            arrived_at: rang_at,
            ladder_from: rang_at,
            resumed: false,
            required: Default::default(),
            held: Default::default(),
        };
        let input = Input { actor: Actor::Clock, request: None, command: Command::Tick };
        let decision = Decision { seq, at: rang_at, input, events: vec![arrived], reply: Reply::Done };
        self.append(day, 1, session::encode(&[decision])).await;
    }

    async fn has_number(&self, caller: CallerRef) -> bool {
        Subjects::number(&self.callers, main(), caller).await.expect("readable").is_some()
    }
}

#[tokio::test]
async fn a_number_is_kept_for_so_long_after_the_last_call() {
    let kept = Kept::open().await;
    let callers = kept.callers(&[Some(1), Some(50), None]).await;
    let retention = Retention { numbers_days: Some(30), ..Retention::default() };
    assert_eq!(kept.sweep(&retention, 2).await.numbers, 0, "noticed today");
    assert_eq!(kept.sweep(&retention, 32).await.numbers, 0, "noticed a month ago, and no longer");
    assert_eq!(kept.sweep(&retention, 33).await.numbers, 2);
    assert!(!kept.has_number(callers[0]).await && !kept.has_number(callers[2]).await);
    assert_eq!(kept.sweep(&retention, 80).await.numbers, 0, "called on day 50");
    assert!(kept.has_number(callers[1]).await);
    assert_eq!(kept.sweep(&retention, 81).await.numbers, 1);
}

#[tokio::test]
async fn records_and_the_audit_are_let_go_and_decisions_stay() {
    let kept = Kept::open().await;
    let callers = kept.callers(&[Some(1), Some(300)]).await;
    let retention = Retention { records_days: Some(100), audit_days: Some(200), ..Retention::default() };
    assert_eq!(kept.sweep(&retention, 101).await, Swept::default());
    assert_eq!(kept.sweep(&retention, 102).await, Swept { records: 1, ..Swept::default() });
    let left = kept.store.of_caller(main(), callers[0], Seq(0), 9).await.expect("readable");
    assert_eq!(left, []);
    assert_eq!(kept.store.of_caller(main(), callers[1], Seq(0), 9).await.expect("readable").len(), 1);
    assert!(kept.has_number(callers[0]).await, "for as long as nobody says otherwise");
    // Rows 1 and 2 are of day 101, 3 and 4 of day 102.
    assert_eq!(kept.sweep(&retention, 302).await.audit_through, Some(2));
    let walk = walk_audit(&*kept.store, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (5, 7, None));
    let last = kept.store.rows(main(), &Default::default(), u64::MAX, 1).await.expect("readable");
    assert_eq!(last[0].entry.outcome, AuditEntry::DONE);
    assert_eq!(last[0].entry.becomes, "{\"numbers\":0,\"records\":0,\"audit_through\":2}");
    assert_eq!(kept.store.head(main()).await.expect("readable").last_seq, Seq(9));
}

#[tokio::test]
async fn the_audit_tells_whether_records_may_have_been_let_go() {
    let kept = Kept::open().await;
    kept.callers(&[Some(1)]).await;
    let may_have = async || may_have_dropped_records(&*kept.store, main()).await.expect("readable");
    assert!(!may_have().await);
    kept.sweep(&Retention { numbers_days: Some(30), ..Retention::default() }, 101).await;
    assert!(!may_have().await, "numbers are no records");
    kept.sweep(&Retention { records_days: Some(500), ..Retention::default() }, 102).await;
    assert!(may_have().await);
    let audit_only = Retention { audit_days: Some(200), ..Retention::default() };
    assert_eq!(kept.sweep(&audit_only, 303).await.audit_through, Some(4));
    assert!(may_have().await, "whatever the rows said that are gone");
}

#[tokio::test]
async fn whoever_rings_in_behind_the_records_keeps_the_number() {
    let kept = Kept::open().await;
    let callers = kept.callers(&[Some(1), Some(1), Some(1)]).await;
    let retention = Retention { numbers_days: Some(30), ..Retention::default() };
    assert_eq!(kept.sweep(&retention, 2).await.numbers, 0, "noticed");
    kept.ring_in(callers[0], 99).await;
    // Rang in long ago, and is still waiting.
    kept.ring_in(callers[1], 3).await;
    let swept = kept.sweep(&retention, 100).await;
    assert_eq!(swept, Swept { numbers: 1, ..Swept::default() });
    assert!(kept.has_number(callers[0]).await && kept.has_number(callers[1]).await);
    assert!(!kept.has_number(callers[2]).await);
}

#[tokio::test]
async fn numbers_wait_for_records_that_are_being_made_again() {
    let kept = Kept::open().await;
    let callers = kept.callers(&[Some(99), Some(1)]).await;
    let retention = Retention { numbers_days: Some(30), ..Retention::default() };
    assert_eq!(kept.sweep(&retention, 2).await.numbers, 0, "noticed");
    kept.append(99, 60_000, "[]".to_owned()).await;
    kept.store.forget_records(main()).await.expect("derived.db was lost");
    assert_eq!(kept.sweep(&retention, 100).await, Swept { numbers_wait: true, ..Swept::default() });
    assert!(kept.has_number(callers[0]).await && kept.has_number(callers[1]).await);
    let last = kept.store.rows(main(), &Default::default(), u64::MAX, 1).await.expect("readable");
    assert_eq!(last[0].entry.outcome, AuditEntry::DONE);
    assert!(last[0].entry.becomes.ends_with(",\"numbers_wait\":true}"), "{}", last[0].entry.becomes);
}

/// Nobody can say who called.
struct NoRecords;

#[async_trait]
impl SubjectRecords for NoRecords {
    async fn of_caller(
        &self,
        _: SiteId,
        _: CallerRef,
        _: Seq,
        _: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        Err(DerivedFault::Unavailable("away".to_owned()))
    }

    async fn caller_of(&self, _: SiteId, _: CallId) -> Result<Option<CallerRef>, DerivedFault> {
        Err(DerivedFault::Unavailable("away".to_owned()))
    }

    async fn callers_since(&self, _: SiteId, _: i64) -> Result<Vec<CallerRef>, DerivedFault> {
        Err(DerivedFault::Unavailable("away".to_owned()))
    }

    async fn drop_records(&self, _: SiteId, _: i64) -> Result<u64, DerivedFault> {
        Err(DerivedFault::Unavailable("away".to_owned()))
    }
}

#[tokio::test]
async fn a_kind_that_fails_keeps_no_other_and_the_audit_names_it() {
    let kept = Kept::open().await;
    let callers = kept.callers(&[Some(1)]).await;
    let retention = Retention { numbers_days: Some(30), records_days: Some(30), audit_days: Some(200) };
    assert_eq!(kept.sweep(&retention, 2).await, Swept::default());
    let swept = kept.sweep_with(&NoRecords, &retention, 300).await;
    assert_eq!((swept.numbers, swept.records, swept.audit_through), (0, 0, Some(2)));
    assert_eq!(swept.failed, ["numbers", "records"]);
    assert!(kept.has_number(callers[0]).await);
    let last = kept.store.rows(main(), &Default::default(), u64::MAX, 1).await.expect("readable");
    assert_eq!((last[0].entry.outcome.as_str(), last[0].entry.refers_to), ("RETENTION_INCOMPLETE", 3));
    let becomes = "{\"numbers\":0,\"records\":0,\"audit_through\":2,\"failed\":[\"numbers\",\"records\"]}";
    assert_eq!(last[0].entry.becomes, becomes);
}

#[tokio::test]
async fn who_called_is_found_by_the_call_and_since_when() {
    let kept = Kept::open().await;
    let callers = kept.callers(&[Some(1), Some(50)]).await;
    let call = |n| CallId(Uuid::from_u128(n));
    assert_eq!(kept.store.caller_of(main(), call(2)).await, Ok(Some(callers[1])));
    assert_eq!(kept.store.caller_of(main(), call(3)).await, Ok(None));
    assert_eq!(kept.store.callers_since(main(), 2 * DAY_US).await, Ok(vec![callers[1]]));
}

#[test]
fn records_have_to_outlast_numbers() {
    let days = |numbers_days, records_days| Retention { numbers_days, records_days, audit_days: None };
    assert!(days(Some(30), None).tells_last_calls() && days(None, Some(1)).tells_last_calls());
    assert!(days(Some(30), Some(30)).tells_last_calls() && !days(Some(31), Some(30)).tells_last_calls());
    assert!(days(None, None).keeps_all() && !days(Some(1), None).keeps_all());
}

fn record(n: u64, caller: CallerRef, wall_us: i64) -> CallRecord {
    CallRecord {
        call: CallId(Uuid::from_u128(n.into())),
        first_seq: Seq(n),
        last_seq: Seq(n),
        gateway: "gw-1".parse().expect("a name"),
        caller,
        kind: CallerKind::Public,
        called: "duty".parse().expect("a name"),
        line: "duty".parse().expect("a name"),
        class: Class::Normal,
        wall_us,
        rang_at: SiteTime(n),
        answered: None,
        offers: 0,
        tiers: 0,
        closed: Some((SiteTime(n + 1), Outcome::AbandonedWaiting)),
        asked: BTreeMap::new(),
    }
}

fn main() -> SiteId {
    "main".parse().expect("a name")
}
