//! The figures of lines, and how numbers are written for people.

use switchboard::id::LineId;
use switchboard::ledger::Account;
use switchboard::line::LineState;
use switchboard::plan::Title;
use switchboard::time::Span;
use switchboard::view::LineView;

/// One line at one moment.
#[derive(Debug, Clone)]
pub(crate) struct LineFigures {
    /// Which.
    pub(crate) id: LineId,
    /// What people read.
    pub(crate) title: Title,
    /// Who is inside.
    pub(crate) view: LineView,
    /// What came of those who were.
    pub(crate) account: Account,
}

impl LineFigures {
    /// Whether it takes calls.
    pub(crate) fn is_open(&self) -> bool {
        self.view.status.state == LineState::Open
    }

    /// Its service level.
    pub(crate) fn service_level(&self) -> Option<ServiceLevel> {
        ServiceLevel::of(&self.account)
    }
}

/// Answered within the threshold ÷ calls of the line that could first be answered there: those that arrived on it or came
/// unanswered, without those that went on unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceLevel {
    /// Answered in time.
    pub(crate) in_time: u64,
    /// Of so many.
    pub(crate) of: u64,
}

impl ServiceLevel {
    /// None where there was no call.
    pub(crate) fn of(account: &Account) -> Option<ServiceLevel> {
        let of = account.answerable;
        (of > 0).then_some(ServiceLevel { in_time: account.answered_in_time, of })
    }

    /// In tenths of a percent, rounded down: 100 % is all of them.
    pub(crate) fn tenths(self) -> u64 {
        self.in_time * 1_000 / self.of
    }
}

impl LineFigures {
    /// Calls inside at this moment.
    pub(crate) fn inside(&self) -> u64 {
        let LineView { waiting, ringing, talking, diverting, .. } = self.view;
        u64::from(waiting) + u64::from(ringing) + u64::from(talking) + u64::from(diverting)
    }
}

/// A length of time as a clock shows it: `02:05`, `1:02:05`.
pub(crate) fn clock(span: Span) -> String {
    let (hours, minutes, seconds) = (span.as_secs() / 3_600, span.as_secs() / 60 % 60, span.as_secs() % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// A number with a comma at each thousand.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for (n, digit) in digits[first..].chars().enumerate() {
        if n % 3 == 0 && !text.is_empty() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Tenths of a percent as people read them.
pub(crate) fn percent(tenths: u64) -> String {
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let written: Vec<String> = [0, 7, 999, 1_000, 41_789, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(written, ["0", "7", "999", "1,000", "41,789", "1,234,567"]);
        assert_eq!(percent(1_000), "100.0 %");
        assert_eq!(percent(7), "0.7 %");
        assert_eq!(clock(Span::secs(3_725)), "1:02:05");
        assert_eq!(clock(Span::secs(59)), "00:59");
    }

    #[test]
    fn the_level_is_of_the_calls_that_could_be_answered() {
        let emergency =
            Account { arrived: 10, moved_out: 2, answerable: 8, answered_in_time: 6, ..Account::default() };
        let level = ServiceLevel::of(&emergency).unwrap();
        assert_eq!((level.of, level.tenths()), (8, 750));
        assert_eq!(ServiceLevel::of(&Account::default()), None);
    }
}
