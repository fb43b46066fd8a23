//! Who is on shift when. A roster has named shifts, the weekly pattern of everybody who answers, holidays that have a
//! pattern of their own, and exceptions that take people off or put them on. [`parse`] makes a [`Roster`] of a text;
//! the roster tells shifts as moments of the wall clock, whatever its zone does to its clocks meanwhile.

mod check;
mod dates;
mod gaps;
mod moments;
mod read;
mod words;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use switchboard::id::OperatorId;
use switchboard::plan::{Plan, Title};

pub use self::gaps::{Gap, gaps};
pub(crate) use self::moments::merged;
pub use self::moments::{Shift, Stretch};
pub use self::words::{GapWarning, GapWarnings};
use crate::finding::{FINDINGS_MAX, Fault, Finding, Findings, Severity, drawn, errors};
use crate::read::Reading;
use crate::schedule::ScheduleError;
use crate::source::{Source, nearest};

/// Most shifts that begin in a week: together with the hours of the lines, two weeks of them stay well inside what a
/// site takes at once.
pub const SHIFTS_PER_WEEK_MAX: usize = 10_000;

/// Most shifts that holidays and exceptions name, counted for each date; a date without any counts as one.
pub const DATED_MAX: usize = 10_000;

/// Most dates that have something of their own.
pub const DATES_MAX: usize = 1_000;

/// Who is on shift when.
#[derive(Debug, Clone, PartialEq)]
pub struct Roster {
    zone_name: String,
    zone: TimeZone,
    /// Whether it says so itself; otherwise its zone is the plan's.
    names_zone: bool,
    shifts: Vec<NamedShift>,
    /// By day, 0 is Monday.
    weekly: [Vec<Assigned>; 7],
    days: BTreeMap<Date, Day>,
    date_fields: Vec<DateField>,
}

/// A shift that people can be put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedShift {
    /// Its id, as `night`.
    pub name: String,
    /// What people read.
    pub title: Title,
    /// When it begins, in minutes of its day.
    pub from: u16,
    /// When it ends, in minutes of the day on which it began: over 1,440 if that is after midnight.
    pub to: u16,
}

/// Somebody has a shift on some day, and where that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assigned {
    operator: OperatorId,
    shift: usize,
    place: Place,
}

/// Where something is said: a field's path and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    path: String,
    span: Range<usize>,
}

/// What a date has of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Day {
    holiday: Option<Holiday>,
    off: BTreeMap<OperatorId, Place>,
    on: Vec<Assigned>,
}

/// What takes the place of the weekly pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holiday {
    /// The day of the week whose pattern is taken.
    like: Option<usize>,
    on: Vec<Assigned>,
    place: Place,
}

/// The dates of a holiday or an exception, and where they are said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DateField {
    first: Date,
    last: Date,
    place: Place,
}

impl DateField {
    fn dates(&self) -> impl Iterator<Item = Date> {
        let last = self.last;
        self.first.series(jiff::Span::new().days(1)).take_while(move |date| *date <= last)
    }
}

impl Roster {
    /// The IANA name of the zone in which its times are meant.
    pub fn time_zone(&self) -> &str {
        &self.zone_name
    }

    /// The roster under this plan: where it names no zone, its times are meant in the plan's.
    ///
    /// # Errors
    /// [`ScheduleError::UnknownZone`]: the plan's is none.
    pub fn in_zone_of(&self, plan: &Plan) -> Result<Cow<'_, Roster>, ScheduleError> {
        if self.names_zone {
            return Ok(Cow::Borrowed(self));
        }
        let zone = crate::read::zone(&plan.time_zone);
        let zone = zone.map_err(|_| ScheduleError::UnknownZone(plan.time_zone.clone()))?;
        if zone == self.zone {
            return Ok(Cow::Borrowed(self));
        }
        let zone_name = zone.iana_name().unwrap_or(&plan.time_zone).to_owned();
        Ok(Cow::Owned(Roster { zone_name, zone, ..self.clone() }))
    }

    /// The shifts it names, by name.
    pub fn named_shifts(&self) -> &[NamedShift] {
        &self.shifts
    }

    fn mentions(&self) -> impl Iterator<Item = (OperatorId, &Place)> {
        let holidays = self.days.values().filter_map(|day| day.holiday.as_ref());
        let on =
            self.weekly.iter().chain(holidays.map(|h| &h.on)).chain(self.days.values().map(|day| &day.on));
        let off = self.days.values().flat_map(|day| &day.off).map(|(operator, place)| (*operator, place));
        on.flatten().map(|assigned| (assigned.operator, &assigned.place)).chain(off)
    }

    /// The shifts that begin on a date.
    fn on_date(&self, date: Date) -> Vec<&Assigned> {
        let day = self.days.get(&date);
        let mut assigned: Vec<&Assigned> = match day.and_then(|day| day.holiday.as_ref()) {
            Some(holiday) => {
                let like = holiday.like.map(|weekday| &self.weekly[weekday]);
                like.into_iter().flatten().chain(&holiday.on).collect()
            }
            None => self.weekly[weekday(date)].iter().collect(),
        };
        if let Some(day) = day {
            assigned.retain(|a| !day.off.contains_key(&a.operator));
            assigned.extend(&day.on);
        }
        assigned
    }
}

/// The day of the week of a date, 0 is Monday.
fn weekday(date: Date) -> usize {
    usize::try_from(date.weekday().to_monday_zero_offset()).expect("a day of the week counts from 0 to 6")
}

/// A roster and the text it was written in.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedRoster {
    /// The roster.
    pub roster: Roster,
    /// Its text with comments, without a byte-order mark.
    pub text: String,
    /// What is allowed and yet probably not meant.
    pub warnings: Vec<Finding>,
    file: String,
}

impl ParsedRoster {
    /// Compares the operators it names with the people there are.
    ///
    /// # Errors
    /// Every place that names somebody who is not there, with whoever is probably meant.
    pub fn check_people(&self, people: &BTreeSet<OperatorId>) -> Result<(), Findings> {
        let unknown = self.roster.mentions().filter(|(operator, _)| !people.contains(operator));
        let mut unknown: Vec<(OperatorId, &Place)> = unknown.collect();
        if unknown.is_empty() {
            return Ok(());
        }
        // What is said for a range of dates is mentioned on each.
        unknown.sort_by_key(|(operator, place)| (place.span.start, place.span.end, *operator));
        unknown.dedup_by(|a, b| a.0 == b.0 && a.1.span == b.1.span);
        let left_out = unknown.len().saturating_sub(FINDINGS_MAX);
        unknown.truncate(FINDINGS_MAX);
        let mut meant: BTreeMap<OperatorId, String> = BTreeMap::new();
        let ids = || people.iter().map(OperatorId::as_str);
        let tell = |(operator, place): (OperatorId, &Place)| {
            let mend = meant.entry(operator).or_insert_with(|| match nearest(operator.as_str(), ids()) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => "add this operator first, or use the id of one there is".to_owned(),
            });
            let reason = format!("there is no operator '{operator}'");
            Fault::new(&place.path, place.span.clone(), reason, mend.as_str())
        };
        let faults = unknown.into_iter().map(tell).collect();
        Err(Findings { left_out, ..errors(&self.source(), faults) })
    }

    /// Weekly shifts of the `days` × 24 h from a moment on that begin or end at a time that the clock skips when it is
    /// put forward, each where it stands in the text. The moment is in microseconds since 1970 UTC.
    ///
    /// # Errors
    /// [`ScheduleError`], when that is too far.
    pub fn skipped_times(&self, from_us: i64, days: u16) -> Result<Vec<Finding>, ScheduleError> {
        let faults = check::skipped(&self.roster, from_us, days)?;
        Ok(drawn(&self.source(), Severity::Warning, faults).0)
    }

    /// Holidays and exceptions whose dates are all over, where the latest of them stands, but for dates that the roster in
    /// force has as well. The moment is in microseconds since 1970 UTC.
    ///
    /// # Errors
    /// [`ScheduleError::BeyondCalendar`]: there is no such moment.
    pub fn dates_over(&self, now_us: i64, in_force: Option<&Roster>) -> Result<Vec<Finding>, ScheduleError> {
        let faults = check::over(&self.roster, now_us, in_force)?;
        Ok(drawn(&self.source(), Severity::Warning, faults).0)
    }

    fn source(&self) -> Source {
        Source::of(&self.file, self.text.clone())
    }
}

/// Makes a roster of a text. `file` is only what errors call it; `plan_zone` is the time zone of the plan in force, which
/// holds unless the text names another, see [`Roster::in_zone_of`]. Ids of operators are looked at for their form only, see [`ParsedRoster::check_people`].
///
/// # Errors
/// Everything that keeps the text from being a roster, as far as it can be told at once.
pub fn parse(file: &str, text: &str, plan_zone: &str) -> Result<ParsedRoster, Findings> {
    parse_bytes(file, text.as_bytes(), plan_zone)
}

/// Makes a roster of a file's bytes, which may not even be text.
///
/// # Errors
/// As [`parse`].
pub fn parse_bytes(file: &str, bytes: &[u8], plan_zone: &str) -> Result<ParsedRoster, Findings> {
    let source = Source::admit(file, bytes).map_err(|(source, faults)| errors(&source, faults))?;
    let (roster, doubts) = match checked(&source.text, plan_zone) {
        Ok(checked) => checked,
        Err(faults) => return Err(errors(&source, faults)),
    };
    let (warnings, _) = drawn(&source, Severity::Warning, doubts);
    Ok(ParsedRoster { roster, text: source.text, warnings, file: source.file })
}

fn checked(text: &str, plan_zone: &str) -> Result<(Roster, Vec<Fault>), Vec<Fault>> {
    let (document, syntax) = crate::read::tree(text);
    if let Some(broken) = syntax.broken {
        return Err(broken);
    }
    let Reading { draft, mut faults, .. } = read::roster(document.get_ref(), plan_zone);
    faults.extend(syntax.repeated);
    let Some(roster) = draft.finished(&mut faults) else { return Err(faults) };
    if faults.is_empty() {
        faults.extend(check::overlaps(&roster));
    }
    if faults.is_empty() { Ok((roster.clone(), check::doubts(&roster))) } else { Err(faults) }
}
