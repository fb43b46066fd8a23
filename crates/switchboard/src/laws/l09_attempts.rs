//! L09: an offer names its attempt; an old attempt never wins; the same answer twice is harmless.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;

use super::{Step, Violation, demand};
use crate::call::{Call, ENDED_MAX, OfferEnd, Phase};
use crate::command::{Actor, Command};
use crate::decision::Decision;
use crate::event::Event;
use crate::id::{Attempt, CallId};
use crate::state::State;
use crate::switchboard::Switchboard;

const LAW: &str = "L09";

/// # Errors
/// Names an attempt that was never made, or that is live and over at once.
pub(super) fn check_state(state: &State) -> Result<(), Violation> {
    state.calls.iter().try_for_each(|(id, call)| check_call(state, *id, call))
}

/// # Errors
/// Names an attempt of this call that was never made, or that is live and over at once.
pub(super) fn check_call(state: &State, id: CallId, call: &Call) -> Result<(), Violation> {
    let made = |attempt: &Attempt| (1..=call.attempts).contains(&attempt.0);
    let unmade =
        call.offers.keys().chain(call.ended.keys()).chain(bridge(call).iter()).find(|a| !made(a)).copied();
    demand(LAW, state.seq, unmade.is_none(), || format!("call {id} has {unmade:?}, which was never made"))?;
    let both = call.offers.keys().find(|attempt| call.ended.contains_key(attempt));
    demand(LAW, state.seq, both.is_none(), || format!("{both:?} of call {id} is live and over"))?;
    let over = bridge(call).and_then(|attempt| call.ended.get(&attempt));
    let over = over.filter(|ended| ended.how != OfferEnd::Connected);
    demand(LAW, state.seq, over.is_none(), || format!("call {id} is bridged by an attempt that {over:?}"))?;
    let many = call.ended.len() > ENDED_MAX;
    demand(LAW, state.seq, !many, || format!("call {id} remembers {} ended offers", call.ended.len()))?;
    Ok(())
}

/// # Errors
/// Names the event about an attempt that was not live, or not the next one.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    check_session(step)?;
    let mut attempts = Attempts::before(step.before);
    for event in &step.decision.events {
        let right = attempts.follow(event);
        demand(LAW, step.decision.seq, right, || format!("not a live attempt, or not the next: {event:?}"))?;
    }
    Ok(())
}

/// What a desk says in a session's name counts only from the session that holds the desk.
fn check_session(step: Step<'_>) -> Result<(), Violation> {
    let said = match step.decision.input.command {
        Command::RenewDesk { session, .. }
        | Command::ConfirmDelivery { session, .. }
        | Command::Accept { session, .. }
        | Command::Decline { session, .. }
        | Command::ConfirmMedia { session, .. } => session,
        _ => return Ok(()),
    };
    let Actor::Operator(operator) = step.decision.input.actor else { return Ok(()) };
    let current = step.before.operators.get(&operator).map(|o| o.session);
    demand(LAW, step.decision.seq, current == Some(said), || {
        format!("{operator} was heard on session {}, while {current:?} holds the desk", said.0)
    })
}

/// A fact or an answer that was accepted changes nothing when it comes again.
///
/// # Errors
/// Says what the second one did.
pub fn check_repeat(after: &Switchboard, decision: &Decision) -> Result<(), Violation> {
    if !is_said_once(&decision.input.command) {
        return Ok(());
    }
    let second = after.clone().handle(decision.at, decision.input.clone());
    demand(LAW, decision.seq, second.is_err(), || {
        format!(
            "{:?} twice did something the second time: {:?}",
            decision.input.command,
            second.map(|d| d.events)
        )
    })
}

/// Whether a command says something that can be true only once.
fn is_said_once(command: &Command) -> bool {
    matches!(
        command,
        Command::Arrive(_)
            | Command::CallerHungUp { .. }
            | Command::Leg { .. }
            | Command::PromptFinished { .. }
            | Command::ConfirmDelivery { .. }
            | Command::Accept { .. }
            | Command::Decline { .. }
            | Command::ConfirmMedia { .. }
    )
}

fn bridge(call: &Call) -> Option<Attempt> {
    match call.phase {
        Phase::Queued => None,
        Phase::Bridged { attempt, .. } | Phase::Diverting { attempt, .. } => Some(attempt),
    }
}

/// What is live of each call while a decision's events pass by.
#[derive(Default)]
struct Attempts {
    made: BTreeMap<CallId, u32>,
    offers: BTreeSet<(CallId, Attempt)>,
    bridges: BTreeMap<CallId, Attempt>,
}

impl Attempts {
    fn before(state: &State) -> Attempts {
        let mut attempts = Attempts::default();
        for (id, call) in &state.calls {
            attempts.made.insert(*id, call.attempts);
            attempts.offers.extend(call.offers.keys().map(|attempt| (*id, *attempt)));
            attempts.bridges.extend(bridge(call).map(|attempt| (*id, attempt)));
        }
        attempts
    }

    /// Whether an event is about an attempt that was live, and takes it in.
    fn follow(&mut self, event: &Event) -> bool {
        match *event {
            Event::CallArrived { call, .. } => self.made.insert(call, 0).is_none(),
            Event::OfferMade { call, attempt, .. } => {
                self.is_next(call, attempt) && self.offers.insert((call, attempt))
            }
            Event::CallDiverted { call, attempt, .. } => {
                self.is_next(call, attempt) && self.bridges.insert(call, attempt).is_none()
            }
            Event::OfferDelivered { call, attempt }
            | Event::OfferAccepted { call, attempt, .. }
            | Event::ConsultConnected { call, attempt } => self.offers.contains(&(call, attempt)),
            Event::OfferDeclined { call, attempt, .. }
            | Event::OfferRangOut { call, attempt, .. }
            | Event::OfferUndeliverable { call, attempt, .. }
            | Event::OfferWithdrawn { call, attempt, .. }
            | Event::BridgeFailed { call, attempt, .. }
            | Event::ConsultEnded { call, attempt } => self.offers.remove(&(call, attempt)),
            Event::CallConnected { call, attempt } => {
                self.offers.remove(&(call, attempt)) && self.bridges.insert(call, attempt).is_none()
            }
            Event::TransferCompleted { call, attempt, .. } => {
                self.offers.remove(&(call, attempt)) && self.bridges.insert(call, attempt).is_some()
            }
            Event::LateAcceptNoted { call, attempt, .. } => !self.offers.contains(&(call, attempt)),
            Event::CallRequeued { call, .. }
            | Event::CallTransferred { call, .. }
            | Event::DivertFailed { call } => self.bridges.remove(&call).is_some(),
            Event::CallClosed { call, .. } => self.made.remove(&call).is_some(),
            _ => true,
        }
    }

    fn is_next(&mut self, call: CallId, attempt: Attempt) -> bool {
        let Some(made) = self.made.get_mut(&call) else { return false };
        *made += 1;
        *made == attempt.0
    }
}
