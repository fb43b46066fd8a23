//! The records of calls on either engine, and who made them.

use async_trait::async_trait;
use switchboard::canonical;
use switchboard::id::{CallId, CallerRef, Seq, SiteId};
use switchboard::time::SiteTime;

use super::{Engine, Part, Places, Statement, Stopped, most, number, unreadable};
use crate::derived::{DerivedFault, RecordPlace, RecordQuery};
use crate::record::CallRecord;
use crate::sql;
use crate::subject::SubjectRecords;

/// Records that are let go in one statement: nothing else waits for more than that.
const ROWS_AT_ONCE: i64 = 200;

#[async_trait]
impl<S: Engine> SubjectRecords for S {
    async fn of_caller(
        &self,
        site: SiteId,
        caller: CallerRef,
        after: Seq,
        rows_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let asked = Statement::of(sql::RECORDS_OF_CALLER).with(site).with(caller).with(after);
        let rows = self.rows(Part::Derived, asked.with(most(rows_max))).await?;
        Ok(rows.iter().map(record).collect::<Result<_, _>>()?)
    }

    async fn caller_of(&self, site: SiteId, call: CallId) -> Result<Option<CallerRef>, DerivedFault> {
        let row = self.row(Part::Derived, Statement::of(sql::CALLER_OF_CALL).with(site).with(call)).await?;
        Ok(row.map(|row| row.uuid("caller_ref").map(CallerRef)).transpose()?)
    }

    async fn callers_since(&self, site: SiteId, from_us: i64) -> Result<Vec<CallerRef>, DerivedFault> {
        let asked = Statement::of(sql::CALLERS_SINCE).with(site).with(from_us);
        let rows = self.rows(Part::Derived, asked).await?;
        Ok(rows.iter().map(|row| row.uuid("caller_ref").map(CallerRef)).collect::<Result<_, _>>()?)
    }

    async fn drop_records(&self, site: SiteId, before_us: i64) -> Result<u64, DerivedFault> {
        let mut dropped = 0;
        loop {
            let asked = Statement::of(sql::DROP_RECORDS).with(site).with(before_us).with(ROWS_AT_ONCE);
            let gone = self.change(Part::Derived, asked).await?;
            if gone == 0 {
                return Ok(dropped);
            }
            dropped += gone;
        }
    }
}

/// Records in one statement: the texts of statements stay few and short.
pub(crate) const RECORDS_AT_ONCE: usize = 32;

/// These records, in place of what they were.
pub(crate) fn replaced(site: SiteId, records: &[CallRecord]) -> Vec<Statement> {
    let of_some = |records: &[CallRecord]| {
        let kept = Statement::of_length(sql::keep_records(records.len())).with(site);
        records.iter().fold(kept, values)
    };
    records.chunks(RECORDS_AT_ONCE).map(of_some).collect()
}

/// A record in the order of its columns.
pub(crate) fn values(statement: Statement, record: &CallRecord) -> Statement {
    let asked = record.closed.is_none().then(|| canonical::encode(&record.asked));
    statement
        .with(record.call)
        .with(record.first_seq)
        .with(record.last_seq)
        .with(record.gateway.as_str())
        .with(record.caller)
        .with(canonical::encode(&record.kind))
        .with(record.called.as_str())
        .with(record.line.as_str())
        .with(canonical::encode(&record.class))
        .with(record.wall_us)
        .with(number(record.rang_at.0))
        .with(record.answered.map(|(at, _)| number(at.0)))
        .with(record.answered.map(|(_, operator)| operator.as_str().to_owned()))
        .with(i64::from(record.offers))
        .with(i64::from(record.tiers))
        .with(record.closed.map(|(at, _)| number(at.0)))
        .with(record.closed.map(|(_, outcome)| canonical::encode(&outcome)))
        .with(asked)
}

/// Those that are asked for, the latest first.
pub(crate) fn latest(
    site: SiteId,
    asked: &RecordQuery,
    behind: Option<RecordPlace>,
    records_max: usize,
) -> Statement {
    let RecordQuery { line, operator, caller, outcome, from_wall_us, until_wall_us, calls } = asked;
    let text = if calls.is_some() { sql::LATEST_RECORDS_BETWEEN } else { sql::LATEST_RECORDS };
    let statement = Statement::of(text)
        .with(site)
        .with(behind.map_or(i64::MAX, |place| number(place.first_seq.0)))
        .with(behind.map(|place| place.call.to_string()).unwrap_or_default())
        .with(line.map(|line| line.to_string()).unwrap_or_default())
        .with(operator.map(|operator| operator.to_string()).unwrap_or_default())
        .with(caller.map(|caller| caller.to_string()).unwrap_or_default())
        .with(outcome.map(|outcome| canonical::encode(&outcome)).unwrap_or_default())
        .with(from_wall_us.unwrap_or(i64::MIN))
        .with(until_wall_us.unwrap_or(i64::MAX))
        .with(most(records_max));
    match *calls {
        Some((first, last)) => statement.with(first).with(last),
        None => statement,
    }
}

pub(crate) fn record(row: &impl Places) -> Result<CallRecord, Stopped> {
    let answered = match (time(row, "answered_us")?, row.text_or_none("answered_by")?) {
        (Some(at), Some(operator)) => {
            Some((at, operator.parse().map_err(|_| unreadable("answered_by", &operator, "not a name"))?))
        }
        _ => None,
    };
    let closed = match (time(row, "closed_us")?, row.text_or_none("outcome")?) {
        (Some(at), Some(outcome)) => Some((at, coded("outcome", &outcome)?)),
        _ => None,
    };
    let asked = row.text_or_none("asked")?;
    Ok(CallRecord {
        call: CallId(row.uuid("call_id")?),
        first_seq: Seq(row.count("first_seq")?),
        last_seq: Seq(row.count("last_seq")?),
        gateway: row.named("gateway")?,
        caller: CallerRef(row.uuid("caller_ref")?),
        kind: coded("kind", &row.text("kind")?)?,
        called: row.named("line_called")?,
        line: row.named("line")?,
        class: coded("class", &row.text("class")?)?,
        wall_us: row.number("wall_us")?,
        rang_at: SiteTime(row.count("rang_us")?),
        answered,
        offers: u32::try_from(row.count("offers")?).unwrap_or(u32::MAX),
        tiers: u32::try_from(row.count("tiers")?).unwrap_or(u32::MAX),
        closed,
        asked: asked.map(|text| coded("asked", &text)).transpose()?.unwrap_or_default(),
    })
}

fn time(row: &impl Places, column: &'static str) -> Result<Option<SiteTime>, Stopped> {
    let number = row.number_or_none(column)?;
    let time = |us: i64| u64::try_from(us).map(SiteTime).map_err(|fault| unreadable(column, us, fault));
    number.map(time).transpose()
}

fn coded<T: serde::de::DeserializeOwned>(column: &'static str, text: &str) -> Result<T, Stopped> {
    canonical::decode(text).map_err(|fault| unreadable(column, text, fault))
}
