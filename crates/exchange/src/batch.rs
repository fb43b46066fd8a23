//! What was decided on the draft and waits for one append.

use std::collections::VecDeque;
use std::sync::Arc;

use switchboard::decision::{Decision, Reply};
use switchboard::rejection::Rejection;
use switchboard::time::SiteTime;
use tokio::time::Instant;

use crate::ask::{Answer, Ask, Committed, Cursor, Refused};

/// With so many decisions a row takes no more asks: it stays readable by eye, and a lost append costs little to decide
/// again. What fires by itself at the moment of the last ask comes with it, so that a row can be longer.
pub const BATCH_DECISIONS_MAX: usize = 64;

/// The decisions of one append, and every ask whose answer stands on it, refusals included.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) decisions: Vec<Arc<Decision>>,
    answers: Vec<(Ask, Verdict)>,
}

pub(crate) enum Verdict {
    Decided(Arc<Decision>),
    Refused { refused: Refused, at: SiteTime },
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.decisions.len() >= BATCH_DECISIONS_MAX
    }

    pub(crate) fn push(&mut self, decision: Arc<Decision>) {
        self.decisions.push(decision);
    }

    pub(crate) fn answer_later(&mut self, ask: Ask, verdict: Verdict) {
        self.answers.push((ask, verdict));
    }

    /// The asks that had been done before.
    pub(crate) fn done_before(&self) -> impl Iterator<Item = &Ask> {
        self.answers.iter().filter(|(_, verdict)| verdict.is_done_before()).map(|(ask, _)| ask)
    }

    /// Whoever traces asks is told what their append took.
    pub(crate) fn mark_stored(&self, began: Instant, landed: Instant) {
        for (ask, _) in &self.answers {
            ask.marks.stored(self.decisions.len(), began, landed);
        }
    }

    /// The append stands: everybody is told.
    pub(crate) fn answer(self, head: Cursor) {
        for (ask, verdict) in self.answers {
            ask.answer(verdict.answer(head));
        }
    }

    /// The append was lost: what is to be decided again, in the order in which it was asked.
    pub(crate) fn into_asks(self) -> VecDeque<Ask> {
        self.answers.into_iter().map(|(ask, _)| ask).collect()
    }
}

impl Verdict {
    pub(crate) fn is_done_before(&self) -> bool {
        matches!(self, Verdict::Refused { refused: Refused::Rejection(Rejection::AlreadyDone(_)), .. })
    }

    pub(crate) fn answer(self, head: Cursor) -> Answer {
        match self {
            Verdict::Decided(decision) => {
                let cursor = Cursor { seq: decision.seq, ..head };
                Ok(Committed { reply: decision.reply, cursor, at: decision.at, again: false })
            }
            Verdict::Refused { refused: Refused::Rejection(Rejection::AlreadyDone(reply)), at } => {
                Ok(already(reply, head, at))
            }
            Verdict::Refused { refused, .. } => Err(refused),
        }
    }
}

fn already(reply: Reply, cursor: Cursor, at: SiteTime) -> Committed {
    Committed { reply, cursor, at, again: true }
}
