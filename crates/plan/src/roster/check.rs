//! What a roster may not say, and what it probably does not mean.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use switchboard::id::OperatorId;

use super::moments::shown_instead;
use super::{Assigned, Place, Roster};
use crate::finding::Fault;
use crate::read::day_name;
use crate::schedule::{DAYS_MAX, ScheduleError};

const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;

/// More than anybody is told; the search ends there.
const FAULTS_MAX: usize = 500;

/// One person's shift in minutes since some midnight, as clocks show them.
struct Span<'r> {
    from: i64,
    to: i64,
    assigned: &'r Assigned,
    date: Option<Date>,
}

/// One person on two shifts at once, in the weekly pattern or on dates that have something of their own.
pub(super) fn overlaps(roster: &Roster) -> Vec<Fault> {
    let mut faults = weekly_overlaps(roster);
    if faults.is_empty() {
        faults = dated_overlaps(roster);
    }
    faults
}

fn weekly_overlaps(roster: &Roster) -> Vec<Fault> {
    let mut by_operator: BTreeMap<OperatorId, Vec<Span<'_>>> = BTreeMap::new();
    for (day, assigned) in (0..).zip(&roster.weekly) {
        for assigned in assigned {
            by_operator.entry(assigned.operator).or_default().push(span(roster, assigned, day * DAY, None));
        }
    }
    let mut faults = Vec::new();
    for mut spans in by_operator.into_values() {
        spans.sort_by_key(|s| (s.from, s.to));
        // Sunday's night runs into the Monday of the next week.
        let first = spans.first().map(|s| Span { from: s.from + WEEK, to: s.to + WEEK, ..*s });
        spans.extend(first);
        for (a, b) in overlapping(&spans) {
            faults.push(told(roster, a, b, &format!("on {}", named_day(b.from))));
        }
        if faults.len() > FAULTS_MAX {
            break;
        }
    }
    faults
}

fn dated_overlaps(roster: &Roster) -> Vec<Fault> {
    let mut faults = Vec::new();
    for date in roster.days.keys() {
        let mut by_operator: BTreeMap<OperatorId, Vec<Span<'_>>> = BTreeMap::new();
        let around = [date.yesterday().ok(), Some(*date), date.tomorrow().ok()];
        for (n, day) in (0..).zip(around) {
            for assigned in day.iter().flat_map(|day| roster.on_date(*day)) {
                by_operator.entry(assigned.operator).or_default().push(span(roster, assigned, n * DAY, day));
            }
        }
        for spans in by_operator.values_mut() {
            spans.sort_by_key(|s| (s.from, s.to));
            let here = overlapping(spans).filter(|(a, b)| a.date == Some(*date) || b.date == Some(*date));
            for (a, b) in here {
                let day = b.date.map(|date| format!("on {date}")).unwrap_or_default();
                faults.push(told(roster, a, b, &day));
            }
        }
        if faults.len() > FAULTS_MAX {
            break;
        }
    }
    faults
}

fn span<'r>(roster: &Roster, assigned: &'r Assigned, midnight: i64, date: Option<Date>) -> Span<'r> {
    let shift = &roster.shifts[assigned.shift];
    Span { from: midnight + i64::from(shift.from), to: midnight + i64::from(shift.to), assigned, date }
}

/// Of sorted spans, each with the one before it that reaches furthest, if it reaches into it.
fn overlapping<'s, 'r>(spans: &'s [Span<'r>]) -> impl Iterator<Item = (&'s Span<'r>, &'s Span<'r>)> {
    let mut widest: Option<&Span<'_>> = None;
    spans.iter().filter_map(move |span| {
        let before = widest;
        if widest.is_none_or(|widest| span.to >= widest.to) {
            widest = Some(span);
        }
        before.filter(|before| span.from < before.to).map(|before| (before, span))
    })
}

fn told(roster: &Roster, a: &Span<'_>, b: &Span<'_>, when: &str) -> Fault {
    let name = |span: &Span<'_>| roster.shifts[span.assigned.shift].name.as_str();
    let operator = a.assigned.operator;
    let (reason, mend) = if a.from == b.from && a.assigned.shift == b.assigned.shift {
        (format!("'{operator}' has the shift '{}' twice {when}", name(a)), "keep one of them".to_owned())
    } else {
        let from = b.from.rem_euclid(DAY);
        let to = a.to.min(b.to).rem_euclid(DAY);
        let reason = format!(
            "'{operator}' has the shifts '{}' and '{}' at once {when}, from {} to {}",
            name(a),
            name(b),
            time(from),
            time(to)
        );
        let mend = match b.date.or(a.date) {
            Some(date) => {
                format!("take one of them away, also with off = [\"{operator}\"] on {date} or the day before")
            }
            None => "take one of them away, or let one begin when the other ends".to_owned(),
        };
        (reason, mend)
    };
    // What is written later is pointed at.
    let (first, second) = (&a.assigned.place, &b.assigned.place);
    let (first, second) =
        if first.span.start <= second.span.start { (first, second) } else { (second, first) };
    let fault = Fault::new(&second.path, second.span.clone(), reason, mend);
    if first == second { fault } else { fault.also(first.span.clone(), "with this") }
}

fn named_day(minute: i64) -> &'static str {
    day_name(u16::try_from(minute.div_euclid(DAY)).unwrap_or_default())
}

fn time(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// What is allowed and yet probably not meant: people taken off who have no shift, and times that clocks skip.
pub(super) fn doubts(roster: &Roster) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (date, day) in &roster.days {
        let mut before = roster.pattern_of(*date);
        before.sort_unstable();
        for (operator, place) in &day.off {
            if before.binary_search(operator).is_err() {
                let reason = format!("'{operator}' is taken off on {date} and has no shift that begins then");
                let mend = "look at the date; a night shift belongs to the day on which it begins";
                faults.push(Fault::new(&place.path, place.span.clone(), reason, mend));
            }
        }
        let dated = day.holiday.iter().flat_map(|holiday| &holiday.on).chain(&day.on);
        faults.extend(dated.flat_map(|assigned| skipped_by(roster, *date, assigned)));
    }
    faults
}

/// Dates that are over by now are probably of another year, unless the roster in force has them: then they were meant
/// once. A holiday or an exception that goes on is none of them, nor is yesterday: its night shift may be under way.
pub(super) fn over(
    roster: &Roster,
    now_us: i64,
    in_force: Option<&Roster>,
) -> Result<Vec<Fault>, ScheduleError> {
    let now = Timestamp::from_microsecond(now_us).map_err(|_| ScheduleError::BeyondCalendar)?;
    let today = roster.zone.to_datetime(now).date();
    let is_over = |date: Date| date.tomorrow().is_ok_and(|next| next < today);
    let is_new = |date: &Date| in_force.is_none_or(|in_force| !in_force.days.contains_key(date));
    let mut over: BTreeMap<Date, &Place> = BTreeMap::new();
    for field in roster.date_fields.iter().filter(|field| is_over(field.last)) {
        over.extend(field.dates().filter(is_new).map(|date| (date, &field.place)));
    }
    let Some((latest, place)) = over.last_key_value() else { return Ok(Vec::new()) };
    let reason = match over.len() {
        1 => format!("{latest} is over and changes no shift any more"),
        dates => format!("{dates} dates are over, the latest is {latest}"),
    };
    let mend = "look at the year; dates that are over may stay, and change no shift";
    Ok(vec![Fault::new(&place.path, place.span.clone(), reason, mend)])
}

impl Roster {
    /// Who has a shift on a date before exceptions are looked at.
    fn pattern_of(&self, date: Date) -> Vec<OperatorId> {
        let holiday = self.days.get(&date).and_then(|day| day.holiday.as_ref());
        let weekday = match holiday {
            Some(holiday) => holiday.like,
            None => Some(super::weekday(date)),
        };
        let weekly = weekday.map(|weekday| &self.weekly[weekday]);
        let assigned = weekly.into_iter().flatten().chain(holiday.iter().flat_map(|holiday| &holiday.on));
        assigned.map(|assigned| assigned.operator).collect()
    }
}

/// Weekly shifts that begin or end at a skipped time.
pub(super) fn skipped(roster: &Roster, from_us: i64, days: u16) -> Result<Vec<Fault>, ScheduleError> {
    if days > DAYS_MAX {
        return Err(ScheduleError::TooFar(days));
    }
    let from = Timestamp::from_microsecond(from_us).map_err(|_| ScheduleError::BeyondCalendar)?;
    let first = roster.zone.to_datetime(from).date();
    let dates = first.series(jiff::Span::new().days(1)).take(usize::from(days) + 1);
    let mut faults = Vec::new();
    for date in dates {
        faults
            .extend(roster.on_date(date).into_iter().flat_map(|assigned| skipped_by(roster, date, assigned)));
    }
    Ok(faults)
}

fn skipped_by(roster: &Roster, date: Date, assigned: &Assigned) -> Vec<Fault> {
    let shift = &roster.shifts[assigned.shift];
    let ends = [("begins", shift.from), ("ends", shift.to)];
    let told = ends.into_iter().filter_map(|(verb, minute)| {
        let shown = shown_instead(&roster.zone, date, minute)?;
        let wanted = time(i64::from(minute).rem_euclid(DAY));
        let reason = format!(
            "{wanted} does not exist on {}: clocks are put forward then, and the shift '{}' {verb} at {}",
            shown.date(),
            shift.name,
            shown.strftime("%H:%M"),
        );
        let mend = format!("if that is not meant, put people on another shift on {date}");
        Some(Fault::new(&assigned.place.path, assigned.place.span.clone(), reason, mend))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{ParsedRoster, parse};

    const SHIFTS: &str = "[shifts]\nearly = { from = \"07:00\", to = \"15:00\" }\n";
    const HOLIDAY: &str = "[[holidays]]\ndate = \"2025-10-01 to 2025-10-07\"\non = {}\n";
    const EXCEPTION: &str = "[[exceptions]]\ndate = \"2025-10-07\"\non = { early = \"a\" }\n";

    fn parsed(dated: &str) -> ParsedRoster {
        parse("roster.toml", &format!("{SHIFTS}{dated}"), "Asia/Shanghai").unwrap()
    }

    /// Lines and what is told there.
    fn told(dated: &str, now: &str, in_force: Option<&str>) -> Vec<(usize, String)> {
        let now_us = now.parse::<Timestamp>().unwrap().as_microsecond();
        let in_force = in_force.map(|dated| parsed(dated).roster);
        let found = parsed(dated).dates_over(now_us, in_force.as_ref()).unwrap();
        found.into_iter().map(|finding| (finding.line, finding.reason)).collect()
    }

    #[test]
    fn dates_that_are_over_are_told_once_in_the_rosters_own_zone() {
        let both = format!("{HOLIDAY}{EXCEPTION}");
        assert_eq!(told(&both, "2025-10-05T04:00:00Z", None), [], "they go on");
        assert_eq!(told(&both, "2025-10-08T15:59:59Z", None), [], "a night shift of the last day may be on");
        let told_all = [(7, "7 dates are over, the latest is 2025-10-07".to_owned())];
        assert_eq!(told(&both, "2025-10-08T16:00:00Z", None), told_all);
        let holiday = [(4, "7 dates are over, the latest is 2025-10-07".to_owned())];
        assert_eq!(told(HOLIDAY, "2026-01-01T00:00:00Z", None), holiday);
        let exception = [(4, "2025-10-07 is over and changes no shift any more".to_owned())];
        assert_eq!(told(EXCEPTION, "2026-01-01T00:00:00Z", None), exception);
    }

    #[test]
    fn dates_that_the_roster_in_force_has_are_not_told_again() {
        let now = "2026-01-01T00:00:00Z";
        let both = format!("{HOLIDAY}{EXCEPTION}");
        assert_eq!(told(&both, now, Some(HOLIDAY)), []);
        let last = [(4, "2025-10-07 is over and changes no shift any more".to_owned())];
        assert_eq!(told(HOLIDAY, now, Some(&HOLIDAY.replace("07", "06"))), last);
        assert_eq!(told(HOLIDAY, now, Some("")).len(), 1);
    }
}
