//! A record that goes from one engine to the other and back.

use std::sync::{Arc, OnceLock};

use session::{
    Audit, AuditEntry, CallerNumber, Callers, CopyFault, Erasure, Journal, KeptInvite, KeptRoster, KeptToken,
    PostgresCallers, PostgresFault, PostgresStore, Registry, SqliteCallers, SqliteStore, Subjects, back_up,
    back_up_postgres, restore_from, restore_to_postgres,
};
use switchboard::canonical::Hash;
use switchboard::id::{Revision, Seq};
use uuid::Uuid;

use super::{again, main, migrate_postgres, number, opened, row};
use crate::server::with_database;

const ROWS: u64 = 450;
const NUMBER: &str = "13800138000";
const ERASURE: Uuid = Uuid::from_u128(7);

/// Something in every table, more rows than go at once in one.
async fn filled<S: Journal + Registry + Audit, C: Callers + Subjects>(store: &S, callers: &C) {
    // A directory keeps a caller with the append that follows.
    let caller = callers.reference(main(), &CallerNumber::received(NUMBER)).await.expect("kept");
    for n in 1..=ROWS {
        store.append(main(), &row(n, n, "w")).await.expect("stored");
    }
    callers.notice(main(), &[caller], 7).await.expect("noticed");
    let erasure =
        Erasure { id: ERASURE, caller, asked_by: "ana".to_owned(), asked_us: 7, expires_us: 17, ended: None };
    callers.keep_erasure(main(), &erasure).await.expect("kept");
    let token = KeptToken {
        role: "admin".to_owned(),
        principal: "ana".to_owned(),
        token_id: "t1".to_owned(),
        secret_hash: "00ff".to_owned(),
        expires_us: None,
    };
    store.keep_token(main(), &token).await.expect("kept");
    let (role, principal, invite_id) = ("operator".to_owned(), "ben".to_owned(), "i1".to_owned());
    let invite = KeptInvite { role, principal, invite_id, secret_hash: "00ff".to_owned(), expires_us: 17 };
    store.keep_invite(main(), &invite).await.expect("kept");
    store.keep_plan(main(), Revision(1), Hash::of("a plan"), "# 计划").await.expect("kept");
    let roster = KeptRoster { revision: 1, kept_us: 7, text: "# 排班".to_owned() };
    store.keep_roster(main(), &roster).await.expect("kept");
    store
        .record(main(), AuditEntry { who: "ana".to_owned(), ..AuditEntry::default() })
        .await
        .expect("recorded");
}

/// Everything that a copy is for, in words that can be compared.
async fn told<S: Journal + Registry + Audit>(store: &S) -> String {
    let rows = store.tail(main(), Seq(0), usize::MAX).await.expect("readable");
    let tokens = store.tokens(main()).await.expect("readable");
    let invite = store.invite(main(), "i1").await.expect("readable");
    let plan = store.plan(main(), Revision(1), Hash::of("a plan")).await.expect("readable");
    let roster = store.roster(main()).await.expect("readable");
    let audit = store.chain(main(), 0, 10).await.expect("readable");
    format!("{rows:?} {tokens:?} {invite:?} {plan:?} {roster:?} {audit:?}")
}

/// The caller who is to be forgotten, in words that can be compared.
async fn told_of_caller<C: Subjects>(callers: &C) -> String {
    let number = CallerNumber::received(NUMBER);
    let caller = callers.known(main(), &number).await.expect("readable").expect("somebody");
    assert_eq!(callers.number(main(), caller).await, Ok(Some(number)), "the key opens it");
    let kept = callers.kept(main(), None, 9).await.expect("readable");
    let erasure = callers.erasure(main(), ERASURE).await.expect("readable").expect("asked for");
    assert_eq!(erasure.caller, caller);
    format!("{kept:?} {erasure:?}")
}

#[tokio::test]
async fn a_copy_of_a_database_begins_a_directory_and_another_database() {
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let (copy, data) = (dir.path().join("copy.db"), dir.path().join("data"));
    let there = Arc::new(OnceLock::new());
    let (to, left) = (copy.clone(), Arc::clone(&there));
    with_database(|url| async move {
        let store = opened(&url).await;
        let callers = PostgresCallers::random(store.clone(), crate::key()).await.expect("its callers");
        filled(&*store, &callers).await;
        let copied = back_up_postgres(&url, &to).await.expect("copied");
        assert_eq!((copied.sites, copied.has_callers), (vec![(main(), Seq(ROWS))], true));
        let head = store.head(main()).await.expect("there");
        left.set((told(&*store).await, told_of_caller(&callers).await, head.epoch)).expect("once");
    })
    .await;
    let (before, caller, first_life) = there.get().expect("told").clone();
    assert!(before.contains("t1") && before.contains("排班") && before.contains("ana"));

    let (_, life) = restore_from(&copy, &data).await.expect("a directory");
    let directory = Arc::new(SqliteStore::open(&data).await.expect("its files"));
    assert_eq!(told(&*directory).await, before);
    let head = directory.head(main()).await.expect("there");
    assert!(head.epoch == life && life > first_life, "a new life");
    let callers = SqliteCallers::random(directory, crate::key()).await.expect("the same key");
    assert_eq!(told_of_caller(&callers).await, caller, "a number is found as it was");

    with_database(move |url| async move {
        migrate_postgres(&url).await.expect("an empty database");
        let (_, life) = restore_to_postgres(&copy, &url).await.expect("a database");
        let store = again(&url).await;
        assert_eq!(told(&*store).await, before);
        assert_eq!(store.head(main()).await.expect("there").epoch, life);
        let callers = PostgresCallers::random(store.clone(), crate::key()).await.expect("the same key");
        assert_eq!(told_of_caller(&callers).await, caller);
        store.append(main(), &row(ROWS + 1, ROWS + 1, "w")).await.expect("it goes on");
        let twice = restore_to_postgres(&copy, &url).await.expect_err("nothing is replaced");
        assert!(matches!(twice, CopyFault::Database(PostgresFault::NotEmpty { .. })), "{twice}");
    })
    .await;
    drop(dir);
}

#[tokio::test]
async fn a_copy_of_a_directory_begins_a_database_and_another_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let [data, copy, back, last] = ["data", "copy.db", "back.db", "last"].map(|name| dir.path().join(name));
    let directory = Arc::new(SqliteStore::open(&data).await.expect("a fresh directory"));
    let callers = SqliteCallers::random(directory.clone(), crate::key()).await.expect("its callers");
    filled(&*directory, &callers).await;
    let (before, caller) = (told(&*directory).await, told_of_caller(&callers).await);
    let first_life = directory.head(main()).await.expect("there").epoch;
    let copied = back_up(&data, &copy).await.expect("copied");
    assert_eq!((copied.sites, copied.has_callers), (vec![(main(), Seq(ROWS))], true));

    let (expected, expected_caller, to) = (before.clone(), caller.clone(), back.clone());
    with_database(move |url| async move {
        migrate_postgres(&url).await.expect("an empty database");
        let (restored, life) = restore_to_postgres(&copy, &url).await.expect("a database");
        assert_eq!((restored.sites, restored.has_callers), (vec![(main(), Seq(ROWS))], true));
        let store = again(&url).await;
        assert_eq!(told(&*store).await, expected);
        let head = store.head(main()).await.expect("there");
        assert!(head.epoch == life && life > first_life, "a new life");
        let callers = PostgresCallers::random(store.clone(), crate::key()).await.expect("the same key");
        assert_eq!(told_of_caller(&callers).await, expected_caller);
        back_up_postgres(&url, &to).await.expect("copied");
        store.append(main(), &row(ROWS + 1, ROWS + 1, "w")).await.expect("it goes on");
    })
    .await;

    restore_from(&back, &last).await.expect("a directory");
    let directory = Arc::new(SqliteStore::open(&last).await.expect("its files"));
    assert_eq!(told(&*directory).await, before, "there and back it is the same");
    let callers = SqliteCallers::random(directory.clone(), crate::key()).await.expect("the same key");
    assert_eq!(told_of_caller(&callers).await, caller);
    directory.append(main(), &row(ROWS + 1, ROWS + 1, "w")).await.expect("it goes on");
}

#[tokio::test]
async fn a_copy_that_is_none_leaves_the_database_as_it_was() {
    with_database(|url| async move {
        let dir = tempfile::tempdir().expect("a directory");
        let copy = dir.path().join("copy.db");
        let unmade = back_up_postgres(&url, &copy).await.expect_err("no tables");
        assert!(matches!(unmade, CopyFault::Database(PostgresFault::Behind { .. })), "{unmade}");
        assert!(!copy.exists() && !copy.with_extension("db.unfinished").exists());
        migrate_postgres(&url).await.expect("an empty database");
        std::fs::write(&copy, "x".repeat(500)).expect("written");
        let refused = restore_to_postgres(&copy, &url).await.expect_err("no database");
        assert!(matches!(refused, CopyFault::File(_)), "{refused}");
        let taken = back_up_postgres(&url, &copy).await.expect_err("something is there");
        assert!(taken.to_string().contains("is not replaced"), "{taken}");
        assert_eq!(number(&url, "SELECT COUNT(*) FROM hotline.life").await, 1);
        PostgresStore::open(&url).await.expect("as it was");
    })
    .await;
}
