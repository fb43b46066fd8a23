//! The suites.

use session::{PostgresCallers, walk_audit};

use super::{again, opened};
use crate::audit::main;
use crate::server::with_database;

#[tokio::test]
async fn postgres_is_a_journal() {
    with_database(|url| async move { crate::journal::suite(&*opened(&url).await).await }).await;
}

#[tokio::test]
async fn postgres_is_a_registry_and_stays_one() {
    with_database(|url| async move {
        crate::registry::suite(&*opened(&url).await).await;
        crate::registry::stays(&*again(&url).await).await;
    })
    .await;
}

#[tokio::test]
async fn postgres_is_an_audit_and_stays_one() {
    with_database(|url| async move {
        let store = opened(&url).await;
        crate::audit::suite(&*store).await;
        let before = walk_audit(&*store, main(), None).await.expect("readable");
        drop(store);
        let walk = walk_audit(&*again(&url).await, main(), Some((before.head, before.hash))).await;
        assert_eq!(walk, Ok(before));
    })
    .await;
}

#[tokio::test]
async fn postgres_keeps_what_follows() {
    with_database(|url| async move {
        let store = opened(&url).await;
        crate::derived::suite(&*store).await;
        crate::derived::of_subjects(&*store).await;
    })
    .await;
}

#[tokio::test]
async fn postgres_knows_callers_and_forgets_them() {
    with_database(|one| async move {
        with_database(|two| async move {
            let random = PostgresCallers::random(opened(&one).await, crate::key()).await;
            let seeded = PostgresCallers::seeded(opened(&two).await, crate::key(), 7, 0).await;
            crate::callers::suite(&random.expect("its callers"), &seeded.expect("its callers")).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn postgres_keeps_no_text_that_it_cannot() {
    with_database(|url| async move { crate::unkeepable::suite(&*opened(&url).await).await }).await;
}
