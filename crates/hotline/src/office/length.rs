//! Lengths of time as people write and read them: `90s`, `30m`, `2h`, `1d`, `1h30m`.

use super::fault::{Fault, Told};
use super::said::said;
use crate::lang::Lang;

/// The units, in seconds, with the words that people write instead.
const UNITS: [(char, u64, &[&str]); 4] = [
    ('d', 86_400, &["day", "days", "天", "日"]),
    ('h', 3_600, &["hour", "hours", "hr", "hrs", "小时", "时"]),
    ('m', 60, &["min", "mins", "minute", "minutes", "分钟", "分"]),
    ('s', 1, &["sec", "secs", "second", "seconds", "秒"]),
];

/// In milliseconds.
///
/// # Errors
/// When it has no unit, another unit, or is too long, in words that name the right one.
pub(super) fn milliseconds(flag: &str, text: &str) -> Told<u64> {
    let mut rest = text.trim();
    let mut seconds: u64 = 0;
    let wrong = |mend: (String, String)| {
        let what =
            said(format!("{flag} {text:?} 不是一段时间"), format!("{flag} {text:?} is not a length of time"));
        Fault::usage("BAD_LENGTH", what).mend(said(mend.0, mend.1))
    };
    let example = || {
        (
            "写成数字加单位：90s（秒）、30m（分）、2h（时）、1d（天）或 1h30m".to_owned(),
            "write a whole number and its unit: 90s, 30m, 2h, 1d or 1h30m".to_owned(),
        )
    };
    if rest.is_empty() {
        return Err(wrong(example()));
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let Ok(number) = number.parse::<u64>() else { return Err(wrong(example())) };
        let unit = unit.trim();
        let Some((_, length, _)) = UNITS.iter().find(|(letter, ..)| unit.chars().eq([*letter])) else {
            let meant = UNITS.iter().find(|(.., words)| words.contains(&unit.to_lowercase().as_str()));
            return Err(wrong(match meant {
                Some((letter, ..)) => (format!("请写 {number}{letter}"), format!("write {number}{letter}")),
                None if unit.is_empty() => (
                    format!(
                        "缺少单位：{number} 分钟写 {number}m，{number} 小时写 {number}h，{number} 天写 {number}d"
                    ),
                    format!(
                        "the unit is missing: {number}m for minutes, {number}h for hours, {number}d for days"
                    ),
                ),
                None => example(),
            }));
        };
        seconds = number
            .checked_mul(*length)
            .and_then(|part| seconds.checked_add(part))
            .filter(|all| all.checked_mul(1_000_000).is_some())
            .ok_or_else(|| wrong(("太长了".to_owned(), "that is too long".to_owned())))?;
        rest = next;
    }
    Ok(seconds * 1_000)
}

/// As people read it: the two largest units, `1h 30m`.
pub(super) fn words(lang: Lang, milliseconds: u64) -> String {
    let mut seconds = milliseconds.div_ceil(1_000);
    let names = [('d', "天"), ('h', "小时"), ('m', "分"), ('s', "秒")];
    let mut parts = Vec::new();
    for ((letter, length, _), (_, zh)) in UNITS.iter().zip(names) {
        let count = seconds / length;
        seconds %= length;
        if count > 0 && parts.len() < 2 {
            parts.push(match lang {
                Lang::Zh => format!("{count}{zh}"),
                Lang::En => format!("{count}{letter}"),
            });
        }
    }
    if parts.is_empty() {
        return lang.of("0秒", "0s").to_owned();
    }
    parts.join(lang.of("", " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_they_are_written() {
        for (text, expected) in
            [("90s", 90_000), ("30m", 1_800_000), ("2h", 7_200_000), ("1d", 86_400_000), ("1h30m", 5_400_000)]
        {
            assert_eq!(milliseconds("--for", text).expect(text), expected);
        }
    }

    #[test]
    fn a_wrong_unit_is_told_the_right_one() {
        for (text, zh, en) in [
            ("30min", "请写 30m", "write 30m"),
            ("2 hours", "请写 2h", "write 2h"),
            ("30分钟", "请写 30m", "write 30m"),
            ("30", "30m", "30m for minutes"),
            ("", "1h30m", "1h30m"),
            ("-5m", "90s", "90s"),
            ("1w", "1d", "1d"),
            ("99999999999999999d", "太长", "too long"),
        ] {
            let fault = milliseconds("--for", text).expect_err(text);
            let (told_zh, told_en) = (fault.lines(Lang::Zh).join("\n"), fault.lines(Lang::En).join("\n"));
            assert!(told_zh.contains(zh) && told_en.contains(en), "{text}: {told_zh} {told_en}");
        }
    }

    #[test]
    fn lengths_are_shown_in_two_units() {
        assert_eq!(words(Lang::En, 5_400_000), "1h 30m");
        assert_eq!(words(Lang::Zh, 90_061_000), "1天1小时");
        assert_eq!(words(Lang::En, 1), "1s");
        assert_eq!(words(Lang::En, 0), "0s");
    }
}
