//! The journal's rows in SQLite.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Error, Executor, Row as _, SqlSafeStr, SqlStr, SqliteConnection};
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;

use super::arriving::{Arriving, NewCaller};
use super::callers::find;
use super::fault::{self, Kind};
use super::{SqliteStore, Writer, heads, wall_us};
use crate::crash::{CrashPoint, reached};
use crate::journal::{self, Appended, Head, Journal, JournalFault, Row, StoredRow};
use crate::sql;

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
        tail(&mut reader, site, after, rows_max).await.map_err(|error| fault::reading(&error))
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        let mut reader = self.reader.lock().await;
        let last = head(&mut reader, site).await.map_err(|error| fault::reading(&error))?;
        let store_now_us = wall_us();
        let last = last.unwrap_or(Last { seq: Seq(0), at: SiteTime(0), wall_us: 0, store_us: store_now_us });
        let Last { seq, at, wall_us, store_us } = last;
        Ok(Head { epoch: self.epoch, last_seq: seq, at, wall_us, store_us, store_now_us })
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        let mut reader = self.reader.lock().await;
        heads(&mut reader).await.map_err(|error| fault::reading(&error))
    }
}

impl Writer {
    async fn append(
        &mut self,
        site: SiteId,
        row: &Row,
        arriving: &Arriving,
    ) -> Result<Appended, JournalFault> {
        let last_seq = self.end(site).await.map_err(|error| fault::reading(&error))?;
        if row.seq <= last_seq
            && self.stands_at(site, row.seq).await.map_err(|error| fault::reading(&error))?
        {
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
                if !callers.is_empty() && !rolled_back(&mut self.connection).await {
                    return Err(JournalFault::RestartNeeded(format!("{error}; nor could it be undone")));
                }
                let taken = fault::kind(&error) == Kind::KeyTaken
                    && self.stands_at(site, row.seq).await.map_err(|error| fault::reading(&error))?;
                if taken { Ok(Appended::Lost) } else { Err(fault::writing(&error)) }
            }
        }
    }

    /// Of callers that may have been written by an append that seemed to fail, those that were not.
    async fn new_ones(&mut self, site: SiteId, mut callers: Vec<NewCaller>) -> Vec<NewCaller> {
        for n in (0..callers.len()).rev() {
            // What cannot be read cannot be written: the append will say so.
            if callers[n].perhaps_there
                && matches!(find(&mut self.connection, site, &callers[n].mac).await, Ok(Some(_)))
            {
                callers.remove(n);
            }
        }
        callers
    }

    /// Where the site's journal ends.
    async fn end(&mut self, site: SiteId) -> Result<Seq, Error> {
        if let Some(end) = self.ends.get(&site) {
            return Ok(*end);
        }
        let end = head(&mut self.connection, site).await?.map_or(Seq(0), |last| last.seq);
        self.ends.insert(site, end);
        Ok(end)
    }

    async fn stands_at(&mut self, site: SiteId, seq: Seq) -> Result<bool, Error> {
        let found = tail(&mut self.connection, site, Seq(seq.0.saturating_sub(1)), 1).await?;
        Ok(found.first().is_some_and(|stored| stored.row.seq == seq))
    }
}

/// One row, and the rows of the callers it is the first to name, in one question to the engine.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    site: SiteId,
    row: &Row,
    callers: &[NewCaller],
) -> Result<(), Error> {
    let text = if callers.is_empty() {
        SqlStr::from_static(sql::APPEND)
    } else {
        AssertSqlSafe(format!("BEGIN; {}; {}; COMMIT", sql::keep_callers(callers.len()), sql::APPEND))
            .into_sql_str()
    };
    let mut query = sqlx::query(text)
        .bind(site.as_str().to_owned())
        .bind(number(row.seq.0))
        .bind(number(row.last_seq.0))
        .bind(number(row.at.0))
        .bind(row.wall_us)
        .bind(row.writer.as_str().to_owned())
        .bind(i64::from(row.format))
        .bind(row.body.clone());
    for NewCaller { caller, mac, sealed, .. } in callers {
        query = query.bind(caller.to_string()).bind(mac.clone()).bind(sealed.clone());
    }
    query.execute(connection).await.map(|_| ())
}

/// Ends the transaction of an append that failed, if the engine has not ended it by itself: then it refuses this, and
/// another that is begun, which is undone again, proves it.
async fn rolled_back(connection: &mut SqliteConnection) -> bool {
    connection.execute("ROLLBACK").await.is_ok()
        || (connection.execute("BEGIN").await.is_ok() && connection.execute("ROLLBACK").await.is_ok())
}

async fn tail(
    connection: &mut SqliteConnection,
    site: SiteId,
    after: Seq,
    rows_max: usize,
) -> Result<Vec<StoredRow>, Error> {
    let rows = sqlx::query(sql::TAIL)
        .bind(site.as_str().to_owned())
        .bind(number(after.0))
        .bind(i64::try_from(rows_max).unwrap_or(i64::MAX));
    rows.fetch_all(connection).await?.iter().map(stored).collect()
}

pub(super) struct Last {
    pub(super) seq: Seq,
    at: SiteTime,
    wall_us: i64,
    store_us: i64,
}

pub(super) async fn head(connection: &mut SqliteConnection, site: SiteId) -> Result<Option<Last>, Error> {
    let query = sqlx::query(sql::HEAD).bind(site.as_str().to_owned());
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    let (seq, at) = (Seq(place(&row, "last_seq")?), SiteTime(place(&row, "at_us")?));
    Ok(Some(Last { seq, at, wall_us: row.try_get("wall_us")?, store_us: row.try_get("store_us")? }))
}

fn stored(row: &SqliteRow) -> Result<StoredRow, Error> {
    let format: i64 = row.try_get("format")?;
    let writer: String = row.try_get("writer")?;
    let inside = Row {
        seq: Seq(place(row, "seq")?),
        last_seq: Seq(place(row, "last_seq")?),
        at: SiteTime(place(row, "at_us")?),
        wall_us: row.try_get("wall_us")?,
        writer: journal::Writer::new(writer),
        // A format beyond any this release can know is unknown all the same.
        format: u32::try_from(format).unwrap_or(u32::MAX),
        body: row.try_get("body")?,
    };
    Ok(StoredRow { row: inside, store_us: row.try_get("store_us")? })
}

pub(super) fn place(row: &SqliteRow, column: &'static str) -> Result<u64, Error> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|fault| Error::Decode(format!("{column} is {number}: {fault}").into()))
}

/// Sequence numbers and site times stay far below what a column holds: 2^63 microseconds are 292,000 years.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
