//! The journal's rows.

use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;

use super::{Places, Statement, Stopped, most, number};
use crate::journal::{Epoch, Head, JournalFault, Row, StoredRow, Writer};
use crate::sql;

/// One row.
pub(crate) fn append(site: SiteId, row: &Row) -> Statement {
    appending(Statement::of(sql::APPEND), site, row)
}

/// The values of [`sql::APPEND`], which may stand in a longer text.
pub(crate) fn appending(statement: Statement, site: SiteId, row: &Row) -> Statement {
    statement
        .with(site)
        .with(row.seq)
        .with(row.last_seq)
        .with(number(row.at.0))
        .with(row.wall_us)
        .with(row.writer.as_str())
        .with(i64::from(row.format))
        .with(row.body.as_str())
}

pub(crate) fn tail(site: SiteId, after: Seq, rows_max: usize) -> Statement {
    Statement::of(sql::TAIL).with(site).with(after).with(most(rows_max))
}

pub(crate) fn stored(row: &impl Places) -> Result<StoredRow, Stopped> {
    let inside = Row {
        seq: Seq(row.count("seq")?),
        last_seq: Seq(row.count("last_seq")?),
        at: SiteTime(row.count("at_us")?),
        wall_us: row.number("wall_us")?,
        writer: Writer::new(row.text("writer")?),
        format: format_of(row)?,
        body: row.text("body")?,
    };
    Ok(StoredRow { row: inside, store_us: row.number("store_us")? })
}

/// One beyond any this release can know is unknown all the same.
fn format_of(row: &impl Places) -> Result<u32, Stopped> {
    Ok(u32::try_from(row.number("format")?).unwrap_or(u32::MAX))
}

pub(crate) fn head(site: SiteId) -> Statement {
    Statement::of(sql::HEAD).with(site)
}

/// The last row, without its decisions.
pub(crate) struct Last {
    pub(crate) seq: Seq,
    at: SiteTime,
    wall_us: i64,
    store_us: i64,
    format: u32,
}

impl Last {
    pub(crate) fn of(row: &impl Places) -> Result<Last, Stopped> {
        Ok(Last {
            seq: Seq(row.count("last_seq")?),
            at: SiteTime(row.count("at_us")?),
            wall_us: row.number("wall_us")?,
            store_us: row.number("store_us")?,
            format: format_of(row)?,
        })
    }

    /// Where a journal stands that ends with this row, or with none.
    pub(crate) fn head(last: Option<Last>, epoch: Epoch, store_now_us: i64) -> Head {
        let nothing = Last { seq: Seq(0), at: SiteTime(0), wall_us: 0, store_us: store_now_us, format: 0 };
        let Last { seq, at, wall_us, store_us, format } = last.unwrap_or(nothing);
        Head { epoch, last_seq: seq, at, wall_us, format, store_us, store_now_us }
    }
}

pub(crate) fn heads() -> Statement {
    Statement::of(sql::HEADS)
}

/// A site and its last decision.
pub(crate) fn end_of(row: &impl Places) -> Result<(SiteId, Seq), Stopped> {
    Ok((row.named("site")?, Seq(row.count("last_seq")?)))
}

pub(crate) fn epoch() -> Statement {
    Statement::of(sql::EPOCH)
}

/// None where no life was ever begun.
pub(crate) fn epoch_of(row: &impl Places) -> Result<Option<Epoch>, Stopped> {
    Ok(row.number_or_none("epoch")?.map(|us| Epoch(us.unsigned_abs())))
}

pub(crate) fn begin_life(epoch: Epoch, now_us: i64) -> Statement {
    Statement::of(sql::BEGIN_LIFE).with(number(epoch.0)).with(now_us)
}

/// Why the journal could not be read: nothing changed.
impl From<Stopped> for JournalFault {
    fn from(stopped: Stopped) -> JournalFault {
        match stopped {
            Stopped::Damaged(why) => JournalFault::Damaged(why),
            Stopped::RestartNeeded(why) => JournalFault::RestartNeeded(why),
            other => JournalFault::Unavailable(other.told().1),
        }
    }
}
