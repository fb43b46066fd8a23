//! L08: nobody is offered an operator before an earlier call in the order (class, arrived_at − boost, seq) that the
//! same operator could have taken, so that the boost is the only way to overtake, by at most [`BOOST_MAX`].

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use super::{Step, Violation, demand};
use crate::call::{Call, Place, Purpose, TierSet};
use crate::eligible::{promised_line, terms};
use crate::event::Event;
use crate::id::{CallId, OperatorId};
use crate::operator::Work;
use crate::plan::{BOOST_MAX, Trigger};
use crate::state::State;
use crate::time::Span;

const LAW: &str = "L08";

/// # Errors
/// Names who overtook whom.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    let state = step.after.state();
    let waiting: Vec<CallId> =
        state.calls.iter().filter(|(_, c)| c.is_waiting()).map(|(id, _)| *id).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    for (served, operator) in offered(step) {
        let Some(call) = state.calls.get(&served) else { continue };
        let then = as_it_was(step, operator);
        for passed in &waiting {
            let other = &state.calls[passed];
            let earlier = place(state, *passed, other) < place(state, served, call);
            let could = earlier && terms(&then, operator, *passed).is_empty();
            demand(LAW, state.seq, !could, || {
                format!("call {served} was offered to {operator} before call {passed}, who comes first")
            })?;
            let bound =
                !earlier && call.class == other.class && call.arrived_at > other.arrived_at + BOOST_MAX;
            demand(LAW, state.seq, !bound, || {
                format!("call {served} comes before {passed}, far beyond any boost")
            })?;
        }
    }
    Ok(())
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

fn place(state: &State, id: CallId, call: &Call) -> Place {
    let boost = promised_line(state, call).map_or(Span::ZERO, |line| line.boost);
    Place::of(id, call, boost)
}
