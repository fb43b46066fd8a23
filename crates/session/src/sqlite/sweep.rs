//! Moves what was appended from SQLite's write-ahead log into its file, beside the appends: the long part while they
//! go on, the short rest between two of them, so that the log begins again instead of growing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{Error, Executor, Row as _, SqliteConnection};
use tokio::sync::{Mutex, watch};

use super::fault::{self, Kind};
use crate::crash::{CrashPoint, rarely, reached};

/// Pages in the log before they are moved: 8 MB of 4 kB pages, so the log is read quickly at a start.
const SWEEP_PAGES: u64 = rarely(2_048, 128);
const PAGE_BYTES: u64 = 4_096;
/// An append changes at least a page of rows and one of keys.
const PAGES_OF_AN_APPEND: u64 = 2;

const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// Whoever empties the log keeps appends from being written: it is tried again instead of waited for.
const NEVER_WAIT: &str = "PRAGMA busy_timeout = 0";

/// How often it is tried to empty the log while somebody waits for it, and how long after the last time.
const EMPTY_TRIES: u32 = 100;
const EMPTY_AGAIN: Duration = Duration::from_millis(50);
/// How long after the last time when nobody waits any more.
const EMPTY_LATER: Duration = Duration::from_secs(1);

pub(crate) struct Sweep {
    connection: Mutex<SqliteConnection>,
    pages: AtomicU64,
    sweeping: AtomicBool,
    /// Somebody tries, from time to time, to empty the log.
    emptying: AtomicBool,
    broken: watch::Sender<bool>,
}

impl Sweep {
    /// With a connection of its own.
    pub(crate) async fn with(mut connection: SqliteConnection) -> Result<Arc<Sweep>, Error> {
        connection.execute(NEVER_WAIT).await?;
        Ok(Arc::new(Sweep {
            connection: Mutex::new(connection),
            pages: AtomicU64::new(0),
            sweeping: AtomicBool::new(false),
            emptying: AtomicBool::new(false),
            broken: watch::Sender::new(false),
        }))
    }

    /// A sync failed: what this process reads is no proof of what is on the disk.
    pub(crate) fn is_broken(&self) -> bool {
        *self.broken.borrow()
    }

    pub(crate) fn broke(&self) {
        self.broken.send_replace(true);
    }

    /// Turns true when a sync has failed.
    pub(crate) fn watch_broken(&self) -> watch::Receiver<bool> {
        self.broken.subscribe()
    }

    /// So much was appended; sweeps when it has become much.
    pub(crate) fn appended<W: Send + 'static>(self: &Arc<Sweep>, bytes: usize, writer: &Arc<Mutex<W>>) {
        let pages = PAGES_OF_AN_APPEND + bytes as u64 / PAGE_BYTES;
        if self.pages.fetch_add(pages, Ordering::Relaxed) + pages < SWEEP_PAGES
            || self.sweeping.swap(true, Ordering::Relaxed)
        {
            return;
        }
        self.pages.store(0, Ordering::Relaxed);
        let (sweep, writer) = (Arc::clone(self), Arc::clone(writer));
        tokio::spawn(async move {
            sweep.once().await;
            reached(CrashPoint::BetweenSweeps);
            let between = writer.lock().await;
            sweep.once().await;
            reached(CrashPoint::AfterSweep);
            drop(between);
            sweep.sweeping.store(false, Ordering::Relaxed);
        });
    }

    /// Moves everything, and cuts the log to nothing: what was overwritten is in no file afterwards. Appends wait for
    /// none who reads. Says no if somebody read from the log all the while; it is then tried again until it is empty.
    pub(crate) async fn emptied<W: Send + 'static>(
        self: &Arc<Sweep>,
        writer: &Arc<Mutex<W>>,
    ) -> Result<bool, Error> {
        for _ in 0..EMPTY_TRIES {
            // The long part, while appends go on.
            self.once().await;
            let between = writer.lock().await;
            let emptied = self.empty().await?;
            drop(between);
            if emptied {
                return Ok(true);
            }
            tokio::time::sleep(EMPTY_AGAIN).await;
        }
        self.empty_later(writer);
        Ok(false)
    }

    /// Tries until it is done, or nobody is left who writes.
    fn empty_later<W: Send + 'static>(self: &Arc<Sweep>, writer: &Arc<Mutex<W>>) {
        if self.emptying.swap(true, Ordering::Relaxed) {
            return;
        }
        let (sweep, writer) = (Arc::downgrade(self), Arc::downgrade(writer));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EMPTY_LATER).await;
                let (Some(sweep), Some(writer)) = (sweep.upgrade(), writer.upgrade()) else { return };
                sweep.once().await;
                let between = writer.lock().await;
                let emptied = sweep.empty().await;
                drop(between);
                match emptied {
                    Ok(false) => continue,
                    Ok(true) => {
                        tracing::info!("the journal's log is empty: what was forgotten is in no file")
                    }
                    Err(error) => {
                        tracing::error!(%error, "the journal's log could not be emptied");
                        sweep.broke_with(&error);
                    }
                }
                sweep.emptying.store(false, Ordering::Relaxed);
                return;
            }
        });
    }

    fn broke_with(&self, error: &Error) {
        if fault::kind(error) == Kind::Broken {
            self.broke();
        }
    }

    async fn empty(&self) -> Result<bool, Error> {
        let mut connection = self.connection.lock().await;
        let busy: i64 = connection.fetch_one(EMPTY).await?.try_get(0)?;
        if busy == 0 {
            self.pages.store(0, Ordering::Relaxed);
        }
        Ok(busy == 0)
    }

    /// Moves what can be moved now. What was read from the log is on the disk afterwards.
    pub(crate) async fn once(&self) {
        let mut connection = self.connection.lock().await;
        let Err(error) = connection.execute(CHECKPOINT).await else { return };
        match fault::kind(&error) {
            Kind::Busy | Kind::Full | Kind::ReadOnly => {
                tracing::warn!(%error, "the journal's log could not be moved into its file; it grows until it can");
            }
            Kind::KeyTaken | Kind::CannotOpen | Kind::Damaged | Kind::Broken => {
                tracing::error!(%error, "the journal's file could not be written");
                self.broke();
            }
        }
    }
}
