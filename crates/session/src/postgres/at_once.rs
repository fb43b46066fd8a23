//! One statement where the texts of both engines take several: each is a way to the database and back, and what a router
//! of many sites does most often. A statement whose connection broke is asked again: what it did is not done twice.

use switchboard::id::{CallerRef, Seq, SiteId};

use crate::derived::RecordCursor;
use crate::engine::records::values;
use crate::engine::{Places, Statement, Stopped, derived, number, roll as entries};
use crate::record::CallRecord;
use crate::roll::RollEntry;
use crate::sql::{RECORD_COLUMNS, in_place_of_a_record};

/// The reference of a number, which is kept if it was not there. No row if somebody else keeps it at this moment: the next
/// look finds it.
pub(super) const CALLER: &str = "WITH kept AS (INSERT INTO caller (site, caller_ref, number_mac, number_sealed) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (site, number_mac) DO NOTHING RETURNING caller_ref) \
     SELECT caller_ref FROM kept UNION ALL SELECT caller_ref FROM caller WHERE site = $1 AND number_mac = $3";

/// A router's entry, in place of its last one, by the engine's time, which says whether there was none; and those that are
/// not much older.
pub(super) const ROLL: &str = "WITH own AS (INSERT INTO roll (site, router, beat, held) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (site, router) DO UPDATE SET beat = excluded.beat, held = excluded.held, called_us = excluded.called_us \
     RETURNING called_us, CAST(CASE WHEN xmax = 0 THEN 1 ELSE 0 END AS BIGINT) AS is_new) \
     SELECT $2 AS router, $3 AS beat, $4 AS held, is_new FROM own UNION ALL \
     SELECT roll.router, roll.beat, roll.held, 0 FROM roll, own WHERE roll.site = $1 AND roll.router <> $2 \
     AND roll.called_us > own.called_us - $5 ORDER BY router";

/// A step of the records with so many of them, if nobody else made one.
pub(super) fn steps(records: usize) -> String {
    let mut text = String::from(MOVED);
    if records == 0 {
        text.push_str(" SELECT site FROM moved");
        return text;
    }
    let record = |n: usize| {
        let first = CURSOR_VALUES + 1 + n * RECORD_COLUMNS.len();
        let place = |(nth, column): (usize, &&str)| format!("CAST(${} AS {})", first + nth, kind(column));
        let places: Vec<String> = RECORD_COLUMNS.iter().enumerate().map(place).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..records).map(record).collect();
    let columns = RECORD_COLUMNS.join(", ");
    text.push_str(&format!(
        " INSERT INTO call_record (site, {columns}) SELECT moved.site, new.* FROM moved, (VALUES {}) AS new ({columns}) {} \
         RETURNING site",
        rows.join(", "),
        in_place_of_a_record()
    ));
    text
}

/// Whoever else moves the cursor waits for this one, and then sees that it was moved.
const MOVED: &str = "WITH moved AS (UPDATE record_cursor SET seq = $3, row_seq = $4, row_hash = $5 \
     WHERE site = $1 AND seq = $2 RETURNING site)";

/// The values of [`MOVED`].
const CURSOR_VALUES: usize = 5;

fn kind(column: &str) -> &'static str {
    let is_number =
        column.ends_with("_us") || column.ends_with("_seq") || ["offers", "tiers"].contains(&column);
    if is_number { "BIGINT" } else { "TEXT" }
}

pub(super) fn caller(site: SiteId, caller: CallerRef, mac: &str, sealed: String) -> Statement {
    Statement::of(CALLER).with(site).with(caller).with(mac).with(sealed)
}

pub(super) fn step(site: SiteId, from: Seq, to: RecordCursor, records: &[CallRecord]) -> Statement {
    let text = Statement::of_length(steps(records.len())).with(site).with(from);
    records.iter().fold(derived::cursor(text, to), values)
}

pub(super) fn roll(site: SiteId, own: &RollEntry) -> Statement {
    Statement::of(ROLL)
        .with(site)
        .with(own.router.as_str())
        .with(number(own.beat))
        .with(own.held.as_str())
        .with(entries::TOLD_FOR_US)
}

/// Whether this is a router's own entry and it had none before.
pub(super) fn is_new(row: &impl Places) -> Result<bool, Stopped> {
    Ok(row.number("is_new")? == 1)
}
