//! Moments as people write and read them: `2026-11-22 03:10` by this machine's clock, RFC 3339, or `10m` ago.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

use super::fault::{Fault, Told};
use super::length;
use super::said::{Said, clean, said};

/// A moment of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Right after this decision.
    Seq(u64),
    /// When the wall clock showed this, in microseconds since 1970 UTC.
    WallUs(i64),
}

/// A moment, or the number of a decision.
///
/// # Errors
/// When it is neither, or has not come yet.
pub(super) fn moment(flag: &str, text: &str) -> Told<Moment> {
    match text.trim().parse::<u64>() {
        Ok(seq) => Ok(Moment::Seq(seq)),
        Err(_) => wall(flag, text).map(Moment::WallUs),
    }
}

/// A moment, in microseconds since 1970 UTC.
///
/// # Errors
/// When it is none, or has not come yet.
pub(super) fn wall(flag: &str, text: &str) -> Told<i64> {
    read(flag, text, Timestamp::now(), &TimeZone::system()).map(Timestamp::as_microsecond)
}

fn read(flag: &str, text: &str, now: Timestamp, zone: &TimeZone) -> Told<Timestamp> {
    let typed = text.trim();
    let moment = ago(typed, now)
        .or_else(|| typed.parse::<Timestamp>().ok())
        .or_else(|| zone.to_timestamp(typed.parse::<DateTime>().ok()?).ok());
    let shown = clean(typed);
    let Some(moment) = moment else {
        let what = said(format!("{flag} {shown:?} 不是时间"), format!("{flag} {shown:?} is not a time"));
        let example = local(now, zone);
        return Err(Fault::usage("BAD_TIME", what).mend(said(
            format!("写成 {example:?}（本机时间）、RFC 3339（2026-11-22T03:10:00+08:00）或 10m（10 分钟前）"),
            format!("write {example:?} by this machine's clock, RFC 3339 (2026-11-22T03:10:00+08:00), or 10m for ten minutes ago"),
        )));
    };
    if moment > now {
        let what = said(format!("{flag} {shown:?} 还没有到"), format!("{flag} {shown:?} is in the future"));
        let (at, now) = (local(moment, zone), local(now, zone));
        return Err(Fault::usage("FUTURE", what).because(said(
            format!("读作 {at}，本机时间现在是 {now}"),
            format!("it was read as {at}, and this machine's clock shows {now}"),
        )));
    }
    Ok(moment)
}

/// `10m`, `10m ago`.
fn ago(typed: &str, now: Timestamp) -> Option<Timestamp> {
    let length = typed.strip_suffix("ago").or_else(|| typed.strip_suffix('前')).unwrap_or(typed);
    let milliseconds = i64::try_from(length::milliseconds("", length).ok()?).ok()?;
    now.checked_sub(jiff::SignedDuration::from_millis(milliseconds)).ok()
}

fn local(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// By whose clock times are shown: the zone's name, and how far it is from UTC at this moment.
pub(super) fn clock_words() -> Said {
    clock_of(&TimeZone::system(), Timestamp::now())
}

fn clock_of(zone: &TimeZone, now: Timestamp) -> Said {
    let offset = now.to_zoned(zone.clone()).strftime("%:z").to_string();
    let name = match zone.iana_name() {
        Some("UTC") | None => format!("UTC{offset}"),
        Some(name) => format!("{name}, UTC{offset}"),
    };
    said(format!("时间按本机时钟：{name}"), format!("times are by this machine's clock: {name}"))
}

/// As people read it, by this machine's clock, to the second.
pub(super) fn shown(wall_us: i64) -> String {
    let moment = Timestamp::from_microsecond(wall_us).unwrap_or(Timestamp::UNIX_EPOCH);
    local(moment.round(Unit::Second).unwrap_or(moment), &TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    fn told(text: &str) -> Told<String> {
        let now: Timestamp = "2026-11-22T04:00:00+08:00".parse().expect("a time");
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        read("--at", text, now, &zone).map(|moment| moment.to_string())
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        for (text, expected) in [
            ("2026-11-22 03:10", "2026-11-21T19:10:00Z"),
            ("2026-11-22T03:10:05", "2026-11-21T19:10:05Z"),
            ("2026-11-22T03:10:00+09:00", "2026-11-21T18:10:00Z"),
            ("2026-11-21T19:10:00Z", "2026-11-21T19:10:00Z"),
            ("10m", "2026-11-21T19:50:00Z"),
            ("1h30m ago", "2026-11-21T18:30:00Z"),
        ] {
            assert_eq!(told(text).expect(text), expected);
        }
        assert_eq!(moment("--at", "4711").expect("a decision"), Moment::Seq(4711));
    }

    #[test]
    fn a_clock_is_told_by_its_zone() {
        let now: Timestamp = "2026-11-22T04:00:00+08:00".parse().expect("a time");
        let told = |zone: TimeZone| clock_of(&zone, now).of(Lang::En).to_owned();
        assert!(told(TimeZone::fixed(jiff::tz::offset(8))).ends_with(": UTC+08:00"));
        assert!(told(TimeZone::UTC).ends_with(": UTC+00:00"));
        let shanghai = TimeZone::get("Asia/Shanghai").expect("a zone of this machine");
        assert!(told(shanghai).ends_with(": Asia/Shanghai, UTC+08:00"));
    }

    #[test]
    fn a_wrong_moment_and_one_to_come_are_told_apart() {
        for (text, zh, en) in [
            ("yesterday", "不是时间", "is not a time"),
            ("2026-13-01 00:00", "2026-11-22 04:00:00", "RFC 3339"),
            ("03:10", "10m", "ten minutes ago"),
            ("2026-11-22 04:01", "还没有到", "is in the future"),
        ] {
            let fault = told(text).expect_err(text);
            let (told_zh, told_en) = (fault.lines(Lang::Zh).join(" "), fault.lines(Lang::En).join(" "));
            assert!(told_zh.contains(zh) && told_en.contains(en), "{text}: {told_zh} {told_en}");
        }
    }
}
