//! What operators, their phones and outside numbers do about calls.

use switchboard::call::{Call, Offer, Phase, Stage};
use switchboard::command::{Actor, Command, LegFact, TransferTarget};
use switchboard::id::{Attempt, CallId, OfferId, OperatorId};
use switchboard::operator::{Device, Work};
use switchboard::state::State;

use super::{any_call, gateway_id, live_offers, session_of};
use crate::history::Numbers;
use crate::history::site::{line_id, name, operator_id};

/// The next thing that brings a live offer, a consult or an outside number nearer to a conversation.
pub(super) fn answer(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let outside = state.calls.iter().filter_map(|(id, call)| match call.phase {
        Phase::Diverting { attempt, ringing_until: Some(_), .. } => {
            let command = Command::Digit { call: *id, attempt: Some(attempt), digit: '1' };
            Some((Actor::Gateway(call.gateway), command))
        }
        _ => None,
    });
    let outside: Vec<(Actor, Command)> = outside.collect();
    let offers = live_offers(state);
    let which = n.next();
    if offers.is_empty() || (which % 8 == 7 && !outside.is_empty()) {
        return outside.get(which / 8 % outside.len().max(1)).cloned();
    }
    let (id, call, offer) = offers[which % offers.len()];
    Some(next_step(state, id, call, offer, n.one_in(2)))
}

/// What the operator of a live offer, or the phone, does next.
pub(in crate::history) fn next_step(
    state: &State,
    id: OfferId,
    call: &Call,
    offer: &Offer,
    direct: bool,
) -> (Actor, Command) {
    let OfferId { call: call_id, attempt } = id;
    let session = session_of(state, offer.operator);
    let operator = Actor::Operator(offer.operator);
    let gateway = Actor::Gateway(call.gateway);
    let fact = |fact| Command::Leg { call: call_id, attempt, fact };
    match (offer.stage, offer.device) {
        (Stage::Ringing { deliver_by: Some(_), .. }, Device::Telephone) => (gateway, fact(LegFact::Ringing)),
        (Stage::Ringing { deliver_by: Some(_), .. }, Device::Ring) if direct => {
            (gateway, fact(LegFact::Ringing))
        }
        (Stage::Ringing { deliver_by: Some(_), .. }, _) => {
            (operator, Command::ConfirmDelivery { offer: id, session })
        }
        (Stage::Ringing { .. }, Device::Telephone) => {
            (gateway, Command::Digit { call: call_id, attempt: Some(attempt), digit: '1' })
        }
        (Stage::Ringing { .. }, Device::Ring) if direct => (gateway, fact(LegFact::Answered)),
        (Stage::Ringing { .. }, _) => (operator, Command::Accept { offer: id, session }),
        (Stage::Accepted { .. } | Stage::Talking, Device::Softphone) => {
            (operator, Command::ConfirmMedia { offer: id, session })
        }
        (Stage::Accepted { .. } | Stage::Talking, _) => (gateway, fact(LegFact::Bridged)),
    }
}

pub(super) fn decline(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let (offer, _, live) = n.pick(&live_offers(state))?;
    let session = session_of(state, live.operator);
    let reason = n.one_in(2).then(|| name("busy"));
    Some((Actor::Operator(live.operator), Command::Decline { offer, session, reason }))
}

pub(super) fn operator_does(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let talking: Vec<(OperatorId, CallId)> = state
        .operators
        .iter()
        .filter_map(|(id, operator)| match operator.work {
            Work::Talking { call, .. } => Some((*id, call)),
            _ => None,
        })
        .collect();
    let (operator, call) = n.pick(&talking)?;
    let command = match n.next() % 10 {
        0..3 => Command::HangUp { call },
        3 => Command::Hold { call },
        4 => Command::Retrieve { call },
        5 => Command::Transfer { call, to: TransferTarget::Line(line_id(n.next())) },
        6 => Command::Transfer { call, to: TransferTarget::Operator(operator_id(n.next())) },
        7 | 8 => Command::Consult { call, operator: operator_id(n.next()) },
        _ => Command::CompleteTransfer { call },
    };
    Some((Actor::Operator(operator), command))
}

pub(super) fn end_wrap_up(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let wrapping = state.operators.iter().filter(|(_, o)| matches!(o.work, Work::WrapUp { .. }));
    let wrapping: Vec<OperatorId> = wrapping.map(|(id, _)| *id).collect();
    let topic = n.one_in(2).then(|| name("records"));
    Some((Actor::Operator(n.pick(&wrapping)?), Command::EndWrapUp { topic }))
}

pub(super) fn leg(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let (id, call) = any_call(state, n)?;
    let bridge = match call.phase {
        Phase::Bridged { attempt, .. } | Phase::Diverting { attempt, .. } => Some(attempt),
        Phase::Queued => None,
    };
    let legs: Vec<Attempt> = bridge.into_iter().chain(call.offers.keys().copied()).collect();
    let fact = n.one_of(&[
        LegFact::HungUp,
        LegFact::Failed(name("congestion")),
        LegFact::BridgeLost,
        LegFact::Ringing,
        LegFact::Answered,
        LegFact::Bridged,
        LegFact::HungUp,
        LegFact::Failed(name("no-answer")),
    ]);
    Some((Actor::Gateway(call.gateway), Command::Leg { call: id, attempt: n.pick(&legs)?, fact }))
}

pub(super) fn key(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let (id, call) = any_call(state, n)?;
    let digit = n.one_of(&['1', '2', '3', '1', '9', '#']);
    let legs: Vec<Attempt> = call.offers.keys().copied().collect();
    let attempt = if n.one_in(3) { n.pick(&legs) } else { None };
    Some((Actor::Gateway(call.gateway), Command::Digit { call: id, attempt, digit }))
}

/// An answer to something that is over, or was never there.
pub(super) fn late(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let open = state
        .calls
        .iter()
        .flat_map(|(id, call)| call.ended.iter().map(move |(a, end)| (*id, *a, end.operator)));
    let closed =
        state.closed.iter().flat_map(|(id, t)| t.ended.iter().map(move |(a, end)| (*id, *a, end.operator)));
    let over: Vec<(CallId, Attempt, OperatorId)> = open.chain(closed).collect();
    let (call, attempt, operator) = n.pick(&over)?;
    let attempt = if n.one_in(8) { Attempt(attempt.0 + 20) } else { attempt };
    let gateway = state.calls.get(&call).map_or_else(|| gateway_id(0), |c| c.gateway);
    let mut session = session_of(state, operator);
    if n.one_in(8) {
        session.0 += 1;
    }
    let offer = OfferId { call, attempt };
    let by_leg = |fact| (Actor::Gateway(gateway), Command::Leg { call, attempt, fact });
    Some(match n.next() % 8 {
        0..3 => (Actor::Operator(operator), Command::Accept { offer, session }),
        3 => (Actor::Operator(operator), Command::Decline { offer, session, reason: None }),
        4 => (Actor::Operator(operator), Command::ConfirmMedia { offer, session }),
        5 => by_leg(LegFact::Bridged),
        6 => by_leg(LegFact::HungUp),
        _ => (Actor::Gateway(gateway), Command::CallerHungUp { call }),
    })
}
