//! Dates as people write them.

use jiff::civil::Date;

use crate::read::Refusal;
use crate::source::quoted;

/// Longest range of dates: a year, as nobody plans further.
const RANGE_DAYS_MAX: usize = 366;

/// `2026-10-01`, or `2026-10-01 to 2026-10-07`.
pub(super) fn dates(text: &str) -> Result<Vec<Date>, Refusal> {
    let range = [" to ", "至", "到", "..", "~"].iter().find_map(|word| text.split_once(word));
    let Some((first, last)) = range else { return Ok(vec![date(text.trim())?]) };
    let (first, last) = (date(first.trim())?, date(last.trim())?);
    if last < first {
        let mend = format!("write \"{last} to {first}\"");
        return Err(("these dates end before they begin".to_owned(), mend));
    }
    let days: Vec<Date> = first
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day <= last)
        .take(RANGE_DAYS_MAX + 1)
        .collect();
    if days.len() > RANGE_DAYS_MAX {
        let mend = "write the year's dates only".to_owned();
        return Err((format!("these dates are more than {RANGE_DAYS_MAX} days"), mend));
    }
    Ok(days)
}

fn date(text: &str) -> Result<Date, Refusal> {
    let no_date = |mend: String| Err((format!("{} is not a date", quoted(text)), mend));
    let form = || "write year, month and day, as \"2026-10-01\"".to_owned();
    let unified: String =
        text.chars().take(32).map(|c| if matches!(c, '/' | '.' | '年' | '月') { '-' } else { c }).collect();
    let parts: Vec<&str> = unified.trim_end_matches('日').split('-').collect();
    let [year, month, day] = parts.as_slice() else { return no_date(form()) };
    let number =
        |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i16>().ok()).flatten();
    let (Some(year), Some(month), Some(day)) = (number(year), number(month), number(day)) else {
        return no_date(form());
    };
    if !(2000..=2999).contains(&year) {
        return no_date(form());
    }
    let parsed = i8::try_from(month).ok().zip(i8::try_from(day).ok());
    let parsed = parsed.map(|(month, day)| (Date::new(year, month, 1), Date::new(year, month, day)));
    match parsed {
        Some((_, Ok(date))) if date.to_string() == text => Ok(date),
        Some((_, Ok(date))) => no_date(format!("write \"{date}\"")),
        Some((Ok(first), Err(_))) => no_date(format!("this month ends on {}", first.last_of_month())),
        _ => no_date(form()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_written() {
        let read = |text: &str| dates(text).unwrap().iter().map(Date::to_string).collect::<Vec<_>>();
        assert_eq!(read("2026-10-01"), ["2026-10-01"]);
        assert_eq!(read("2026-12-31 to 2027-01-02"), ["2026-12-31", "2027-01-01", "2027-01-02"]);
        assert_eq!(read("2028-02-28至2028-03-01"), ["2028-02-28", "2028-02-29", "2028-03-01"]);
        assert_eq!(read("2026-10-01 to 2026-10-01").len(), 1);
        assert_eq!(read("2027-01-01 to 2028-01-01").len(), 366);
    }

    #[test]
    fn wrong_dates_are_explained() {
        for (text, reason, mend) in [
            ("2026-02-29", "'2026-02-29' is not a date", "ends on 2026-02-28"),
            ("2026-13-01", "not a date", "year, month and day"),
            ("2026-00-01", "not a date", "year, month and day"),
            ("2026/10/1", "not a date", "\"2026-10-01\""),
            ("2026年10月1日", "not a date", "\"2026-10-01\""),
            ("01.10.2026", "not a date", "year, month and day"),
            ("20261001", "not a date", "year, month and day"),
            ("10-01", "not a date", "year, month and day"),
            ("tomorrow", "'tomorrow' is not a date", "year, month and day"),
            ("", "'' is not a date", "year, month and day"),
            ("2026-10-07 to 2026-10-01", "end before they begin", "\"2026-10-01 to 2026-10-07\""),
            ("2026-10-01 to 2027-12-01", "more than 366 days", ""),
            ("2026-10-01 to soon", "'soon' is not a date", ""),
            ("9999-01-01", "not a date", ""),
        ] {
            let (why, how) = dates(text).unwrap_err();
            assert!(why.contains(reason) && how.contains(mend), "{text}: {why} / {how}");
        }
    }
}
