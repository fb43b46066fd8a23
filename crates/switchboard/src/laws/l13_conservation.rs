//! L13: conservation: inside at start + arrived + moved in = moved out + sum of outcomes + inside at end, on every
//! line, over every interval.

use alloc::collections::BTreeMap;
use alloc::format;

use super::{Step, Violation, demand};
use crate::event::Event;
use crate::id::{CallId, LineId};
use crate::state::State;

const LAW: &str = "L13";

/// # Errors
/// Names the line that gained or lost a caller, or the event that did not fit.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    let seq = step.decision.seq;
    let mut inside = inside(step.before);
    for event in &step.decision.events {
        let fits = follow(&mut inside, event);
        demand(LAW, seq, fits, || format!("the callers inside do not allow {event:?}"))?;
    }
    let after = self::inside(step.after.state());
    demand(LAW, seq, inside == after, || {
        let wrong = inside
            .iter()
            .find(|(call, line)| after.get(call) != Some(line))
            .or_else(|| after.iter().find(|(call, line)| inside.get(call) != Some(line)));
        format!("by the events and by the state {wrong:?} is not on the same line")
    })
}

fn inside(state: &State) -> BTreeMap<CallId, LineId> {
    state.calls.iter().map(|(id, call)| (*id, call.line)).collect()
}

/// Books one event; whether the books allowed it.
fn follow(inside: &mut BTreeMap<CallId, LineId>, event: &Event) -> bool {
    match *event {
        Event::CallArrived { call, line, .. } => inside.insert(call, line).is_none(),
        Event::CallMoved { call, from, to, .. } => inside.insert(call, to) == Some(from),
        Event::CallTransferred { call, line, .. } => inside.insert(call, line).is_some(),
        Event::CallClosed { call, .. } => inside.remove(&call).is_some(),
        _ => true,
    }
}
