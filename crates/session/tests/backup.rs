//! Copies of a journal, and beginning again with one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use session::{Appended, Journal, OpenFault, Row, SqliteStore, Writer, back_up, restore_from};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;

#[tokio::test]
async fn a_copy_is_taken_while_somebody_writes_and_begins_a_new_life() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy.db"));
    let store = SqliteStore::open(&data).await.expect("a fresh directory");
    for n in 1..=300 {
        append(&store, n).await;
    }
    let copied = back_up(&data, &copy).await.expect("copied");
    assert_eq!((copied.sites, copied.has_callers), (vec![(main(), Seq(300))], false));
    assert_eq!(fs::metadata(&copy).expect("there").permissions().mode() & 0o777, 0o600);
    append(&store, 301).await;
    let other = dir.path().join("other");
    let (restored, life) = restore_from(&copy, &other).await.expect("restored");
    assert_eq!(restored.sites, [(main(), Seq(300))]);
    let again = SqliteStore::open(&other).await.expect("its files");
    let (before, after) =
        (store.head(main()).await.expect("there"), again.head(main()).await.expect("there"));
    assert_eq!((before.last_seq, after.last_seq), (Seq(301), Seq(300)));
    assert!(after.epoch > before.epoch && after.epoch == life, "a cursor of the other history is recognised");
    let rows = |store: Vec<session::StoredRow>| store.into_iter().take(300).collect::<Vec<_>>();
    let all = async |store: &SqliteStore| rows(store.tail(main(), Seq(0), 999).await.expect("readable"));
    assert_eq!(all(&store).await, all(&again).await);
    append(&again, 301).await;
}

#[tokio::test]
async fn nothing_is_overwritten_and_what_is_no_journal_is_not_restored() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy.db"));
    assert!(matches!(back_up(&data, &copy).await, Err(OpenFault::NoJournal { .. })));
    append(&SqliteStore::open(&data).await.expect("a fresh directory"), 1).await;
    back_up(&data, &copy).await.expect("copied");
    let before = fs::read(&copy).expect("there");
    assert!(matches!(back_up(&data, &copy).await, Err(OpenFault::Exists { .. })));
    assert_eq!(fs::read(&copy).expect("there"), before);
    assert!(matches!(restore_from(&copy, &data).await, Err(OpenFault::Exists { .. })));
    let nowhere = dir.path().join("no/such/place.db");
    assert!(matches!(back_up(&data, &nowhere).await, Err(OpenFault::NoPlace { .. })));
    let text = dir.path().join("notes.txt");
    fs::write(&text, "x".repeat(500)).expect("written");
    let other = dir.path().join("other");
    assert!(matches!(restore_from(&text, &other).await, Err(OpenFault::BadCopy { .. })));
    let mut torn = before.clone();
    for byte in &mut torn[4_096..4_296] {
        *byte = 0x5a;
    }
    fs::write(&text, torn).expect("written");
    let fault = restore_from(&text, &other).await.expect_err("a damaged copy is not begun with");
    assert!(matches!(&fault, OpenFault::BadCopy { path, .. } if *path == text), "{fault}");
    fs::write(&text, later_than(&copy).await).expect("written");
    let fault = restore_from(&text, &other).await.expect_err("a later release's is not begun with");
    assert!(matches!(&fault, OpenFault::Newer { path, schema: 99, .. } if *path == text), "{fault}");
    let place = other.join("journal.db.unfinished");
    fs::write(&place, &before).expect("written");
    let fault = restore_from(&place, &other).await.expect_err("it would be cleared away");
    assert!(matches!(&fault, OpenFault::Exists { path } if *path == place), "{fault}");
    fs::remove_file(&place).expect("it is there");
    let odd = dir.path().join("copy.unfinished");
    let copied = back_up(&data, &odd).await.expect("copied");
    assert_eq!(fs::metadata(&odd).expect("there").len(), copied.bytes);
    let left: Vec<_> =
        fs::read_dir(&other).expect("made").map(|file| file.expect("read").file_name()).collect();
    assert_eq!(left, ["lock"], "nothing of what could not be begun with");
    restore_from(&copy, &other).await.expect("restored");
}

/// SQLite believes a log that it finds beside a database of the same name, whosever it was.
#[tokio::test]
async fn a_log_that_was_left_behind_is_not_taken_for_that_of_a_restored_journal() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy.db"));
    let store = SqliteStore::open(&data).await.expect("a fresh directory");
    append(&store, 1).await;
    back_up(&data, &copy).await.expect("copied");
    for n in 2..=40 {
        append(&store, n).await;
    }
    let log = fs::read(data.join("journal.db-wal")).expect("it is open");
    assert!(!log.is_empty());
    let other = dir.path().join("other");
    fs::create_dir(&other).expect("made");
    for name in ["journal.db-wal", "journal.db-shm"] {
        fs::write(other.join(name), &log).expect("written");
        let fault = restore_from(&copy, &other).await.expect_err("another journal's log");
        assert!(matches!(&fault, OpenFault::LeftBehind { path } if path.ends_with(name)), "{fault}");
        let fault = SqliteStore::open(&other).await.expect_err("a log without its journal");
        assert!(matches!(fault, OpenFault::LeftBehind { .. }), "{fault}");
        assert!(!other.join("journal.db").exists());
        fs::remove_file(other.join(name)).expect("moved away");
    }
    // What earlier attempts left, and what can be made again, is nobody's.
    for name in ["journal.db.unfinished-wal", "derived.db.unfinished-wal", "derived.db-wal"] {
        fs::write(other.join(name), &log).expect("written");
    }
    restore_from(&copy, &other).await.expect("restored");
    let again = SqliteStore::open(&other).await.expect("its files");
    assert_eq!(again.head(main()).await.expect("there").last_seq, Seq(1), "nothing of the old log");
    assert!(again.has_derived());
}

/// The same copy, as a later release makes it.
async fn later_than(copy: &Path) -> Vec<u8> {
    let later = copy.with_extension("later");
    fs::copy(copy, &later).expect("copied");
    let mut tables = SqliteConnectOptions::new().filename(&later).connect().await.expect("opened");
    let step = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                VALUES (99, 'later', TRUE, X'00', 0)";
    tables.execute(step).await.expect("changed");
    tables.close().await.expect("closed");
    fs::read(&later).expect("there")
}

async fn append(store: &SqliteStore, n: u64) {
    let row = Row {
        seq: Seq(n),
        last_seq: Seq(n),
        at: SiteTime(n),
        wall_us: 0,
        writer: Writer::new("test"),
        format: session::FORMAT,
        body: format!("[{}]", "x".repeat(200)),
    };
    assert_eq!(store.append(main(), &row).await, Ok(Appended::Stored));
}

fn main() -> SiteId {
    "main".parse().expect("a name")
}
