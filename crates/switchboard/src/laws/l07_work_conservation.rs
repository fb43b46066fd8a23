//! L07: no eligible idle operator and waiting call coexist, except by a rule of the closed list in
//! [`crate::eligible`]; and that a tier is not open is no excuse while one of its triggers holds. The list is closed on
//! both sides: whoever is asked has none of its reasons.

use alloc::format;
use alloc::vec::Vec;

use super::{Step, Violation, demand};
use crate::call::{Call, Purpose};
use crate::eligible::{is_in_tier, promised_line, terms};
use crate::event::Event;
use crate::operator::Work;
use crate::plan::{Line, Trigger};
use crate::state::State;

const LAW: &str = "L07";

/// # Errors
/// Names the waiting call and the operator who could take it, or the tier that should be open.
pub(super) fn check(state: &State) -> Result<(), Violation> {
    for (id, call) in state.calls.iter().filter(|(_, call)| call.is_waiting()) {
        for operator in state.operators.keys() {
            let free = terms(state, *operator, *id).is_empty();
            demand(LAW, state.seq, !free, || format!("call {id} waits and {operator} could take it"))?;
        }
        if call.target.is_none()
            && let Some(line) = promised_line(state, call)
        {
            let due = due_tier(state, call, line);
            demand(LAW, state.seq, due.is_none(), || {
                format!("tier {due:?} of waiting call {id} should be open")
            })?;
        }
    }
    Ok(())
}

/// # Errors
/// Names an operator who was asked although a reason of the list held.
pub(super) fn check_asked(step: Step<'_>) -> Result<(), Violation> {
    if !step.decision.events.iter().any(|event| matches!(event, Event::OfferMade { .. })) {
        return Ok(());
    }
    let mut state = step.after.state().clone();
    for event in step.decision.events.iter().rev() {
        let Event::OfferMade { call, attempt, operator, purpose, .. } = event else { continue };
        if !state.calls.get(call).is_some_and(|c| c.offers.contains_key(attempt)) {
            continue;
        }
        // Going backwards, everybody asked later in this decision is idle again.
        if let Some(asked) = state.operators.get_mut(operator) {
            asked.work = Work::Idle;
        }
        let reasons = if *purpose == Purpose::Consult { Vec::new() } else { terms(&state, *operator, *call) };
        demand(LAW, state.seq, reasons.is_empty(), || {
            format!("{operator} was asked about call {call} although {reasons:?}")
        })?;
    }
    Ok(())
}

/// A closed tier with a trigger that holds for a waiting call nobody is eligible for.
fn due_tier(state: &State, call: &Call, line: &Line) -> Option<(usize, Trigger)> {
    let closed = |n: &usize| !u8::try_from(*n).is_ok_and(|n| call.tiers.contains(n));
    let lowest = (0..line.tiers.len()).find(closed)?;
    if is_empty(state, call, line) {
        return Some((lowest, Trigger::Empty));
    }
    for n in (lowest..line.tiers.len()).filter(closed) {
        for trigger in &line.tiers[n].when {
            let holds = match *trigger {
                Trigger::Busy => true,
                Trigger::Empty => false,
                Trigger::Wait(wait) => state.now >= call.ladder_from + wait,
                Trigger::Missed(count) => call.missed >= count,
                Trigger::Depth(depth) => depth < waiting(state, call),
            };
            if holds {
                return Some((n, *trigger));
            }
        }
    }
    None
}

/// Whether nobody on duty with the required skills stands behind the open tiers.
fn is_empty(state: &State, call: &Call, line: &Line) -> bool {
    let mut open = call.tiers.iter().filter_map(|n| line.tiers.get(usize::from(n)));
    !open.any(|tier| {
        state.operators.values().any(|operator| {
            operator.is_staff()
                && operator.skills.covers(call.required)
                && is_in_tier(operator, call.line, &tier.who)
        })
    })
}

fn waiting(state: &State, call: &Call) -> u32 {
    let on_line = state.calls.values().filter(|other| other.line == call.line && other.is_waiting()).count();
    u32::try_from(on_line).unwrap_or(u32::MAX)
}
