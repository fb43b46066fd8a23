//! L08: nobody is offered an operator before an earlier call in the order (class, arrived_at − boost, seq) that the
//! same operator could have taken, so that the boost is the only way to overtake, by at most [`BOOST_MAX`]. And nobody
//! loses a place: nothing that happens to an open call changes when it arrived.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use super::{Step, Violation, demand};
use crate::call::{Call, Class, Purpose, TierSet};
use crate::eligible::{promised_line, terms};
use crate::event::Event;
use crate::id::{CallId, OperatorId, Seq};
use crate::operator::Work;
use crate::plan::{BOOST_MAX, Trigger};
use crate::state::State;
use crate::time::Span;

const LAW: &str = "L08";

/// # Errors
/// Names who overtook whom.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    let state = step.after.state();
    check_places_kept(step.before, state)?;
    for (served, operator) in offered(step) {
        let Some(call) = state.calls.get(&served) else { continue };
        check_bound(state, call)?;
        let earlier = |other: &&Call| other.is_waiting() && place(state, other) < place(state, call);
        let passed: Vec<CallId> =
            state.calls.iter().filter(|(_, other)| earlier(other)).map(|(id, _)| *id).collect();
        if passed.is_empty() {
            continue;
        }
        let then = as_it_was(step, operator);
        let wronged = passed.iter().find(|id| terms(&then, operator, **id).is_empty());
        demand(LAW, state.seq, wronged.is_none(), || {
            format!("call {served} was offered to {operator} before call {wronged:?}, who comes first")
        })?;
    }
    Ok(())
}

/// Whoever waits and came much earlier, in the same class, comes first whatever the boosts.
fn check_bound(state: &State, served: &Call) -> Result<(), Violation> {
    let much_earlier = |other: &Call| other.arrived_at + BOOST_MAX < served.arrived_at;
    let wronged = state.calls.iter().find(|(_, other)| {
        let behind = place(state, other) > place(state, served);
        other.is_waiting() && other.class == served.class && much_earlier(other) && behind
    });
    demand(LAW, state.seq, wronged.is_none(), || {
        format!(
            "call {:?} stands behind a call that came far later than any boost",
            wronged.map(|(id, _)| id)
        )
    })
}

fn check_places_kept(before: &State, after: &State) -> Result<(), Violation> {
    let place = |call: &Call| (call.arrived_at, call.seq, call.rang_at);
    let moved =
        after.calls.iter().find(|(id, call)| before.calls.get(id).is_some_and(|b| place(b) != place(call)));
    demand(LAW, after.seq, moved.is_none(), || format!("call {:?} lost its place", moved.map(|(id, _)| id)))
}

/// The offers of the line's ladder made in this decision that still ring.
fn offered(step: Step<'_>) -> impl Iterator<Item = (CallId, OperatorId)> {
    step.decision.events.iter().filter_map(move |event| match event {
        Event::OfferMade { call, attempt, operator, purpose, .. } if *purpose != Purpose::Consult => {
            let lives = step.after.state().calls.get(call).is_some_and(|c| c.offers.contains_key(attempt));
            lives.then_some((*call, *operator))
        }
        _ => None,
    })
}

/// The state after, with this operator idle again, and without the tiers that opened in this decision because
/// of the depth of the queue: those open only when the match has come to rest.
fn as_it_was(step: Step<'_>, operator: OperatorId) -> State {
    let mut state = step.after.state().clone();
    if let Some(operator) = state.operators.get_mut(&operator) {
        operator.work = Work::Idle;
    }
    let opened_by_depth: BTreeSet<(CallId, u8)> = step
        .decision
        .events
        .iter()
        .filter_map(|event| match event {
            Event::TierOpened { call, tier, trigger: Trigger::Depth(_) } => Some((*call, *tier)),
            _ => None,
        })
        .collect();
    for (id, call) in &mut state.calls {
        let mut tiers = TierSet::default();
        for tier in call.tiers.iter().filter(|tier| !opened_by_depth.contains(&(*id, *tier))) {
            tiers.insert(tier);
        }
        call.tiers = tiers;
    }
    state
}

/// The order everywhere: class, arrival less boost, sequence number of the arrival.
fn place(state: &State, call: &Call) -> (Class, i128, Seq) {
    let boost = promised_line(state, call).map_or(Span::ZERO, |line| line.boost);
    (call.class, i128::from(call.arrived_at.0) - i128::from(boost.0), call.seq)
}
