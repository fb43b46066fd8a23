//! The suites.

use session::{JournalFault, PostgresCallers, Roll, walk_audit};

use super::{again, number, opened};
use crate::audit::main;
use crate::roll::entry;
use crate::server::{ask, with_database};

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

#[tokio::test]
async fn postgres_is_a_roll() {
    with_database(|url| async move { crate::roll::suite(&*opened(&url).await).await }).await;
}

#[tokio::test]
async fn routers_hear_of_each_other_and_not_of_those_long_gone() {
    with_database(|url| async move {
        let (one, two) = (opened(&url).await, again(&url).await);
        let (first, mut second) = (entry("one", 1, "desk ana"), entry("two", 1, "desk bo"));
        assert_eq!(one.call(main(), &first).await, Ok(vec![]));
        assert_eq!(two.call(main(), &second).await, Ok(vec![first]));
        let ago = |hours: i64| {
            format!(
                "UPDATE hotline.roll SET called_us = called_us - {hours} * 3600000000 WHERE router = 'one'"
            )
        };
        let kept = "SELECT COUNT(*) FROM hotline.roll";
        ask(&url, &ago(2)).await;
        second.beat = 1_001;
        assert_eq!(two.call(main(), &second).await, Ok(vec![]), "for two hours");
        assert_eq!(number(&url, kept).await, 2);
        ask(&url, &ago(24)).await;
        second.beat += 1;
        assert_eq!(two.call(main(), &second).await, Ok(vec![]));
        assert_eq!(number(&url, kept).await, 2, "not at every call");
        second.beat = 2_001;
        assert_eq!(two.call(main(), &second).await, Ok(vec![]));
        assert_eq!(number(&url, kept).await, 1, "for more than a day");
        let back = entry("one", 2, "");
        let forgotten = one.call(main(), &back).await;
        assert!(matches!(forgotten, Err(JournalFault::Unavailable(_))), "{forgotten:?}");
        assert_eq!(one.call(main(), &back).await, Ok(vec![second]), "it was only stopped");
    })
    .await;
}

#[tokio::test]
async fn a_roll_that_lost_what_it_had_is_not_taken_for_one_of_nobody() {
    with_database(|url| async move {
        let store = opened(&url).await;
        store.call(main(), &entry("one", 1, "desk ana")).await.expect("called");
        store.call(main(), &entry("two", 1, "desk bo")).await.expect("called");
        // As a server does that came back without its last second.
        ask(&url, "DELETE FROM hotline.roll").await;
        let again = entry("two", 2, "desk bo");
        let lost = store.call(main(), &again).await;
        assert!(matches!(lost, Err(JournalFault::Unavailable(_))), "{lost:?}");
        assert_eq!(store.call(main(), &again).await, Ok(vec![]));
        assert_eq!(store.call(main(), &entry("one", 1, "")).await, Ok(vec![again]), "one that begins");
    })
    .await;
}
