use switchboard::ledger::Account;
use switchboard::plan::Title;
use switchboard::time::{SiteTime, Span};
use switchboard::view::Crew;

use crate::board::figures::LineFigures;

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

/// The time of day, for a day that begins at midnight.
pub(super) fn time_of_day(at: SiteTime) -> String {
    let seconds = at.since(SiteTime(0)).as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_twenty_four() {
        assert_eq!(time_of_day(SiteTime(86_400_000_000)), "24:00:00");
    }
}
