//! Callers on SQLite: sealed, found again, and only by whoever has the key.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use session::{
    Appended, CallerNumber, Callers, Journal, OpenFault, Row, SealKey, SqliteCallers, SqliteStore, Subjects,
    Writer,
};
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[tokio::test]
async fn a_number_keeps_its_reference_over_a_restart() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let number = CallerNumber::received("+86 138-0013-8000");
    let first = {
        let (store, callers) = opened(dir.path(), KEY).await.expect("a fresh directory");
        let first = callers.reference(main(), &number).await.expect("kept");
        assert_eq!(callers.reference(main(), &number).await.expect("found"), first);
        let other = callers.reference(main(), &CallerNumber::received("13800138001")).await.expect("kept");
        assert_ne!(first, other);
        let elsewhere: SiteId = "north".parse().expect("a name");
        assert_ne!(callers.reference(elsewhere, &number).await.expect("kept"), first);
        let withheld = CallerNumber::withheld();
        assert_ne!(
            callers.reference(main(), &withheld).await.expect("made"),
            callers.reference(main(), &withheld).await.expect("made")
        );
        append(&store, 1).await;
        first
    };
    let (_store, callers) = opened(dir.path(), KEY).await.expect("its files");
    assert_eq!(callers.reference(main(), &number).await.expect("found"), first);
    assert_eq!(callers.number(main(), first).await.expect("opened"), Some(number));
    assert!(!format!("{callers:?} {first:?}").contains("1380"));
}

#[tokio::test]
async fn who_was_named_by_nothing_is_nobody() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let number = CallerNumber::received("100");
    let (store, callers) = opened(dir.path(), KEY).await.expect("a fresh directory");
    let first = callers.reference(main(), &number).await.expect("begun");
    drop((store, callers));
    let (_store, callers) = opened(dir.path(), KEY).await.expect("its files");
    assert_eq!(callers.number(main(), first).await.expect("looked for"), None);
    assert_ne!(callers.reference(main(), &number).await.expect("begun"), first);
}

#[tokio::test]
async fn an_append_keeps_everybody_who_came_before_it_and_those_of_other_sites_wait_for_theirs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (store, callers) = opened(dir.path(), KEY).await.expect("a fresh directory");
    let north: SiteId = "north".parse().expect("a name");
    let mut here = Vec::new();
    for n in 0..300 {
        let number = CallerNumber::received(&format!("138{n:08}"));
        here.push(callers.reference(main(), &number).await.expect("begun"));
    }
    let there = callers.reference(north, &CallerNumber::received("100")).await.expect("begun");
    append(&store, 1).await;
    for (n, caller) in here.into_iter().enumerate() {
        let number = callers.number(main(), caller).await.expect("opened");
        assert_eq!(number, Some(CallerNumber::received(&format!("138{n:08}"))));
    }
    assert_eq!(callers.number(north, there).await, Ok(Some(CallerNumber::received("100"))), "known already");
    assert_eq!(callers.kept(north, None, 9).await, Ok(Vec::new()), "and in no file");
}

#[tokio::test]
async fn many_at_once_are_one_caller() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_store, callers) = opened(dir.path(), KEY).await.expect("a fresh directory");
    let callers = Arc::new(callers);
    let asking = (0..20).map(|_| {
        let callers = Arc::clone(&callers);
        tokio::spawn(async move { callers.reference(main(), &CallerNumber::received("100")).await })
    });
    let mut seen = std::collections::BTreeSet::new();
    for asked in asking.collect::<Vec<_>>() {
        seen.insert(asked.await.expect("ended").expect("kept"));
    }
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn another_key_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (store, callers) = opened(dir.path(), KEY).await.expect("a fresh directory");
    callers.reference(main(), &CallerNumber::received("100")).await.expect("begun");
    append(&store, 1).await;
    drop((store, callers));
    let fault = opened(dir.path(), &KEY.replace("00", "ff")).await.expect_err("another key");
    assert!(matches!(fault, OpenFault::WrongKey), "{fault}");
}

#[tokio::test]
async fn no_file_holds_a_number() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (store, callers) = opened(dir.path(), KEY).await.expect("a fresh directory");
    for n in 0..50 {
        let number = CallerNumber::received(&format!("138001380{n:02}"));
        callers.reference(main(), &number).await.expect("begun");
        append(&store, n + 1).await;
    }
    for entry in fs::read_dir(dir.path()).expect("there") {
        let path = entry.expect("readable").path();
        let bytes = fs::read(&path).expect("readable");
        assert!(!bytes.windows(9).any(|nine| nine == b"138001380"), "{}", path.display());
    }
}

#[tokio::test]
async fn a_seed_gives_references_that_no_restart_repeats() {
    let mut withheld = std::collections::BTreeSet::new();
    let mut known = std::collections::BTreeSet::new();
    let dir = tempfile::tempdir().expect("a temporary directory");
    for before in [0, 7, 9] {
        let store = Arc::new(SqliteStore::open(dir.path()).await.expect("its files"));
        let key = SealKey::parse(KEY).expect("a key");
        let callers = SqliteCallers::seeded(store, key, 5, before).await.expect("its files");
        for _ in 0..3 {
            withheld.insert(callers.reference(main(), &CallerNumber::withheld()).await.expect("made"));
        }
        known.insert(callers.reference(main(), &CallerNumber::received("100")).await.expect("kept"));
    }
    assert_eq!((withheld.len(), known.len()), (9, 1));
}

async fn opened(dir: &Path, key: &str) -> Result<(Arc<SqliteStore>, SqliteCallers), OpenFault> {
    let store = Arc::new(SqliteStore::open(dir).await?);
    let callers = SqliteCallers::random(Arc::clone(&store), SealKey::parse(key).expect("a key")).await?;
    Ok((store, callers))
}

async fn append(store: &SqliteStore, n: u64) {
    let row = Row {
        seq: Seq(n),
        last_seq: Seq(n),
        at: SiteTime(n),
        wall_us: 0,
        writer: Writer::new("test"),
        format: session::FORMAT,
        body: "[]".to_owned(),
    };
    assert_eq!(store.append(main(), &row).await, Ok(Appended::Stored));
}

fn main() -> SiteId {
    "main".parse().expect("a name")
}
