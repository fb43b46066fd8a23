//! The journal's rows in SQLite.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use switchboard::id::{Seq, SiteId};

use super::arriving::{Arriving, NewCaller};
use super::at_once::append;
use super::fault::{self, Kind};
use super::{SqliteStore, Writer, heads, read, wall_us};
use crate::crash::{CrashPoint, reached};
use crate::engine::Stopped;
use crate::engine::journal::{self as rows, Last};
use crate::engine::subjects::find;
use crate::journal::{Appended, Head, Journal, JournalFault, Row, StoredRow};

#[async_trait]
impl Journal for SqliteStore {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        let Some(writing) = &self.writing else {
            return Err(JournalFault::Unavailable("it was opened to be read only".to_owned()));
        };
        let mut writer = writing.writer.lock().await;
        if writing.sweep.is_broken() {
            return Err(JournalFault::RestartNeeded("an earlier write failed".to_owned()));
        }
        let appended = writer.append(site, row, &self.arriving).await;
        match &appended {
            Ok(Appended::Stored) => writing.sweep.appended(row.body.len(), &writing.writer),
            Err(JournalFault::RestartNeeded(_)) => writing.sweep.broke(),
            _ => {}
        }
        appended
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        let mut reader = self.reader.lock().await;
        tail(&mut reader, site, after, rows_max).await.map_err(fault::reading)
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        let mut reader = self.reader.lock().await;
        let last = last(&mut reader, site).await.map_err(fault::reading)?;
        Ok(Last::head(last, self.epoch, wall_us()))
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        let mut reader = self.reader.lock().await;
        heads(&mut reader).await.map_err(fault::reading)
    }
}

impl Writer {
    async fn append(
        &mut self,
        site: SiteId,
        row: &Row,
        arriving: &Arriving,
    ) -> Result<Appended, JournalFault> {
        let last_seq = self.end(site).await.map_err(fault::reading)?;
        if row.seq <= last_seq && self.stands_at(site, row.seq).await.map_err(fault::reading)? {
            return Ok(Appended::Lost);
        }
        if row.seq != last_seq.next() || row.last_seq < row.seq {
            return Err(JournalFault::Gap { seq: row.seq, last_seq });
        }
        let callers = self.new_ones(site, arriving.take(site)).await;
        match append(&mut self.connection, site, row, &callers).await {
            Ok(()) => {
                reached(CrashPoint::AfterInsert);
                arriving.kept();
                self.ends.insert(site, row.last_seq);
                Ok(Appended::Stored)
            }
            Err(error) => {
                arriving.put_back();
                // Whatever happened, the file knows better where it ends.
                self.ends.remove(&site);
                let taken = fault::kind(&error) == Kind::KeyTaken
                    && self.stands_at(site, row.seq).await.map_err(fault::reading)?;
                if taken { Ok(Appended::Lost) } else { Err(fault::writing(&error)) }
            }
        }
    }

    /// Of callers that may have been written by an append that seemed to fail, those that were not.
    async fn new_ones(&mut self, site: SiteId, mut callers: Vec<NewCaller>) -> Vec<NewCaller> {
        for n in (0..callers.len()).rev() {
            // What cannot be read cannot be written: the append will say so.
            if callers[n].perhaps_there
                && matches!(read(&mut self.connection, find(site, &callers[n].mac)).await, Ok(found) if !found.is_empty())
            {
                callers.remove(n);
            }
        }
        callers
    }

    /// Where the site's journal ends.
    async fn end(&mut self, site: SiteId) -> Result<Seq, Stopped> {
        if let Some(end) = self.ends.get(&site) {
            return Ok(*end);
        }
        let end = last(&mut self.connection, site).await?.map_or(Seq(0), |last| last.seq);
        self.ends.insert(site, end);
        Ok(end)
    }

    async fn stands_at(&mut self, site: SiteId, seq: Seq) -> Result<bool, Stopped> {
        let found = tail(&mut self.connection, site, Seq(seq.0.saturating_sub(1)), 1).await?;
        Ok(found.first().is_some_and(|stored| stored.row.seq == seq))
    }
}

async fn tail(
    connection: &mut SqliteConnection,
    site: SiteId,
    after: Seq,
    rows_max: usize,
) -> Result<Vec<StoredRow>, Stopped> {
    read(connection, rows::tail(site, after, rows_max)).await?.iter().map(rows::stored).collect()
}

/// The last row, if there is any.
pub(super) async fn last(connection: &mut SqliteConnection, site: SiteId) -> Result<Option<Last>, Stopped> {
    read(connection, rows::head(site)).await?.first().map(Last::of).transpose()
}
