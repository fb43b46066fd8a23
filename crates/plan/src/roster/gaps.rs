//! Stretches of a line's open hours in which nobody who may answer it is on shift.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use switchboard::command::EdgeKind;
use switchboard::id::{LineId, OperatorId};
use switchboard::plan::Plan;
use switchboard::time::SiteTime;

use super::Roster;
use crate::lint::Staff;
use crate::schedule::{Anchor, ScheduleError, edges};

/// A line is open and nobody in any of its tiers of people is on shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The line.
    pub line: LineId,
    /// Since when, in microseconds since 1970 UTC.
    pub from_us: i64,
    /// Until when, in microseconds since 1970 UTC.
    pub to_us: i64,
}

/// From and until, in microseconds since 1970 UTC.
pub(super) type Times = (i64, i64);

const DAY_US: i64 = 86_400_000_000;

/// Every gap in the `days` × 24 h from a moment on, in the order of lines, then of time. The moment is in microseconds
/// since 1970 UTC.
///
/// # Errors
/// [`ScheduleError`], when the plan's zone is unknown or the time too far.
pub fn gaps(
    plan: &Plan,
    staff: &Staff,
    roster: &Roster,
    from_us: i64,
    days: u16,
) -> Result<Vec<Gap>, ScheduleError> {
    let until_us = from_us.saturating_add(i64::from(days) * DAY_US);
    let open = open(plan, from_us, until_us, days)?;
    let roster = roster.in_zone_of(plan)?;
    let mut on_shift: BTreeMap<OperatorId, Vec<Times>> = BTreeMap::new();
    for stretch in roster.stretches_between(from_us, until_us)? {
        on_shift.entry(stretch.operator).or_default().push((stretch.from_us, stretch.to_us));
    }
    let mut covered: BTreeMap<BTreeSet<OperatorId>, Vec<Times>> = BTreeMap::new();
    let mut gaps = Vec::new();
    for (id, line) in &plan.lines {
        let answerers = staff.answerers(*id, line);
        let covered = covered.entry(answerers).or_insert_with_key(|who| union(who, &on_shift));
        let open = open.get(id).map(Vec::as_slice).unwrap_or_default();
        let uncovered = without(open, covered).into_iter();
        gaps.extend(uncovered.map(|(from_us, to_us)| Gap { line: *id, from_us, to_us }));
    }
    Ok(gaps)
}

/// When each line is open.
pub(super) fn open(
    plan: &Plan,
    from_us: i64,
    until_us: i64,
    days: u16,
) -> Result<BTreeMap<LineId, Vec<Times>>, ScheduleError> {
    let wall = Timestamp::from_microsecond(from_us).map_err(|_| ScheduleError::BeyondCalendar)?;
    let mut open: BTreeMap<LineId, Vec<Times>> = BTreeMap::new();
    for edge in edges(plan, wall, Anchor { site: SiteTime(0), wall }, days)? {
        match edge.what {
            EdgeKind::LineOpens(line) => open.entry(line).or_default().push((edge.wall_us, until_us)),
            EdgeKind::LineCloses(line) => {
                if let Some(last) = open.get_mut(&line).and_then(|times| times.last_mut()) {
                    last.1 = edge.wall_us;
                }
            }
            EdgeKind::ShiftStarts { .. } => {}
        }
    }
    Ok(open)
}

/// When any of these people is on shift.
fn union(who: &BTreeSet<OperatorId>, on_shift: &BTreeMap<OperatorId, Vec<Times>>) -> Vec<Times> {
    let mut all: Vec<Times> = who.iter().filter_map(|id| on_shift.get(id)).flatten().copied().collect();
    all.sort_unstable();
    let mut union: Vec<Times> = Vec::new();
    for (from, to) in all {
        match union.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => union.push((from, to)),
        }
    }
    union
}

/// What is in none of the others; both are sorted and none of one's own overlap.
fn without(times: &[Times], others: &[Times]) -> Vec<Times> {
    let mut rest = Vec::new();
    for &(from, to) in times {
        let mut at = from;
        let first = others.partition_point(|other| other.1 <= from);
        for &(begins, ends) in others[first..].iter().take_while(|other| other.0 < to) {
            if begins > at {
                rest.push((at, begins));
            }
            at = at.max(ends);
        }
        if at < to {
            rest.push((at, to));
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_open_hours() {
        let open = [(0, 10), (20, 30)];
        assert_eq!(without(&open, &[]), [(0, 10), (20, 30)]);
        assert_eq!(without(&open, &[(0, 30)]), []);
        assert_eq!(without(&open, &[(2, 3), (5, 25)]), [(0, 2), (3, 5), (25, 30)]);
        assert_eq!(without(&open, &[(10, 20)]), open);
        assert_eq!(without(&[], &[(10, 20)]), []);
    }
}
