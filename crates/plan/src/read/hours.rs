//! Opening hours as people write them, and the zone they are meant in.

use std::ops::Range;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use switchboard::plan::{Hours, MINUTES_PER_WEEK, Window};
use toml::de::DeValue;

use super::Reading;
use super::value::Entry;
use crate::source::{nearest, quoted};

/// Most windows one line's hours may be written with: three a day leave room for every day to differ.
const WINDOWS_MAX: usize = 50;

const MINUTES_PER_DAY: u16 = 24 * 60;

const DAYS: [&[&str]; 7] = [
    &["mon", "monday", "周一", "星期一"],
    &["tue", "tuesday", "tues", "周二", "星期二"],
    &["wed", "wednesday", "周三", "星期三"],
    &["thu", "thursday", "thurs", "周四", "星期四"],
    &["fri", "friday", "周五", "星期五"],
    &["sat", "saturday", "周六", "星期六"],
    &["sun", "sunday", "周日", "星期日", "周天", "星期天"],
];

/// What is wrong with a value, and how to mend it.
pub(crate) type Refusal = (String, String);

/// Finds a time zone in the table that comes with the program, so that every machine reads a plan alike.
pub(crate) fn zone(name: &str) -> Result<TimeZone, Refusal> {
    let database = TimeZoneDatabase::bundled();
    if name.len() <= 64
        && name.is_ascii()
        && let Ok(zone) = database.get(name)
    {
        return Ok(zone);
    }
    let names: Vec<String> = database.available().map(|n| n.as_str().to_owned()).collect();
    let city =
        names.iter().find(|known| known.rsplit('/').next().is_some_and(|c| c.eq_ignore_ascii_case(name)));
    let meant = city.map(String::as_str).or_else(|| nearest(name, names.iter().map(String::as_str)));
    let mend = match meant {
        Some(zone) => format!("did you mean \"{zone}\"?"),
        None => "write the IANA name of the zone, as \"Asia/Shanghai\"".to_owned(),
    };
    Err((format!("there is no time zone {}", quoted(name)), mend))
}

impl Reading {
    pub(super) fn hours(&mut self, entry: &Entry<'_>) -> Option<Hours> {
        if entry.value.get_ref().as_str() == Some("always") {
            return Some(Hours::Always);
        }
        let items = match entry.value.get_ref() {
            DeValue::String(_) => vec![Entry { path: entry.path.clone(), value: entry.value }],
            _ => self.list(entry, "[\"Mon-Fri 08:00-17:30\", \"Sat 08:00-12:00\"], or \"always\""),
        };
        if items.len() > WINDOWS_MAX {
            let reason = format!("more than {WINDOWS_MAX} windows");
            self.fault(
                &entry.path,
                entry.span(),
                reason,
                "put days with the same hours together: \"Mon-Fri 08:00-17:30\"",
            );
            return None;
        }
        if items.is_empty() && !self.places.is_broken(&entry.path) {
            let mend = "write its hours, or \"always\"; to take a line away, delete its table";
            self.fault(&entry.path, entry.span(), "a line that never opens", mend);
        }
        let mut windows: Vec<(Window, Range<usize>)> = Vec::new();
        for item in &items {
            let Some(text) = self.text(item, "\"Mon-Fri 08:00-17:30\"") else { continue };
            match window(text) {
                Ok(parts) => windows.extend(parts.into_iter().map(|w| (w, item.span()))),
                Err((reason, mend)) => self.fault(&item.path, item.span(), reason, mend),
            }
        }
        windows.sort_by_key(|(window, _)| *window);
        self.overlaps(entry, &windows);
        Some(joined(&windows))
    }

    fn overlaps(&mut self, entry: &Entry<'_>, windows: &[(Window, Range<usize>)]) {
        let mut widest = 0;
        for n in 1..windows.len() {
            if windows[n - 1].0.to >= windows[widest].0.to {
                widest = n - 1;
            }
            let ((before, first), (after, second)) = (&windows[widest], &windows[n]);
            if after.from >= before.to {
                continue;
            }
            let (first, second) = if first.start <= second.start { (first, second) } else { (second, first) };
            self.places.mark_broken(&entry.path);
            let reason = format!(
                "these hours overlap from {} to {}",
                week_time(after.from),
                week_time(after.to.min(before.to))
            );
            let mend = "let one end where the other begins";
            let fault = crate::finding::Fault::new(&entry.path, second.clone(), reason, mend);
            self.faults.push(fault.also(first.clone(), "with these"));
        }
    }
}

/// A minute of the week as people say it.
pub(crate) fn week_time(minute: u16) -> String {
    let day = day_name(minute / MINUTES_PER_DAY);
    let minute = minute % MINUTES_PER_DAY;
    format!("{day} {:02}:{:02}", minute / 60, minute % 60)
}

/// A day of the week, counted from Monday.
pub(crate) fn day_name(day: u16) -> &'static str {
    const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    NAMES[usize::from(day) % NAMES.len()]
}

/// Sorted windows with those that touch made one; the whole week is `Always`.
fn joined(windows: &[(Window, Range<usize>)]) -> Hours {
    let mut whole: Vec<Window> = Vec::new();
    for (window, _) in windows {
        match whole.last_mut() {
            Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
            _ => whole.push(*window),
        }
    }
    match whole.as_slice() {
        [Window { from: 0, to: MINUTES_PER_WEEK }] => Hours::Always,
        _ => Hours::Weekly(whole),
    }
}

/// One text as windows of the week: `Mon-Fri 08:00-17:30`, over midnight `Fri 22:00-02:00`.
fn window(text: &str) -> Result<Vec<Window>, Refusal> {
    let plain = plain(text);
    let parts: Vec<&str> = plain.split_whitespace().collect();
    let (days, times) = match parts.as_slice() {
        [days, times] => (*days, *times),
        [times] if times.starts_with(|c: char| c.is_ascii_digit()) => {
            return Err((
                "these hours do not say on which days".into(),
                format!("write \"daily {times}\" or \"Mon-Fri {times}\""),
            ));
        }
        _ => {
            let reason = format!("{} is not a window of the week", quoted(text));
            return Err((reason, "write days and times, as \"Mon-Fri 08:00-17:30\"".into()));
        }
    };
    let (from, to) = times.split_once('-').ok_or_else(|| {
        (format!("{} does not say from when to when", quoted(times)), "write it as 08:00-17:30".to_owned())
    })?;
    let (from, to) = (clock(from, false)?, clock(to, true)?);
    if from == to {
        let mend = "write two different times; a whole day is 00:00-24:00".to_owned();
        return Err(("this window opens and closes at the same minute".into(), mend));
    }
    let length = if to > from { to - from } else { to + MINUTES_PER_DAY - from };
    let mut windows = Vec::new();
    for day in day_numbers(days)? {
        let start = day * MINUTES_PER_DAY + from;
        let end = start + length;
        windows.push(Window { from: start, to: end.min(MINUTES_PER_WEEK) });
        if end > MINUTES_PER_WEEK {
            windows.push(Window { from: 0, to: end - MINUTES_PER_WEEK });
        }
    }
    Ok(windows)
}

/// Chinese signs as ASCII ones, and no blanks around `-` and `,`.
pub(crate) fn plain(text: &str) -> String {
    let ascii: String = text
        .chars()
        .map(|c| match c {
            '–' | '—' | '~' | '～' | '至' | '到' => '-',
            '，' | '、' => ',',
            '：' => ':',
            c => c,
        })
        .collect();
    let mut plain = ascii;
    for sign in ["-", ","] {
        plain = plain.split(sign).map(str::trim).collect::<Vec<_>>().join(sign);
    }
    plain
}

/// A time of day in minutes; 24:00 only where something ends.
pub(crate) fn clock(text: &str, is_end: bool) -> Result<u16, Refusal> {
    let refuse = || {
        let last = if is_end { "24:00" } else { "23:59" };
        let mend = format!("write hours and minutes from 00:00 to {last}, as 08:00");
        (format!("{} is not a time of day", quoted(text)), mend)
    };
    let (hour, minute) = text.split_once(':').ok_or_else(refuse)?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 || !digits(hour) || !digits(minute) {
        return Err(refuse());
    }
    let hour: u16 = hour.parse().map_err(|_| refuse())?;
    let minute: u16 = minute.parse().map_err(|_| refuse())?;
    let fits = minute < 60 && (hour < 24 || (is_end && hour == 24 && minute == 0));
    if fits { Ok(hour * 60 + minute) } else { Err(refuse()) }
}

/// The days that `Mon-Fri`, `Sat,Sun` or `daily` mean, 0 is Monday.
pub(crate) fn day_numbers(text: &str) -> Result<std::collections::BTreeSet<u16>, Refusal> {
    if ["daily", "每天", "每日"].contains(&text.to_lowercase().as_str()) {
        return Ok((0..7).collect());
    }
    let mut days = std::collections::BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day_number(first)?, day_number(last)?);
        let mut day = first;
        days.insert(day);
        while day != last {
            day = (day + 1) % 7;
            days.insert(day);
        }
    }
    Ok(days)
}

pub(crate) fn day_number(text: &str) -> Result<u16, Refusal> {
    let lower = text.to_lowercase();
    if let Some(day) = (0..7_u16).find(|n| DAYS[usize::from(*n)].contains(&lower.as_str())) {
        return Ok(day);
    }
    let mend = match nearest(&lower, DAYS.iter().flat_map(|names| names[..2].iter().copied())) {
        Some(day) => format!("did you mean {}{}?", day[..1].to_uppercase(), &day[1..]),
        None => "days are Mon, Tue, Wed, Thu, Fri, Sat, Sun and daily".to_owned(),
    };
    Err((format!("there is no day {}", quoted(text)), mend))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(text: &str) -> Vec<(String, String)> {
        window(text).unwrap().iter().map(|w| (week_time(w.from), week_time(w.to))).collect()
    }

    fn pair(from: &str, to: &str) -> (String, String) {
        (from.to_owned(), to.to_owned())
    }

    #[test]
    fn windows_read_as_written() {
        assert_eq!(minutes("Sat 08:00-12:00"), [pair("Sat 08:00", "Sat 12:00")]);
        assert_eq!(minutes("Fri 22:00-02:00"), [pair("Fri 22:00", "Sat 02:00")]);
        assert_eq!(
            minutes("Sun 22:00-02:00"),
            [pair("Sun 22:00", "Mon 00:00"), pair("Mon 00:00", "Mon 02:00")]
        );
        assert_eq!(minutes("Sat-Sun 8:00 - 9:30").len(), 2);
        assert_eq!(
            minutes("Sat,Mon 08:00-09:00"),
            [pair("Mon 08:00", "Mon 09:00"), pair("Sat 08:00", "Sat 09:00")]
        );
        assert_eq!(minutes("Sat-Mon 08:00-09:00").len(), 3);
        assert_eq!(minutes("周一至周五 08：00–17：30").len(), 5);
        assert_eq!(minutes("daily 00:00-24:00").len(), 7);
    }

    #[test]
    fn wrong_windows_are_explained() {
        for (text, reason, mend) in [
            ("08:00-17:30", "which days", "daily 08:00-17:30"),
            ("Mon", "not a window", "days and times"),
            ("Mon 08:00", "from when to when", "08:00-17:30"),
            ("Mon 08:00-08:00", "same minute", "00:00-24:00"),
            ("Mon 24:00-25:00", "'24:00' is not a time", "23:59"),
            ("Mon 08:00-24:01", "'24:01' is not a time", "24:00"),
            ("Mon 8am-5pm", "'8am' is not a time", "08:00"),
            ("Mon +8:00-9:00", "not a time", "08:00"),
            ("Mno 08:00-09:00", "no day 'Mno'", "did you mean Mon?"),
            ("Someday 08:00-09:00", "no day", ""),
            ("", "not a window", "days and times"),
        ] {
            let (why, how) = window(text).unwrap_err();
            assert!(why.contains(reason) && how.contains(mend), "{text}: {why} / {how}");
        }
    }

    #[test]
    fn zones_come_from_the_bundled_table() {
        assert_eq!(zone("Asia/Shanghai").unwrap().iana_name(), Some("Asia/Shanghai"));
        for (name, mend) in
            [("Asia/Shanghia", "Asia/Shanghai"), ("Berlin", "Europe/Berlin"), ("", "IANA"), ("中国", "IANA")]
        {
            assert!(zone(name).unwrap_err().1.contains(mend), "{name}");
        }
    }
}
