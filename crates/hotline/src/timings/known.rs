//! What commands are asked about.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use session::{CallRecord, Derived, RecordQuery, SqliteStore};
use switchboard::id::Seq;

use super::site;

/// Records that follow a million decisions are made within this time.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(900);
/// A beginning of an id is looked for among so many of the latest calls.
const LOOKED_AT: usize = 1_000;
/// The last call is one of so many of the latest.
const LAST: usize = 500;
/// Fewest characters of a beginning, as people copy it.
const BEGINNING: usize = 8;

/// What commands are asked about.
pub(super) struct Known {
    /// The first call, one of the middle, and one of the last.
    pub(super) calls: [String; 3],
    /// A beginning of the last one's id that no other has.
    pub(super) beginning: String,
    /// The last one's id with one digit wrong, which is no call's.
    pub(super) mistyped: String,
    /// The caller of the one of the middle.
    pub(super) caller: String,
    /// Somebody who answered behind the middle.
    pub(super) operator: String,
    /// When the call of the middle rang in.
    pub(super) middle: u64,
    /// When that operator was certainly there.
    pub(super) here: u64,
    /// The last decision that was made for this.
    pub(super) last: u64,
    /// When the first call rang in, by the wall clock, in microseconds since 1970 UTC.
    pub(super) first_wall_us: i64,
}

/// Waits until the records have followed the decisions, and picks some of them.
///
/// # Errors
/// When they cannot be read, or do not follow in time.
pub(super) async fn known(data: &Path, decisions: u64) -> Result<Known> {
    let store = SqliteStore::inspect(data).await?;
    let give_up_at = Instant::now() + FOLLOWED_WITHIN;
    while store.record_cursor(site()).await?.is_none_or(|cursor| cursor.seq.0 < decisions) {
        if Instant::now() > give_up_at {
            bail!("the records did not follow the decisions");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let at = async |after: u64| -> Result<CallRecord> {
        let records = store.records(site(), Seq(after), 1).await?;
        records.into_iter().next().context("there are calls")
    };
    let (first, middle) = (at(0).await?, at(decisions / 2).await?);
    let answered = store.records(site(), Seq(decisions / 2), 1_000).await?;
    let answered = answered.iter().find_map(|record| Some((record.answered?.1, record.last_seq)));
    let (operator, here) = answered.context("somebody answered")?;
    let latest = store.latest_records(site(), &RecordQuery::default(), None, LOOKED_AT).await?;
    let ids: Vec<String> = latest.iter().map(|record| record.call.to_string()).collect();
    let last = latest.iter().take(LAST).rfind(|record| record.closed.is_some());
    let last = last.context("a call is over")?.call.to_string();
    Ok(Known {
        beginning: beginning(&last, &ids),
        mistyped: mistyped(&last, &ids).context("not every id is a call's")?,
        caller: middle.caller.to_string(),
        operator: operator.to_string(),
        middle: middle.first_seq.0,
        here: here.0,
        last: decisions,
        first_wall_us: first.wall_us,
        calls: [first.call.to_string(), middle.call.to_string(), last],
    })
}

/// The shortest that is of this id and of none of the others, and long enough.
fn beginning(id: &str, all: &[String]) -> String {
    let shared = |other: &String| id.bytes().zip(other.bytes()).take_while(|(one, two)| one == two).count();
    let longest = all.iter().filter(|other| other.as_str() != id).map(shared).max().unwrap_or(0);
    id[..(longest + 1).clamp(BEGINNING, id.len())].to_owned()
}

/// One that differs in its last digit from this id, and is none of the others.
fn mistyped(id: &str, all: &[String]) -> Option<String> {
    let stem = &id[..id.len() - 1];
    let mut slips = "0123456789abcdef".chars().map(|digit| format!("{stem}{digit}"));
    slips.find(|slip| slip != id && !all.contains(slip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_of_one_call_and_a_slip_of_none() {
        let ids = ["01900000-0000-7000-8000-00000000000a", "01900000-0000-7000-8000-0000000000b0"];
        let all = ids.map(str::to_owned);
        assert_eq!(beginning(ids[0], &all), "01900000-0000-7000-8000-00000000000");
        assert_eq!(beginning("ff900000-0000-7000-8000-00000000000a", &all), "ff900000");
        assert_eq!(mistyped(ids[0], &all).as_deref(), Some("01900000-0000-7000-8000-000000000000"));
    }
}
