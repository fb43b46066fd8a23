//! Whose turn it is to append to a site, among routers none of which may hold a lock while it thinks. Whoever came second
//! again and again raises a hand: a shared lock of its session, which goes with its connection and which nobody ever waits
//! for. Whoever appends sees in the same statement whether a hand is up.

use switchboard::id::SiteId;

use crate::engine::journal::appending;
use crate::engine::{Places, Statement};
use crate::journal::Row;

/// Hands of our own: another program's locks in the same database are none. Two sites that come to the same number
/// only see each other's hands.
macro_rules! hand {
    ($site:literal) => {
        concat!("hashtextextended(", $site, ", 1752462444)")
    };
}

/// 1 if a hand is up that is not this connection's own, or another looks at this very instant. Held for no longer than it
/// takes to see that.
macro_rules! is_up {
    ($site:literal) => {
        concat!(
            "CAST(CASE WHEN NOT pg_try_advisory_lock(",
            hand!($site),
            ") THEN 1 WHEN pg_advisory_unlock(",
            hand!($site),
            ") THEN 0 ELSE 0 END AS BIGINT) AS is_awaited"
        )
    };
}

/// So many rows, each behind the last of its site only: those that are stored are the answer. What stands at their place,
/// or does not end before it, leaves a row out. In one order, so that no two such statements wait for each other.
pub(super) fn appends(rows: usize) -> String {
    let mut text = String::from(
        "INSERT INTO journal (site, seq, last_seq, at_us, wall_us, writer, format, body) SELECT * FROM (VALUES ",
    );
    for n in 0..rows {
        let place = |nth: usize| n * PLACES.len() + nth + 1;
        let places = PLACES.iter().enumerate().map(|(nth, kind)| format!("CAST(${} AS {kind})", place(nth)));
        text.push_str(if n == 0 { "(" } else { ", (" });
        text.push_str(&places.collect::<Vec<_>>().join(", "));
        text.push(')');
    }
    text.push_str(BEHIND_THE_LAST);
    text
}

/// The types of a row's values.
const PLACES: [&str; 8] = ["TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "BIGINT", "TEXT"];

const BEHIND_THE_LAST: &str = concat!(
    ") AS new (site, seq, last_seq, at_us, wall_us, writer, format, body) WHERE new.seq = 1 + COALESCE((SELECT \
     journal.last_seq FROM journal WHERE journal.site = new.site ORDER BY journal.seq DESC LIMIT 1), 0) \
     ORDER BY new.site ON CONFLICT DO NOTHING RETURNING site, ",
    is_up!("site")
);

pub(super) const LOOK: &str = concat!("SELECT ", is_up!("$1"));

pub(super) const RAISE: &str = concat!(
    "SELECT CAST(CASE WHEN pg_try_advisory_lock_shared(",
    hand!("$1"),
    ") THEN 1 ELSE 0 END AS BIGINT) AS is_raised"
);

pub(super) const LOWER: &str = concat!(
    "SELECT CAST(CASE WHEN pg_advisory_unlock_shared(",
    hand!("$1"),
    ") THEN 0 ELSE 0 END AS BIGINT) AS is_raised"
);

pub(super) fn append<'a>(rows: impl ExactSizeIterator<Item = (SiteId, &'a Row)>) -> Statement {
    let text = Statement::of_length(appends(rows.len()));
    rows.fold(text, |text, (site, row)| appending(text, site, row))
}

/// Raises the hand of a connection for a site, or lowers it; each time as often as the other.
pub(super) fn raise(site: SiteId, up: bool) -> Statement {
    Statement::of(if up { RAISE } else { LOWER }).with(site)
}

pub(super) fn is_raised(rows: &[impl Places]) -> bool {
    rows.first().is_some_and(|row| row.number("is_raised") == Ok(1))
}

pub(super) fn look(site: SiteId) -> Statement {
    Statement::of(LOOK).with(site)
}

/// Whether somebody else's hand is up.
pub(super) fn is_awaited(row: &impl Places) -> bool {
    row.number("is_awaited") == Ok(1)
}
