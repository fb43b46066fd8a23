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

/// 1 if a hand is up that is not this connection's own. Held for no longer than it takes to see that.
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

/// The same as [`crate::sql::APPEND`], behind the last row only: no row is the answer where that one ends elsewhere.
pub(super) const APPEND: &str = concat!(
    "INSERT INTO journal (site, seq, last_seq, at_us, wall_us, writer, format, body) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $2 = 1 + \
     COALESCE((SELECT last_seq FROM journal WHERE site = $1 ORDER BY seq DESC LIMIT 1), 0) RETURNING ",
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

pub(super) fn append(site: SiteId, row: &Row) -> Statement {
    appending(Statement::of(APPEND), site, row)
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
