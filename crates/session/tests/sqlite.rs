//! The record on SQLite: after a crash, and in front of files that are not its own.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use session::{Appended, FORMAT, Journal, JournalFault, OpenFault, Row, SqliteStore, Writer};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;
use tempfile::TempDir;

#[tokio::test]
async fn what_was_appended_is_there_after_the_process_is_gone() {
    let dir = directory();
    let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
    for n in 1..=50 {
        assert_eq!(store.append(main(), &row(n)).await, Ok(Appended::Stored));
    }
    let (before, epoch) = (rows(&store).await, store.head(main()).await.expect("readable").epoch);
    // Not closed: the log is as a killed process leaves it.
    let copy = copied(dir.path());
    let again = SqliteStore::open(copy.path()).await.expect("its files");
    assert_eq!(rows(&again).await, before);
    assert_eq!(again.head(main()).await.expect("readable").epoch, epoch, "the same life of the record");
    assert_eq!(again.append(main(), &row(50)).await, Ok(Appended::Lost));
    assert_eq!(again.append(main(), &row(51)).await, Ok(Appended::Stored));
    again.close().await;
    let closed = SqliteStore::open(copy.path()).await.expect("its files");
    assert_eq!(rows(&closed).await.len(), 51);
}

/// A machine that stops may lose the end of the log, in the middle of a page: what is left is a beginning of the
/// history, with nothing torn, and it goes on from there.
#[tokio::test]
async fn a_log_cut_anywhere_is_a_beginning_of_the_history() {
    let dir = directory();
    let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
    for n in 1..=12 {
        assert_eq!(store.append(main(), &row(n)).await, Ok(Appended::Stored));
    }
    let whole = rows(&store).await;
    let log_len = fs::metadata(dir.path().join("journal.db-wal")).expect("a log").len();
    let mut lengths = std::collections::BTreeSet::new();
    for cut in 1..=49 {
        let copy = copied(dir.path());
        let log = File::options().write(true).open(copy.path().join("journal.db-wal")).expect("a log");
        log.set_len(log_len - cut * log_len / 50 - cut % 7).expect("cut");
        match SqliteStore::open(copy.path()).await {
            Ok(again) => {
                let left = rows(&again).await;
                assert_eq!(left, whole[..left.len()], "cut {cut}");
                let next = left.len() as u64 + 1;
                assert_eq!(again.append(main(), &row(next)).await, Ok(Appended::Stored), "cut {cut}");
                lengths.insert(left.len());
            }
            Err(fault) => panic!("cut {cut}: {fault}"),
        }
    }
    // Behind the rows may be what an earlier turn of the log left: cuts there lose nothing.
    assert!(lengths.len() > 5 && lengths.first() == Some(&0), "{lengths:?}");
}

#[tokio::test]
async fn a_body_that_was_damaged_is_never_passed_over() {
    let dir = directory();
    filled(dir.path(), 3).await;
    damage(dir.path(), "UPDATE journal SET body = '[{\"seq\":2' WHERE seq = 2").await;
    let store = SqliteStore::open(dir.path()).await.expect("the file itself is sound");
    let torn = rows(&store).await.remove(1);
    assert!(session::decode(&torn).expect_err("torn").to_string().contains("the row at 2 is damaged"));

    damage_closed(store, "UPDATE journal SET body = CAST(X'5B22FF225D' AS TEXT) WHERE seq = 2").await;
    let store = SqliteStore::open(dir.path()).await.expect("the file itself is sound");
    let fault = store.tail(main(), Seq(0), 10).await.expect_err("not UTF-8");
    assert!(matches!(&fault, JournalFault::Damaged(why) if why.contains("restore")), "{fault}");
}

#[tokio::test]
async fn a_row_that_was_taken_out_is_missed() {
    let dir = directory();
    filled(dir.path(), 4).await;
    damage(dir.path(), "DELETE FROM journal WHERE seq = 3").await;
    let store = SqliteStore::open(dir.path()).await.expect("the file itself is sound");
    let seqs: Vec<u64> = rows(&store).await.iter().map(|row| row.seq.0).collect();
    assert_eq!(seqs, [1, 2, 4], "whoever replays sees the gap");
    assert_eq!(
        store.append(main(), &row(3)).await,
        Err(JournalFault::Gap { seq: Seq(3), last_seq: Seq(4) }),
        "nobody fills it"
    );
}

#[tokio::test]
async fn pages_overwritten_by_something_else_are_damage() {
    let dir = directory();
    filled(dir.path(), 200).await;
    let path = dir.path().join("journal.db");
    let pages = fs::metadata(&path).expect("a file").len() / 4_096;
    let mut file = File::options().write(true).open(&path).expect("a file");
    file.seek(SeekFrom::Start(4_096)).expect("a page");
    file.write_all(&vec![0xA5; 4_096 * (pages as usize - 1)]).expect("written");
    match SqliteStore::open(dir.path()).await {
        Err(fault) => assert!(matches!(fault, OpenFault::Damaged { .. }), "{fault}"),
        Ok(store) => {
            let fault = store.head(main()).await.expect_err("there is nothing sound in it");
            assert!(matches!(fault, JournalFault::Damaged(_)), "{fault}");
        }
    }
}

#[tokio::test]
async fn a_second_holder_is_told_who_has_it() {
    let dir = directory();
    let _first = SqliteStore::open(dir.path()).await.expect("a fresh directory");
    let fault = SqliteStore::open(dir.path()).await.expect_err("it is held");
    assert!(fault.to_string().contains(&format!("in use by process {}", std::process::id())), "{fault}");
}

#[tokio::test]
async fn somebody_may_look_while_another_writes() {
    let dir = directory();
    let writing = SqliteStore::open(dir.path()).await.expect("a fresh directory");
    writing.append(main(), &row(1)).await.expect("stored");
    let looking = SqliteStore::inspect(dir.path()).await.expect("readable");
    assert_eq!(rows(&looking).await.len(), 1);
    writing.append(main(), &row(2)).await.expect("stored");
    assert_eq!(rows(&looking).await.len(), 2);
    let refused = looking.append(main(), &row(3)).await;
    assert!(matches!(refused, Err(JournalFault::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_left_as_it_is() {
    for content in [b"callers, by hand".as_slice(), &[0; 4_096], b""] {
        let dir = directory();
        let path = dir.path().join("journal.db");
        fs::write(&path, content).expect("written");
        let fault = SqliteStore::open(dir.path()).await.expect_err("not ours");
        assert!(matches!(fault, OpenFault::NotADatabase { .. }), "{fault}");
        assert!(SqliteStore::inspect(dir.path()).await.is_err());
        assert_eq!(fs::read(&path).expect("there"), content);
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_left_as_it_is() {
    let dir = directory();
    let path = dir.path().join("journal.db");
    sql(&path, "CREATE TABLE patients (name TEXT)").await;
    let before = fs::read(&path).expect("there");
    let fault = SqliteStore::open(dir.path()).await.expect_err("not ours");
    assert!(matches!(fault, OpenFault::NotOurs { .. }), "{fault}");
    assert_eq!(fs::read(&path).expect("there"), before);
}

#[tokio::test]
async fn a_newer_schema_is_named() {
    let dir = directory();
    filled(dir.path(), 1).await;
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99, 'later', TRUE, X'00', 0)";
    damage(dir.path(), later).await;
    let fault = SqliteStore::open(dir.path()).await.expect_err("of a later release");
    assert!(matches!(fault, OpenFault::Newer { schema: 99, known: 7, .. }), "{fault}");
    assert!(fault.to_string().contains("start the release that wrote it"), "{fault}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    for place in ["/sys", "/proc"] {
        let fault = SqliteStore::open(Path::new(place)).await.expect_err("the kernel's own");
        assert!(matches!(fault, OpenFault::NotWritable { .. }), "{fault}");
        assert!(fault.to_string().contains(place), "{fault}");
    }
    let fault = SqliteStore::open(Path::new("/proc/hotline/data")).await.expect_err("the kernel's own");
    assert!(matches!(fault, OpenFault::NoDirectory { .. }), "{fault}");
    let dir = directory();
    fs::write(dir.path().join("file"), "").expect("written");
    let fault = SqliteStore::open(&dir.path().join("file")).await.expect_err("a file");
    assert!(matches!(fault, OpenFault::NoDirectory { .. }), "{fault}");
}

#[tokio::test]
async fn looking_makes_nothing() {
    let dir = directory();
    let fault = SqliteStore::inspect(&dir.path().join("none")).await.expect_err("there is none");
    assert!(matches!(fault, OpenFault::NoJournal { .. }), "{fault}");
    assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 0);
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// The files as they stand, without the lock.
fn copied(dir: &Path) -> TempDir {
    let copy = directory();
    for name in ["journal.db", "journal.db-wal"] {
        fs::copy(dir.join(name), copy.path().join(name)).expect("copied");
    }
    copy
}

async fn filled(dir: &Path, rows: u64) {
    let store = SqliteStore::open(dir).await.expect("a fresh directory");
    for n in 1..=rows {
        assert_eq!(store.append(main(), &row(n)).await, Ok(Appended::Stored));
    }
    store.close().await;
}

async fn damage_closed(store: SqliteStore, change: &str) {
    let dir = store.dir().to_owned();
    store.close().await;
    damage(&dir, change).await;
}

async fn damage(dir: &Path, change: &str) {
    sql(&dir.join("journal.db"), change).await;
}

async fn sql(path: &PathBuf, change: &str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.expect("opened");
    connection.execute(AssertSqlSafe(change.to_owned())).await.expect("changed");
    connection.close().await.expect("closed");
}

async fn rows(store: &SqliteStore) -> Vec<Row> {
    let stored = store.tail(main(), Seq(0), usize::MAX).await.expect("readable");
    stored.into_iter().map(|stored| stored.row).collect()
}

fn main() -> SiteId {
    "main".parse().expect("a name")
}

fn row(n: u64) -> Row {
    Row {
        seq: Seq(n),
        last_seq: Seq(n),
        at: SiteTime(n * 1_000),
        wall_us: 1_649_001_600_000_000,
        writer: Writer::new("test"),
        format: FORMAT,
        body: format!("[{{\"seq\":{n},\"told\":\"{}\"}}]", "热线 ".repeat(100)),
    }
}
