//! The body of a row: its decisions as one JSON array, each in the switchboard's canonical encoding.

use switchboard::canonical;
use switchboard::decision::Decision;

use crate::journal::Row;

/// How bodies are written.
pub const FORMAT: u32 = 1;

/// The oldest way of writing that is still read.
pub const FORMAT_OLDEST: u32 = 1;

/// Why a row cannot be read. The site stops: a row that is passed over would be a decision forgotten.
#[derive(Debug, thiserror::Error)]
pub enum BodyFault {
    /// Written by a release that this one does not know.
    #[error(
        "the row at {seq} is written in format {format}; this release reads {FORMAT_OLDEST} to {FORMAT}: \
         start the release that wrote it, or a later one"
    )]
    UnknownFormat {
        /// Where the row begins.
        seq: u64,
        /// Its format.
        format: u32,
    },
    /// Not what this format says.
    #[error("the row at {seq} is damaged, restore it from a backup: {source}")]
    Malformed {
        /// Where the row begins.
        seq: u64,
        /// What the reader met.
        source: serde_json::Error,
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

/// Writes the decisions of one row, in the present [`FORMAT`].
pub fn encode<'a>(decisions: impl IntoIterator<Item = &'a Decision>) -> String {
    let mut body = String::from("[");
    for decision in decisions {
        if body.len() > 1 {
            body.push(',');
        }
        body.push_str(&decision.to_canonical());
    }
    body.push(']');
    body
}

/// Reads the decisions of one row.
///
/// # Errors
/// [`BodyFault`]: a format this release does not know, a text that is not of its format, or decisions that are not
/// numbered as the row says.
pub fn decode(row: &Row) -> Result<Vec<Decision>, BodyFault> {
    let seq = row.seq.0;
    if !(FORMAT_OLDEST..=FORMAT).contains(&row.format) {
        return Err(BodyFault::UnknownFormat { seq, format: row.format });
    }
    let decisions: Vec<Decision> =
        canonical::decode(&row.body).map_err(|source| BodyFault::Malformed { seq, source })?;
    let numbered = decisions.iter().map(|d| d.seq.0).eq(seq..=row.last_seq.0);
    if numbered { Ok(decisions) } else { Err(BodyFault::Misnumbered { seq, last_seq: row.last_seq.0 }) }
}
