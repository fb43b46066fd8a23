//! Deciding on the draft: time first, then what was asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use switchboard::command::{Actor, Command, Input};
use switchboard::decision::Decision;
use switchboard::id::Seq;
use switchboard::laws::{self, Violation, l10_order};
use switchboard::time::SiteTime;

use crate::ask::{Ask, Asker, Refused};
use crate::batch::Verdict;
use crate::evidence::Evidence;
use crate::planted::Mistake;
use crate::run::Runner;
use crate::traces::Marks;

/// So many faults of the program at one place in the history, and the site stops: whatever is asked next would
/// probably meet the same.
const FAULTS_AT_ONE_SEQ_MAX: u32 = 3;

/// Faults of the program met since the last decision.
#[derive(Default)]
pub(crate) struct Faults {
    seq: Seq,
    count: u32,
}

impl Runner {
    /// The site's time for the next decision.
    pub(crate) fn now(&self) -> SiteTime {
        self.shared.clock.now().max(self.draft.state().now)
    }

    /// When something happens by itself next.
    pub(crate) fn due(&self) -> Option<SiteTime> {
        let first = [self.draft.next_deadline(), self.shared.presence.next_end(), self.schedule.due];
        first.into_iter().flatten().min()
    }

    /// When this writer lets it happen, if nobody asks for anything meanwhile.
    pub(crate) fn due_in_turn(&self) -> Option<SiteTime> {
        if self.shared.clock.is_stepped() || self.planted.is(Mistake::OutOfTurn) {
            return self.due();
        }
        self.due().map(|due| due + self.turns.delay(&self.writer))
    }

    /// Lets everything happen that is due: deadlines, ended leases, the schedule.
    pub(crate) fn fire_due(&mut self, at: SiteTime) {
        self.hear_of_roster(at);
        if self.degraded || self.due().is_none_or(|due| due > at) {
            return;
        }
        self.tick_if_due(at);
        for holder in self.shared.presence.take_ended(at) {
            self.decide_own(at, Input { actor: Actor::Presence, request: None, command: holder.report() });
        }
        if self.schedule.due.is_some_and(|due| due <= at) {
            self.extend_schedule(at);
        }
    }

    /// Decides an ask at this moment.
    pub(crate) fn decide(&mut self, ask: Ask) {
        let at = self.now();
        self.fire_due(at);
        self.decide_at(at, ask);
    }

    /// Decides something that the exchange itself found out.
    pub(crate) fn decide_own(&mut self, at: SiteTime, input: Input) {
        self.decide_at(at, Ask { input, asker: Asker::Exchange, marks: Marks::default() });
    }

    fn decide_at(&mut self, at: SiteTime, ask: Ask) {
        if !self.degraded {
            self.tick_if_due(at);
        }
        if let Some(refused) = self.degraded() {
            return ask.answer(Err(refused));
        }
        if ask.is_left() {
            return;
        }
        let began = ask.marks.moment();
        let drafted = self.draft_one(at, ask.input.clone());
        ask.marks.decided(began);
        match drafted {
            Ok(decision) => {
                self.building.push(Arc::clone(&decision));
                self.schedule.note(&decision);
                if self.planted.is(Mistake::AnswerBeforeAppend) {
                    return ask.answer(Verdict::Decided(decision).answer(self.shared.published.cursor()));
                }
                self.building.answer_later(ask, Verdict::Decided(decision));
            }
            Err(refused) => self.refuse(ask, refused, at),
        }
    }

    /// A refusal is as good as the history it was decided on: it waits for the appends under way.
    fn refuse(&mut self, ask: Ask, refused: Refused, at: SiteTime) {
        let stands_alone = self.building.is_empty() && self.in_flight.is_none();
        if stands_alone && self.doubts.are_due() && matches!(refused, Refused::Rejection(_)) {
            self.doubts.asks.push_back(ask);
            return;
        }
        self.shared.counters.refusals.fetch_add(1, Ordering::Relaxed);
        let verdict = Verdict::Refused { refused, at };
        if self.planted.is(Mistake::RefuseBeforeAppend) {
            return ask.answer(verdict.answer(self.shared.published.cursor()));
        }
        if !self.building.is_empty() {
            self.building.answer_later(ask, verdict);
        } else if let Some(flight) = &mut self.in_flight {
            flight.batch.answer_later(ask, verdict);
        } else {
            if verdict.is_done_before() {
                self.note_link_again(&ask);
            }
            ask.answer(verdict.answer(self.shared.published.cursor()));
        }
    }

    fn tick_if_due(&mut self, at: SiteTime) {
        if self.draft.next_deadline().is_none_or(|due| due > at) {
            return;
        }
        match self.draft_one(at, Input { actor: Actor::Clock, request: None, command: Command::Tick }) {
            Ok(decision) => {
                self.building.push(Arc::clone(&decision));
                self.schedule.note(&decision);
            }
            Err(refused) => self.degrade(&format!("a tick that was due was refused: {refused}")),
        }
    }

    /// One decision on the draft, held against the laws as far as they concern what it names.
    fn draft_one(&mut self, at: SiteTime, input: Input) -> Result<Arc<Decision>, Refused> {
        let (seq, now) = (self.draft.state().seq, self.draft.state().now);
        let decided = catch_unwind(AssertUnwindSafe(|| {
            if self.planted.is(Mistake::Panic) && matches!(input.command, Command::PromptFinished { .. }) {
                panic!("a planted mistake");
            }
            self.draft.handle(at, input.clone()).map(|decision| self.planted.perhaps_break_a_law(decision))
        }));
        let fault = match decided {
            Ok(Ok(decision)) => match self.lawful(seq, now, &decision) {
                Ok(()) => return Ok(Arc::new(decision)),
                Err(violation) => violation.to_string(),
            },
            Ok(Err(rejection)) => return Err(rejection.into()),
            Err(_) => "it panicked".to_owned(),
        };
        tracing::error!(site = %self.shared.site, seq = seq.0, fault, "an ask met a fault of the program");
        self.shared.counters.faults.fetch_add(1, Ordering::Relaxed);
        self.draft_afresh();
        self.evidence.keep(&Evidence { what: &fault, at, input: &input, before: self.draft.state() });
        self.count_fault(seq);
        Err(Refused::Faulty)
    }

    fn lawful(&self, seq: Seq, now: SiteTime, decision: &Decision) -> Result<(), Violation> {
        l10_order::check_next(seq, now, decision)?;
        laws::check_decided(decision, &self.draft)
    }

    fn count_fault(&mut self, seq: Seq) {
        let count = if self.faults.seq == seq { self.faults.count + 1 } else { 1 };
        self.faults = Faults { seq, count };
        if count >= FAULTS_AT_ONE_SEQ_MAX {
            self.degrade("too many faults at one place in the history");
        }
    }

    /// The draft anew: what is durable, then what is under way.
    pub(crate) fn draft_afresh(&mut self) {
        self.draft = self.shared.published.read().durable.clone();
        let in_flight = self.in_flight.iter().flat_map(|flight| &flight.batch.decisions);
        for decision in in_flight.chain(&self.building.decisions) {
            self.draft.evolve(decision);
        }
    }
}
