//! The audit in every store: rows in order, found again by who, what, object and time; and every way of tampering with
//! the file is found.

use std::collections::BTreeSet;
use std::path::Path;

use session::{
    Audit, AuditBreak, AuditEntry, AuditFilter, AuditWalk, MemoryAudit, SqliteStore, let_audit_go, walk_audit,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use switchboard::canonical::Hash;
use switchboard::id::SiteId;

#[tokio::test]
async fn memory_is_an_audit() {
    suite(&MemoryAudit::new()).await;
}

#[tokio::test]
async fn sqlite_is_an_audit_and_stays_one() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
    suite(&store).await;
    let before = walk_audit(&store, main(), None).await.expect("readable");
    // Nothing is closed in good order.
    drop(store);
    let store = SqliteStore::open(dir.path()).await.expect("its files");
    assert_eq!(walk_audit(&store, main(), Some((before.head, before.hash))).await, Ok(before.clone()));
    let row = store.record(main(), act(99, "ana", "plan.apply", "plan")).await.expect("recorded");
    assert_eq!(row.number, before.head + 1);
    drop(store);
    let read_only = SqliteStore::inspect(dir.path()).await.expect("its files");
    read_only.record(main(), AuditEntry::default()).await.expect_err("nothing is written");
    assert_eq!(walk_audit(&read_only, main(), None).await.expect("readable").head, row.number);
}

async fn suite(audit: &dyn Audit) {
    let north: SiteId = "north".parse().expect("a name");
    assert_eq!(walk_audit(audit, main(), None).await, Ok(AuditWalk::default()));
    for n in 1..=6 {
        let who = if n % 2 == 0 { "ana" } else { "bo" };
        let what = if n % 3 == 0 { "line.close" } else { "line.open" };
        let row = audit.record(main(), act(n, who, what, &format!("line:l{n}"))).await.expect("recorded");
        assert_eq!(row.number, n.unsigned_abs());
    }
    audit.record(north, act(7, "ana", "line.open", "line:l1")).await.expect("recorded");
    let numbers = async |filter: AuditFilter, before, most| {
        let rows = audit.rows(main(), &filter, before, most).await.expect("readable");
        rows.iter().map(|row| row.number).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    assert_eq!(numbers(all(), u64::MAX, 4).await, [6, 5, 4, 3], "latest first");
    assert_eq!(numbers(all(), 3, 4).await, [2, 1]);
    assert_eq!(numbers(AuditFilter { who: "ana".into(), ..all() }, u64::MAX, 9).await, [6, 4, 2]);
    assert_eq!(numbers(AuditFilter { what: "line.close".into(), ..all() }, u64::MAX, 9).await, [6, 3]);
    assert_eq!(numbers(AuditFilter { object: "line:l5".into(), ..all() }, u64::MAX, 9).await, [5]);
    assert_eq!(numbers(AuditFilter { role: "supervisor".into(), ..all() }, u64::MAX, 9).await, [0; 0]);
    let times = AuditFilter { from_us: Some(2), until_us: Some(4), ..all() };
    assert_eq!(numbers(times, u64::MAX, 9).await, [3, 2]);

    let chain = audit.chain(main(), 2, 3).await.expect("readable");
    assert_eq!(chain.iter().map(|row| row.number).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(chain[0].entry, act(3, "bo", "line.close", "line:l3"));
    let hashes: BTreeSet<Hash> = chain.iter().map(|row| row.hash).collect();
    assert_eq!(hashes.len(), 3);
    let walk = walk_audit(audit, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (6, 6, None));
    let elsewhere = walk_audit(audit, north, None).await.expect("readable");
    assert_eq!((elsewhere.rows, elsewhere.head, elsewhere.broken), (1, 1, None));

    let by = || AuditEntry { wall_us: 8, role: "server".into(), ..AuditEntry::default() };
    assert_eq!(let_audit_go(audit, main(), 1, by()).await, Ok(None), "nothing is so old");
    assert_eq!(let_audit_go(audit, main(), 4, by()).await, Ok(Some(3)));
    let walk = walk_audit(audit, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (4, 7, None), "what is left begins where a row says");
    let knowing = async |known| walk_audit(audit, main(), Some(known)).await.expect("readable");
    assert!(knowing((2, Hash::default())).await.known_was_let_go);
    let last = knowing((3, chain[0].hash)).await;
    assert_eq!((last.known_was_let_go, last.broken), (false, None));
    assert_eq!(knowing((3, Hash::default())).await.broken, Some(AuditBreak::Rewritten(3)));
    assert_eq!(let_audit_go(audit, main(), i64::MAX, by()).await, Ok(Some(7)), "even what says so");
    let walk = walk_audit(audit, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (1, 8, None));
    audit.drop_through(north, 1).await.expect("dropped");
    audit.record(north, act(9, "ana", "line.open", "line:l1")).await.expect("recorded");
    let begun_anew = walk_audit(audit, north, Some((1, elsewhere.hash))).await.expect("readable");
    assert_eq!(begun_anew.broken, Some(AuditBreak::Rewritten(1)));
}

#[tokio::test]
async fn every_way_of_tampering_is_found() {
    let every_column = [
        "wall_us = 1",
        "role = 'supervisor'",
        "who = 'eve'",
        "what = 'line.open'",
        "object = 'line:other'",
        "was = '{}'",
        "becomes = '{}'",
        "why = 'because'",
        "request_id = 'x'",
        "outcome = 'done'",
        "refers_to = 1",
        "hash = 'none'",
    ];
    for change in every_column {
        let found = tampered(&[&format!("UPDATE audit SET {change} WHERE number = 3")]).await;
        assert_eq!(found, (2, Some(AuditBreak::Changed(3))), "{change}");
    }
    let gone = tampered(&["DELETE FROM audit WHERE number IN (3, 4)"]).await;
    assert_eq!(gone, (2, Some(AuditBreak::Gone { from: 3, to: 4 })));
    let first = tampered(&["DELETE FROM audit WHERE number = 1"]).await;
    assert_eq!(first, (0, Some(AuditBreak::BegunLate(1))));
    let moved_up = tampered(&[
        "DELETE FROM audit WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = 5",
        "UPDATE audit SET number = 5 WHERE number = 6",
    ]);
    assert_eq!(moved_up.await, (2, Some(AuditBreak::Changed(3))), "the gap is closed, the hashes are not");
    let swapped = tampered(&[
        "UPDATE audit SET number = 100 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = 100",
    ]);
    assert_eq!(swapped.await, (2, Some(AuditBreak::Changed(3))));
    let of_another_site =
        tampered(&["UPDATE audit SET site = 'north'", "UPDATE audit SET site = 'main'"]).await;
    assert_eq!(of_another_site, (6, None), "what was put back is as it was");
    let borrowed = tampered(&[
        "DELETE FROM audit WHERE number > 1",
        "INSERT INTO audit SELECT 'main', 2, wall_us, role, who, what, object, was, becomes, why, request_id, outcome, \
         refers_to, hash FROM audit WHERE number = 1",
    ]);
    assert_eq!(borrowed.await, (1, Some(AuditBreak::Changed(2))));
}

/// The chain alone cannot tell: what it ended with has to be known elsewhere.
#[tokio::test]
async fn rows_cut_off_at_the_end_are_found_by_whoever_kept_the_head() {
    let cut = ["DELETE FROM audit WHERE number > 4"];
    assert_eq!(tampered(&cut).await, (4, None));
    let (walk, known) = walked(&cut, true).await;
    assert_eq!(known.0, 6);
    assert_eq!(walk.broken, Some(AuditBreak::CutShort { head: 4, known: 6 }));
    println!("kept elsewhere: row {} {}; found: {}", known.0, known.1, walk.broken.expect("broken"));

    // Somebody who may write the file makes the whole chain anew.
    let dir = tempfile::tempdir().expect("a temporary directory");
    let known = filled(dir.path()).await;
    alter(dir.path(), &["DELETE FROM audit"]).await;
    let store = SqliteStore::open(dir.path()).await.expect("its files");
    for n in 1..=6 {
        store.record(main(), act(n, "eve", "line.close", "line:duty")).await.expect("recorded");
    }
    assert_eq!(walk_audit(&store, main(), None).await.expect("readable").broken, None);
    let walk = walk_audit(&store, main(), Some(known)).await.expect("readable");
    assert_eq!(walk.broken, Some(AuditBreak::Rewritten(6)));
}

#[tokio::test]
async fn a_row_that_says_that_rows_were_let_go_cannot_be_made_up_afterwards() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    filled(dir.path()).await;
    let store = SqliteStore::open(dir.path()).await.expect("its files");
    let by = AuditEntry { wall_us: 7, role: "server".into(), ..AuditEntry::default() };
    assert_eq!(let_audit_go(&store, main(), 3, by).await, Ok(Some(2)));
    drop(store);
    alter(dir.path(), &["DELETE FROM audit WHERE number = 3"]).await;
    let store = SqliteStore::open(dir.path()).await.expect("its files");
    let walk = walk_audit(&store, main(), None).await.expect("readable");
    assert_eq!(walk.broken, Some(AuditBreak::BegunLate(3)), "one more than was said");
    drop(store);
    alter(dir.path(), &["UPDATE audit SET object = 'rows:3' WHERE what = 'audit.let-go'"]).await;
    let store = SqliteStore::open(dir.path()).await.expect("its files");
    let walk = walk_audit(&store, main(), None).await.expect("readable");
    assert_eq!(walk.broken, Some(AuditBreak::Changed(4)));
}

/// Died in the middle of letting go: some of those rows are still there.
#[tokio::test]
async fn rows_that_were_let_go_and_are_not_all_gone_yet_are_passed_over() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    filled(dir.path()).await;
    let store = SqliteStore::open(dir.path()).await.expect("its files");
    let fourth = store.chain(main(), 3, 1).await.expect("readable").swap_remove(0);
    let said = AuditEntry {
        what: "audit.let-go".into(),
        object: "rows:4".into(),
        was: fourth.hash.to_string(),
        ..AuditEntry::default()
    };
    store.record(main(), said).await.expect("recorded");
    store.drop_through(main(), 2).await.expect("the first two");
    let walk = walk_audit(&store, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (3, 7, None));
    assert_eq!(let_audit_go(&store, main(), 6, AuditEntry::default()).await, Ok(Some(5)));
    let walk = walk_audit(&store, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (3, 8, None));
}

#[tokio::test]
async fn many_rows_go_some_at_a_time_and_the_rest_is_a_chain() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
    for n in 1..=450 {
        store.record(main(), act(n, "ana", "line.close", "line:duty")).await.expect("recorded");
    }
    let by = AuditEntry { wall_us: 451, ..AuditEntry::default() };
    assert_eq!(let_audit_go(&store, main(), 432, by).await, Ok(Some(431)));
    let walk = walk_audit(&store, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (20, 451, None));
}

async fn tampered(statements: &[&str]) -> (u64, Option<AuditBreak>) {
    let (walk, _) = walked(statements, false).await;
    (walk.rows, walk.broken)
}

async fn walked(statements: &[&str], knowing: bool) -> (AuditWalk, (u64, Hash)) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let known = filled(dir.path()).await;
    alter(dir.path(), statements).await;
    let store = SqliteStore::open(dir.path()).await.expect("its files");
    let walk = walk_audit(&store, main(), knowing.then_some(known)).await.expect("readable");
    (walk, known)
}

/// Six rows; answers what the chain ends with.
async fn filled(dir: &Path) -> (u64, Hash) {
    let store = SqliteStore::open(dir).await.expect("a fresh directory");
    for n in 1..=6 {
        store.record(main(), act(n, "ana", "line.close", "line:duty")).await.expect("recorded");
    }
    let walk = walk_audit(&store, main(), None).await.expect("readable");
    store.close().await;
    (walk.head, walk.hash)
}

async fn alter(dir: &Path, statements: &[&str]) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("journal.db"));
    let mut connection = options.connect().await.expect("opened");
    for statement in statements {
        let done = connection.execute(AssertSqlSafe((*statement).to_owned())).await.expect(statement);
        assert!(done.rows_affected() > 0, "{statement}");
    }
    connection.close().await.expect("closed");
}

fn act(wall_us: i64, who: &str, what: &str, object: &str) -> AuditEntry {
    AuditEntry {
        wall_us,
        role: "admin".to_owned(),
        who: who.to_owned(),
        what: what.to_owned(),
        object: object.to_owned(),
        why: "夜班".to_owned(),
        outcome: AuditEntry::ASKED.to_owned(),
        ..AuditEntry::default()
    }
}

fn main() -> SiteId {
    "main".parse().expect("a name")
}
