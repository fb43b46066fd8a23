//! L06: a call closes exactly once, and nothing happens to it afterwards.

use alloc::collections::BTreeSet;
use alloc::format;

use super::{Step, Violation, demand};
use crate::decision::Decision;
use crate::event::Event;
use crate::id::CallId;
use crate::state::State;

const LAW: &str = "L06";

/// # Errors
/// Names a call that is open and closed at once.
pub(super) fn check_state(state: &State) -> Result<(), Violation> {
    let both = state.calls.keys().find(|id| state.closed.contains_key(id));
    demand(LAW, state.seq, both.is_none(), || format!("call {both:?} is open and closed"))
}

/// Of the calls that a decision names only.
///
/// # Errors
/// Names a call that something happened to while it was not open, or that is open and closed at once.
pub(super) fn check_decided(decision: &Decision, after: &State) -> Result<(), Violation> {
    let mut closed = BTreeSet::new();
    for event in &decision.events {
        let Some(call) = happens_to(event) else { continue };
        let over = closed.contains(&call);
        demand(LAW, decision.seq, !over, || format!("call {call} is closed, and then {event:?}"))?;
        if let Event::CallClosed { .. } = event {
            closed.insert(call);
        }
    }
    for call in decision.events.iter().filter_map(happens_to) {
        let (is_open, is_closed) = (after.calls.contains_key(&call), after.closed.contains_key(&call));
        let right = if closed.contains(&call) { is_closed && !is_open } else { is_open && !is_closed };
        demand(LAW, decision.seq, right, || {
            format!("call {call} is open: {is_open}, remembered as closed: {is_closed}")
        })?;
    }
    Ok(())
}

/// # Errors
/// Names a call that something happened to after its close, or that vanished without one.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    let seq = step.decision.seq;
    let mut closed = BTreeSet::new();
    for event in &step.decision.events {
        let Some(call) = happens_to(event) else { continue };
        let over = closed.contains(&call) || step.before.closed.contains_key(&call);
        demand(LAW, seq, !over, || format!("call {call} is closed, and then {event:?}"))?;
        if let Event::CallClosed { .. } = event {
            closed.insert(call);
        }
    }
    let after = step.after.state();
    for call in &closed {
        let right = !after.calls.contains_key(call) && after.closed.contains_key(call);
        demand(LAW, seq, right, || format!("call {call} was closed and is not remembered as closed"))?;
    }
    let vanished = step.before.calls.keys().find(|id| !after.calls.contains_key(id) && !closed.contains(id));
    demand(LAW, seq, vanished.is_none(), || format!("call {vanished:?} vanished without a close"))
}

/// The call an event is about. What an operator does after a call (wrap-up, a late accept) and an alarm about it
/// only mention one.
fn happens_to(event: &Event) -> Option<CallId> {
    match event {
        Event::WrapUpStarted { .. } | Event::LateAcceptNoted { .. } | Event::AlarmRaised { .. } => None,
        event => event.call(),
    }
}
