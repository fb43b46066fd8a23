use switchboard::id::LineId;
use switchboard::ledger::Account;
use switchboard::line::LineState;
use switchboard::plan::Title;
use switchboard::time::{SiteTime, Span};
use switchboard::view::{Crew, LineView};

/// Everything the board shows at one moment, and nothing about how it looks.
#[derive(Debug, Clone)]
pub(super) struct Figures {
    /// Site time.
    pub(super) at: SiteTime,
    /// When the day is over.
    pub(super) end: SiteTime,
    /// Each line: the busiest of a usual day first.
    pub(super) lines: Vec<LineFigures>,
    /// All lines together.
    pub(super) total: Account,
    /// Each team and its people, by the team's id.
    pub(super) teams: Vec<(Title, Crew)>,
    /// Everybody.
    pub(super) operators: Crew,
    /// A call answered within this time of its ringing in is in time.
    pub(super) threshold: Span,
    /// The account so far.
    pub(super) ledger: LedgerFigures,
}

/// One line at one moment.
#[derive(Debug, Clone)]
pub(super) struct LineFigures {
    /// Which.
    pub(super) id: LineId,
    /// What people read.
    pub(super) title: Title,
    /// Who is inside.
    pub(super) view: LineView,
    /// What came of those who were.
    pub(super) account: Account,
}

/// The account at one moment.
#[derive(Debug, Clone)]
pub(super) struct LedgerFigures {
    /// Whether law L13 holds on every line.
    pub(super) balanced: bool,
    /// How many decisions it covers.
    pub(super) decisions: u64,
    /// The hash of all of them.
    pub(super) hash: String,
}

impl LineFigures {
    /// Whether it takes calls.
    pub(super) fn is_open(&self) -> bool {
        self.view.status.state == LineState::Open
    }

    /// Its service level.
    pub(super) fn service_level(&self) -> Option<ServiceLevel> {
        ServiceLevel::of(&self.account)
    }
}

/// Answered within the threshold ÷ calls of the line that could first be answered there: those that arrived on it or came
/// unanswered, without those that went on unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServiceLevel {
    /// Answered in time.
    pub(super) in_time: u64,
    /// Of so many.
    pub(super) of: u64,
}

impl ServiceLevel {
    /// None where there was no call.
    pub(super) fn of(account: &Account) -> Option<ServiceLevel> {
        let of = account.answerable;
        (of > 0).then_some(ServiceLevel { in_time: account.answered_in_time, of })
    }

    /// In tenths of a percent, rounded down: 100 % is all of them.
    pub(super) fn tenths(self) -> u64 {
        self.in_time * 1_000 / self.of
    }
}

impl Figures {
    /// How much of the day is over, in thousandths.
    pub(super) fn progress(&self) -> u64 {
        (self.at.0.min(self.end.0) * 1_000).checked_div(self.end.0).unwrap_or(1_000)
    }

    /// The same, some time later, when nothing happened in between: those who wait have waited longer.
    #[must_use]
    pub(super) fn at_later(&self, at: SiteTime) -> Figures {
        let mut later = self.clone();
        let passed = at.since(self.at);
        later.at = self.at + passed;
        for line in &mut later.lines {
            if line.view.waiting + line.view.ringing > 0 {
                line.view.longest_wait = Span(line.view.longest_wait.0 + passed.0);
            }
        }
        later
    }
}

impl LineFigures {
    /// Calls inside at this moment.
    pub(super) fn inside(&self) -> u64 {
        let LineView { waiting, ringing, talking, diverting, .. } = self.view;
        u64::from(waiting) + u64::from(ringing) + u64::from(talking) + u64::from(diverting)
    }
}

/// A length of time as a clock shows it: `02:05`, `1:02:05`.
pub(super) fn clock(span: Span) -> String {
    let (hours, minutes, seconds) = (span.as_secs() / 3_600, span.as_secs() / 60 % 60, span.as_secs() % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// The time of day, for a day that begins at midnight.
pub(super) fn time_of_day(at: SiteTime) -> String {
    let seconds = at.since(SiteTime(0)).as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// A number with a comma at each thousand.
pub(super) fn grouped(number: u64) -> String {
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
pub(super) fn percent(tenths: u64) -> String {
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
        assert_eq!(time_of_day(SiteTime(86_400_000_000)), "24:00:00");
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
