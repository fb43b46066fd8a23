//! Opening a data directory: whose it is, that nobody else has it, that its files are ours and of a schema we know.

use std::borrow::Cow;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};

use super::fault::{self, Kind};
use crate::engine::Stopped;

/// The file of what must never be lost.
pub(crate) const JOURNAL_FILE: &str = "journal.db";
/// The file of what follows from it.
pub(crate) const DERIVED_FILE: &str = "derived.db";
const LOCK_FILE: &str = "lock";

/// In the header of our files, so that another program's database is not taken for one: `HOTL`.
const APPLICATION_ID: i32 = 0x484f_544c;
/// Where SQLite's header has it, big-endian.
const APPLICATION_ID_AT: usize = 68;
const HEADER: &[u8] = b"SQLite format 3\0";
const HEADER_LEN: usize = 100;

/// Rows that may wait between SQLite's thread and the reader: a replay reads hundreds of thousands.
const ROWS_AHEAD: usize = 512;

/// Why a data directory cannot be used. Each says what would mend it.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// There is none, and none could be made.
    #[error("the data directory {} cannot be made: {source}; name one whose parent exists and is yours", dir.display())]
    NoDirectory {
        /// Which.
        dir: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// It has no journal.
    #[error("there is no journal in {}; name the directory that `hotline serve --data` was given", dir.display())]
    NoJournal {
        /// Which.
        dir: PathBuf,
    },
    /// The directory that something was to be written in is not there.
    #[error("there is no directory {}; make it first", dir.display())]
    NoPlace {
        /// Which.
        dir: PathBuf,
    },
    /// Nothing can be written there.
    #[error("nothing can be written in {}: {source}; make it writable for this user", dir.display())]
    NotWritable {
        /// Which.
        dir: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{} is in use by process {process}; end that one first, or name another directory", dir.display())]
    InUse {
        /// Which.
        dir: PathBuf,
        /// The process, as far as it said so.
        process: String,
    },
    /// There is something already, and nothing is replaced.
    #[error("{} is there already, and is not replaced; name another place, or move it away", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The log of a database is there without it, and would be taken for that of whatever took its place.
    #[error("{} belongs to a database that is not beside it; put that back, or move this away, too", path.display())]
    LeftBehind {
        /// Which.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a database; move it away, or restore it from a backup", path.display())]
    NotADatabase {
        /// Which.
        path: PathBuf,
    },
    /// The file is a database of another program.
    #[error("{} is another program's database; name another directory", path.display())]
    NotOurs {
        /// Which.
        path: PathBuf,
    },
    /// Nothing can be begun with the file: it is no whole copy of a journal.
    #[error("{} cannot be restored: {why}; name another file that `hotline backup` made", path.display())]
    BadCopy {
        /// Which.
        path: PathBuf,
        /// What was met.
        why: String,
    },
    /// A later release wrote it.
    #[error(
        "{} has schema {schema}, and this release knows 1 to {known}; start the release that wrote it, or a later one",
        path.display()
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its schema.
        schema: i64,
        /// The last one known here.
        known: i64,
    },
    /// The file is not what was written.
    #[error("{} is damaged: {why}; restore it from a backup", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What was met.
        why: String,
    },
    /// Callers' numbers are there that another key sealed.
    #[error("callers' numbers in this journal were sealed with another key; give the key it was begun with")]
    WrongKey,
    /// The disk is full.
    #[error("there is no room on the disk of {}; make some", dir.display())]
    Full {
        /// Which.
        dir: PathBuf,
    },
    /// Anything else.
    #[error("{} cannot be opened: {why}", path.display())]
    Failed {
        /// Which.
        path: PathBuf,
        /// What was met.
        why: String,
    },
}

/// The directory itself, held by this process until dropped.
pub(crate) struct Held {
    _lock: File,
}

/// Makes the directory if there is none, readable by its owner alone, and holds it.
pub(crate) fn hold(dir: &Path) -> Result<Held, OpenFault> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| OpenFault::NoDirectory { dir: dir.to_owned(), source })?;
    let options =
        File::options().read(true).write(true).create(true).truncate(false).open(dir.join(LOCK_FILE));
    let mut lock = options.map_err(|source| written(dir, source))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let said = lock.read_to_string(&mut process).is_ok() && !process.is_empty();
            let process = if said { process } else { "another".to_owned() };
            return Err(OpenFault::InUse { dir: dir.to_owned(), process });
        }
        Err(TryLockError::Error(source)) => return Err(written(dir, source)),
    }
    let said = lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id()));
    said.map_err(|source| written(dir, source))?;
    Ok(Held { _lock: lock })
}

fn written(dir: &Path, source: io::Error) -> OpenFault {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => OpenFault::Full { dir: dir.to_owned() },
        _ => OpenFault::NotWritable { dir: dir.to_owned(), source },
    }
}

/// What SQLite keeps beside a database, and believes of whatever stands there under the same name.
fn beside(path: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

/// Nothing is at this place, and nothing that would be believed of what comes there.
pub(crate) fn nothing_beside(path: &Path) -> Result<(), OpenFault> {
    match beside(path).into_iter().find(|beside| beside.exists()) {
        Some(path) => Err(OpenFault::LeftBehind { path }),
        None => Ok(()),
    }
}

/// Where what will be at this place is made. What stands there is an earlier attempt's, and is cleared away.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

/// Takes a database away, and all that is beside it.
pub(crate) fn clear(path: &Path) -> io::Result<()> {
    for file in [path.to_owned()].into_iter().chain(beside(path)) {
        match fs::remove_file(file) {
            Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}

/// Makes the file if there is none. A file is never there without saying whose it is.
pub(crate) async fn make(path: &Path) -> Result<(), OpenFault> {
    if path.exists() {
        return Ok(());
    }
    nothing_beside(path)?;
    let unfinished = unfinished(path);
    clear(&unfinished).map_err(|source| written(path.parent().unwrap_or(path), source))?;
    let options = ours(SqliteConnectOptions::new().filename(&unfinished).create_if_missing(true));
    let connection = options.connect().await.map_err(|error| judged(path, &error))?;
    connection.close().await.map_err(|error| judged(path, &error))?;
    let dir = path.parent().unwrap_or(path);
    let kept = fs::rename(&unfinished, path).and_then(|()| File::open(dir)?.sync_all());
    kept.map_err(|source| written(dir, source))
}

/// With our mark in the header of a file that is made.
pub(crate) fn ours(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("application_id", APPLICATION_ID.to_string())
}

/// Looks whose file it is before anything touches it.
pub(crate) fn look(path: &Path) -> Result<(), OpenFault> {
    let mut header = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEADER_LEN as u64).read_to_end(&mut header));
    read.map_err(|fault| OpenFault::Failed { path: path.to_owned(), why: fault.to_string() })?;
    if !header.starts_with(HEADER) || header.len() < HEADER_LEN {
        return Err(OpenFault::NotADatabase { path: path.to_owned() });
    }
    let id = &header[APPLICATION_ID_AT..APPLICATION_ID_AT + 4];
    if id == APPLICATION_ID.to_be_bytes() {
        Ok(())
    } else {
        Err(OpenFault::NotOurs { path: path.to_owned() })
    }
}

/// How a connection is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Durable when it says so.
    Durable,
    /// Durable some time later: it can be made again.
    Derived,
    /// Never writes.
    Read,
}

pub(crate) async fn connect(path: &Path, how: Use) -> Result<SqliteConnection, OpenFault> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .row_buffer_size(ROWS_AHEAD)
        // What a statement of many rows may have to undo is not written to a file of its own.
        .pragma("temp_store", "MEMORY");
    // The journal's log is moved beside the appends (sweep.rs), where a failure is heard of.
    let options = if how == Use::Derived { options } else { options.pragma("wal_autocheckpoint", "0") };
    let options = match how {
        // What is forgotten is overwritten where it stood.
        Use::Durable => options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON"),
        Use::Derived => options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal),
        Use::Read => options.read_only(true),
    };
    options.connect().await.map_err(|error| judged(path, &error))
}

/// Opens the file of what follows from the journal; one that cannot be used is begun again.
pub(crate) async fn open_derived(
    path: &Path,
    steps: &[(&'static str, &'static str)],
) -> Result<SqliteConnection, OpenFault> {
    match try_derived(path, steps).await {
        Err(
            fault @ (OpenFault::NotADatabase { .. }
            | OpenFault::NotOurs { .. }
            | OpenFault::LeftBehind { .. }
            | OpenFault::Newer { .. }
            | OpenFault::Damaged { .. }),
        ) => {
            tracing::warn!(%fault, "snapshots and call records are made again");
            clear(path).map_err(|source| written(path.parent().unwrap_or(path), source))?;
            try_derived(path, steps).await
        }
        opened => opened,
    }
}

async fn try_derived(
    path: &Path,
    steps: &[(&'static str, &'static str)],
) -> Result<SqliteConnection, OpenFault> {
    make(path).await?;
    look(path)?;
    let mut connection = connect(path, Use::Derived).await?;
    migrate(path, &mut connection, steps).await?;
    Ok(connection)
}

/// Brings a file to the schema of this release.
pub(crate) async fn migrate(
    path: &Path,
    connection: &mut SqliteConnection,
    steps: &[(&'static str, &'static str)],
) -> Result<(), OpenFault> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let migrations = (1..).zip(steps).map(|(version, (name, sql))| {
        Migration::new(version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrated = Migrator::with_migrations(migrations.collect()).run_direct(None, connection, false).await;
    let path = path.to_owned();
    migrated.map_err(|fault| match fault {
        MigrateError::VersionMissing(schema) | MigrateError::VersionTooNew(schema, _) => {
            OpenFault::Newer { path, schema, known }
        }
        MigrateError::VersionMismatch(step) => OpenFault::Damaged {
            path,
            why: format!("step {step} of its schema is not the one of this release"),
        },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => judged(&path, &error),
        other => OpenFault::Failed { path, why: other.to_string() },
    })
}

/// What could not be read of a file.
pub(crate) fn told(path: &Path, stopped: Stopped) -> OpenFault {
    let path = path.to_owned();
    match stopped.told() {
        (true, why) => OpenFault::Damaged { path, why },
        (false, why) => OpenFault::Failed { path, why },
    }
}

pub(crate) fn judged(path: &Path, error: &sqlx::Error) -> OpenFault {
    let dir = || path.parent().unwrap_or(path).to_owned();
    match fault::kind(error) {
        Kind::Damaged | Kind::KeyTaken => {
            OpenFault::Damaged { path: path.to_owned(), why: error.to_string() }
        }
        Kind::Full => OpenFault::Full { dir: dir() },
        Kind::ReadOnly | Kind::CannotOpen => {
            OpenFault::NotWritable { dir: dir(), source: io::Error::other(error.to_string()) }
        }
        Kind::Busy | Kind::Broken => OpenFault::Failed { path: path.to_owned(), why: error.to_string() },
    }
}
