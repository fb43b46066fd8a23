//! The audit in SQLite, in the journal's file: every row by a statement and a sync of its own.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _, SqliteConnection};
use switchboard::id::SiteId;

use super::fault::{self, Kind};
use super::journal::{number, place};
use super::{SqliteStore, Writing};
use crate::audit::{Audit, AuditEntry, AuditFault, AuditFilter, AuditRow, parse_hash};
use crate::sql;

#[async_trait]
impl Audit for SqliteStore {
    async fn record(&self, site: SiteId, entry: AuditEntry) -> Result<AuditRow, AuditFault> {
        let Some(Writing { writer: shared, sweep, .. }) = &self.writing else {
            return Err(AuditFault::Unavailable("it was opened to be read only".to_owned()));
        };
        let mut writer = shared.lock().await;
        if sweep.is_broken() {
            return Err(AuditFault::Unavailable("an earlier write failed; restart the server".to_owned()));
        }
        // Read each time: after a write that failed nobody but the file knows where it ends.
        let last = last(&mut writer.connection, site).await.map_err(|error| judged(&error))?;
        let row = AuditRow::behind(site, last.as_ref(), entry);
        if let Err(error) = insert(&mut writer.connection, site, &row).await {
            if fault::kind(&error) == Kind::Broken {
                sweep.broke();
            }
            return Err(judged(&error));
        }
        sweep.appended(row.entry.was.len() + row.entry.becomes.len() + row.entry.why.len(), shared);
        Ok(row)
    }

    async fn rows(
        &self,
        site: SiteId,
        filter: &AuditFilter,
        before: u64,
        rows_max: usize,
    ) -> Result<Vec<AuditRow>, AuditFault> {
        let mut reader = self.reader.lock().await;
        let query = sqlx::query(sql::AUDIT_ROWS)
            .bind(site.as_str().to_owned())
            .bind(number(before))
            .bind(filter.from_us.unwrap_or(i64::MIN))
            .bind(filter.until_us.unwrap_or(i64::MAX))
            .bind(filter.who.clone())
            .bind(filter.role.clone())
            .bind(filter.what.clone())
            .bind(filter.object.clone())
            .bind(i64::try_from(rows_max).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *reader).await.map_err(|error| judged(&error))?;
        let rows: Result<_, Error> = rows.iter().map(stored).collect();
        rows.map_err(|error| judged(&error))
    }

    async fn chain(&self, site: SiteId, after: u64, rows_max: usize) -> Result<Vec<AuditRow>, AuditFault> {
        let mut reader = self.reader.lock().await;
        let query = sqlx::query(sql::AUDIT_CHAIN)
            .bind(site.as_str().to_owned())
            .bind(number(after))
            .bind(i64::try_from(rows_max).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *reader).await.map_err(|error| judged(&error))?;
        let rows: Result<_, Error> = rows.iter().map(stored).collect();
        rows.map_err(|error| judged(&error))
    }

    async fn drop_through(&self, site: SiteId, through: u64) -> Result<(), AuditFault> {
        let Some(Writing { writer: shared, sweep, .. }) = &self.writing else {
            return Err(AuditFault::Unavailable("it was opened to be read only".to_owned()));
        };
        let mut writer = shared.lock().await;
        let query = sqlx::query(sql::DROP_AUDIT).bind(site.as_str().to_owned()).bind(number(through));
        let error = match query.execute(&mut writer.connection).await {
            Ok(dropped) => {
                let bytes = dropped.rows_affected().saturating_mul(ROW_BYTES);
                sweep.appended(usize::try_from(bytes).unwrap_or(usize::MAX), shared);
                return Ok(());
            }
            Err(error) => error,
        };
        if fault::kind(&error) == Kind::Broken {
            sweep.broke();
        }
        Err(judged(&error))
    }
}

/// About as long as a row is.
const ROW_BYTES: u64 = 512;

async fn last(connection: &mut SqliteConnection, site: SiteId) -> Result<Option<AuditRow>, Error> {
    let row = sqlx::query(sql::LAST_AUDIT).bind(site.as_str().to_owned()).fetch_optional(connection).await?;
    row.as_ref().map(stored).transpose()
}

async fn insert(connection: &mut SqliteConnection, site: SiteId, row: &AuditRow) -> Result<(), Error> {
    let AuditRow { number: nth, entry, hash } = row;
    let query = sqlx::query(sql::APPEND_AUDIT)
        .bind(site.as_str().to_owned())
        .bind(number(*nth))
        .bind(entry.wall_us)
        .bind(entry.role.clone())
        .bind(entry.who.clone())
        .bind(entry.what.clone())
        .bind(entry.object.clone())
        .bind(entry.was.clone())
        .bind(entry.becomes.clone())
        .bind(entry.why.clone())
        .bind(entry.request.clone())
        .bind(entry.outcome.clone())
        .bind(number(entry.refers_to))
        .bind(hash.to_string());
    query.execute(connection).await.map(|_| ())
}

/// A hash that is none is nobody's: the walk finds it.
fn stored(row: &SqliteRow) -> Result<AuditRow, Error> {
    let hash: String = row.try_get("hash")?;
    Ok(AuditRow {
        number: place(row, "number")?,
        entry: AuditEntry {
            wall_us: row.try_get("wall_us")?,
            role: row.try_get("role")?,
            who: row.try_get("who")?,
            what: row.try_get("what")?,
            object: row.try_get("object")?,
            was: row.try_get("was")?,
            becomes: row.try_get("becomes")?,
            why: row.try_get("why")?,
            request: row.try_get("request_id")?,
            outcome: row.try_get("outcome")?,
            refers_to: place(row, "refers_to")?,
        },
        hash: parse_hash(&hash).unwrap_or_default(),
    })
}

fn judged(error: &Error) -> AuditFault {
    match fault::kind(error) {
        Kind::Damaged | Kind::KeyTaken => AuditFault::Damaged(error.to_string()),
        _ => AuditFault::Unavailable(error.to_string()),
    }
}
