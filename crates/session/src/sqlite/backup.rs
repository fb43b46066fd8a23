//! Copies of a journal: taken while a server writes it, and begun again with in another directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection, Row as _, SqliteConnection};
use switchboard::id::{Seq, SiteId};
use uuid::Uuid;

use super::fault;
use super::open::{
    JOURNAL_FILE, OpenFault, Use, clear, connect, hold, judged, look, migrate, nothing_beside, ours, told,
    unfinished,
};
use super::{JOURNAL_STEPS, driving, epoch, heads, read, wall_us};
use crate::engine::Stopped;
use crate::engine::journal::begin_life;
use crate::engine::subjects::any_caller;
use crate::journal::Epoch;

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its length in bytes.
    pub bytes: u64,
    /// The last decision of each site.
    pub sites: Vec<(SiteId, Seq)>,
    /// Callers' numbers are in it, and only the key they were sealed with opens them.
    pub has_callers: bool,
}

/// Copies the journal of a data directory, its callers, tokens, texts and audit with it, as of one moment, into a file of
/// its own, readable by its owner alone. A server may write meanwhile. What follows from the journal is not in it.
///
/// # Errors
/// [`OpenFault`]; there is no file then, or the one that was there before.
pub async fn back_up(dir: &Path, to: &Path) -> Result<Copied, OpenFault> {
    let path = dir.join(JOURNAL_FILE);
    if !path.exists() {
        return Err(OpenFault::NoJournal { dir: dir.to_owned() });
    }
    look(&path)?;
    let unfinished = Unfinished::begin(to)?;
    let mut connection = connect(&path, Use::Read).await?;
    let target = unfinished.path.display().to_string();
    let vacuum = sqlx::query("VACUUM INTO $1").bind(target).execute(&mut connection).await;
    vacuum.map_err(|error| judged(&unfinished.path, &error))?;
    unfinished.kept().await
}

/// A copy that is not whole yet. Dropped, nothing of it is left.
pub(crate) struct Unfinished {
    path: PathBuf,
    to: PathBuf,
}

impl Unfinished {
    /// An empty file for its owner alone, where nothing stands that would be replaced.
    pub(crate) fn begin(to: &Path) -> Result<Unfinished, OpenFault> {
        if to.exists() {
            return Err(OpenFault::Exists { path: to.to_owned() });
        }
        nothing_beside(to)?;
        let path = unfinished(to);
        make_private(&path).map_err(|source| not_written(to, source))?;
        Ok(Unfinished { path, to: to.to_owned() })
    }

    /// The tables of a journal in it, empty. Nobody else reads the file, and it is synced at the end.
    pub(crate) async fn tables(&self) -> Result<SqliteConnection, OpenFault> {
        let options = ours(SqliteConnectOptions::new().filename(&self.path))
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off);
        let mut connection = options.connect().await.map_err(|error| judged(&self.path, &error))?;
        migrate(&self.path, &mut connection, &JOURNAL_STEPS).await?;
        Ok(connection)
    }

    /// What went wrong with it.
    pub(crate) fn judged(&self, error: &sqlx::Error) -> OpenFault {
        judged(&self.path, error)
    }

    /// Durable under its name, and what it holds.
    pub(crate) async fn kept(self) -> Result<Copied, OpenFault> {
        let mut copy = connect(&self.path, Use::Read).await?;
        let found = contents(&mut copy).await.map_err(|stopped| told(&self.path, stopped))?;
        let (whole, sites, has_callers) = found;
        if whole != "ok" {
            return Err(OpenFault::Damaged { path: self.to.clone(), why: whole });
        }
        let bytes = fs::metadata(&self.path).map_err(|source| not_written(&self.to, source))?.len();
        keep(&self.path, &self.to).map_err(|source| not_written(&self.to, source))?;
        Ok(Copied { bytes, sites, has_callers })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Whatever went wrong before is the fault to tell; a copy that was kept is not here any more.
        let _removed = clear(&self.path);
    }
}

/// A copy, begun with in a directory of this process alone, which goes with this value.
pub(crate) struct Staged {
    dir: PathBuf,
    pub(crate) copied: Copied,
    /// Larger than any in the copy.
    pub(crate) life: Epoch,
}

impl Staged {
    pub(crate) async fn begin(copy: &Path) -> Result<Staged, OpenFault> {
        let dir = std::env::temp_dir().join(format!("hotline-{}", Uuid::new_v4()));
        let nothing = Copied { bytes: 0, sites: Vec::new(), has_callers: false };
        let mut staged = Staged { dir, copied: nothing, life: Epoch::default() };
        (staged.copied, staged.life) = restore_from(copy, &staged.dir).await?;
        Ok(staged)
    }

    pub(crate) async fn connect(&self) -> Result<SqliteConnection, OpenFault> {
        connect(&self.journal(), Use::Read).await
    }

    /// What went wrong with it.
    pub(crate) fn judged(&self, error: &sqlx::Error) -> OpenFault {
        judged(&self.journal(), error)
    }

    /// What is in it that should not be.
    pub(crate) fn told(&self, stopped: Stopped) -> OpenFault {
        told(&self.journal(), stopped)
    }

    fn journal(&self) -> PathBuf {
        self.dir.join(JOURNAL_FILE)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Err(fault) = fs::remove_dir_all(&self.dir) {
            tracing::warn!(dir = %self.dir.display(), %fault, "remove this directory: sealed numbers are in it");
        }
    }
}

/// What SQLite says of the file, how far each site is, and whether there are callers.
async fn contents(copy: &mut SqliteConnection) -> Result<(String, Vec<(SiteId, Seq)>, bool), Stopped> {
    let whole = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut *copy).await;
    let whole = whole.and_then(|row| row.try_get(0)).map_err(|error| fault::stopped(&error))?;
    let ends = heads(copy).await?;
    let callers = read(copy, any_caller()).await?;
    Ok((whole, ends, !callers.is_empty()))
}

/// Begins a data directory with a copy, in a new life: clients see that the history they know may have gone on elsewhere.
/// The directory must hold no journal.
///
/// # Errors
/// [`OpenFault`]; the directory holds no journal then, and nothing of the copy.
pub async fn restore_from(copy: &Path, dir: &Path) -> Result<(Copied, Epoch), OpenFault> {
    look(copy).map_err(|fault| of_copy(copy, fault))?;
    let _held = hold(dir)?;
    let path = dir.join(JOURNAL_FILE);
    let place = unfinished(&path);
    // What an earlier attempt left there is cleared away, and is not to be the copy itself.
    if fs::canonicalize(copy).is_ok_and(|copy| fs::canonicalize(&place).is_ok_and(|place| place == copy)) {
        return Err(OpenFault::Exists { path: place });
    }
    let unread = |fault: io::Error| OpenFault::Failed { path: copy.to_owned(), why: fault.to_string() };
    let mut from = File::open(copy).map_err(unread)?;
    let unfinished = Unfinished::begin(&path)?;
    let copying = OpenOptions::new().write(true).open(&unfinished.path);
    let bytes = copying.and_then(|mut into| io::copy(&mut from, &mut into));
    let bytes = bytes.map_err(|source| not_written(&path, source))?;
    let mut connection =
        connect(&unfinished.path, Use::Durable).await.map_err(|fault| of_copy(copy, fault))?;
    let begun = begin(&mut connection, copy, &path).await;
    // Also where nothing was begun: what SQLite keeps beside the file goes with it.
    let closed = connection.close().await;
    let (sites, has_callers, life) = begun?;
    closed.map_err(|error| judged(&path, &error))?;
    // What the close could not move into the file would stay behind under the old name.
    if nothing_beside(&unfinished.path).is_err() {
        return Err(not_written(&path, io::Error::other(NotMoved)));
    }
    keep(&unfinished.path, &path).map_err(|source| not_written(&path, source))?;
    Ok((Copied { bytes, sites, has_callers }, life))
}

/// The tables of this release, what is in them, and a new life.
async fn begin(
    connection: &mut SqliteConnection,
    copy: &Path,
    path: &Path,
) -> Result<(Vec<(SiteId, Seq)>, bool, Epoch), OpenFault> {
    migrate(path, connection, &JOURNAL_STEPS).await.map_err(|fault| of_copy(copy, fault))?;
    let found = contents(connection).await.map_err(|stopped| of_copy(copy, told(copy, stopped)))?;
    let (whole, sites, has_callers) = found;
    if whole != "ok" {
        return Err(OpenFault::BadCopy { path: copy.to_owned(), why: whole });
    }
    let life = new_life(connection).await.map_err(|stopped| told(path, stopped))?;
    Ok((sites, has_callers, life))
}

/// SQLite's log still has a part of it.
#[derive(Debug, thiserror::Error)]
#[error("what was written could not be moved into the file")]
struct NotMoved;

/// What a file is that is no copy.
#[derive(Debug, thiserror::Error)]
enum Instead {
    #[error("it is not a database")]
    NoDatabase,
    #[error("it is another program's database")]
    Anothers,
}

/// What is wrong with a copy, told of the file that was named.
fn of_copy(copy: &Path, fault: OpenFault) -> OpenFault {
    let path = copy.to_owned();
    match fault {
        OpenFault::NotADatabase { .. } => OpenFault::BadCopy { path, why: Instead::NoDatabase.to_string() },
        OpenFault::NotOurs { .. } => OpenFault::BadCopy { path, why: Instead::Anothers.to_string() },
        OpenFault::Damaged { why, .. } => OpenFault::BadCopy { path, why },
        OpenFault::Newer { schema, known, .. } => OpenFault::Newer { path, schema, known },
        OpenFault::Failed { why, .. } => OpenFault::Failed { path, why },
        other => other,
    }
}

/// Larger than any before, also where the clock went back.
async fn new_life(connection: &mut SqliteConnection) -> Result<Epoch, Stopped> {
    let now_us = wall_us();
    let before = epoch(connection).await?.map_or(0, |epoch| epoch.0);
    let life = Epoch(before.saturating_add(1).max(now_us.unsigned_abs()));
    driving::change(connection, begin_life(life, now_us)).await.map_err(|error| fault::stopped(&error))?;
    Ok(life)
}

/// An empty file for its owner alone, in place of one that an earlier attempt left.
fn make_private(path: &Path) -> io::Result<()> {
    clear(path)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// Durable under its name.
fn keep(unfinished: &Path, path: &Path) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    fs::rename(unfinished, path)?;
    File::open(dir_of(path))?.sync_all()
}

fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn not_written(path: &Path, source: io::Error) -> OpenFault {
    let dir = dir_of(path).to_owned();
    match source.kind() {
        ErrorKind::NotFound => OpenFault::NoPlace { dir },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => OpenFault::Full { dir },
        _ => OpenFault::NotWritable { dir, source },
    }
}
