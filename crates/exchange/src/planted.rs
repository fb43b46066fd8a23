//! Deliberate mistakes, for the tests of the tests. Outside of this crate's own tests there are none.

use switchboard::canonical;
use switchboard::command::Command;
use switchboard::decision::Decision;
use switchboard::event::Event;

/// A mistake that one of the tests must catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Answers before the append.
    AnswerBeforeAppend,
    /// Lets everybody read a decision before the append.
    PublishBeforeAppend,
    /// Answers a refusal before the append it stands on.
    RefuseBeforeAppend,
    /// Takes a lost append for a stored one.
    LostIsStored,
    /// Never decides again what was in a lost append.
    ForgetTheLost,
    /// Lets happen at once what is due, whoever wrote last.
    OutOfTurn,
    /// Appends again at once, whoever waits.
    GoesFirst,
    /// Panics on one kind of command.
    Panic,
    /// Decides one kind of command against a law.
    BreakLaw,
}

/// The mistake that is planted, if one is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Planted {
    #[cfg(test)]
    pub(crate) mistake: Option<Mistake>,
}

impl Planted {
    /// Whether this one is.
    #[cfg(test)]
    pub(crate) fn is(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Never.
    #[cfg(not(test))]
    pub(crate) fn is(self, _mistake: Mistake) -> bool {
        false
    }

    /// What was decided, in some cases with an event of a call in it that was never open.
    pub(crate) fn perhaps_break_a_law(self, mut decision: Decision) -> Decision {
        if self.is(Mistake::BreakLaw) && matches!(decision.input.command, Command::ChangeOperator { .. }) {
            let nobodys = canonical::decode("\"00000000-0000-0000-0000-000000000000\"");
            decision.events.extend(nobodys.map(|call| Event::CallHeld { call }));
        }
        decision
    }
}
