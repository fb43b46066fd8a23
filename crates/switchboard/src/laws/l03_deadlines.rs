//! L03: after a tick at t no deadline ≤ t remains. And the next deadline the switchboard names is the first there is.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Step, Violation, demand};
use crate::call::{Call, Phase, Stage};
use crate::command::Command;
use crate::eligible::promised_line;
use crate::id::{CallId, OperatorId};
use crate::line::LineState;
use crate::operator::{Duty, Link, Operator, Work};
use crate::plan::{Plan, Trigger};
use crate::state::State;
use crate::time::SiteTime;

const LAW: &str = "L03";

/// # Errors
/// Names a deadline that should have fired, or one that is hidden from the clock.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    let state = step.after.state();
    let all = deadlines(state);
    let first = all.iter().min();
    if step.decision.input.command == Command::Tick {
        let due = first.filter(|(at, _)| *at <= state.now);
        demand(LAW, state.seq, due.is_none(), || {
            format!("after a tick at {:?} still due: {due:?}", state.now)
        })?;
    }
    let named = step.after.next_deadline();
    demand(LAW, state.seq, named == first.map(|(at, _)| *at), || {
        format!("the next deadline is {first:?}, the switchboard says {named:?}")
    })
}

/// Everything that will happen by itself, and when.
pub fn deadlines(state: &State) -> Vec<(SiteTime, String)> {
    let mut all = Vec::new();
    for (id, call) in &state.calls {
        of_call(state, *id, call, &mut all);
    }
    let plan = state.plans.get(&state.revision);
    for (id, operator) in &state.operators {
        of_operator(plan, *id, operator, &mut all);
    }
    for (id, line) in &state.lines {
        if let LineState::ClosedByHand { until, .. } = line.state {
            all.push((until, format!("line {id} opens")));
        }
        if let Some(divert) = line.divert {
            all.push((divert.until, format!("line {id} is diverted no longer")));
        }
    }
    all.extend(
        state.blocks.iter().map(|(caller, block)| (block.until, format!("the block of {caller} ends"))),
    );
    all.extend(state.edges.front().map(|edge| (edge.at, format!("edge {:?}", edge.what))));
    all
}

fn of_call(state: &State, id: CallId, call: &Call, all: &mut Vec<(SiteTime, String)>) {
    for (attempt, offer) in &call.offers {
        let times = match offer.stage {
            Stage::Ringing { deliver_by, ring_until } => [deliver_by, Some(ring_until)],
            Stage::Accepted { connect_by } => [Some(connect_by), None],
            Stage::Talking => [None, None],
        };
        for at in times.into_iter().flatten().chain(offer.reload_by) {
            all.push((at, format!("offer {} of call {id}", attempt.0)));
        }
    }
    if let Phase::Diverting { ringing_until: Some(at), .. } = call.phase {
        all.push((at, format!("the divert of call {id} rings out")));
    }
    match call.target {
        _ if !call.is_waiting() => {}
        Some(target) => all.push((target.until, format!("the target of call {id} expires"))),
        None => of_ladder(state, id, call, all),
    }
}

/// What a call that waits for whoever is first has coming.
fn of_ladder(state: &State, id: CallId, call: &Call, all: &mut Vec<(SiteTime, String)>) {
    if let Some(at) = call.closing_until {
        all.push((at, format!("the closing message of call {id} ends")));
    }
    let Some(line) = promised_line(state, call) else { return };
    for preference in &line.prefers {
        let skill = state.skills.bit(preference.skill);
        if !skill.is_empty() && call.held.covers(skill) {
            all.push((call.ladder_from + preference.hold, format!("call {id} prefers {}", preference.skill)));
        }
    }
    for (n, tier) in line.tiers.iter().enumerate() {
        let closed = !u8::try_from(n).is_ok_and(|n| call.tiers.contains(n));
        for trigger in tier.when.iter().filter(|_| closed) {
            if let Trigger::Wait(wait) = trigger {
                all.push((call.ladder_from + *wait, format!("tier {n} of call {id}")));
            }
        }
    }
}

fn of_operator(plan: Option<&Plan>, id: OperatorId, operator: &Operator, all: &mut Vec<(SiteTime, String)>) {
    if let Link::Grace { until } = operator.link {
        all.push((until, format!("the grace of {id} ends")));
    }
    if let Duty::Paused { until: Some(until), .. } = operator.duty {
        all.push((until, format!("the pause of {id} ends")));
    }
    if let Work::WrapUp { until, .. } = operator.work {
        all.push((until, format!("the wrap-up of {id} ends")));
    }
    if let Some(until) = operator.cool_until {
        all.push((until, format!("the cool-down of {id} ends")));
    }
    if let Some(shift) = operator.shift {
        let early = plan.map_or(crate::time::Span::ZERO, |p| p.timers.shift_end);
        let at = if shift.ending { shift.ends_at } else { shift.ends_at - early };
        all.push((at, format!("the shift of {id} ends")));
    }
}
