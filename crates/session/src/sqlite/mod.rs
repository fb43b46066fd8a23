//! The record on SQLite, in one data directory that one process holds: `journal.db` is what must never be lost,
//! `derived.db` what follows from it.

mod arriving;
mod at_once;
mod backup;
mod callers;
mod checkup;
mod driver;
mod fault;
mod journal;
mod met;
mod open;
mod subjects;
mod sweep;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, SqliteConnection};
use switchboard::id::{Seq, SiteId};
use tokio::sync::{Mutex, watch};

use self::arriving::Arriving;
pub use self::backup::{Copied, back_up, restore_from};
pub(crate) use self::backup::{Staged, Unfinished};
pub use self::callers::SqliteCallers;
pub use self::checkup::{FileCheckup, look_at_files};
pub use self::open::OpenFault;
use self::open::{
    DERIVED_FILE, Held, JOURNAL_FILE, Use, connect, hold, judged, look, make, migrate, open_derived, told,
};
use self::sweep::Sweep;
use crate::engine::driving::sqlite as driving;
use crate::engine::journal::{begin_life, end_of, epoch_of};
use crate::engine::{Statement, Stopped};
use crate::journal::Epoch;

const JOURNAL_STEPS: [(&str, &str); 7] = [
    ("journal", include_str!("../../../../migrations/sqlite/journal/0001_journal.sql")),
    ("registry", include_str!("../../../../migrations/sqlite/journal/0002_registry.sql")),
    ("audit", include_str!("../../../../migrations/sqlite/journal/0003_audit.sql")),
    ("roster", include_str!("../../../../migrations/sqlite/journal/0004_roster.sql")),
    ("invite", include_str!("../../../../migrations/sqlite/journal/0005_invite.sql")),
    ("roll", include_str!("../../../../migrations/sqlite/journal/0006_roll.sql")),
    ("seal", include_str!("../../../../migrations/sqlite/journal/0007_seal.sql")),
];

const DERIVED_STEPS: [(&str, &str); 2] = [
    ("derived", include_str!("../../../../migrations/sqlite/derived/0001_derived.sql")),
    ("by_caller", include_str!("../../../../migrations/sqlite/derived/0002_by_caller.sql")),
];

/// The names of the steps.
#[cfg(test)]
pub(crate) fn steps() -> Vec<String> {
    let named = |group: &'static str, steps: &'static [(&str, &str)]| {
        (1..).zip(steps).map(move |(n, (name, _))| format!("{group}/{n:04}_{name}"))
    };
    named("journal", &JOURNAL_STEPS).chain(named("derived", &DERIVED_STEPS)).collect()
}

/// A data directory: its journal, its callers, its registry, its audit, and what follows from them.
pub struct SqliteStore {
    dir: PathBuf,
    epoch: Epoch,
    reader: Mutex<SqliteConnection>,
    arriving: Arriving,
    audit_turn: Mutex<()>,
    /// None when it was opened to be read only and there is none.
    derived: Option<Mutex<SqliteConnection>>,
    /// None when it was opened to be read only.
    writing: Option<Writing>,
}

struct Writing {
    writer: Arc<Mutex<Writer>>,
    sweep: Arc<Sweep>,
    _held: Held,
}

/// The connection of the appends, and where each site's journal ends. No other process writes, so what is known
/// here stays true.
struct Writer {
    connection: SqliteConnection,
    ends: BTreeMap<SiteId, Seq>,
}

impl SqliteStore {
    /// Opens a data directory, or begins one, and keeps every other process out of it until dropped.
    ///
    /// # Errors
    /// [`OpenFault`]: what is wrong with the directory or its files, and what mends it. Nothing was changed.
    pub async fn open(dir: &Path) -> Result<SqliteStore, OpenFault> {
        let held = hold(dir)?;
        let path = dir.join(JOURNAL_FILE);
        make(&path).await?;
        look(&path)?;
        let mut connection = connect(&path, Use::Durable).await?;
        migrate(&path, &mut connection, &JOURNAL_STEPS).await?;
        at_once::ready(&mut connection).await.map_err(|error| judged(&path, &error))?;
        let epoch = live(&mut connection).await.map_err(|stopped| told(&path, stopped))?;
        let sweep = Sweep::with(connect(&path, Use::Durable).await?).await;
        let sweep = sweep.map_err(|error| judged(&path, &error))?;
        // What an earlier process left in the log may never have reached the disk, if a sync had failed under it.
        sweep.once().await;
        let reader = Mutex::new(connect(&path, Use::Read).await?);
        let writer = Arc::new(Mutex::new(Writer { connection, ends: BTreeMap::new() }));
        let writing = Some(Writing { writer, sweep, _held: held });
        let derived = open_derived(&dir.join(DERIVED_FILE), &DERIVED_STEPS).await?;
        let derived = Some(Mutex::new(derived));
        let arriving = Arriving::default();
        let audit_turn = Mutex::default();
        Ok(SqliteStore { dir: dir.to_owned(), epoch, reader, arriving, audit_turn, derived, writing })
    }

    /// Opens a data directory only to read it, also while another process writes there.
    ///
    /// # Errors
    /// [`OpenFault`].
    pub async fn inspect(dir: &Path) -> Result<SqliteStore, OpenFault> {
        let path = dir.join(JOURNAL_FILE);
        if !path.exists() {
            return Err(OpenFault::NoJournal { dir: dir.to_owned() });
        }
        look(&path)?;
        let mut connection = connect(&path, Use::Read).await?;
        let epoch = epoch(&mut connection).await.map_err(|stopped| told(&path, stopped))?;
        let epoch = epoch.ok_or_else(|| OpenFault::NoJournal { dir: dir.to_owned() })?;
        let derived = inspect_derived(&dir.join(DERIVED_FILE)).await?;
        let reader = Mutex::new(connection);
        let arriving = Arriving::default();
        let audit_turn = Mutex::default();
        Ok(SqliteStore { dir: dir.to_owned(), epoch, reader, arriving, audit_turn, derived, writing: None })
    }

    /// Whether snapshots and call records are there to be read.
    pub fn has_derived(&self) -> bool {
        self.derived.is_some()
    }

    /// Turns true when a sync has failed, whatever was written: only another process can tell what is on the disk. Never
    /// does of a directory that is only read.
    pub fn watch_broken(&self) -> watch::Receiver<bool> {
        let never = || watch::Sender::new(false).subscribe();
        self.writing.as_ref().map_or_else(never, |writing| writing.sweep.watch_broken())
    }

    /// Which directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Ends the connections in good order. What was appended is durable without it.
    pub async fn close(self) {
        let reader = self.reader.into_inner().close().await;
        let mut ended = vec![reader];
        if let Some(derived) = self.derived {
            ended.push(derived.into_inner().close().await);
        }
        if let Some(Writing { writer, sweep, _held }) = self.writing {
            sweep.once().await;
            if let Some(writer) = Arc::into_inner(writer) {
                ended.push(writer.into_inner().connection.close().await);
            }
        }
        for error in ended.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "a connection to the journal did not end in good order");
        }
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("dir", &self.dir).finish_non_exhaustive()
    }
}

async fn inspect_derived(path: &Path) -> Result<Option<Mutex<SqliteConnection>>, OpenFault> {
    if !path.exists() {
        return Ok(None);
    }
    look(path)?;
    Ok(Some(Mutex::new(connect(path, Use::Read).await?)))
}

/// The present life of the record; begins the first.
async fn live(connection: &mut SqliteConnection) -> Result<Epoch, Stopped> {
    if let Some(epoch) = epoch(connection).await? {
        return Ok(epoch);
    }
    let now_us = wall_us();
    let first = Epoch(now_us.unsigned_abs());
    driving::change(connection, begin_life(first, now_us)).await.map_err(|error| fault::stopped(&error))?;
    Ok(first)
}

async fn heads(connection: &mut SqliteConnection) -> Result<Vec<(SiteId, Seq)>, Stopped> {
    read(connection, crate::engine::journal::heads()).await?.iter().map(end_of).collect()
}

async fn epoch(connection: &mut SqliteConnection) -> Result<Option<Epoch>, Stopped> {
    let rows = read(connection, crate::engine::journal::epoch()).await?;
    rows.first().map_or(Ok(None), epoch_of)
}

/// The rows that answer a question.
async fn read(connection: &mut SqliteConnection, asked: Statement) -> Result<Vec<SqliteRow>, Stopped> {
    driving::rows(connection, asked).await.map_err(|error| fault::stopped(&error))
}

/// The store's own clock is the machine's, in microseconds since 1970 UTC.
fn wall_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use sqlx::{Executor, Row as _, Statement};

    use super::arriving::NewCaller;
    use super::*;
    use crate::journal::{self, Appended, Journal, JournalFault, Row};
    use crate::sql;
    use switchboard::id::CallerRef;
    use switchboard::time::SiteTime;

    #[tokio::test]
    async fn every_statement_is_prepared() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
        prepare(&store.reader, &sql::IN_JOURNAL).await;
        let derived = store.derived.as_ref().expect("it was made");
        prepare(derived, &sql::IN_DERIVED).await;
        prepare_long(derived, sql::keep_records(3)).await;
    }

    #[tokio::test]
    async fn each_connection_has_pages_of_its_own() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
        let mut reader = store.reader.lock().await;
        let rows = reader.fetch_all("PRAGMA compile_options").await.expect("told");
        let options: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(options.iter().any(|option| option == "THREADSAFE=1"), "{options:?}");
        assert!(!options.iter().any(|option| option == "ENABLE_MEMORY_MANAGEMENT"), "see .cargo/config.toml");
    }

    async fn prepare(connection: &Mutex<SqliteConnection>, texts: &[&'static str]) {
        let mut connection = connection.lock().await;
        for text in texts.iter().copied() {
            let statement = connection.prepare(sqlx::SqlStr::from_static(text)).await.expect(text);
            let places = (1..).take_while(|n| text.contains(&format!("${n}"))).count();
            let parameters = statement.parameters().expect("counted").right_or(usize::MAX);
            assert_eq!(parameters, places, "{text}");
        }
    }

    async fn prepare_long(connection: &Mutex<SqliteConnection>, text: String) {
        let text = sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(text));
        connection.lock().await.prepare(text).await.expect("it fits the schema");
    }

    #[tokio::test]
    async fn a_full_disk_stores_nothing_and_recovers_by_itself() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
        let site = "main".parse().expect("a name");
        limit_pages(&store, 20).await;
        let mut n = 1;
        let fault = loop {
            store.arriving.begin(site, caller(n)).expect("room");
            match store.append(site, &row(n)).await {
                Ok(Appended::Stored) => n += 1,
                Err(fault) => break fault,
                Ok(Appended::Awaited | Appended::Lost) => panic!("nobody else writes"),
            }
        };
        assert!(matches!(&fault, JournalFault::OutcomeUnknown(why) if why.contains("make room")), "{fault}");
        assert_eq!(store.head(site).await.expect("readable").last_seq.next(), Seq(n), "nothing was stored");
        assert!(matches!(store.append(site, &row(n)).await, Err(JournalFault::OutcomeUnknown(_))));
        assert!(!is_kept(&store, site, n).await);
        limit_pages(&store, 1_000_000).await;
        assert_eq!(store.append(site, &row(n)).await, Ok(Appended::Stored));
        for n in 1..=n {
            assert!(is_kept(&store, site, n).await, "{n}");
        }
    }

    #[tokio::test]
    async fn who_was_kept_though_it_seemed_otherwise_is_not_kept_twice() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
        let site = "main".parse().expect("a name");
        for n in [1, 2] {
            store.arriving.begin(site, caller(n)).expect("room");
        }
        // Stored, and yet its append is said to have failed.
        let taken = store.arriving.take(site);
        let mut writer = store.writing.as_ref().expect("it writes").writer.lock().await;
        at_once::append(&mut writer.connection, site, &row(1), &taken[..1]).await.expect("stored");
        writer.ends.clear();
        drop(writer);
        store.arriving.put_back();
        assert_eq!(store.append(site, &row(2)).await, Ok(Appended::Stored));
        assert!(is_kept(&store, site, 2).await);
        let of_somebody_else = NewCaller { mac: "another".to_owned(), ..caller(1) };
        store.arriving.begin(site, of_somebody_else).expect("room");
        let fault = store.append(site, &row(3)).await.expect_err("a reference that is somebody else's");
        assert!(matches!(fault, JournalFault::Damaged(_)), "{fault}");
    }

    #[tokio::test]
    async fn a_row_that_is_not_stored_keeps_nobody() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
        let site = "main".parse().expect("a name");
        let mut writer = store.writing.as_ref().expect("it writes").writer.lock().await;
        let both = [caller(1), caller(2)];
        at_once::append(&mut writer.connection, site, &row(1), &both).await.expect("stored");
        let taken = at_once::append(&mut writer.connection, site, &row(1), &[caller(3)]).await;
        assert!(taken.is_err(), "another row stands there");
        let somebody = at_once::append(&mut writer.connection, site, &row(2), &[caller(4), caller(2)]).await;
        assert!(somebody.is_err(), "this caller was kept already");
        at_once::append(&mut writer.connection, site, &row(2), &[]).await.expect("nothing stands there");
        drop(writer);
        for (n, kept) in [(1, true), (2, true), (3, false), (4, false)] {
            assert_eq!(is_kept(&store, site, n).await, kept, "{n}");
        }
        assert_eq!(store.head(site).await.expect("readable").last_seq, Seq(2));
    }

    fn caller(n: u64) -> NewCaller {
        let caller = CallerRef(uuid::Uuid::from_u128(n.into()));
        NewCaller { caller, mac: format!("mac {n}"), sealed: "sealed".to_owned(), perhaps_there: false }
    }

    async fn is_kept(store: &SqliteStore, site: SiteId, n: u64) -> bool {
        let mut reader = store.reader.lock().await;
        let asked = crate::engine::subjects::find(site, &format!("mac {n}"));
        !read(&mut reader, asked).await.expect("readable").is_empty()
    }

    #[tokio::test]
    async fn after_a_failed_sync_nothing_is_promised() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).await.expect("a fresh directory");
        let site = "main".parse().expect("a name");
        assert_eq!(store.append(site, &row(1)).await, Ok(Appended::Stored));
        store.writing.as_ref().expect("it writes").sweep.broke();
        assert!(matches!(store.append(site, &row(2)).await, Err(JournalFault::RestartNeeded(_))));
    }

    async fn limit_pages(store: &SqliteStore, pages: u32) {
        let mut writer = store.writing.as_ref().expect("it writes").writer.lock().await;
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        writer.connection.execute(limit).await.expect("limited");
    }

    fn row(n: u64) -> Row {
        Row {
            seq: Seq(n),
            last_seq: Seq(n),
            at: SiteTime(n),
            wall_us: 0,
            writer: journal::Writer::new("test"),
            format: crate::FORMAT,
            body: "x".repeat(3_000),
        }
    }
}
