//! A data directory as an engine: which of its connections is asked, and what a failure of it means.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use tokio::sync::{Mutex, MutexGuard};

use super::fault::{self, Kind};
use super::open::DERIVED_FILE;
use super::{SqliteStore, Writer, Writing, driving, read};
use crate::engine::{Engine, Part, Statement, Stopped, Whole};

/// About as long as a row is that was taken away: no text says so.
const ROW_BYTES: u64 = 512;

impl SqliteStore {
    pub(super) async fn writer(&self) -> Result<(MutexGuard<'_, Writer>, &Writing), Stopped> {
        let Some(writing) = &self.writing else {
            return Err(Stopped::Unavailable("it was opened to be read only".to_owned()));
        };
        let writer = writing.writer.lock().await;
        if writing.sweep.is_broken() {
            return Err(Stopped::Unavailable("an earlier write failed; restart the server".to_owned()));
        }
        Ok((writer, writing))
    }

    async fn derived(&self) -> Result<MutexGuard<'_, SqliteConnection>, Stopped> {
        match &self.derived {
            Some(file) => Ok(file.lock().await),
            None => Err(Stopped::Unavailable("there is no derived.db".to_owned())),
        }
    }
}

impl Writing {
    /// What became of a write; after some failures the process has to end.
    pub(super) fn judged(&self, written: Result<Option<u64>, sqlx::Error>) -> Result<u64, Stopped> {
        let error = match written {
            Ok(changed) => return changed.ok_or(Stopped::NotOne),
            Err(error) => error,
        };
        if fault::kind(&error) == Kind::Broken {
            self.sweep.broke();
        }
        Err(fault::stopped(&error))
    }
}

/// What follows from the journal can be made again.
fn judged_derived(error: &sqlx::Error) -> Stopped {
    match fault::stopped(error) {
        Stopped::Damaged(why) => {
            Stopped::Damaged(format!("{why}; delete {DERIVED_FILE}, and it is made again"))
        }
        other => other,
    }
}

impl Engine for SqliteStore {
    type Row = SqliteRow;

    async fn rows(&self, of: Part, asked: Statement) -> Result<Vec<SqliteRow>, Stopped> {
        match of {
            Part::Journal => read(&mut *self.reader.lock().await, asked).await,
            Part::Derived => {
                let mut file = self.derived().await?;
                driving::rows(&mut file, asked).await.map_err(|error| judged_derived(&error))
            }
        }
    }

    async fn change(&self, of: Part, asked: Statement) -> Result<u64, Stopped> {
        let asked = asked.keepable()?;
        match of {
            Part::Journal => {
                let (mut writer, writing) = self.writer().await?;
                let len = asked.text_len();
                let changed = driving::change(&mut writer.connection, asked).await;
                let changed = writing.judged(changed.map(Some))?;
                let rows = usize::try_from(changed.saturating_mul(ROW_BYTES)).unwrap_or(usize::MAX);
                writing.sweep.appended(len.max(rows), &writing.writer);
                Ok(changed)
            }
            Part::Derived => {
                let mut file = self.derived().await?;
                driving::change(&mut file, asked).await.map_err(|error| judged_derived(&error))
            }
        }
    }

    async fn change_all(&self, of: Part, whole: Whole) -> Result<u64, Stopped> {
        let whole = whole.keepable()?;
        match of {
            Part::Journal => {
                let (mut writer, writing) = self.writer().await?;
                writing.judged(driving::change_all(&mut writer.connection, whole).await)
            }
            Part::Derived => {
                let mut file = self.derived().await?;
                let changed = driving::change_all(&mut file, whole).await;
                changed.map_err(|error| judged_derived(&error))?.ok_or(Stopped::NotOne)
            }
        }
    }

    fn audit_turn(&self) -> &Mutex<()> {
        &self.audit_turn
    }
}
