//! Gaps in words, in Chinese and in English: put together where they say the same, and never more than people read.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use switchboard::id::LineId;
use switchboard::plan::Plan;

use super::gaps::{Times, open};
use super::{Gap, Roster, gaps};
use crate::finding::FINDINGS_MAX;
use crate::lint::Staff;
use crate::schedule::ScheduleError;

/// Most lines and most dates that one warning names.
const NAMED_MAX: usize = 7;

/// One warning: nobody who may answer these lines is on shift at these times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapWarning {
    /// The lines.
    pub lines: Vec<LineId>,
    /// From and until, each in microseconds since 1970 UTC, in order.
    pub times: Vec<(i64, i64)>,
    /// In Simplified Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// What to warn of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GapWarnings {
    /// In the order of time; at most [`FINDINGS_MAX`].
    pub warnings: Vec<GapWarning>,
    /// How many more there are.
    pub left_out: usize,
}

impl Roster {
    /// The gaps of the `days` × 24 h from a moment on, in words. The moment is in microseconds since 1970 UTC; times
    /// are told in the plan's zone.
    ///
    /// # Errors
    /// As [`gaps`].
    pub fn gap_warnings(
        &self,
        plan: &Plan,
        staff: &Staff,
        from_us: i64,
        days: u16,
    ) -> Result<GapWarnings, ScheduleError> {
        let gaps = gaps(plan, staff, self, from_us, days)?;
        let until_us = from_us.saturating_add(i64::from(days) * 86_400_000_000);
        let open = open(plan, from_us, until_us, days)?;
        let zone = crate::read::zone(&plan.time_zone);
        let zone = zone.map_err(|_| ScheduleError::UnknownZone(plan.time_zone.clone()))?;
        let teller = Teller { plan, zone };
        let (never, some) =
            by_line(gaps).into_iter().partition(|(line, times)| open.get(line) == Some(times));
        let mut warnings = teller.never(never, (from_us, until_us));
        warnings.extend(teller.sometimes(some));
        let left_out = warnings.len().saturating_sub(FINDINGS_MAX);
        warnings.truncate(FINDINGS_MAX);
        Ok(GapWarnings { warnings, left_out })
    }
}

type ByLine = BTreeMap<LineId, Vec<Times>>;

fn by_line(gaps: Vec<Gap>) -> ByLine {
    let mut by_line = ByLine::new();
    for gap in gaps {
        by_line.entry(gap.line).or_default().push((gap.from_us, gap.to_us));
    }
    by_line
}

struct Teller<'p> {
    plan: &'p Plan,
    zone: TimeZone,
}

impl Teller<'_> {
    /// Lines of which no open minute has anybody.
    fn never(&self, by_line: ByLine, (from, until): Times) -> Vec<GapWarning> {
        let Some(times) = by_line.values().flatten().copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        else {
            return Vec::new();
        };
        let lines: Vec<LineId> = by_line.into_keys().collect();
        let (from, until) = (self.local(from), self.local(until));
        let (zh, en) = (self.lines_zh(&lines), self.lines_en(&lines));
        let zh = format!("{} 至 {}，{zh}在开放时间内始终无人值班", moment_zh(from), moment_zh(until));
        let en = format!("nobody on {en} in any open hour from {} to {}", moment_en(from), moment_en(until));
        vec![GapWarning { lines, times: vec![times], zh, en }]
    }

    fn sometimes(&self, by_line: ByLine) -> Vec<GapWarning> {
        let mut by_time: BTreeMap<Times, BTreeSet<LineId>> = BTreeMap::new();
        for (line, times) in by_line {
            for times in times {
                by_time.entry(times).or_default().insert(line);
            }
        }
        // The same lines between the same times of day are told once, with their dates.
        let mut alike: BTreeMap<(BTreeSet<LineId>, Time, Time, i32), Vec<Times>> = BTreeMap::new();
        for (times, lines) in by_time {
            let (from, to) = (self.local(times.0), self.local(times.1));
            let days = to.date().duration_since(from.date()).as_hours() / 24;
            let days = i32::try_from(days).unwrap_or(i32::MAX);
            alike.entry((lines, from.time(), to.time(), days)).or_default().push(times);
        }
        let mut warnings: Vec<GapWarning> = alike
            .into_iter()
            .map(|((lines, ..), times)| self.told(lines.into_iter().collect(), times))
            .collect();
        warnings.sort_by(|a, b| (&a.times, &a.lines).cmp(&(&b.times, &b.lines)));
        warnings
    }

    fn told(&self, lines: Vec<LineId>, times: Vec<Times>) -> GapWarning {
        let (lines_zh, lines_en) = (self.lines_zh(&lines), self.lines_en(&lines));
        let first = times[0];
        let (from, to) = (self.local(first.0), self.local(first.1));
        let (zh, en) = if let [_] = times.as_slice() {
            let until = |same: String, other: String| if from.date() == to.date() { same } else { other };
            let clock = time(to);
            let zh =
                format!("{} 至 {}，{lines_zh}无人值班", moment_zh(from), until(clock.clone(), moment_zh(to)));
            (zh, format!("nobody on {lines_en} from {} to {}", moment_en(from), until(clock, moment_en(to))))
        } else {
            self.repeated(&lines_zh, &lines_en, &times, (from, to))
        };
        GapWarning { lines, times, zh, en }
    }

    fn repeated(
        &self,
        lines_zh: &str,
        lines_en: &str,
        times: &[Times],
        (from, to): (DateTime, DateTime),
    ) -> (String, String) {
        let dates = || times.iter().take(NAMED_MAX).map(|times| self.local(times.0));
        let more = times.len().saturating_sub(NAMED_MAX);
        let days = to.date().duration_since(from.date()).as_hours() / 24;
        let (later_zh, later_en) = match days {
            0 => (String::new(), String::new()),
            1 => ("次日 ".to_owned(), " the next day".to_owned()),
            n => (format!("{n} 天后 "), format!(" {n} days later")),
        };
        let zh = dates().map(|at| format!("{}（{}）", at.date(), day_zh(at))).collect::<Vec<_>>().join("、");
        let en = dates().map(|at| at.strftime("%a %Y-%m-%d").to_string()).collect::<Vec<_>>().join(", ");
        let (more_zh, more_en) = match more {
            0 => (String::new(), String::new()),
            1 => ("等，另有 1 天".to_owned(), " and 1 more day".to_owned()),
            n => (format!("等，另有 {n} 天"), format!(" and {n} more days")),
        };
        let (from, to) = (time(from), time(to));
        (
            format!("{zh}{more_zh}，每天 {from} 至 {later_zh}{to}，{lines_zh}无人值班"),
            format!("nobody on {lines_en} from {from} to {to}{later_en} on {en}{more_en}"),
        )
    }

    fn local(&self, at: i64) -> DateTime {
        let at = Timestamp::from_microsecond(at)
            .expect("a moment between two of the calendar's is in the calendar");
        self.zone.to_datetime(at)
    }

    fn lines_zh(&self, lines: &[LineId]) -> String {
        let named = lines.iter().take(NAMED_MAX).map(|id| match self.plan.lines.get(id) {
            Some(line) => format!("“{}”（{id}）", line.title.zh),
            None => format!("“{id}”"),
        });
        let more = lines.len().saturating_sub(NAMED_MAX);
        let more = if more == 0 { String::new() } else { format!("等，另有 {more} 条") };
        format!("热线{}{more}", named.collect::<Vec<_>>().join("、"))
    }

    fn lines_en(&self, lines: &[LineId]) -> String {
        let named = lines.iter().take(NAMED_MAX).map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        let more = lines.len().saturating_sub(NAMED_MAX);
        let word = if lines.len() == 1 { "line" } else { "lines" };
        if more == 0 { format!("{word} {named}") } else { format!("{word} {named} and {more} more") }
    }
}

fn time(at: DateTime) -> String {
    at.strftime("%H:%M").to_string()
}

fn moment_en(at: DateTime) -> String {
    at.strftime("%a %Y-%m-%d %H:%M").to_string()
}

fn moment_zh(at: DateTime) -> String {
    format!("{}（{}）{}", at.date(), day_zh(at), time(at))
}

fn day_zh(at: DateTime) -> &'static str {
    const DAYS: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    DAYS[super::weekday(at.date())]
}
