//! What is let go when, and that the audit tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use session::{
    Appended, Audit, AuditEntry, CallRecord, CallerNumber, Callers, Derived, Journal, RecordCursor,
    Retention, Row, RowMark, SealKey, SqliteCallers, SqliteStore, SubjectRecords, Subjects, Swept, Writer,
    sweep, walk_audit,
};
use switchboard::call::{CallerKind, Class, Outcome};
use switchboard::canonical::Hash;
use switchboard::id::{CallId, CallerRef, Seq, SiteId};
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
        let parts = (&*self.store as &dyn Audit, &self.callers as &dyn Subjects, &*self.store as _);
        sweep(main(), retention, day * DAY_US, parts).await.expect("swept")
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
        let row = Row {
            seq: Seq(1),
            last_seq: Seq(9),
            at: SiteTime(1),
            wall_us: 0,
            writer: Writer::new("test"),
            format: session::FORMAT,
            body: "[]".to_owned(),
        };
        assert_eq!(self.store.append(main(), &row).await, Ok(Appended::Stored));
        let row = RowMark { seq: Seq(1), hash: Hash::default() };
        let to = RecordCursor { seq: Seq(9), row };
        self.store.keep_records(main(), &records, None, to).await.expect("kept");
        callers
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
