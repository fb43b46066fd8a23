//! Persons behind references, in SQLite. What is forgotten is overwritten in the file, and the write-ahead log, which
//! holds pages as they were, is emptied behind it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Error, Row as _, SqliteConnection};
use switchboard::id::{CallId, CallerRef, Seq, SiteId};
use tokio::sync::MutexGuard;
use uuid::Uuid;

use super::callers::{SqliteCallers, find, judged_caller, reference};
use super::derived::{judged as judged_record, record, uuid};
use super::fault::{self, Kind};
use super::journal::number;
use super::{SqliteStore, Writer, Writing};
use crate::caller::{CallerNumber, CallersFault};
use crate::derived::DerivedFault;
use crate::record::CallRecord;
use crate::sql;
use crate::subject::{Erasure, KeptNumber, SubjectRecords, Subjects};

/// Rows that are changed in one transaction: an append waits for no more than that.
const ROWS_AT_ONCE: usize = 200;

#[async_trait]
impl Subjects for SqliteCallers {
    async fn number(&self, site: SiteId, caller: CallerRef) -> Result<Option<CallerNumber>, CallersFault> {
        if let Some(sealed) = self.store.arriving.sealed(site, caller) {
            return Ok(self.key.open(site, caller, &sealed).map(|number| CallerNumber::received(&number)));
        }
        self.kept_number(site, caller).await
    }

    async fn known(&self, site: SiteId, number: &CallerNumber) -> Result<Option<CallerRef>, CallersFault> {
        let Some(number) = number.reveal() else { return Ok(None) };
        let mac = self.key.mac(site, number);
        if let Some(caller) = self.store.arriving.known(site, &mac) {
            return Ok(Some(caller));
        }
        let mut reader = self.looking().await;
        find(&mut reader, site, &mac).await.map_err(|error| judged_caller(&error))
    }

    async fn forget(&self, site: SiteId, callers: &[CallerRef]) -> Result<u64, CallersFault> {
        let mut forgotten = Ok(0);
        for callers in callers.chunks(ROWS_AT_ONCE) {
            match (forgotten, self.forget_some(site, callers).await) {
                (Ok(before), Ok(more)) => forgotten = Ok(before + more),
                (_, fault) => {
                    forgotten = fault;
                    break;
                }
            }
        }
        // Also when not all were: those that were are to be in no file.
        let (writer, writing) = self.writer().await?;
        drop(writer);
        let emptied = writing.sweep.emptied(&writing.writer).await.map_err(|error| written(writing, &error));
        let forgotten = forgotten?;
        if emptied? {
            return Ok(forgotten);
        }
        let why = "forgotten, but somebody reads the journal's log, which is emptied as soon as it can be; ask again";
        Err(CallersFault::Unavailable(why.to_owned()))
    }

    async fn keep_erasure(&self, site: SiteId, erasure: &Erasure) -> Result<(), CallersFault> {
        let (mut writer, writing) = self.writer().await?;
        let query = sqlx::query(sql::KEEP_ERASURE)
            .bind(site.as_str().to_owned())
            .bind(erasure.id.to_string())
            .bind(erasure.caller.to_string())
            .bind(erasure.asked_by.clone())
            .bind(erasure.asked_us)
            .bind(erasure.expires_us);
        let kept = query.execute(&mut writer.connection).await;
        kept.map(drop).map_err(|error| written(writing, &error))
    }

    async fn erasure(&self, site: SiteId, id: Uuid) -> Result<Option<Erasure>, CallersFault> {
        let mut reader = self.store.reader.lock().await;
        let query = sqlx::query(sql::ERASURE).bind(site.as_str().to_owned()).bind(id.to_string());
        let row = query.fetch_optional(&mut *reader).await.map_err(|error| judged_caller(&error))?;
        row.as_ref().map(erasure).transpose().map_err(|error| judged_caller(&error))
    }

    async fn erasures(&self, site: SiteId, now_us: i64, most: usize) -> Result<Vec<Erasure>, CallersFault> {
        let mut reader = self.store.reader.lock().await;
        let query = sqlx::query(sql::ERASURES).bind(site.as_str().to_owned()).bind(now_us);
        let query = query.bind(i64::try_from(most).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *reader).await.map_err(|error| judged_caller(&error))?;
        let erasures: Result<_, Error> = rows.iter().map(erasure).collect();
        erasures.map_err(|error| judged_caller(&error))
    }

    async fn end_erasure(&self, site: SiteId, id: Uuid, by: &str, at_us: i64) -> Result<(), CallersFault> {
        let (mut writer, writing) = self.writer().await?;
        let query = sqlx::query(sql::END_ERASURE)
            .bind(site.as_str().to_owned())
            .bind(id.to_string())
            .bind(by.to_owned())
            .bind(at_us);
        let ended = query.execute(&mut writer.connection).await;
        ended.map(drop).map_err(|error| written(writing, &error))
    }

    async fn kept(
        &self,
        site: SiteId,
        after: Option<CallerRef>,
        most: usize,
    ) -> Result<Vec<KeptNumber>, CallersFault> {
        let mut reader = self.store.reader.lock().await;
        let query = sqlx::query(sql::KEPT_NUMBERS)
            .bind(site.as_str().to_owned())
            .bind(after.map(|after| after.to_string()).unwrap_or_default())
            .bind(i64::try_from(most).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *reader).await.map_err(|error| judged_caller(&error))?;
        let kept = |row: &SqliteRow| {
            let caller = reference(row.try_get("caller_ref")?)?;
            Ok(KeptNumber { caller, noticed_us: row.try_get("noticed_us")? })
        };
        let rows: Result<_, Error> = rows.iter().map(kept).collect();
        rows.map_err(|error| judged_caller(&error))
    }

    async fn notice(&self, site: SiteId, callers: &[CallerRef], at_us: i64) -> Result<(), CallersFault> {
        for callers in callers.chunks(ROWS_AT_ONCE) {
            let (mut writer, writing) = self.writer().await?;
            let noticed = notice(&mut writer.connection, site, callers, at_us).await;
            noticed.map_err(|error| written(writing, &error))?;
        }
        Ok(())
    }
}

impl SqliteCallers {
    /// Appends wait for no more than these. A row that is on its way is either written before them and found here, or
    /// never written.
    async fn forget_some(&self, site: SiteId, callers: &[CallerRef]) -> Result<u64, CallersFault> {
        let (mut writer, writing) = self.writer().await?;
        let erased = erase(&mut writer.connection, site, callers).await;
        let erased = erased.map_err(|error| written(writing, &error))?;
        // Whoever looks a number up holds this until it is known whose it is: nobody remembers afterwards what is
        // forgotten here.
        let looking = self.looking().await;
        let gone: BTreeSet<CallerRef> = callers.iter().copied().collect();
        let waited = self.store.arriving.forget(site, &gone);
        self.chance.forget(&gone);
        drop((looking, writer));
        Ok(erased + waited)
    }

    async fn writer(&self) -> Result<(MutexGuard<'_, Writer>, &Writing), CallersFault> {
        let Some(writing) = &self.store.writing else {
            return Err(CallersFault::Unavailable("it was opened to be read only".to_owned()));
        };
        let writer = writing.writer.lock().await;
        if writing.sweep.is_broken() {
            return Err(CallersFault::Unavailable("an earlier write failed; restart the server".to_owned()));
        }
        Ok((writer, writing))
    }
}

/// Why a write failed; after some the process has to end.
fn written(writing: &Writing, error: &Error) -> CallersFault {
    if fault::kind(error) == Kind::Broken {
        writing.sweep.broke();
    }
    judged_caller(error)
}

async fn erase(connection: &mut SqliteConnection, site: SiteId, callers: &[CallerRef]) -> Result<u64, Error> {
    let mut whole = connection.begin().await?;
    let mut erased = 0;
    for caller in callers {
        let query = sqlx::query(sql::ERASE_NUMBER)
            .bind(site.as_str().to_owned())
            .bind(caller.to_string())
            .bind(format!("erased {caller}"));
        erased += query.execute(&mut *whole).await?.rows_affected();
    }
    whole.commit().await?;
    Ok(erased)
}

async fn notice(
    connection: &mut SqliteConnection,
    site: SiteId,
    callers: &[CallerRef],
    at_us: i64,
) -> Result<(), Error> {
    let mut whole = connection.begin().await?;
    for caller in callers {
        let query = sqlx::query(sql::NOTICE_NUMBER)
            .bind(site.as_str().to_owned())
            .bind(caller.to_string())
            .bind(at_us);
        query.execute(&mut *whole).await?;
    }
    whole.commit().await
}

/// Every reference here whose number was forgotten.
pub(super) async fn forgotten(connection: &mut SqliteConnection) -> Result<BTreeSet<CallerRef>, Error> {
    let rows = sqlx::query(sql::ERASED).fetch_all(connection).await?;
    rows.iter().map(|row| reference(row.try_get("caller_ref")?)).collect()
}

fn erasure(row: &SqliteRow) -> Result<Erasure, Error> {
    let ended = match (row.try_get::<Option<String>, _>("ended_by")?, row.try_get("ended_us")?) {
        (Some(by), Some(at)) => Some((by, at)),
        _ => None,
    };
    Ok(Erasure {
        id: uuid(row, "erasure_id")?,
        caller: CallerRef(uuid(row, "caller_ref")?),
        asked_by: row.try_get("asked_by")?,
        asked_us: row.try_get("asked_us")?,
        expires_us: row.try_get("expires_us")?,
        ended,
    })
}

#[async_trait]
impl SubjectRecords for SqliteStore {
    async fn of_caller(
        &self,
        site: SiteId,
        caller: CallerRef,
        after: Seq,
        most: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let mut file = self.derived().await?;
        let query = sqlx::query(sql::RECORDS_OF_CALLER)
            .bind(site.as_str().to_owned())
            .bind(caller.to_string())
            .bind(number(after.0))
            .bind(i64::try_from(most).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *file).await.map_err(|error| judged_record(&error))?;
        let records: Result<_, Error> = rows.iter().map(record).collect();
        records.map_err(|error| judged_record(&error))
    }

    async fn caller_of(&self, site: SiteId, call: CallId) -> Result<Option<CallerRef>, DerivedFault> {
        let mut file = self.derived().await?;
        let query = sqlx::query(sql::CALLER_OF_CALL).bind(site.as_str().to_owned()).bind(call.to_string());
        let row = query.fetch_optional(&mut *file).await.map_err(|error| judged_record(&error))?;
        let caller = row.map(|row| uuid(&row, "caller_ref").map(CallerRef)).transpose();
        caller.map_err(|error| judged_record(&error))
    }

    async fn callers_since(&self, site: SiteId, from_us: i64) -> Result<Vec<CallerRef>, DerivedFault> {
        let mut file = self.derived().await?;
        let query = sqlx::query(sql::CALLERS_SINCE).bind(site.as_str().to_owned()).bind(from_us);
        let rows = query.fetch_all(&mut *file).await.map_err(|error| judged_record(&error))?;
        let callers: Result<_, Error> =
            rows.iter().map(|row| uuid(row, "caller_ref").map(CallerRef)).collect();
        callers.map_err(|error| judged_record(&error))
    }

    async fn drop_records(&self, site: SiteId, before_us: i64) -> Result<u64, DerivedFault> {
        let mut dropped = 0;
        loop {
            let mut file = self.derived().await?;
            let query = sqlx::query(sql::DROP_RECORDS)
                .bind(site.as_str().to_owned())
                .bind(before_us)
                .bind(i64::try_from(ROWS_AT_ONCE).unwrap_or(i64::MAX));
            let gone = query.execute(&mut *file).await.map_err(|error| judged_record(&error))?;
            if gone.rows_affected() == 0 {
                return Ok(dropped);
            }
            dropped += gone.rows_affected();
        }
    }
}
