//! The end of every history: faults stop, everybody is on duty and answers, and nobody may be left inside.

use switchboard::call::Phase;
use switchboard::command::{Actor, Command, Force};
use switchboard::id::OfferId;
use switchboard::operator::{Duty, Work};
use switchboard::state::State;

use super::deeds::{desk_id, next_step, supervisor};
use super::site::{PEOPLE, operator_id};

/// What a willing staff does next; nothing when only time can help.
pub(super) fn next(state: &State) -> Option<(Actor, Command)> {
    staff(state).or_else(|| offers(state)).or_else(|| bridges(state))
}

fn staff(state: &State) -> Option<(Actor, Command)> {
    for n in 0..PEOPLE {
        let operator = operator_id(n);
        let Some(person) = state.operators.get(&operator) else { continue };
        if matches!(person.work, Work::WrapUp { .. }) {
            return Some((Actor::Operator(operator), Command::EndWrapUp { topic: None }));
        }
        if person.removing {
            continue;
        }
        if person.device.has_desk() && !person.is_reachable() {
            let desk = person.desk.unwrap_or_else(|| desk_id(n, 0));
            return Some((Actor::Operator(operator), Command::AttachDesk { operator, desk }));
        }
        let free = person.work == Work::Idle && person.shift.is_none();
        if free && (person.duty != Duty::On || person.cool_until.is_some()) {
            return Some((supervisor(), Command::ForceOperator { operator, to: Force::On }));
        }
        if person.work == Work::OutsideCall {
            return Some((supervisor(), Command::ForceOperator { operator, to: Force::Idle }));
        }
    }
    None
}

fn offers(state: &State) -> Option<(Actor, Command)> {
    let (id, call) = state.calls.iter().find(|(_, call)| !call.offers.is_empty())?;
    if call.consult().is_some() {
        let Phase::Bridged { operator, .. } = call.phase else { return None };
        return Some((Actor::Operator(operator), Command::Retrieve { call: *id }));
    }
    let accepted = call.accepted().map(|(attempt, offer)| (attempt, offer.clone()));
    let (attempt, offer) =
        accepted.or_else(|| call.offers.iter().next().map(|(attempt, offer)| (*attempt, offer.clone())))?;
    Some(next_step(state, OfferId { call: *id, attempt }, call, &offer, true))
}

fn bridges(state: &State) -> Option<(Actor, Command)> {
    state.calls.iter().find_map(|(id, call)| match call.phase {
        Phase::Bridged { operator, .. } => Some((Actor::Operator(operator), Command::HangUp { call: *id })),
        Phase::Diverting { attempt, ringing_until: Some(_), .. } => {
            let command = Command::Digit { call: *id, attempt: Some(attempt), digit: '1' };
            Some((Actor::Gateway(call.gateway), command))
        }
        Phase::Diverting { .. } => Some((Actor::Gateway(call.gateway), Command::CallerHungUp { call: *id })),
        Phase::Queued => None,
    })
}
