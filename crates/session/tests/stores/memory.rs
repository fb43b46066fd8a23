//! The suites over memory. Records by who called are folded from the journal there, and kept by nobody.

use session::{MemoryAudit, MemoryCallers, MemoryDerived, MemoryJournal, MemoryRegistry, MemoryRoll};

#[tokio::test]
async fn memory_is_a_journal() {
    crate::journal::suite(&MemoryJournal::new()).await;
}

#[tokio::test]
async fn memory_is_a_registry() {
    crate::registry::suite(&MemoryRegistry::new()).await;
}

#[tokio::test]
async fn memory_is_an_audit() {
    crate::audit::suite(&MemoryAudit::new()).await;
}

#[tokio::test]
async fn memory_keeps_what_follows() {
    crate::derived::suite(&MemoryDerived::new()).await;
}

#[tokio::test]
async fn memory_knows_callers_and_forgets_them() {
    crate::callers::suite(&MemoryCallers::random(), &MemoryCallers::seeded(7)).await;
}

#[tokio::test]
async fn memory_is_a_roll() {
    crate::roll::suite(&MemoryRoll::default()).await;
}
