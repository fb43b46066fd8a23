//! Every way of tampering with the audit in a file is found.

use std::path::Path;

use session::{Audit, AuditBreak, AuditEntry, AuditWalk, SqliteStore, let_audit_go, walk_audit};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use switchboard::canonical::Hash;
use switchboard::id::SiteId;

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
