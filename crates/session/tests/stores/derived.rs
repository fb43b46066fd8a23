//! Snapshots and call records.

use std::collections::BTreeMap;

use session::{
    CallRecord, Derived, DerivedFault, RecordCursor, RecordQuery, RowMark, Snapshot, SubjectRecords,
};
use switchboard::call::{CallerKind, Class, EndedBy, Outcome};
use switchboard::canonical::Hash;
use switchboard::id::{Attempt, CallId, CallerRef, Seq, SiteId};
use switchboard::state::State;
use switchboard::time::SiteTime;
use uuid::Uuid;

/// Runs the whole suite on a fresh store.
pub(crate) async fn suite(store: &dyn Derived) {
    snapshots(store).await;
    records_move_with_their_cursor(store).await;
    records_are_found(store).await;
}

async fn snapshots(store: &dyn Derived) {
    let main = site("snapshots");
    assert_eq!(store.snapshot(main, Seq(9)).await, Ok(None));
    let taken: Vec<Snapshot> = (1..=5).map(|n| snapshot(n * 10_000)).collect();
    for snapshot in &taken {
        store.keep_snapshot(main, snapshot).await.expect("kept");
    }
    let at = async |seq| store.snapshot(main, Seq(seq)).await.expect("readable").map(|found| found.seq.0);
    assert_eq!(at(9_999).await, None);
    assert_eq!(at(29_999).await, Some(10_000), "of the older ones the first of each step stays");
    assert_eq!(at(30_000).await, Some(30_000));
    assert_eq!(store.snapshot(main, Seq(u64::MAX >> 1)).await, Ok(taken.last().cloned()));
    assert_eq!(store.snapshot(site("elsewhere"), Seq(99_999)).await, Ok(None));
}

async fn records_move_with_their_cursor(store: &dyn Derived) {
    let main = site("cursor");
    assert_eq!(store.record_cursor(main).await, Ok(None));
    let open =
        CallRecord { closed: None, asked: BTreeMap::from([(Attempt(1), name("ana"))]), ..record(1, 1) };
    store.keep_records(main, &[open.clone(), record(2, 2)], None, cursor(3)).await.expect("kept");
    for from in [None, Some(Seq(2))] {
        let moved = store.keep_records(main, &[record(3, 3)], from, cursor(4)).await;
        assert_eq!(moved, Err(DerivedFault::Moved));
    }
    assert_eq!(store.record_cursor(main).await, Ok(Some(cursor(3))), "nothing of that was kept");
    assert_eq!(store.record(main, call(3)).await, Ok(None));
    assert_eq!(store.open_records(main).await, Ok(vec![open]));
    store.keep_records(main, &[record(1, 1)], Some(Seq(3)), cursor(5)).await.expect("kept");
    assert_eq!(store.open_records(main).await, Ok(vec![]));
    assert_eq!(store.records(main, Seq(0), 9).await, Ok(vec![record(1, 1), record(2, 2)]));
    assert_eq!(store.records(main, Seq(1), 1).await, Ok(vec![record(2, 2)]));
    store.keep_records(main, &[], Some(Seq(5)), cursor(6)).await.expect("no call has changed");
    assert_eq!(store.keep_records(main, &[], Some(Seq(5)), cursor(7)).await, Err(DerivedFault::Moved));
    let many: Vec<CallRecord> = (10..110).map(|n| record(n, n as u64)).collect();
    store.keep_records(main, &many, Some(Seq(6)), cursor(200)).await.expect("kept");
    assert_eq!(store.records(main, Seq(2), 200).await, Ok(many));
    store.forget_records(main).await.expect("forgotten");
    assert_eq!(store.record_cursor(main).await, Ok(None));
    assert_eq!(store.records(main, Seq(0), 9).await, Ok(vec![]));
}

async fn records_are_found(store: &dyn Derived) {
    let main = site("found");
    // Two calls that one decision let in, and one that nobody answered.
    let kept = [
        record(1, 1),
        CallRecord { line: name("duty"), ..record(2, 2) },
        CallRecord { wall_us: 5_000, ..record(3, 2) },
        CallRecord {
            answered: None,
            closed: Some((SiteTime(9), Outcome::AbandonedWaiting)),
            caller: CallerRef(Uuid::from_u128(77)),
            ..record(4, 7)
        },
    ];
    store.keep_records(main, &kept, None, cursor(9)).await.expect("kept");
    assert_eq!(store.record(main, call(3)).await, Ok(Some(kept[2].clone())));
    assert_eq!(store.record(site("elsewhere"), call(3)).await, Ok(None));
    let all = RecordQuery::default();
    let mut paged = Vec::new();
    while let page = store.latest_records(main, &all, paged.last().map(CallRecord::place), 1).await
        && let Some(next) = page.expect("readable").pop()
    {
        paged.push(next);
    }
    let order: Vec<CallId> = paged.iter().map(|record| record.call).collect();
    assert_eq!(order, [call(4), call(3), call(2), call(1)], "the latest first, page by page");
    let asked = async |query: RecordQuery| {
        let found = store.latest_records(main, &query, None, 9).await.expect("readable");
        assert!(found.iter().all(|record| query.asks_for(record)));
        found.iter().map(|record| record.call.0.as_u128()).collect::<Vec<u128>>()
    };
    let any = RecordQuery::default;
    assert_eq!(asked(RecordQuery { line: Some(name("duty")), ..any() }).await, [2]);
    assert_eq!(asked(RecordQuery { line: Some(name("main-line")), ..any() }).await, [4, 3, 2, 1]);
    assert_eq!(asked(RecordQuery { operator: Some(name("ana")), ..any() }).await, [3, 2, 1]);
    assert_eq!(asked(RecordQuery { caller: Some(CallerRef(Uuid::from_u128(77))), ..any() }).await, [4]);
    assert_eq!(asked(RecordQuery { outcome: Some(Outcome::AbandonedWaiting), ..any() }).await, [4]);
    assert_eq!(asked(RecordQuery { from_wall_us: Some(5_000), ..any() }).await, [4, 3]);
    assert_eq!(asked(RecordQuery { until_wall_us: Some(5_000), ..any() }).await, [2, 1]);
    let between = |first, last| RecordQuery { calls: Some((call(first), call(last))), ..any() };
    assert_eq!(asked(between(2, 3)).await, [3, 2]);
    assert!(asked(between(5, 9)).await.is_empty());
    assert_eq!(asked(RecordQuery { outcome: Some(Outcome::AbandonedWaiting), ..between(1, 9) }).await, [4]);
    assert_eq!(asked(RecordQuery { until_wall_us: Some(5_000), ..between(2, 4) }).await, [2]);
    let next = store.latest_records(main, &between(2, 9), Some(kept[2].place()), 9).await;
    assert_eq!(next, Ok(vec![kept[1].clone()]), "page by page");
}

/// Runs the suite of records by who called, where records are kept.
pub(crate) async fn of_subjects<S: Derived + SubjectRecords>(store: &S) {
    let main = site("subjects");
    let open = CallRecord { closed: None, caller: CallerRef(Uuid::from_u128(7)), ..record(3, 3) };
    let mut kept: Vec<CallRecord> = (4..=500).map(|n| record(n, n as u64)).collect();
    kept.extend([record(1, 1), record(2, 2), open.clone()]);
    store.keep_records(main, &kept, None, cursor(500)).await.expect("kept");
    let of = async |n: u128, after| {
        store.of_caller(main, CallerRef(Uuid::from_u128(n)), Seq(after), 9).await.expect("readable")
    };
    assert_eq!(of(7, 0).await, std::slice::from_ref(&open));
    assert_eq!(of(7, 3).await, []);
    assert_eq!(of(2 << 32, 0).await, [record(2, 2)]);
    assert_eq!(store.caller_of(main, call(2)).await, Ok(Some(record(2, 2).caller)));
    assert_eq!(store.caller_of(main, call(999)).await, Ok(None));
    assert_eq!(store.caller_of(site("elsewhere"), call(2)).await, Ok(None));
    let since = store.callers_since(main, 499_000).await.expect("readable");
    assert_eq!(since.iter().collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert_eq!(store.drop_records(main, 400_000).await, Ok(398), "more than are let go at once");
    assert_eq!(store.open_records(main).await, Ok(vec![open]), "an open call is never let go");
    assert_eq!(store.drop_records(main, 400_000).await, Ok(0));
    assert_eq!(store.records(main, Seq(3), 1).await, Ok(vec![record(400, 400)]));
}

fn record(n: u128, first_seq: u64) -> CallRecord {
    CallRecord {
        call: call(n),
        first_seq: Seq(first_seq),
        last_seq: Seq(first_seq + 3),
        gateway: name("gw-1"),
        caller: CallerRef(Uuid::from_u128(n << 32)),
        kind: CallerKind::Public,
        called: name("main-line"),
        line: name("main-line"),
        class: Class::Normal,
        wall_us: i64::try_from(first_seq).expect("small") * 1_000,
        rang_at: SiteTime(first_seq),
        answered: Some((SiteTime(first_seq + 1), name("ana"))),
        offers: 2,
        tiers: 1,
        closed: Some((SiteTime(first_seq + 2), Outcome::Answered { ended_by: EndedBy::Caller })),
        asked: BTreeMap::new(),
    }
}

fn snapshot(seq: u64) -> Snapshot {
    Snapshot::of(
        &State { seq: Seq(seq), ..State::default() },
        RowMark { seq: Seq(seq), hash: Hash::of("row") },
    )
}

pub(crate) fn cursor(seq: u64) -> RecordCursor {
    RecordCursor { seq: Seq(seq), row: RowMark { seq: Seq(seq), hash: Hash::of("row") } }
}

fn call(n: u128) -> CallId {
    CallId(Uuid::from_u128(n))
}

fn site(text: &str) -> SiteId {
    name(text)
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a name")
}
