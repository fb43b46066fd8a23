//! Snapshots and call records in a file of their own, which may be deleted at any time: writing them never holds an
//! append up, and a fault in it never touches the journal.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Error, Row as _, SqliteConnection};
use switchboard::canonical::{self, Hash};
use switchboard::id::{CallId, CallerRef, Seq, SiteId};
use switchboard::time::SiteTime;
use tokio::sync::MutexGuard;
use uuid::Uuid;

use super::SqliteStore;
use super::fault::{self, Kind};
use super::journal::{number, place};
use super::seal::unhex;
use crate::crash::{CrashPoint, reached};
use crate::derived::{
    Derived, DerivedFault, RecordCursor, RecordPlace, RecordQuery, RowMark, Snapshot, superfluous,
};
use crate::record::CallRecord;
use crate::sql;

#[async_trait]
impl Derived for SqliteStore {
    async fn keep_snapshot(&self, site: SiteId, snapshot: &Snapshot) -> Result<(), DerivedFault> {
        let mut file = self.derived().await?;
        keep_snapshot(&mut file, site, snapshot).await.map_err(|error| judged(&error))
    }

    async fn snapshot(&self, site: SiteId, at_most: Seq) -> Result<Option<Snapshot>, DerivedFault> {
        let mut file = self.derived().await?;
        snapshot(&mut file, site, at_most).await.map_err(|error| judged(&error))
    }

    async fn record_cursor(&self, site: SiteId) -> Result<Option<RecordCursor>, DerivedFault> {
        let mut file = self.derived().await?;
        cursor(&mut file, site).await.map_err(|error| judged(&error))
    }

    async fn keep_records(
        &self,
        site: SiteId,
        records: &[CallRecord],
        from: Option<Seq>,
        to: RecordCursor,
    ) -> Result<(), DerivedFault> {
        let mut file = self.derived().await?;
        let kept = keep_records(&mut file, site, records, from, to).await;
        if kept.map_err(|error| judged(&error))? { Ok(()) } else { Err(DerivedFault::Moved) }
    }

    async fn open_records(&self, site: SiteId) -> Result<Vec<CallRecord>, DerivedFault> {
        let mut file = self.derived().await?;
        open_records(&mut file, site).await.map_err(|error| judged(&error))
    }

    async fn records(
        &self,
        site: SiteId,
        after: Seq,
        records_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let mut file = self.derived().await?;
        records(&mut file, site, after, records_max).await.map_err(|error| judged(&error))
    }

    async fn record(&self, site: SiteId, call: CallId) -> Result<Option<CallRecord>, DerivedFault> {
        let mut file = self.derived().await?;
        of_call(&mut file, site, call).await.map_err(|error| judged(&error))
    }

    async fn latest_records(
        &self,
        site: SiteId,
        asked: &RecordQuery,
        behind: Option<RecordPlace>,
        records_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let mut file = self.derived().await?;
        latest_records(&mut file, site, asked, behind, records_max).await.map_err(|error| judged(&error))
    }

    async fn forget_records(&self, site: SiteId) -> Result<(), DerivedFault> {
        let mut file = self.derived().await?;
        forget_records(&mut file, site).await.map_err(|error| judged(&error))
    }
}

impl SqliteStore {
    pub(super) async fn derived(&self) -> Result<MutexGuard<'_, SqliteConnection>, DerivedFault> {
        match &self.derived {
            Some(file) => Ok(file.lock().await),
            None => Err(DerivedFault::Unavailable("there is no derived.db".to_owned())),
        }
    }
}

pub(super) fn judged(error: &Error) -> DerivedFault {
    match fault::kind(error) {
        Kind::Damaged | Kind::KeyTaken => DerivedFault::Damaged(error.to_string()),
        _ => DerivedFault::Unavailable(error.to_string()),
    }
}

async fn keep_snapshot(
    connection: &mut SqliteConnection,
    site: SiteId,
    snapshot: &Snapshot,
) -> Result<(), Error> {
    let mut whole = connection.begin().await?;
    drop_snapshot(&mut whole, site, snapshot.seq).await?;
    insert_snapshot(&mut whole, site, snapshot).await?;
    let seqs = sqlx::query(sql::SNAPSHOT_SEQS).bind(site.as_str().to_owned()).fetch_all(&mut *whole).await?;
    let seqs: Vec<Seq> = seqs.iter().map(|row| place(row, "seq").map(Seq)).collect::<Result<_, _>>()?;
    for seq in superfluous(&seqs) {
        drop_snapshot(&mut whole, site, seq).await?;
    }
    reached(CrashPoint::WithinSnapshot);
    whole.commit().await
}

async fn insert_snapshot(
    connection: &mut SqliteConnection,
    site: SiteId,
    snapshot: &Snapshot,
) -> Result<(), Error> {
    let query = sqlx::query(sql::KEEP_SNAPSHOT)
        .bind(site.as_str().to_owned())
        .bind(number(snapshot.seq.0))
        .bind(i64::from(snapshot.state_version))
        .bind(number(snapshot.row.seq.0))
        .bind(snapshot.row.hash.to_string())
        .bind(snapshot.hash.to_string())
        .bind(snapshot.body.clone());
    query.execute(connection).await.map(|_| ())
}

async fn drop_snapshot(connection: &mut SqliteConnection, site: SiteId, seq: Seq) -> Result<(), Error> {
    let query = sqlx::query(sql::DROP_SNAPSHOT).bind(site.as_str().to_owned()).bind(number(seq.0));
    query.execute(connection).await.map(|_| ())
}

async fn snapshot(
    connection: &mut SqliteConnection,
    site: SiteId,
    at_most: Seq,
) -> Result<Option<Snapshot>, Error> {
    let query = sqlx::query(sql::SNAPSHOT).bind(site.as_str().to_owned()).bind(number(at_most.0));
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    let version: i64 = row.try_get("state_version")?;
    Ok(Some(Snapshot {
        seq: Seq(place(&row, "seq")?),
        state_version: u32::try_from(version).unwrap_or(u32::MAX),
        row: mark(&row)?,
        hash: hash(&row, "hash")?,
        body: row.try_get("body")?,
    }))
}

async fn cursor(connection: &mut SqliteConnection, site: SiteId) -> Result<Option<RecordCursor>, Error> {
    let query = sqlx::query(sql::RECORD_CURSOR).bind(site.as_str().to_owned());
    let row = query.fetch_optional(connection).await?;
    row.map(|row| Ok(RecordCursor { seq: Seq(place(&row, "seq")?), row: mark(&row)? })).transpose()
}

/// Says no if the cursor is not where it should be.
async fn keep_records(
    connection: &mut SqliteConnection,
    site: SiteId,
    records: &[CallRecord],
    from: Option<Seq>,
    to: RecordCursor,
) -> Result<bool, Error> {
    let mut whole = connection.begin().await?;
    for records in records.chunks(RECORDS_AT_ONCE) {
        replace_records(&mut whole, site, records).await?;
    }
    let moved = match from {
        Some(from) => move_cursor(&mut whole, site, from, to).await,
        None => begin_cursor(&mut whole, site, to).await,
    };
    reached(CrashPoint::WithinRecords);
    match moved {
        Ok(true) => whole.commit().await.map(|()| true),
        Ok(false) => whole.rollback().await.map(|()| false),
        Err(error) if fault::kind(&error) == Kind::KeyTaken => whole.rollback().await.map(|()| false),
        Err(error) => Err(error),
    }
}

async fn move_cursor(
    connection: &mut SqliteConnection,
    site: SiteId,
    from: Seq,
    to: RecordCursor,
) -> Result<bool, Error> {
    let query = sqlx::query(sql::MOVE_RECORD_CURSOR)
        .bind(site.as_str().to_owned())
        .bind(number(from.0))
        .bind(number(to.seq.0))
        .bind(number(to.row.seq.0))
        .bind(to.row.hash.to_string());
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

async fn begin_cursor(
    connection: &mut SqliteConnection,
    site: SiteId,
    to: RecordCursor,
) -> Result<bool, Error> {
    let query = sqlx::query(sql::BEGIN_RECORD_CURSOR)
        .bind(site.as_str().to_owned())
        .bind(number(to.seq.0))
        .bind(number(to.row.seq.0))
        .bind(to.row.hash.to_string());
    query.execute(connection).await.map(|_| true)
}

/// Records in one question to the engine: the texts of questions stay few and short.
const RECORDS_AT_ONCE: usize = 32;

async fn replace_records(
    connection: &mut SqliteConnection,
    site: SiteId,
    records: &[CallRecord],
) -> Result<(), Error> {
    let mut query =
        sqlx::query(AssertSqlSafe(sql::replace_records(records.len()))).bind(site.as_str().to_owned());
    for record in records {
        let asked = record.closed.is_none().then(|| canonical::encode(&record.asked));
        query = query
            .bind(record.call.to_string())
            .bind(number(record.first_seq.0))
            .bind(number(record.last_seq.0))
            .bind(record.gateway.as_str().to_owned())
            .bind(record.caller.to_string())
            .bind(canonical::encode(&record.kind))
            .bind(record.called.as_str().to_owned())
            .bind(record.line.as_str().to_owned())
            .bind(canonical::encode(&record.class))
            .bind(record.wall_us)
            .bind(number(record.rang_at.0))
            .bind(record.answered.map(|(at, _)| number(at.0)))
            .bind(record.answered.map(|(_, operator)| operator.as_str().to_owned()))
            .bind(i64::from(record.offers))
            .bind(i64::from(record.tiers))
            .bind(record.closed.map(|(at, _)| number(at.0)))
            .bind(record.closed.map(|(_, outcome)| canonical::encode(&outcome)))
            .bind(asked);
    }
    query.execute(connection).await.map(|_| ())
}

async fn open_records(connection: &mut SqliteConnection, site: SiteId) -> Result<Vec<CallRecord>, Error> {
    let query = sqlx::query(sql::OPEN_RECORDS).bind(site.as_str().to_owned());
    query.fetch_all(connection).await?.iter().map(record).collect()
}

async fn records(
    connection: &mut SqliteConnection,
    site: SiteId,
    after: Seq,
    records_max: usize,
) -> Result<Vec<CallRecord>, Error> {
    let query = sqlx::query(sql::RECORDS)
        .bind(site.as_str().to_owned())
        .bind(number(after.0))
        .bind(i64::try_from(records_max).unwrap_or(i64::MAX));
    query.fetch_all(connection).await?.iter().map(record).collect()
}

async fn of_call(
    connection: &mut SqliteConnection,
    site: SiteId,
    call: CallId,
) -> Result<Option<CallRecord>, Error> {
    let query = sqlx::query(sql::RECORD).bind(site.as_str().to_owned()).bind(call.to_string());
    query.fetch_optional(connection).await?.as_ref().map(record).transpose()
}

async fn latest_records(
    connection: &mut SqliteConnection,
    site: SiteId,
    asked: &RecordQuery,
    behind: Option<RecordPlace>,
    records_max: usize,
) -> Result<Vec<CallRecord>, Error> {
    let RecordQuery { line, operator, caller, outcome, from_wall_us, until_wall_us } = asked;
    let query = sqlx::query(sql::LATEST_RECORDS)
        .bind(site.as_str().to_owned())
        .bind(behind.map_or(i64::MAX, |place| number(place.first_seq.0)))
        .bind(behind.map(|place| place.call.to_string()).unwrap_or_default())
        .bind(line.map(|line| line.to_string()).unwrap_or_default())
        .bind(operator.map(|operator| operator.to_string()).unwrap_or_default())
        .bind(caller.map(|caller| caller.to_string()).unwrap_or_default())
        .bind(outcome.map(|outcome| canonical::encode(&outcome)).unwrap_or_default())
        .bind(from_wall_us.unwrap_or(i64::MIN))
        .bind(until_wall_us.unwrap_or(i64::MAX))
        .bind(i64::try_from(records_max).unwrap_or(i64::MAX));
    query.fetch_all(connection).await?.iter().map(record).collect()
}

async fn forget_records(connection: &mut SqliteConnection, site: SiteId) -> Result<(), Error> {
    let mut whole = connection.begin().await?;
    sqlx::query(sql::FORGET_RECORDS).bind(site.as_str().to_owned()).execute(&mut *whole).await?;
    sqlx::query(sql::FORGET_RECORD_CURSOR).bind(site.as_str().to_owned()).execute(&mut *whole).await?;
    whole.commit().await
}

pub(super) fn record(row: &SqliteRow) -> Result<CallRecord, Error> {
    let answered_by: Option<String> = row.try_get("answered_by")?;
    let answered = match (time(row, "answered_us")?, answered_by) {
        (Some(at), Some(operator)) => Some((at, name(&operator)?)),
        _ => None,
    };
    let closed = match (time(row, "closed_us")?, row.try_get::<Option<String>, _>("outcome")?) {
        (Some(at), Some(outcome)) => Some((at, coded(&outcome)?)),
        _ => None,
    };
    let asked: Option<String> = row.try_get("asked")?;
    Ok(CallRecord {
        call: CallId(uuid(row, "call_id")?),
        first_seq: Seq(place(row, "first_seq")?),
        last_seq: Seq(place(row, "last_seq")?),
        gateway: named(row, "gateway")?,
        caller: CallerRef(uuid(row, "caller_ref")?),
        kind: coded(row.try_get("kind")?)?,
        called: named(row, "line_called")?,
        line: named(row, "line")?,
        class: coded(row.try_get("class")?)?,
        wall_us: row.try_get("wall_us")?,
        rang_at: SiteTime(place(row, "rang_us")?),
        answered,
        offers: u32::try_from(place(row, "offers")?).unwrap_or(u32::MAX),
        tiers: u32::try_from(place(row, "tiers")?).unwrap_or(u32::MAX),
        closed,
        asked: asked.map(|text| coded(&text)).transpose()?.unwrap_or_default(),
    })
}

fn mark(row: &SqliteRow) -> Result<RowMark, Error> {
    Ok(RowMark { seq: Seq(place(row, "row_seq")?), hash: hash(row, "row_hash")? })
}

fn time(row: &SqliteRow, column: &'static str) -> Result<Option<SiteTime>, Error> {
    let number: Option<i64> = row.try_get(column)?;
    number.map(|us| u64::try_from(us).map(SiteTime).map_err(|fault| Error::Decode(fault.into()))).transpose()
}

fn hash(row: &SqliteRow, column: &'static str) -> Result<Hash, Error> {
    let text: String = row.try_get(column)?;
    let bytes = unhex(&text).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Hash).ok_or_else(|| Error::Decode(format!("{column} is not a hash").into()))
}

pub(super) fn uuid(row: &SqliteRow, column: &'static str) -> Result<Uuid, Error> {
    let text: String = row.try_get(column)?;
    Uuid::parse_str(&text).map_err(|fault| Error::Decode(fault.into()))
}

fn named<T: std::str::FromStr>(row: &SqliteRow, column: &'static str) -> Result<T, Error> {
    name(row.try_get(column)?)
}

fn name<T: std::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::Decode(format!("{text} is not an id").into()))
}

fn coded<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    canonical::decode(text).map_err(|fault| Error::Decode(fault.into()))
}
