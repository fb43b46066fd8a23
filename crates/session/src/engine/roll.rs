//! Entries of the roll.

use switchboard::id::SiteId;

use super::{Places, Statement, Stopped};
use crate::journal::Writer;
use crate::roll::RollEntry;
use crate::sql;

/// Whoever has not called for an hour is not told: a call comes every few seconds.
pub(crate) const TOLD_FOR_US: i64 = 60 * 60 * 1_000_000;

/// Whoever has not called for a day is forgotten.
const KEPT_FOR_US: i64 = 24 * TOLD_FOR_US;

/// Lets old ones go.
pub(crate) fn settled(site: SiteId, own: &RollEntry) -> Statement {
    Statement::of(sql::SETTLE_ROLL).with(site).with(own.router.as_str()).with(KEPT_FOR_US)
}

pub(crate) fn entry(row: &impl Places) -> Result<RollEntry, Stopped> {
    Ok(RollEntry {
        router: Writer::new(row.text("router")?),
        beat: row.count("beat")?,
        held: row.text("held")?,
    })
}
