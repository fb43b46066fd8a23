//! The account of an interval: who was inside, who came, how each passage ended, who is inside still; and one hash of
//! every decision in between. Folded from decisions, so it can be made again from the journal at any time.

use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::{EndedBy, Outcome, Refusal};
use crate::canonical::Hash;
use crate::decision::Decision;
use crate::event::Event;
use crate::id::{CallId, LineId};
use crate::state::State;
use crate::time::{SiteTime, Span};

/// A call answered within this counts as answered in time, on the board and in a day's account.
pub const THRESHOLD: Span = Span::secs(20);

/// How a call ended, as people count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Answered; the caller hung up.
    AnsweredEndedByCaller,
    /// Answered; the operator hung up.
    AnsweredEndedByOperator,
    /// The caller left the queue.
    AbandonedWaiting,
    /// The caller left while a phone rang.
    AbandonedRinging,
    /// The caller left between accept and bridge.
    AbandonedConnecting,
    /// An outside number took it.
    DivertedOut,
    /// The caller is blocked.
    RefusedBlocked,
    /// Too many waited.
    RefusedFull,
    /// The line was closed.
    RefusedClosed,
    /// The line was being removed.
    RefusedDraining,
    /// The closing message was heard.
    NobodyOnDuty,
    /// A fault.
    Failed,
}

impl From<Outcome> for OutcomeKind {
    fn from(outcome: Outcome) -> OutcomeKind {
        match outcome {
            Outcome::Answered { ended_by: EndedBy::Caller } => OutcomeKind::AnsweredEndedByCaller,
            Outcome::Answered { ended_by: EndedBy::Operator } => OutcomeKind::AnsweredEndedByOperator,
            Outcome::AbandonedWaiting => OutcomeKind::AbandonedWaiting,
            Outcome::AbandonedRinging => OutcomeKind::AbandonedRinging,
            Outcome::AbandonedConnecting => OutcomeKind::AbandonedConnecting,
            Outcome::DivertedOut => OutcomeKind::DivertedOut,
            Outcome::Refused(Refusal::Blocked) => OutcomeKind::RefusedBlocked,
            Outcome::Refused(Refusal::Full) => OutcomeKind::RefusedFull,
            Outcome::Refused(Refusal::Closed) => OutcomeKind::RefusedClosed,
            Outcome::Refused(Refusal::Draining) => OutcomeKind::RefusedDraining,
            Outcome::NobodyOnDuty => OutcomeKind::NobodyOnDuty,
            Outcome::Failed { .. } => OutcomeKind::Failed,
        }
    }
}

/// The account of one line, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Inside when the interval began.
    pub inside_at_start: u64,
    /// Rang in, on this line as called.
    pub arrived: u64,
    /// Came from another line.
    pub moved_in: u64,
    /// Went to another line.
    pub moved_out: u64,
    /// Calls whose first answer could be here: inside unanswered at the start, rang in or came unanswered, less those that
    /// went on unanswered. The service level is `answered_in_time` ÷ this.
    pub answerable: u64,
    /// Ended here, by how.
    pub outcomes: BTreeMap<OutcomeKind, u64>,
    /// Calls for which at least one further tier opened, counted where the first did.
    pub overflowed: u64,
    /// Calls bridged for the first time, counted where that was.
    pub answered: u64,
    /// Of those, within the threshold from their own ringing in.
    pub answered_in_time: u64,
    /// Sum of the waits of answered calls, from ringing in to the first bridge.
    pub wait_sum: Span,
    /// The longest of them.
    pub wait_max: Span,
}

impl Account {
    /// Ended here, in any way.
    pub fn ended(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Inside when the interval ended; none when more left than came, which must not be.
    pub fn inside_at_end(&self) -> Option<u64> {
        (self.inside_at_start + self.arrived + self.moved_in).checked_sub(self.ended() + self.moved_out)
    }

    /// The three kinds of abandoned calls together.
    pub fn abandoned(&self) -> u64 {
        let of = |kind| self.outcomes.get(&kind).copied().unwrap_or(0);
        of(OutcomeKind::AbandonedWaiting)
            + of(OutcomeKind::AbandonedRinging)
            + of(OutcomeKind::AbandonedConnecting)
    }
}

/// The account of an interval, per line, with the hash of its decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    threshold: Span,
    lines: BTreeMap<LineId, Account>,
    open: BTreeMap<CallId, Passage>,
    hash: Hash,
    decisions: u64,
}

/// What the ledger knows of an open call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passage {
    line: LineId,
    rang_at: SiteTime,
    overflowed: bool,
    answered: bool,
}

impl Ledger {
    /// Opens the account of an interval that begins in this state. A call answered within `threshold` is in time.
    pub fn open(state: &State, threshold: Span) -> Ledger {
        let mut ledger = Ledger {
            threshold,
            lines: BTreeMap::new(),
            open: BTreeMap::new(),
            hash: Hash::default(),
            decisions: 0,
        };
        for (id, call) in &state.calls {
            let (line, rang_at, answered) = (call.line, call.rang_at, call.answered);
            ledger.line(line).inside_at_start += 1;
            ledger.line(line).answerable += u64::from(!answered);
            let overflowed = call.tiers.iter().count() > 1;
            ledger.open.insert(*id, Passage { line, rang_at, overflowed, answered });
        }
        ledger
    }

    /// Takes the next decision in, and its canonical text into the hash.
    pub fn record(&mut self, decision: &Decision) {
        self.hash = self.hash.then(&decision.to_canonical());
        self.decisions += 1;
        for event in &decision.events {
            self.count(decision.at, event);
        }
    }

    fn line(&mut self, line: LineId) -> &mut Account {
        self.lines.entry(line).or_default()
    }

    fn count(&mut self, at: SiteTime, event: &Event) {
        match event {
            Event::CallArrived { call, line, .. } => {
                self.line(*line).arrived += 1;
                self.line(*line).answerable += 1;
                let passage = Passage { line: *line, rang_at: at, overflowed: false, answered: false };
                self.open.insert(*call, passage);
            }
            Event::CallMoved { call, to, .. } => self.moved(*call, *to),
            Event::CallTransferred { call, line, .. } => self.moved(*call, *line),
            Event::TierOpened { call, .. } => {
                let Some(passage) = self.open.get_mut(call).filter(|p| !p.overflowed) else { return };
                passage.overflowed = true;
                let line = passage.line;
                self.line(line).overflowed += 1;
            }
            Event::CallConnected { call, .. } => self.answered(at, *call),
            Event::CallClosed { call, outcome, .. } => {
                let Some(passage) = self.open.remove(call) else { return };
                *self.line(passage.line).outcomes.entry((*outcome).into()).or_default() += 1;
            }
            _ => {}
        }
    }

    fn moved(&mut self, call: CallId, to: LineId) {
        let Some(passage) = self.open.get_mut(&call).filter(|p| p.line != to) else { return };
        let from = core::mem::replace(&mut passage.line, to);
        let unanswered = u64::from(!passage.answered);
        self.line(from).moved_out += 1;
        self.line(from).answerable -= unanswered;
        self.line(to).moved_in += 1;
        self.line(to).answerable += unanswered;
    }

    fn answered(&mut self, at: SiteTime, call: CallId) {
        let threshold = self.threshold;
        let Some(passage) = self.open.get_mut(&call).filter(|p| !p.answered) else { return };
        passage.answered = true;
        let (line, wait) = (passage.line, at.since(passage.rang_at));
        let account = self.line(line);
        account.answered += 1;
        account.answered_in_time += u64::from(wait <= threshold);
        account.wait_sum = Span(account.wait_sum.0 + wait.0);
        account.wait_max = account.wait_max.max(wait);
    }

    /// Per line.
    pub fn lines(&self) -> &BTreeMap<LineId, Account> {
        &self.lines
    }

    /// All lines together; moves between them are none.
    pub fn total(&self) -> Account {
        let mut total = Account::default();
        for account in self.lines.values() {
            total.inside_at_start += account.inside_at_start;
            total.arrived += account.arrived;
            total.answerable += account.answerable;
            for (kind, n) in &account.outcomes {
                *total.outcomes.entry(*kind).or_default() += n;
            }
            total.overflowed += account.overflowed;
            total.answered += account.answered;
            total.answered_in_time += account.answered_in_time;
            total.wait_sum = Span(total.wait_sum.0 + account.wait_sum.0);
            total.wait_max = total.wait_max.max(account.wait_max);
        }
        total
    }

    /// What counts as answered in time.
    pub fn threshold(&self) -> Span {
        self.threshold
    }

    /// The hash of all decisions taken in, in order.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// How many decisions were taken in.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// Law L13 for this interval: what came equals what went and what is inside, on every line, by the state at its end.
    pub fn is_balanced(&self, state: &State) -> bool {
        let mut inside: BTreeMap<LineId, u64> = BTreeMap::new();
        for call in state.calls.values() {
            *inside.entry(call.line).or_default() += 1;
        }
        let here = |line: &LineId| inside.get(line).copied().unwrap_or(0);
        let known = inside.keys().all(|line| self.lines.contains_key(line));
        known && self.lines.iter().all(|(line, account)| account.inside_at_end() == Some(here(line)))
    }
}
