//! Lengths of time with their units.

use switchboard::time::Span;

use super::Reading;
use super::value::Entry;
use crate::source::quoted;

/// Units a plan may use, longest first, in microseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000)];

/// What people write instead.
const ALIASES: [(&str, &[&str]); 5] = [
    ("d", &["day", "days", "天", "日"]),
    ("h", &["hr", "hrs", "hour", "hours", "小时", "时"]),
    ("m", &["min", "mins", "minute", "minutes", "分", "分钟"]),
    ("s", &["sec", "secs", "second", "seconds", "秒"]),
    ("ms", &["msec", "millis", "millisecond", "milliseconds", "毫秒"]),
];

/// What is wrong with a written length, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LengthFault {
    pub(super) reason: String,
    pub(super) mend: String,
}

impl Reading {
    pub(super) fn span(&mut self, entry: &Entry<'_>) -> Option<Span> {
        if let toml::de::DeValue::Integer(digits) = entry.value.get_ref() {
            let mend = format!("write \"{0}s\" for {0} seconds, \"{0}m\" for minutes", digits.as_str());
            self.fault(&entry.path, entry.span(), "a length of time needs a unit", mend);
            return None;
        }
        let text = self.text(entry, "\"15s\"")?;
        match length(text) {
            Ok(span) => Some(span),
            Err(LengthFault { reason, mend }) => {
                self.fault(&entry.path, entry.span(), reason, mend);
                None
            }
        }
    }
}

/// Reads `90s`, `2m`, `1h30m`, `500ms`.
pub(super) fn length(text: &str) -> Result<Span, LengthFault> {
    let mut rest = text.trim();
    if rest.is_empty() || rest.len() > 64 {
        return Err(fault(
            "this is not a length of time",
            "write it as \"15s\", \"2m\", \"24h\" or \"500ms\"",
        ));
    }
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let (micros, size, after) = part(rest)?;
        if size >= last {
            return Err(fault("units must go from long to short, each once", "write it as \"1h30m\""));
        }
        last = size;
        total = total
            .checked_add(micros)
            .ok_or_else(|| fault("this length of time is too long", "no length in a plan is over 30 days"))?;
        rest = after.trim_start();
    }
    Ok(Span(total))
}

/// One number with its unit: its microseconds, the unit's, and what follows.
fn part(text: &str) -> Result<(u64, u64, &str), LengthFault> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = text.split_at(digits);
    if rest.starts_with(['.', ',']) {
        return Err(fault(
            "a length of time is in whole units",
            "write \"1500ms\" for one and a half seconds",
        ));
    }
    if number.is_empty() {
        let reason = format!("{} is not a length of time", quoted(text));
        return Err(fault(reason, "write a number and its unit, as \"15s\", \"2m\" or \"24h\""));
    }
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    let Some((_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(unknown_unit(number, unit));
    };
    let micros = number.parse::<u64>().ok().and_then(|n| n.checked_mul(*size));
    let micros = micros
        .ok_or_else(|| fault("this length of time is too long", "no length in a plan is over 30 days"))?;
    Ok((micros, *size, rest))
}

fn unknown_unit(number: &str, unit: &str) -> LengthFault {
    if unit.is_empty() {
        let mend = format!("write \"{number}s\" for seconds, \"{number}m\" for minutes");
        return fault("a length of time needs a unit", mend);
    }
    let lower = unit.to_lowercase();
    let meant = ALIASES.iter().find(|(name, others)| *name == lower || others.contains(&lower.as_str()));
    let reason = format!("there is no unit {}", quoted(unit));
    match meant {
        Some((name, _)) => fault(reason, format!("write \"{number}{name}\"")),
        None => fault(reason, "units are ms, s, m (minutes), h and d, as in \"90s\""),
    }
}

fn fault(reason: impl Into<String>, mend: impl Into<String>) -> LengthFault {
    LengthFault { reason: reason.into(), mend: mend.into() }
}

/// A length as a person would write it: the limits of the plan's own check come in seconds.
pub(crate) fn humane(written: &str) -> String {
    let Ok(Span(micros)) = length(written) else { return written.to_owned() };
    let whole = UNITS.iter().find(|(_, size)| micros > 0 && micros.is_multiple_of(*size));
    whole.map_or_else(|| written.to_owned(), |(name, size)| format!("{}{name}", micros / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_with_units() {
        for (text, micros) in [
            ("15s", 15_000_000),
            ("2m", 120_000_000),
            ("24h", 86_400_000_000),
            ("500ms", 500_000),
            ("1h30m", 5_400_000_000),
            ("1m 30s", 90_000_000),
            (" 10 s ", 10_000_000),
            ("0s", 0),
        ] {
            assert_eq!(length(text), Ok(Span(micros)), "{text}");
        }
    }

    #[test]
    fn wrong_and_missing_units_are_named() {
        for (text, reason, mend) in [
            ("15", "needs a unit", "\"15s\""),
            ("15 sec", "no unit 'sec'", "\"15s\""),
            ("15秒", "no unit '秒'", "\"15s\""),
            ("2M", "no unit 'M'", "\"2m\""),
            ("2w", "no unit 'w'", "units are"),
            ("1.5s", "whole units", "1500ms"),
            ("-5s", "'-5s' is not a length", "number and its unit"),
            ("", "not a length", "15s"),
            ("s", "'s' is not a length", "15s"),
            ("30s1m", "long to short", "1h30m"),
            ("99999999999999999999s", "too long", "30 days"),
            ("18446744073709551615d", "too long", "30 days"),
        ] {
            let fault = length(text).unwrap_err();
            assert!(fault.reason.contains(reason), "{text}: {fault:?}");
            assert!(fault.mend.contains(mend), "{text}: {fault:?}");
        }
    }

    #[test]
    fn limits_read_as_people_write_them() {
        assert_eq!(humane("2592000s"), "30d");
        assert_eq!(humane("90s"), "90s");
        assert_eq!(humane("3600s"), "1h");
        assert_eq!(humane("0s"), "0s");
        assert_eq!(humane("10"), "10");
    }
}
