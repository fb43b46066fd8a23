//! A text that one of the engines cannot keep is taken by neither.

use session::{Audit, AuditEntry, AuditFault, KeptRoster, Registry, RegistryFault, SqliteStore, walk_audit};

use crate::audit::main;

#[tokio::test]
async fn sqlite_keeps_no_text_that_postgres_would_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    suite(&SqliteStore::open(dir.path()).await.expect("a fresh directory")).await;
}

/// Nothing of it is kept, and what comes next is.
pub(crate) async fn suite<S: Audit + Registry>(store: &S) {
    let because = |why: &str| AuditEntry { why: why.to_owned(), ..AuditEntry::default() };
    let refused = store.record(main(), because("a\0b")).await;
    assert!(matches!(&refused, Err(AuditFault::Unavailable(why)) if why.contains("NUL")), "{refused:?}");
    assert_eq!(walk_audit(store, main(), None).await.expect("readable").rows, 0);
    store.record(main(), because("a b")).await.expect("recorded");
    let roster = |text: &str| KeptRoster { revision: 1, kept_us: 7, text: text.to_owned() };
    let refused = store.keep_roster(main(), &roster("\0")).await;
    assert!(matches!(&refused, Err(RegistryFault::Unavailable(why)) if why.contains("NUL")), "{refused:?}");
    assert_eq!(store.keep_roster(main(), &roster("")).await, Ok(true));
}
