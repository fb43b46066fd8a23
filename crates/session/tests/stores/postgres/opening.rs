//! A database that cannot be used is told by what mends it, and a password by nothing.

use std::fs::File;

use session::{
    CallerNumber, Callers, PostgresCallers, PostgresFault, PostgresStore, SealKey, migrate_postgres,
};

use super::private::Private;
use super::{main, number, opened};
use crate::server::{ask, with_database};

const STEPS: [&str; 9] = [
    "journal/0001_journal",
    "journal/0002_registry",
    "journal/0003_audit",
    "journal/0004_roster",
    "journal/0005_invite",
    "journal/0006_roll",
    "journal/0007_seal",
    "derived/0001_derived",
    "derived/0002_by_caller",
];

async fn refused(url: &str) -> PostgresFault {
    let fault = PostgresStore::open(url).await.expect_err("it cannot be used");
    let secret = url.split_once("//").and_then(|(_, rest)| rest.split_once(':')).map(|(_, rest)| rest);
    let secret = secret.and_then(|rest| rest.split_once('@')).map_or("?", |(secret, _)| secret);
    let shown = format!("{fault} {fault:?}");
    assert!(!shown.contains(secret), "{shown}");
    assert!(fault.to_string().lines().count() == 1, "{fault}");
    fault
}

#[tokio::test]
async fn steps_are_made_once_and_a_schema_that_lags_is_refused() {
    with_database(|url| async move {
        let fault = refused(&url).await;
        assert!(matches!(&fault, PostgresFault::Behind { missing, .. } if *missing == STEPS), "{fault}");
        assert!(fault.to_string().contains("run hotline migrate"), "{fault}");
        let (one, two) = tokio::join!(migrate_postgres(&url), migrate_postgres(&url));
        let mut made = [one.expect("made"), two.expect("made")];
        made.sort();
        assert_eq!(
            made,
            [Vec::<String>::new(), STEPS.map(str::to_owned).to_vec()],
            "one of the two made all"
        );
        let store = PostgresStore::open(&url).await.expect("its tables");
        assert!(!format!("{store:?}").contains("hotline:"), "{store:?}");
        store.close().await;
        ask(&url, "DROP TABLE hotline.roster; DELETE FROM hotline._sqlx_migrations WHERE version = 4").await;
        let fault = refused(&url).await;
        assert!(matches!(&fault, PostgresFault::Behind { missing, .. } if *missing == [STEPS[3]]), "{fault}");
        assert_eq!(migrate_postgres(&url).await.expect("made"), [STEPS[3]]);
        assert_eq!(number(&url, "SELECT COUNT(*) FROM hotline.life").await, 1, "the same life goes on");
        PostgresStore::open(&url).await.expect("its tables");
    })
    .await;
}

#[tokio::test]
async fn a_schema_of_a_later_release_or_of_somebody_else_is_named() {
    with_database(|url| async move {
        opened(&url).await;
        ask(
            &url,
            "INSERT INTO hotline._sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (99, 'later', TRUE, '', 0)",
        )
        .await;
        let fault = refused(&url).await;
        assert!(matches!(fault, PostgresFault::Newer { step: 99, .. }), "{fault}");
        assert!(fault.to_string().contains("start the release that made it"), "{fault}");
        let fault = migrate_postgres(&url).await.expect_err("of a later release");
        assert!(matches!(fault, PostgresFault::Newer { step: 99, .. }), "{fault}");
        ask(&url, "DELETE FROM hotline._sqlx_migrations WHERE version = 99").await;
        ask(&url, "UPDATE hotline._sqlx_migrations SET checksum = '\\x00' WHERE version = 2").await;
        let fault = refused(&url).await;
        assert!(matches!(fault, PostgresFault::Damaged { .. }), "{fault}");
        ask(
            &url,
            "DROP SCHEMA hotline CASCADE; CREATE SCHEMA hotline; CREATE TABLE hotline.patients (name TEXT)",
        )
        .await;
        for fault in [refused(&url).await, migrate_postgres(&url).await.expect_err("not ours")] {
            assert!(matches!(fault, PostgresFault::NotOurs { .. }), "{fault}");
        }
        assert_eq!(number(&url, "SELECT COUNT(*) FROM hotline.patients").await, 0, "it is left as it is");
    })
    .await;
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_why() {
    with_database(|url| async move {
        opened(&url).await;
        let (who, place) = url.rsplit_once('@').expect("an address");
        let (_, database) = place.rsplit_once('/').expect("an address");
        let fault = refused(&format!("postgres://hotline:wrong-s3cret@{place}")).await;
        assert!(matches!(fault, PostgresFault::WrongPassword { .. }), "{fault}");
        let fault = refused(&format!("{who}@{}", place.replace(database, "nowhere"))).await;
        assert!(matches!(fault, PostgresFault::NoDatabase { .. }), "{fault}");
        let fault = refused("postgres://hotline:s3cret@127.0.0.1:1/calls").await;
        assert!(matches!(fault, PostgresFault::Unreachable { .. }), "{fault}");
        let fault = refused(&format!("{url}?sslmode=require")).await;
        assert!(matches!(fault, PostgresFault::NoTls { .. }), "{fault}");
        let fault = refused(&format!("{url}?sslmod=require")).await;
        assert!(matches!(fault, PostgresFault::BadAddress { .. }), "{fault}");
        ask(&url, &format!("CREATE ROLE {database}_guest LOGIN PASSWORD 'gu3st-s3cret'")).await;
        let fault = refused(&format!("postgres://{database}_guest:gu3st-s3cret@{place}")).await;
        ask(&url, &format!("DROP ROLE {database}_guest")).await;
        assert!(matches!(fault, PostgresFault::NotAllowed { .. }), "{fault}");
        ask(&url, &format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;
        let fault = refused(&url).await;
        assert!(matches!(fault, PostgresFault::ReadOnly { .. }), "{fault}");
    })
    .await;
}

#[tokio::test]
async fn a_database_that_does_not_hold_every_character_is_refused() {
    with_database(|url| async move {
        let (host, database) = url.rsplit_once('/').expect("an address");
        let latin = format!("{database}_latin");
        ask(&url, &format!("CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")).await;
        let fault = refused(&format!("{host}/{latin}")).await;
        ask(&url, &format!("DROP DATABASE {latin}")).await;
        assert!(matches!(&fault, PostgresFault::NotUtf8 { encoding, .. } if encoding == "LATIN1"), "{fault}");
    })
    .await;
}

#[tokio::test]
async fn another_key_than_the_one_that_sealed_is_refused() {
    with_database(|url| async move {
        let store = opened(&url).await;
        assert!(!store.is_sealed().await.expect("readable"));
        let callers = PostgresCallers::random(store.clone(), crate::key()).await.expect("its callers");
        assert!(store.is_sealed().await.expect("readable"), "before there is any number");
        let other = || SealKey::parse(&"6".repeat(64)).expect("a key");
        let fault = PostgresCallers::random(store.clone(), other()).await.expect_err("another key");
        assert!(matches!(fault, PostgresFault::WrongKey), "{fault}");
        callers.reference(main(), &CallerNumber::received("100")).await.expect("kept");
        // As if the mark were lost.
        ask(&url, "UPDATE hotline.seal SET mark = repeat('0', 64)").await;
        PostgresCallers::random(store.clone(), crate::key()).await.expect_err("marked by another key");
        ask(&url, "DELETE FROM hotline.seal").await;
        let fault = PostgresCallers::random(store, other()).await.expect_err("another key");
        assert!(matches!(fault, PostgresFault::WrongKey), "{fault}");
    })
    .await;
}

#[tokio::test]
async fn a_replica_is_not_taken_for_the_primary() {
    let server = Private::start().await;
    opened(&server.url).await;
    server.does("stop").await;
    File::create(server.data().join("standby.signal")).expect("made");
    server.does("start").await;
    let fault = refused(&server.url).await;
    assert!(matches!(fault, PostgresFault::Replica { .. }), "{fault}");
    assert!(fault.to_string().contains("name the primary"), "{fault}");
}
