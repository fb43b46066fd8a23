//! The body of a row: its decisions as one JSON array, each in the switchboard's canonical encoding. Format 1 is the array
//! alone. Format 2 puts a sum of it in front, so that a text that was changed on its way to the disk or on it is known for
//! damaged also where it still reads like decisions.

use switchboard::canonical::{self, Hash};
use switchboard::decision::Decision;

use crate::crash;
use crate::journal::Row;

/// The newest way of writing. Which one a site is written in is that of its last row: see [`newest_format`].
pub const FORMAT: u32 = 2;

/// The oldest way of writing that is still read.
pub const FORMAT_OLDEST: u32 = 1;

/// What a body in format 2 is made of, around the sum and the array.
const BEFORE_SUM: &str = "{\"sum\":\"";
const BEFORE_DECISIONS: &str = "\",\"decisions\":";
const BEHIND: &str = "}";

/// Of a SHA-256 the first so many bytes: enough against whatever is not done on purpose.
const SUM_BYTES: usize = 8;

/// The newest format that this process reads, and writes where a site was raised to it: [`FORMAT`].
pub fn newest_format() -> u32 {
    crash::newest_format(FORMAT).clamp(FORMAT_OLDEST, FORMAT)
}

/// Why a row cannot be read. The site stops: a row that is passed over would be a decision forgotten.
#[derive(Debug, thiserror::Error)]
pub enum BodyFault {
    /// Written by a release that this one does not know.
    #[error(
        "the row at {seq} is written in format {format}; this release reads {FORMAT_OLDEST} to {newest}: \
         start the release that wrote it, or a later one"
    )]
    UnknownFormat {
        /// Where the row begins.
        seq: u64,
        /// Its format.
        format: u32,
        /// The newest one that is known here.
        newest: u32,
    },
    /// Not what this format says.
    #[error("the row at {seq} is damaged, restore it from a backup: {source}")]
    Malformed {
        /// Where the row begins.
        seq: u64,
        /// What the reader met.
        source: serde_json::Error,
    },
    /// Another text than was written.
    #[error(
        "the row at {seq} is damaged, restore it from a backup: its decisions are not those that were written"
    )]
    Altered {
        /// Where the row begins.
        seq: u64,
    },
    /// The decisions inside are not those the row's key promises.
    #[error(
        "the row at {seq} is damaged, restore it from a backup: it should hold decisions {seq} to {last_seq}"
    )]
    Misnumbered {
        /// Where the row begins.
        seq: u64,
        /// Where it should end.
        last_seq: u64,
    },
}

/// Whether this process reads a format.
///
/// # Errors
/// [`BodyFault::UnknownFormat`], of the row at `seq`.
pub fn check_format(seq: u64, format: u32) -> Result<(), BodyFault> {
    let newest = newest_format();
    if (FORMAT_OLDEST..=newest).contains(&format) {
        return Ok(());
    }
    Err(BodyFault::UnknownFormat { seq, format, newest })
}

/// Writes the decisions of one row, in the newest [`FORMAT`].
pub fn encode<'a>(decisions: impl IntoIterator<Item = &'a Decision>) -> String {
    encode_in(FORMAT, decisions)
}

/// Writes the decisions of one row, in a format that is not the newest perhaps.
pub fn encode_in<'a>(format: u32, decisions: impl IntoIterator<Item = &'a Decision>) -> String {
    let mut array = String::from("[");
    for decision in decisions {
        if array.len() > 1 {
            array.push(',');
        }
        array.push_str(&decision.to_canonical());
    }
    array.push(']');
    if format < 2 {
        return array;
    }
    [BEFORE_SUM, &sum(&array), BEFORE_DECISIONS, &array, BEHIND].concat()
}

/// Reads the decisions of one row.
///
/// # Errors
/// [`BodyFault`]: a format this release does not know, a text that is not of its format, or decisions that are not
/// numbered as the row says.
pub fn decode(row: &Row) -> Result<Vec<Decision>, BodyFault> {
    let seq = row.seq.0;
    check_format(seq, row.format)?;
    let array =
        if row.format < 2 { &*row.body } else { summed(&row.body).ok_or(BodyFault::Altered { seq })? };
    let decisions: Vec<Decision> =
        canonical::decode(array).map_err(|source| BodyFault::Malformed { seq, source })?;
    let numbered = decisions.iter().map(|d| d.seq.0).eq(seq..=row.last_seq.0);
    if numbered { Ok(decisions) } else { Err(BodyFault::Misnumbered { seq, last_seq: row.last_seq.0 }) }
}

/// The array inside, if it is the one that the sum was made of.
fn summed(body: &str) -> Option<&str> {
    let (said, rest) = body.strip_prefix(BEFORE_SUM)?.split_once(BEFORE_DECISIONS)?;
    let array = rest.strip_suffix(BEHIND)?;
    (said == sum(array)).then_some(array)
}

fn sum(array: &str) -> String {
    Hash::of(array).0.iter().take(SUM_BYTES).map(|byte| format!("{byte:02x}")).collect()
}
