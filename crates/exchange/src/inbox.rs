//! What waits to be decided, in lanes. A full lane refuses; no lane fills because of another.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use switchboard::command::Command;
use switchboard::id::LineId;
use switchboard::time::Span;
use tokio::sync::Notify;

use crate::ask::{Ask, Refused};
use crate::step::StepAsk;

/// What a refused asker is told to wait: a full lane is worked off in about this time by a store that is well.
pub const RETRY_AFTER: Span = Span::millis(250);

/// The order in which waiting asks are decided. Within a lane the first comes first; between lanes there is no
/// order of asking, so a client that needs one waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Callers on an emergency line.
    Emergency,
    /// Facts and answers about calls that are inside: bounded by what the gateways and desks hold.
    Progress,
    /// Every other caller who rings in.
    Arrivals,
    /// Desks: attaching, duty, pauses.
    Desks,
    /// Supervisors and administrators.
    Oversight,
}

impl Lane {
    /// Every lane, first served first.
    pub const ALL: [Lane; 5] =
        [Lane::Emergency, Lane::Progress, Lane::Arrivals, Lane::Desks, Lane::Oversight];

    /// How many asks may wait in it.
    pub fn asks_max(self) -> usize {
        match self {
            // Ten times the calls a busy site has inside.
            Lane::Emergency | Lane::Arrivals => 2_048,
            // Several facts for each of those calls.
            Lane::Progress => 8_192,
            // All desks of the largest site back at once.
            Lane::Desks => 4_096,
            Lane::Oversight => 256,
        }
    }

    pub(crate) fn of(command: &Command, is_emergency: impl FnOnce(LineId) -> bool) -> Lane {
        match command {
            Command::Arrive(arrival) if is_emergency(arrival.line) => Lane::Emergency,
            Command::Arrive(_) => Lane::Arrivals,
            Command::Tick
            | Command::CallerHungUp { .. }
            | Command::Leg { .. }
            | Command::Digit { .. }
            | Command::PromptFinished { .. }
            | Command::AttachGateway { .. }
            | Command::LoseGateway { .. }
            | Command::NotePhone { .. }
            | Command::DropDesk { .. }
            | Command::ConfirmDelivery { .. }
            | Command::Accept { .. }
            | Command::Decline { .. }
            | Command::ConfirmMedia { .. }
            | Command::Hold { .. }
            | Command::Retrieve { .. }
            | Command::HangUp { .. }
            | Command::Transfer { .. }
            | Command::Consult { .. }
            | Command::CompleteTransfer { .. } => Lane::Progress,
            Command::AttachDesk { .. }
            | Command::RenewDesk { .. }
            | Command::EndWrapUp { .. }
            | Command::GoOnDuty { .. }
            | Command::Pause { .. }
            | Command::Resume { .. }
            | Command::Leave { .. }
            | Command::BlockCaller { .. } => Lane::Desks,
            Command::UnblockCaller { .. }
            | Command::DivertLine { .. }
            | Command::OpenLine { .. }
            | Command::CloseLine { .. }
            | Command::MoveCall { .. }
            | Command::ForceOperator { .. }
            | Command::AdoptPlan(_)
            | Command::ExtendSchedule { .. }
            | Command::AddOperator { .. }
            | Command::ChangeOperator { .. }
            | Command::RemoveOperator { .. }
            | Command::RetireSite => Lane::Oversight,
        }
    }
}

/// The lanes, and the bell that wakes the loop.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    lanes: [VecDeque<Ask>; Lane::ALL.len()],
    steps: VecDeque<StepAsk>,
    refusing: Option<Refused>,
}

impl Inbox {
    /// Why an ask in this lane would not be taken.
    pub(crate) fn refuses(&self, lane: Lane) -> Option<Refused> {
        let waiting = self.waiting();
        let full = || waiting.lanes[lane as usize].len() >= lane.asks_max();
        waiting.refusing.clone().or_else(|| full().then_some(Refused::Busy { retry_after: RETRY_AFTER }))
    }

    pub(crate) fn put(&self, lane: Lane, ask: Ask) -> Result<(), Refused> {
        let mut waiting = self.waiting();
        if let Some(refused) = &waiting.refusing {
            return Err(refused.clone());
        }
        let queue = &mut waiting.lanes[lane as usize];
        if queue.len() >= lane.asks_max() {
            return Err(Refused::Busy { retry_after: RETRY_AFTER });
        }
        queue.push_back(ask);
        drop(waiting);
        self.ring();
        Ok(())
    }

    pub(crate) fn put_step(&self, step: StepAsk) -> Result<(), Refused> {
        let mut waiting = self.waiting();
        if let Some(refused) = &waiting.refusing {
            return Err(refused.clone());
        }
        waiting.steps.push_back(step);
        drop(waiting);
        self.ring();
        Ok(())
    }

    /// The next ask, the first lane's first.
    pub(crate) fn take(&self) -> Option<Ask> {
        self.waiting().lanes.iter_mut().find_map(VecDeque::pop_front)
    }

    /// The next step, once no ask waits before it.
    pub(crate) fn take_step(&self) -> Option<StepAsk> {
        let mut waiting = self.waiting();
        if waiting.lanes.iter().all(VecDeque::is_empty) { waiting.steps.pop_front() } else { None }
    }

    /// Takes no more asks; those that wait stay. Closing is the last word.
    pub(crate) fn refuse(&self, because: Refused) {
        let mut waiting = self.waiting();
        if waiting.refusing != Some(Refused::Closed) {
            waiting.refusing = Some(because);
        }
        drop(waiting);
        self.ring();
    }

    /// Nobody takes anything out any more: whoever waits is told that it is closed, and so is everybody who comes.
    pub(crate) fn close(&self) {
        self.refuse(Refused::Closed);
        let Waiting { lanes, steps, .. } = &mut *self.waiting();
        for ask in lanes.iter_mut().flat_map(std::mem::take) {
            ask.answer(Err(Refused::Closed));
        }
        for step in std::mem::take(steps) {
            // A stepper who left has no use for the answer.
            drop(step.asker.send(Err(Refused::Closed.into())));
        }
    }

    /// Whether no ask and no step waits.
    pub(crate) fn is_empty(&self) -> bool {
        let waiting = self.waiting();
        waiting.lanes.iter().all(VecDeque::is_empty) && waiting.steps.is_empty()
    }

    pub(crate) fn refusing(&self) -> Option<Refused> {
        self.waiting().refusing.clone()
    }

    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Every change under this lock is one push or pop.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use switchboard::command::{Actor, Input};

    use super::*;
    use crate::ask::Asker;

    #[test]
    fn the_first_lane_comes_first_and_within_it_the_first_ask() {
        let inbox = Inbox::default();
        for lane in Lane::ALL.into_iter().rev() {
            inbox.put(lane, ask(lane as u64 * 2)).unwrap();
            inbox.put(lane, ask(lane as u64 * 2 + 1)).unwrap();
        }
        let taken: Vec<u64> = std::iter::from_fn(|| inbox.take()).map(|ask| number(&ask)).collect();
        assert_eq!(taken, (0..10).collect::<Vec<u64>>());
    }

    #[test]
    fn a_full_lane_refuses_and_no_other_notices() {
        let inbox = Inbox::default();
        for n in 0..Lane::Arrivals.asks_max() {
            inbox.put(Lane::Arrivals, ask(n as u64)).unwrap();
        }
        let full = inbox.put(Lane::Arrivals, ask(0));
        assert_eq!(full, Err(Refused::Busy { retry_after: RETRY_AFTER }));
        for lane in [Lane::Emergency, Lane::Progress, Lane::Desks, Lane::Oversight] {
            inbox.put(lane, ask(1)).unwrap();
        }
        inbox.take();
        assert!(inbox.put(Lane::Arrivals, ask(0)).is_err(), "an emergency left, not an arrival");
    }

    #[test]
    fn closing_is_the_last_word() {
        let inbox = Inbox::default();
        inbox.refuse(Refused::Degraded);
        assert_eq!(inbox.put(Lane::Desks, ask(0)), Err(Refused::Degraded));
        inbox.refuse(Refused::Closed);
        inbox.refuse(Refused::Degraded);
        assert_eq!(inbox.put(Lane::Desks, ask(0)), Err(Refused::Closed));
    }

    fn ask(n: u64) -> Ask {
        let gateway = "main-1".parse().expect("a name");
        let command = Command::LoseGateway { gateway, incarnation: n };
        let input = Input { actor: Actor::Presence, request: None, command };
        Ask { input, asker: Asker::Exchange, marks: Default::default() }
    }

    fn number(ask: &Ask) -> u64 {
        let Command::LoseGateway { incarnation, .. } = ask.input.command else { panic!("as asked") };
        incarnation
    }
}
