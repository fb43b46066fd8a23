//! Moves what was appended from SQLite's write-ahead log into its file, beside the appends: the long part while they
//! go on, the short rest between two of them, so that the log begins again instead of growing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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

pub(crate) struct Sweep {
    connection: Mutex<SqliteConnection>,
    pages: AtomicU64,
    sweeping: AtomicBool,
    broken: watch::Sender<bool>,
}

impl Sweep {
    pub(crate) fn new(connection: SqliteConnection) -> Arc<Sweep> {
        Arc::new(Sweep {
            connection: Mutex::new(connection),
            pages: AtomicU64::new(0),
            sweeping: AtomicBool::new(false),
            broken: watch::Sender::new(false),
        })
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

    /// Moves everything, and cuts the log to nothing: what was overwritten is in no file afterwards. Whoever asks holds
    /// the writer. Says no if somebody read from the log all the while.
    pub(crate) async fn emptied(&self) -> Result<bool, Error> {
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
