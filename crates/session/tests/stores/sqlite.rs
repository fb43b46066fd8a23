//! The suites over SQLite.

use std::path::Path;
use std::sync::Arc;

use session::{Audit, AuditEntry, SqliteCallers, SqliteStore, walk_audit};

use crate::audit::{act, main};

#[tokio::test]
async fn sqlite_is_a_journal() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    crate::journal::suite(&opened(dir.path()).await).await;
}

#[tokio::test]
async fn sqlite_is_a_registry_and_stays_one() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = opened(dir.path()).await;
    crate::registry::suite(&store).await;
    // Nothing is closed in good order.
    drop(store);
    crate::registry::stays(&opened(dir.path()).await).await;
}

#[tokio::test]
async fn sqlite_is_an_audit_and_stays_one() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = opened(dir.path()).await;
    crate::audit::suite(&store).await;
    let before = walk_audit(&store, main(), None).await.expect("readable");
    drop(store);
    let store = opened(dir.path()).await;
    assert_eq!(walk_audit(&store, main(), Some((before.head, before.hash))).await, Ok(before.clone()));
    let row = store.record(main(), act(99, "ana", "plan.apply", "plan")).await.expect("recorded");
    assert_eq!(row.number, before.head + 1);
    drop(store);
    let read_only = SqliteStore::inspect(dir.path()).await.expect("its files");
    read_only.record(main(), AuditEntry::default()).await.expect_err("nothing is written");
    assert_eq!(walk_audit(&read_only, main(), None).await.expect("readable").head, row.number);
}

#[tokio::test]
async fn sqlite_keeps_what_follows() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = opened(dir.path()).await;
    crate::derived::suite(&store).await;
    crate::derived::of_subjects(&store).await;
}

#[tokio::test]
async fn sqlite_knows_callers_and_forgets_what_was_written_and_what_was_not() {
    let (one, two) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
    let random = SqliteCallers::random(Arc::new(opened(one.path()).await), crate::key()).await;
    let seeded = SqliteCallers::seeded(Arc::new(opened(two.path()).await), crate::key(), 7, 0).await;
    crate::callers::suite(&random.expect("its callers"), &seeded.expect("its callers")).await;
}

async fn opened(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir).await.expect("its files")
}
