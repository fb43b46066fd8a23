//! Callers who are forgotten: in no file and in no memory, and somebody else when they ring in again.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use session::{
    Appended, CallerNumber, Callers, Journal, Row, SealKey, SqliteCallers, SqliteStore, Subjects, Writer,
};
use sqlx::{ConnectOptions, Connection, Row as _};
use switchboard::id::{CallerRef, Seq, SiteId};
use switchboard::time::SiteTime;

/// Enough callers that the file was rearranged many times while they came.
#[tokio::test]
async fn nothing_of_a_forgotten_number_is_in_any_file() {
    const CALLERS: u64 = 4_000;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (store, callers) = opened(dir.path()).await;
    let mut all = Vec::new();
    for n in 0..CALLERS {
        let number = CallerNumber::received(&format!("138{n:08}"));
        all.push(callers.reference(main(), &number).await.expect("begun"));
        if n % 7 == 6 {
            append(&store, n / 7 + 1).await;
        }
    }
    append(&store, CALLERS / 7 + 1).await;
    let gone: Vec<CallerRef> = all.iter().copied().step_by(3).collect();
    let texts = kept_of(dir.path(), &gone).await;
    assert_eq!(texts.len(), gone.len() * 2);
    assert_eq!(in_files(dir.path(), &texts), texts.len(), "they can be found");

    assert_eq!(callers.forget(main(), &gone).await, Ok(gone.len() as u64));
    assert_eq!(in_files(dir.path(), &texts), 0, "of {}", texts.len());
    assert_eq!(fs::metadata(dir.path().join("journal.db-wal")).map_or(0, |file| file.len()), 0);

    drop((store, callers));
    let (store, callers) = opened(dir.path()).await;
    for (n, caller) in all.iter().enumerate() {
        let number = CallerNumber::received(&format!("138{n:08}"));
        let kept = Subjects::number(&callers, main(), *caller).await.expect("readable");
        assert_eq!(kept, (n % 3 != 0).then(|| number.clone()), "{n}");
        if n % 300 == 0 {
            assert_ne!(callers.reference(main(), &number).await.expect("begun"), *caller);
        }
    }
    append(&store, CALLERS / 7 + 2).await;
}

/// Somebody who reads from the log keeps it from being emptied, and nobody from being written down.
#[tokio::test]
async fn whoever_reads_holds_no_append_up_and_the_log_is_emptied_behind_them() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (store, callers) = opened(dir.path()).await;
    let number = CallerNumber::received("13800138000");
    let caller = callers.reference(main(), &number).await.expect("begun");
    append(&store, 1).await;
    let reader = reading(dir.path()).await;
    let forgetting = tokio::spawn(async move { callers.forget(main(), &[caller]).await });
    while store.has_callers().await.expect("readable") {
        tokio::task::yield_now().await;
    }
    for n in 2..=20 {
        append(&store, n).await;
    }
    reader.close().await.expect("closed");
    assert_eq!(forgetting.await.expect("no panic"), Ok(1), "in one go");
    assert_eq!(log_bytes(dir.path()), 0);
}

#[tokio::test(start_paused = true)]
async fn the_log_is_emptied_when_it_can_be_though_nobody_asks_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (store, callers) = opened(dir.path()).await;
    let number = CallerNumber::received("13800138000");
    let caller = callers.reference(main(), &number).await.expect("begun");
    append(&store, 1).await;
    let reader = reading(dir.path()).await;
    let fault = callers.forget(main(), &[caller]).await.expect_err("the log cannot be emptied");
    assert!(fault.to_string().contains("forgotten, but"), "{fault}");
    assert!(log_bytes(dir.path()) > 0);
    append(&store, 2).await;
    reader.close().await.expect("closed");
    while log_bytes(dir.path()) > 0 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// Somebody in the middle of reading what stands in the log.
async fn reading(dir: &Path) -> sqlx::SqliteConnection {
    use sqlx::Executor;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("journal.db")).read_only(true);
    let mut connection = options.connect().await.expect("opened");
    connection.execute("BEGIN").await.expect("begun");
    connection.fetch_one("SELECT COUNT(*) FROM journal").await.expect("read");
    connection
}

fn log_bytes(dir: &Path) -> u64 {
    fs::metadata(dir.join("journal.db-wal")).map_or(0, |file| file.len())
}

#[tokio::test]
async fn a_seed_does_not_give_a_forgotten_reference_again_after_a_restart() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let number = CallerNumber::received("100");
    let mut seen = Vec::new();
    for n in 1..=3 {
        let store = Arc::new(SqliteStore::open(dir.path()).await.expect("its files"));
        let callers = SqliteCallers::seeded(Arc::clone(&store), key(), 5, n).await.expect("its callers");
        let caller = callers.reference(main(), &number).await.expect("begun");
        assert!(!seen.contains(&caller), "{n}");
        append(&store, n).await;
        callers.forget(main(), &[caller]).await.expect("forgotten");
        seen.push(caller);
    }
}

#[tokio::test]
async fn the_key_still_fits_where_everybody_is_forgotten() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (store, callers) = opened(dir.path()).await;
    let caller = callers.reference(main(), &CallerNumber::received("100")).await.expect("begun");
    append(&store, 1).await;
    callers.forget(main(), &[caller]).await.expect("forgotten");
    assert!(!store.has_callers().await.expect("readable"));
    drop((store, callers));
    opened(dir.path()).await;
}

#[tokio::test]
async fn numbers_are_noticed_once_and_come_in_pages() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (store, callers) = opened(dir.path()).await;
    for n in 0..5 {
        callers.reference(main(), &CallerNumber::received(&n.to_string())).await.expect("begun");
    }
    append(&store, 1).await;
    let first = callers.kept(main(), None, 3).await.expect("readable");
    let rest = callers.kept(main(), first.last().map(|kept| kept.caller), 3).await.expect("readable");
    assert_eq!((first.len(), rest.len()), (3, 2));
    let some: Vec<CallerRef> = first.iter().map(|kept| kept.caller).collect();
    callers.notice(main(), &some, 7).await.expect("noted");
    callers.notice(main(), &some, 8).await.expect("noted before");
    let all = callers.kept(main(), None, 9).await.expect("readable");
    let noticed: Vec<Option<i64>> = all.iter().map(|kept| kept.noticed_us).collect();
    assert_eq!(noticed, [Some(7), Some(7), Some(7), None, None]);
    callers.forget(main(), &some).await.expect("forgotten");
    assert_eq!(callers.kept(main(), None, 9).await.expect("readable"), rest);
}

#[test]
fn a_masked_number_can_be_recognised_and_not_called() {
    for (number, masked) in [
        ("13800138000", "138****8000"),
        ("+8613800138000", "+86138****8000"),
        ("02166300588", "021****0588"),
        ("8001", "****"),
        ("80012", "****12"),
        ("", "****"),
        ("sip:ward3@hospital", "sip:wa****ital"),
    ] {
        assert_eq!(CallerNumber::received(number).masked(), masked);
    }
}

/// The hash and the sealed number of each, as they stand in the file.
async fn kept_of(dir: &Path, callers: &[CallerRef]) -> Vec<String> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("journal.db")).read_only(true);
    let mut connection = options.connect().await.expect("opened");
    let mut texts = Vec::new();
    for caller in callers {
        let query = sqlx::query("SELECT number_mac, number_sealed FROM caller WHERE caller_ref = $1");
        let row = query.bind(caller.to_string()).fetch_one(&mut connection).await.expect("kept");
        texts.extend([row.get("number_mac"), row.get("number_sealed")]);
    }
    connection.close().await.expect("closed");
    texts
}

/// How many of these texts begin somewhere in a file. A text's first digits are as good as the text: each is random.
fn in_files(dir: &Path, texts: &[String]) -> usize {
    const DIGITS: usize = 24;
    let begins: HashSet<&[u8]> = texts.iter().map(|text| &text.as_bytes()[..DIGITS]).collect();
    let mut found = HashSet::new();
    for entry in fs::read_dir(dir).expect("there") {
        let bytes = fs::read(entry.expect("readable").path()).expect("readable");
        found.extend(
            bytes.windows(DIGITS).filter_map(|window| begins.get(window)).map(|begin| begin.to_vec()),
        );
    }
    found.len()
}

async fn opened(dir: &Path) -> (Arc<SqliteStore>, SqliteCallers) {
    let store = Arc::new(SqliteStore::open(dir).await.expect("its files"));
    let callers = SqliteCallers::random(Arc::clone(&store), key()).await.expect("its callers");
    (store, callers)
}

fn key() -> SealKey {
    SealKey::parse(&"5".repeat(64)).expect("a key")
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
