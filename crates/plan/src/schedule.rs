//! Hours and shifts as absolute edges. The plan says "Mon-Fri 08:00-17:30" in its zone; the switchboard only knows
//! moments of site time. Summer time, and whatever else a zone does, ends here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use switchboard::command::{Edge, EdgeKind};
use switchboard::id::{LineId, OperatorId};
use switchboard::plan::{Hours, MINUTES_PER_WEEK, Plan};
use switchboard::state::EDGES_MAX;
use switchboard::time::SiteTime;

use crate::roster::{Roster, Stretch, merged};

/// Farthest a schedule is expanded: the exchange extends daily, so two weeks are plenty and a year is a mistake.
pub const DAYS_MAX: u16 = 366;

/// Site time and wall time of one moment: what ties the two clocks together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// What the site's clock shows.
    pub site: SiteTime,
    /// What the wall clock shows at that moment.
    pub wall: Timestamp,
}

impl Anchor {
    /// The site time at which the wall clock will show this, as far as anybody can know; moments before the
    /// site's beginning are its beginning.
    pub fn site_time(&self, wall: Timestamp) -> SiteTime {
        let ahead = i128::from(wall.as_microsecond()) - i128::from(self.wall.as_microsecond());
        let site = i128::from(self.site.0) + ahead;
        SiteTime(u64::try_from(site.max(0)).unwrap_or(u64::MAX))
    }
}

/// Why a schedule could not be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The plan's zone is not in the program's table: the plan did not come through [`crate::parse`].
    #[error("there is no time zone '{0}'; name one of the IANA table, as Asia/Shanghai")]
    UnknownZone(String),
    /// More than [`DAYS_MAX`].
    #[error("a schedule is expanded {DAYS_MAX} days ahead at most, not {0}")]
    TooFar(u16),
    /// The end lies beyond what dates can say.
    #[error("the schedule ends beyond the calendar")]
    BeyondCalendar,
    /// More edges than a site takes at once.
    #[error("hours and shifts have {0} edges, and a site takes {EDGES_MAX} at once; look fewer days ahead")]
    TooMany(usize),
}

/// Two readings of the end of a shift that differ by less mean the same end: clocks drift.
const SAME_END_US: u64 = 1_000_000;

/// The edges of every line's hours in the `days` × 24 h from `from` on, in order.
///
/// At `from` itself each line has an edge that says whether it is open, also a line that never closes: so the new
/// edges can replace any others. After that a line has an edge whenever what the zone's clock shows enters or leaves
/// its hours. An hour that summer time skips does not exist; one that it repeats counts twice.
///
/// # Errors
/// [`ScheduleError`], when the zone is unknown or the time too far.
pub fn edges(plan: &Plan, from: Timestamp, anchor: Anchor, days: u16) -> Result<Vec<Edge>, ScheduleError> {
    if days > DAYS_MAX {
        return Err(ScheduleError::TooFar(days));
    }
    let zone = crate::read::zone(&plan.time_zone);
    let zone = zone.map_err(|_| ScheduleError::UnknownZone(plan.time_zone.clone()))?;
    let until = from.as_second() + i64::from(days) * 86_400;
    let until = Timestamp::from_second(until).map_err(|_| ScheduleError::BeyondCalendar)?;
    let stretches = stretches(&zone, from, until);
    let mut edges = Vec::new();
    for (id, line) in &plan.lines {
        line_edges(*id, &line.hours, &stretches, anchor, &mut edges);
    }
    edges.sort();
    Ok(edges)
}

/// The edges of every line's hours and of everybody's shifts in the `days` × 24 h from `from` on, in order: all that a
/// site is told at once. Shifts of a roster that names no zone are meant in the plan's.
///
/// `people` is everybody the switchboard knows, each with the end of the shift under way, if there is one. Nobody else
/// gets an edge: the switchboard would refuse all of them. Shifts that touch are one. At `from` itself somebody has an
/// edge only if the roster says otherwise than the shift under way: it ends later or earlier, it has only come into
/// being, or there is none any more, and then it ends at once.
///
/// # Errors
/// [`ScheduleError`], when the zone is unknown, the time too far, or the edges are too many.
pub fn edges_with_shifts(
    plan: &Plan,
    roster: &Roster,
    people: &BTreeMap<OperatorId, Option<SiteTime>>,
    from: Timestamp,
    anchor: Anchor,
    days: u16,
) -> Result<Vec<Edge>, ScheduleError> {
    let mut edges = edges(plan, from, anchor, days)?;
    let from_us = from.as_microsecond();
    let roster = roster.in_zone_of(plan)?;
    let shifts = roster.shifts_between(from_us, from_us + i64::from(days) * 86_400_000_000)?;
    let mut on_shift: BTreeMap<OperatorId, Vec<Stretch>> = BTreeMap::new();
    for stretch in merged(&shifts) {
        on_shift.entry(stretch.operator).or_default().push(stretch);
    }
    for (operator, under_way) in people {
        let stretches = on_shift.get(operator).map(Vec::as_slice).unwrap_or_default();
        shift_edges(*operator, *under_way, stretches, from, anchor, &mut edges);
    }
    if edges.len() > EDGES_MAX {
        return Err(ScheduleError::TooMany(edges.len()));
    }
    edges.sort();
    Ok(edges)
}

fn shift_edges(
    operator: OperatorId,
    under_way: Option<SiteTime>,
    stretches: &[Stretch],
    from: Timestamp,
    anchor: Anchor,
    edges: &mut Vec<Edge>,
) {
    let from_us = from.as_microsecond();
    let wall = |us| Timestamp::from_microsecond(us).expect("a shift begins and ends in the calendar");
    let mut starts = |wall_us: i64, ends_at: SiteTime| {
        let at = anchor.site_time(wall(wall_us));
        if ends_at > at {
            edges.push(Edge { at, wall_us, what: EdgeKind::ShiftStarts { operator, ends_at } });
        }
    };
    let site_from = anchor.site_time(from);
    let is_on = stretches.first().is_some_and(|first| first.from_us <= from_us);
    if !is_on && under_way.is_some_and(|end| end > site_from) {
        starts(from_us, SiteTime(site_from.0.saturating_add(1)));
    }
    for stretch in stretches {
        let ends_at = anchor.site_time(wall(stretch.to_us));
        let goes_on = under_way.is_some_and(|end| end.0.abs_diff(ends_at.0) < SAME_END_US);
        if stretch.from_us > from_us || !goes_on {
            starts(stretch.from_us.max(from_us), ends_at);
        }
    }
}

/// A stretch of time in which the zone's clock runs evenly.
struct Even {
    /// Begins, in seconds since 1970 UTC.
    from: i64,
    /// Ends.
    until: i64,
    /// Local time less UTC, in seconds.
    offset: i64,
    /// The exact beginning: only the first is not at a whole second.
    begins: Timestamp,
}

fn stretches(zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<Even> {
    let changes = zone.following(from).map(|change| change.timestamp()).take_while(|at| *at < until);
    let begins: Vec<Timestamp> = std::iter::once(from).chain(changes).collect();
    let ends = begins[1..].iter().copied().chain([until]);
    begins
        .iter()
        .zip(ends)
        .map(|(begins, end)| Even {
            from: floor_second(*begins),
            until: floor_second(end),
            offset: i64::from(zone.to_offset(*begins).seconds()),
            begins: *begins,
        })
        .collect()
}

fn floor_second(at: Timestamp) -> i64 {
    at.as_microsecond().div_euclid(1_000_000)
}

fn line_edges(id: LineId, hours: &Hours, stretches: &[Even], anchor: Anchor, edges: &mut Vec<Edge>) {
    let mut open = None;
    let mut turn = |wall: Timestamp, is_open: bool| {
        if open == Some(is_open) {
            return;
        }
        open = Some(is_open);
        let what = if is_open { EdgeKind::LineOpens(id) } else { EdgeKind::LineCloses(id) };
        edges.push(Edge { at: anchor.site_time(wall), wall_us: wall.as_microsecond(), what });
    };
    for stretch in stretches {
        turn(stretch.begins, hours.contains(minute_of_week(stretch.from + stretch.offset)));
        for local in boundaries(hours, stretch.from + stretch.offset, stretch.until + stretch.offset) {
            let wall = Timestamp::from_second(local - stretch.offset)
                .expect("a moment between two of the calendar's is in the calendar");
            turn(wall, hours.contains(minute_of_week(local)));
        }
    }
}

/// Local seconds since 1970, after `from` and before `until`, at which a window begins or ends; sorted.
fn boundaries(hours: &Hours, from: i64, until: i64) -> Vec<i64> {
    const WEEK: i64 = MINUTES_PER_WEEK as i64 * 60;
    let Hours::Weekly(windows) = hours else { return Vec::new() };
    let first_monday = from - seconds_into_week(from);
    let mut boundaries = Vec::new();
    let mut monday = first_monday;
    while monday < until {
        let ends = windows.iter().flat_map(|w| [w.from, w.to]);
        boundaries.extend(
            ends.map(|minute| monday + i64::from(minute) * 60).filter(|at| (from + 1..until).contains(at)),
        );
        monday += WEEK;
    }
    boundaries.sort_unstable();
    boundaries.dedup();
    boundaries
}

/// Seconds since Monday 00:00 of a local time; 1970 began on a Thursday.
fn seconds_into_week(local: i64) -> i64 {
    const THURSDAY: i64 = 3 * 86_400;
    (local + THURSDAY).rem_euclid(i64::from(MINUTES_PER_WEEK) * 60)
}

fn minute_of_week(local: i64) -> u16 {
    u16::try_from(seconds_into_week(local) / 60).expect("a week has fewer minutes than sixteen bits count")
}
