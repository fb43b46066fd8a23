//! From a roster's document to a roster: its shifts, patterns and dates.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use switchboard::id::{OperatorId, TeamId};
use switchboard::plan::{TITLE_CHARS_MAX, Title};
use toml::de::{DeTable, DeValue};

use super::dates::dates;
use super::{
    Assigned, DATED_MAX, DATES_MAX, DateField, Day, Holiday, NamedShift, Place, Roster, SHIFTS_PER_WEEK_MAX,
};
use crate::finding::Fault;
use crate::read::value::{Entry, Table};
use crate::read::{Reading, Refusal, clock, day_number, day_numbers, plain, zone};
use crate::schema;
use crate::source::{hides, nearest, quoted};

/// Most shifts that have a name.
const NAMED_MAX: usize = 50;

const MINUTES_PER_DAY: u16 = 24 * 60;

const WEEKLY_EXAMPLE: &str = "\"Mon-Fri early\"";
const DATE_EXAMPLE: &str = "\"2026-10-01\"";
const OPERATOR_EXAMPLE: &str = "\"op-1\"";

/// A roster while it is read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    zone: Option<(String, TimeZone)>,
    names_zone: bool,
    shifts: BTreeMap<String, NamedShift>,
    weekly: [Vec<Assigned>; 7],
    days: BTreeMap<Date, Day>,
    date_fields: Vec<DateField>,
    /// Shifts that holidays and exceptions name, counted for each date; a date without any counts as one.
    dated: usize,
    /// There are more dates, or shifts on them, than there may be: no more of them are laid.
    is_full: bool,
}

impl Draft {
    /// The roster, unless something it cannot be without is missing: then a fault says so already.
    pub(super) fn finished(self, faults: &mut Vec<Fault>) -> Option<Roster> {
        if self.is_full {
            let reason = format!(
                "holidays and exceptions name more than {DATED_MAX} shifts, or more than {DATES_MAX} dates"
            );
            faults.push(Fault::new("", 0..0, reason, "remove the dates that are over"));
        }
        let names_zone = self.names_zone;
        let (zone_name, zone) = self.zone?;
        let shifts = self.shifts.into_values().collect();
        let (weekly, days, date_fields) = (self.weekly, self.days, self.date_fields);
        Some(Roster { zone_name, zone, names_zone, shifts, weekly, days, date_fields })
    }

    /// A date on which so many more shifts are named, unless that is too much.
    fn day(&mut self, date: Date, named: usize) -> Option<&mut Day> {
        self.dated = self.dated.saturating_add(named.max(1));
        let is_new = !self.days.contains_key(&date);
        self.is_full |= self.dated > DATED_MAX || (is_new && self.days.len() >= DATES_MAX);
        if self.is_full { None } else { Some(self.days.entry(date).or_default()) }
    }

    /// Shifts are numbered in the order of their names.
    fn number_of(&self, name: &str) -> Option<usize> {
        self.shifts.keys().position(|known| known == name)
    }
}

/// Reads the whole document.
pub(super) fn roster(document: &DeTable<'_>, plan_zone: &str) -> Reading<Draft> {
    let mut reading = Reading::<Draft>::default();
    let top = reading.top(document, &schema::ROSTER);
    reading.time_zone(&top, plan_zone);
    reading.shifts(&top);
    reading.weekly(&top);
    reading.holidays(&top);
    reading.exceptions(&top);
    reading
}

impl Reading<Draft> {
    fn time_zone(&mut self, top: &Table<'_>, plan_zone: &str) {
        let entry = self.field(top, "time_zone");
        self.draft.names_zone = entry.is_some();
        let name = match &entry {
            Some(entry) => self.text(entry, "\"Asia/Shanghai\""),
            None => Some(plan_zone),
        };
        let Some(name) = name else { return };
        match zone(name) {
            Ok(zone) => self.draft.zone = Some((zone.iana_name().unwrap_or(name).to_owned(), zone)),
            Err((reason, mend)) => {
                let span = entry.as_ref().map_or(0..0, Entry::span);
                self.fault("time_zone", span, reason, mend);
            }
        }
    }

    fn shifts(&mut self, top: &Table<'_>) {
        let example = "[shifts]\nearly = { from = \"07:00\", to = \"15:00\" }";
        let Some(entry) = self.required(top, "shifts", example) else { return };
        let members = self.members(&entry);
        if members.len() > NAMED_MAX {
            let reason = format!("there are {} shifts here; {NAMED_MAX} are the most", members.len());
            self.fault("shifts", entry.span(), reason, "keep those that people are put on");
            return;
        }
        for (key, span, member) in members {
            // The same form as every other name; there is no kind of id for shifts, as they stay in this file.
            if self.id_in::<TeamId>(&member.path, span, key).is_none() {
                continue;
            }
            let Some(table) = self.table(&member, &schema::SHIFT) else {
                self.places.mark_broken("shifts");
                continue;
            };
            let title = self.shift_title(&table, key);
            let from = self.time(&table, "from", "\"07:00\"", false);
            let to = self.time(&table, "to", "\"15:00\"", true);
            let (from, to) = (from.unwrap_or(0), to.unwrap_or(MINUTES_PER_DAY));
            let to = if to > from { to } else { to + MINUTES_PER_DAY };
            self.draft.shifts.insert(key.to_owned(), NamedShift { name: key.to_owned(), title, from, to });
        }
    }

    fn shift_title(&mut self, table: &Table<'_>, name: &str) -> Title {
        let Some(entry) = self.field(table, "title") else {
            return Title { zh: name.to_owned(), en: name.to_owned() };
        };
        self.readable_title(&entry)
    }

    fn readable_title(&mut self, entry: &Entry<'_>) -> Title {
        let title = self.both_languages(entry);
        let is_readable = |text: &String| {
            !text.trim().is_empty()
                && text.chars().count() <= TITLE_CHARS_MAX
                && !text.chars().any(|c| c.is_control() || hides(c))
        };
        if !is_readable(&title.zh) || !is_readable(&title.en) {
            let reason = "this text is empty, too long, or has characters that cannot be seen";
            let mend = format!("write 1 to {TITLE_CHARS_MAX} plain characters");
            self.fault(&entry.path, entry.span(), reason, mend);
        }
        title
    }

    fn time(&mut self, table: &Table<'_>, name: &'static str, example: &str, is_end: bool) -> Option<u16> {
        let entry = self.required(table, name, example)?;
        let text = match entry.value.get_ref() {
            // An unquoted 07:00 is a time in TOML, as 07:00:00 is.
            DeValue::Datetime(time) if time.date.is_none() && time.time.is_some() => {
                let text = time.to_string();
                let shown: String = text.chars().take(5).collect();
                if text.len() > 5 && !text[5..].chars().all(|c| matches!(c, ':' | '0' | '.')) {
                    let reason = "a shift begins and ends at a whole minute";
                    self.fault(&entry.path, entry.span(), reason, format!("write \"{shown}\""));
                    return None;
                }
                shown
            }
            _ => self.text(&entry, example)?.to_owned(),
        };
        match clock(plain(&text).trim(), is_end) {
            Ok(minute) => Some(minute),
            Err((reason, mend)) => {
                self.fault(&entry.path, entry.span(), reason, mend);
                None
            }
        }
    }

    fn weekly(&mut self, top: &Table<'_>) {
        let Some(entry) = self.field(top, "weekly") else { return };
        let mut begun = 0;
        for (key, span, member) in self.members(&entry) {
            let Some(operator) = self.id_in::<OperatorId>(&member.path, span, key) else { continue };
            for item in self.one_or_more(&member, WEEKLY_EXAMPLE) {
                let Some(text) = self.text(&item, WEEKLY_EXAMPLE) else { continue };
                match self.weekly_shift(text) {
                    Ok(Some((days, shift))) => {
                        let place = Place { path: item.path.clone(), span: item.span() };
                        begun += days.len();
                        if begun > SHIFTS_PER_WEEK_MAX {
                            let reason = format!("more than {SHIFTS_PER_WEEK_MAX} shifts begin in a week");
                            return self.fault(
                                "weekly",
                                entry.span(),
                                reason,
                                "write fewer and longer shifts",
                            );
                        }
                        for day in days {
                            let assigned = Assigned { operator, shift, place: place.clone() };
                            self.draft.weekly[usize::from(day)].push(assigned);
                        }
                    }
                    // What is wrong with the shift is told where it is declared.
                    Ok(None) => {}
                    Err((reason, mend)) => self.fault(&item.path, item.span(), reason, mend),
                }
            }
        }
    }

    /// `Mon-Fri early` as days and the number of a shift.
    fn weekly_shift(&self, text: &str) -> Result<Option<(Vec<u16>, usize)>, Refusal> {
        let plain = plain(text);
        let parts: Vec<&str> = plain.split_whitespace().collect();
        let (days, shift) = match parts.as_slice() {
            [days, shift] => (*days, *shift),
            [shift] if self.draft.number_of(shift).is_some() => {
                let mend = format!("write \"daily {shift}\" or \"Mon-Fri {shift}\"");
                return Err((format!("{} does not say on which days", quoted(text)), mend));
            }
            _ => {
                let reason = format!("{} is not days and a shift", quoted(text));
                return Err((reason, format!("write days and the name of a shift, as {WEEKLY_EXAMPLE}")));
            }
        };
        if self.draft.number_of(days).is_some() && day_numbers(shift).is_ok() {
            let mend = format!("write \"{shift} {days}\"");
            return Err((format!("{} has the shift before the days", quoted(text)), mend));
        }
        let days = day_numbers(days)?.into_iter().collect();
        Ok(self.shift(shift)?.map(|shift| (days, shift)))
    }

    /// The number of a shift; none if shifts could not be read, which is told there.
    fn shift(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let found = self.draft.number_of(name);
        let is_unread = self.places.is_broken("shifts") || self.places.is_broken(&format!("shifts.{name}"));
        if found.is_some() || is_unread {
            return Ok(found);
        }
        if name.contains(':') {
            let mend = "give it a name under [shifts], and write the name here";
            return Err((format!("{} is a time and not the name of a shift", quoted(name)), mend.to_owned()));
        }
        let known = || self.draft.shifts.keys().map(String::as_str);
        let mend = match nearest(name, known()) {
            Some(meant) => format!("did you mean '{meant}'?"),
            None if self.draft.shifts.is_empty() => "declare it under [shifts]".to_owned(),
            None => {
                let some = known().take(8).collect::<Vec<_>>().join(", ");
                format!("declare it under [shifts], or use one of: {some}")
            }
        };
        Err((format!("there is no shift {}", quoted(name)), mend))
    }

    fn holidays(&mut self, top: &Table<'_>) {
        let Some(entry) = self.field(top, "holidays") else { return };
        for item in self.list(&entry, "[[holidays]]") {
            let Some(table) = self.table(&item, &schema::HOLIDAY) else { continue };
            let dates = self.dates(&table);
            if let Some(title) = self.field(&table, "title") {
                self.readable_title(&title);
            }
            let like = self.field(&table, "like").map(|e| self.like(&e));
            let on = self.field(&table, "on").map(|e| self.on(&e));
            if like.is_none() && on.is_none() {
                let reason = "this holiday does not say who is on shift";
                let mend = "add like = \"Sun\", or on = { early = [\"op-1\"] }; nobody is on = {}";
                self.fault(&item.path, item.span(), reason, mend);
            }
            let holiday = Holiday {
                like: like.flatten(),
                on: on.unwrap_or_default(),
                place: Place { path: item.path.clone(), span: item.span() },
            };
            self.add_holiday(&dates, &holiday);
        }
    }

    fn add_holiday(&mut self, dates: &[Date], holiday: &Holiday) {
        for date in dates {
            let Some(day) = self.draft.day(*date, holiday.on.len()) else { return };
            if let Some(first) = &day.holiday {
                let reason = format!("{date} is in two holidays");
                let fault = Fault::new(
                    &holiday.place.path,
                    holiday.place.span.clone(),
                    reason,
                    "let each date be in one holiday",
                );
                self.faults.push(fault.also(first.place.span.clone(), "the other"));
                return;
            }
            day.holiday = Some(holiday.clone());
        }
    }

    fn like(&mut self, entry: &Entry<'_>) -> Option<usize> {
        let text = self.text(entry, "\"Sun\"")?;
        match day_number(text.trim()) {
            Ok(day) => Some(usize::from(day)),
            Err((reason, mend)) => {
                self.fault(&entry.path, entry.span(), reason, mend);
                None
            }
        }
    }

    fn exceptions(&mut self, top: &Table<'_>) {
        let Some(entry) = self.field(top, "exceptions") else { return };
        for item in self.list(&entry, "[[exceptions]]") {
            let Some(table) = self.table(&item, &schema::EXCEPTION) else { continue };
            let dates = self.dates(&table);
            let off = self.field(&table, "off").map(|e| self.operators(&e));
            let on = self.field(&table, "on").map(|e| self.on(&e));
            if off.is_none() && on.is_none() {
                let mend = "add off = [\"op-1\"], or on = { early = [\"op-1\"] }";
                self.fault(&item.path, item.span(), "this exception changes nothing", mend);
            }
            self.add_exception(&dates, &off.unwrap_or_default(), &on.unwrap_or_default());
        }
    }

    fn add_exception(&mut self, dates: &[Date], off: &[(OperatorId, Place)], on: &[Assigned]) {
        for date in dates {
            let Some(day) = self.draft.day(*date, off.len() + on.len()) else { return };
            for (operator, place) in off {
                let Some(first) = day.off.insert(*operator, place.clone()) else { continue };
                let reason = format!("'{operator}' is taken off twice on {date}");
                let fault = Fault::new(&place.path, place.span.clone(), reason, "keep one of them");
                self.faults.push(fault.also(first.span, "first here"));
            }
            day.on.extend_from_slice(on);
        }
    }

    /// `{ early = ["op-1"], night = "op-2" }`.
    fn on(&mut self, entry: &Entry<'_>) -> Vec<Assigned> {
        let mut on = Vec::new();
        for (key, span, member) in self.members(entry) {
            let shift = match self.shift(key) {
                Ok(Some(shift)) => shift,
                Ok(None) => continue,
                Err((reason, mend)) => {
                    self.fault(&member.path, span, reason, mend);
                    continue;
                }
            };
            let operators = self.operators(&member).into_iter();
            on.extend(operators.map(|(operator, place)| Assigned { operator, shift, place }));
        }
        on
    }

    fn operators(&mut self, entry: &Entry<'_>) -> Vec<(OperatorId, Place)> {
        let items = self.one_or_more(entry, OPERATOR_EXAMPLE);
        let place = |item: &Entry<'_>| Place { path: item.path.clone(), span: item.span() };
        items.iter().filter_map(|item| Some((self.id(item, OPERATOR_EXAMPLE)?, place(item)))).collect()
    }

    /// A list, or what could be its only element.
    fn one_or_more<'t>(&mut self, entry: &Entry<'t>, example: &str) -> Vec<Entry<'t>> {
        match entry.value.get_ref() {
            DeValue::String(_) => vec![Entry { path: entry.path.clone(), value: entry.value }],
            _ => self.list(entry, &format!("[{example}]")),
        }
    }

    /// The dates of a holiday or an exception, none if they could not be read.
    fn dates(&mut self, table: &Table<'_>) -> Vec<Date> {
        let Some(entry) = self.required(table, "date", DATE_EXAMPLE) else { return Vec::new() };
        let text = match entry.value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            _ => match self.text(&entry, DATE_EXAMPLE) {
                Some(text) => text.to_owned(),
                None => return Vec::new(),
            },
        };
        match dates(&text) {
            Ok(dates) => {
                if let (Some(first), Some(last)) = (dates.first(), dates.last()) {
                    let place = Place { path: entry.path.clone(), span: entry.span() };
                    self.draft.date_fields.push(DateField { first: *first, last: *last, place });
                }
                dates
            }
            Err((reason, mend)) => {
                self.fault(&entry.path, entry.span(), reason, mend);
                Vec::new()
            }
        }
    }
}
