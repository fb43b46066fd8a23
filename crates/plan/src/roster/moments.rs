//! Shifts as moments of the wall clock.
//!
//! A time that the clock skips when it is put forward is the moment at which it is put forward. A time that comes
//! twice when the clock is put back begins a shift the first time and ends one the second time: nobody is ever off
//! because of a clock.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use switchboard::id::OperatorId;

use super::{NamedShift, Roster};
use crate::schedule::{DAYS_MAX, ScheduleError};

/// One person's shift.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    /// Whose.
    pub operator: OperatorId,
    /// Which of the roster's named shifts.
    pub name: String,
    /// When it begins, in microseconds since 1970 UTC.
    pub from_us: i64,
    /// When it ends, in microseconds since 1970 UTC.
    pub to_us: i64,
}

/// A time in which somebody is on shift without a break, whatever the shifts are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// Who.
    pub operator: OperatorId,
    /// Since when, in microseconds since 1970 UTC.
    pub from_us: i64,
    /// Until when, in microseconds since 1970 UTC.
    pub to_us: i64,
}

const DAY_US: i64 = 86_400_000_000;

impl Roster {
    /// Every shift of which some part lies between two moments, whole, in the order in which they begin. Moments are
    /// in microseconds since 1970 UTC.
    ///
    /// # Errors
    /// [`ScheduleError`], when that is more than [`DAYS_MAX`] days, or beyond the calendar.
    pub fn shifts_between(&self, from_us: i64, until_us: i64) -> Result<Vec<Shift>, ScheduleError> {
        let length = i128::from(until_us) - i128::from(from_us);
        if length > i128::from(DAYS_MAX) * i128::from(DAY_US) {
            return Err(ScheduleError::TooFar(
                u16::try_from(length / i128::from(DAY_US)).unwrap_or(u16::MAX),
            ));
        }
        let date = |us| {
            let moment = Timestamp::from_microsecond(us).map_err(|_| ScheduleError::BeyondCalendar)?;
            Ok(self.zone.to_datetime(moment).date())
        };
        // A shift may begin the day before, and a zone may have left a day out.
        let first = date(from_us)?.checked_sub(jiff::Span::new().days(2)).unwrap_or(Date::MIN);
        let last = date(until_us)?;
        let mut shifts = Vec::new();
        let mut day = first;
        while day <= last {
            for assigned in self.on_date(day) {
                let named = &self.shifts[assigned.shift];
                let Some((from, to)) = whole(&self.zone, day, named) else { continue };
                if to > from_us && from < until_us {
                    let name = named.name.clone();
                    shifts.push(Shift { operator: assigned.operator, name, from_us: from, to_us: to });
                }
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        shifts.sort_by(|a, b| (a.from_us, a.to_us, a).cmp(&(b.from_us, b.to_us, b)));
        Ok(shifts)
    }

    /// When each person is on shift between two moments: shifts that touch are one, and nothing lies outside.
    ///
    /// # Errors
    /// As [`Roster::shifts_between`].
    pub fn stretches_between(&self, from_us: i64, until_us: i64) -> Result<Vec<Stretch>, ScheduleError> {
        let mut stretches = merged(&self.shifts_between(from_us, until_us)?);
        for stretch in &mut stretches {
            stretch.from_us = stretch.from_us.max(from_us);
            stretch.to_us = stretch.to_us.min(until_us);
        }
        Ok(stretches)
    }
}

/// One person's shifts that touch or overlap, as one; in the order of operators, then of time.
pub(crate) fn merged(shifts: &[Shift]) -> Vec<Stretch> {
    let mut by_operator: BTreeMap<OperatorId, Vec<Stretch>> = BTreeMap::new();
    for shift in shifts {
        let stretches = by_operator.entry(shift.operator).or_default();
        match stretches.last_mut() {
            Some(last) if shift.from_us <= last.to_us => last.to_us = last.to_us.max(shift.to_us),
            _ => stretches.push(Stretch {
                operator: shift.operator,
                from_us: shift.from_us,
                to_us: shift.to_us,
            }),
        }
    }
    by_operator.into_values().flatten().collect()
}

/// When a shift of this date begins and ends; not at all if the clock skips the whole of it.
fn whole(zone: &TimeZone, date: Date, shift: &NamedShift) -> Option<(i64, i64)> {
    let from = moment(zone, date, shift.from, false)?;
    let to = moment(zone, date, shift.to, true)?;
    (from < to).then_some((from.as_microsecond(), to.as_microsecond()))
}

/// The moment of a minute of a date; none beyond the calendar.
fn moment(zone: &TimeZone, date: Date, minute: u16, is_end: bool) -> Option<Timestamp> {
    let local = local(date, minute)?;
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } if !is_end => before.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { after, .. } => after.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            let before_the_change = after.to_timestamp(local).ok()?;
            zone.following(before_the_change).next().map(|change| change.timestamp())
        }
    }
}

/// If the clock skips this minute of a date: what it shows instead.
pub(super) fn shown_instead(zone: &TimeZone, date: Date, minute: u16) -> Option<jiff::civil::DateTime> {
    let ambiguous = zone.to_ambiguous_timestamp(local(date, minute)?);
    let is_skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    is_skipped.then(|| moment(zone, date, minute, false)).flatten().map(|at| zone.to_datetime(at))
}

fn local(date: Date, minute: u16) -> Option<jiff::civil::DateTime> {
    let midnight = date.at(0, 0, 0, 0);
    midnight.checked_add(jiff::Span::new().minutes(i64::from(minute))).ok()
}
