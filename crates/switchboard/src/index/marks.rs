//! What the indexes know of one call or one operator: compared before and after, so that only what changed moves.

use alloc::collections::BTreeSet;

use crate::call::{Call, Phase, Place, Stage, TierSet};
use crate::id::{CallId, GatewayId, LineId, OperatorId, Revision, TeamId};
use crate::line::LineState;
use crate::operator::{Duty, Link, Operator, Work};
use crate::plan::Trigger;
use crate::skills::SkillSet;
use crate::state::State;
use crate::time::SiteTime;

/// What the indexes know of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CallMark {
    pub(crate) open: Option<(GatewayId, Revision)>,
    pub(crate) deadline: Option<SiteTime>,
    pub(crate) waiting: Option<WaitMark>,
}

/// What the indexes know of a waiting call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitMark {
    pub(crate) place: Place,
    pub(crate) line: LineId,
    pub(crate) revision: Revision,
    pub(crate) tiers: TierSet,
    pub(crate) required: SkillSet,
    pub(crate) needs: SkillSet,
    pub(crate) target: Option<OperatorId>,
}

impl CallMark {
    pub(crate) fn of(state: &State, id: CallId) -> CallMark {
        let Some(call) = state.calls.get(&id) else { return CallMark::default() };
        CallMark {
            open: Some((call.gateway, call.revision)),
            deadline: call_deadline(state, call),
            waiting: WaitMark::of(state, id, call),
        }
    }
}

impl WaitMark {
    fn of(state: &State, id: CallId, call: &Call) -> Option<WaitMark> {
        if !call.is_waiting() {
            return None;
        }
        Some(WaitMark {
            place: state.place(id, call),
            line: call.line,
            revision: call.revision,
            tiers: call.tiers,
            required: call.required,
            needs: call.needs(),
            target: call.target.map(|t| t.operator),
        })
    }
}

fn call_deadline(state: &State, call: &Call) -> Option<SiteTime> {
    let offers = call.offers.values().filter_map(|offer| match offer.stage {
        Stage::Ringing { deliver_by, ring_until } => {
            [deliver_by, Some(ring_until), offer.reload_by].into_iter().flatten().min()
        }
        Stage::Accepted { connect_by } => Some(connect_by),
        Stage::Talking => None,
    });
    let divert = match call.phase {
        Phase::Diverting { ringing_until, .. } => ringing_until,
        Phase::Queued | Phase::Bridged { .. } => None,
    };
    let queue = if call.is_waiting() { queue_deadline(state, call) } else { None };
    offers.chain(divert).chain(queue).min()
}

fn queue_deadline(state: &State, call: &Call) -> Option<SiteTime> {
    if let Some(target) = call.target {
        return Some(target.until);
    }
    let line = state.promise(call)?;
    let waits =
        line.tiers.iter().zip(0_u8..).filter(|(_, n)| !call.tiers.contains(*n)).flat_map(|(tier, _)| {
            tier.when.iter().filter_map(|trigger| match trigger {
                Trigger::Wait(span) => Some(call.ladder_from + *span),
                Trigger::Busy | Trigger::Empty | Trigger::Depth(_) | Trigger::Missed(_) => None,
            })
        });
    let holds = line.prefers.iter().filter_map(|preference| {
        let held = !call.held.is_empty() && call.held.covers(state.skills.bit(preference.skill));
        held.then(|| call.ladder_from + preference.hold)
    });
    waits.chain(holds).chain(call.closing_until).min()
}

/// What the indexes know of an operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OperatorMark {
    pub(crate) deadline: Option<SiteTime>,
    pub(crate) staff: bool,
    /// Ready, and idle since then.
    pub(crate) ready: Option<SiteTime>,
    /// The groups this operator is about to leave; none while they stay as they are.
    pub(crate) left: Option<Groups>,
}

/// Where an operator belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    pub(crate) teams: BTreeSet<TeamId>,
    pub(crate) home: BTreeSet<LineId>,
    pub(crate) skills: SkillSet,
}

impl OperatorMark {
    pub(crate) fn of(state: &State, id: OperatorId) -> OperatorMark {
        let Some(operator) = state.operators.get(&id) else { return OperatorMark::default() };
        OperatorMark {
            deadline: operator_deadline(state, operator),
            staff: operator.is_staff(),
            ready: operator.is_ready().then_some(operator.idle_since),
            left: None,
        }
    }
}

impl Groups {
    /// An operator's, if there is one.
    pub(crate) fn of(state: &State, id: OperatorId) -> Option<Groups> {
        let operator = state.operators.get(&id)?;
        let (teams, home) = (operator.teams.clone(), operator.home.clone());
        Some(Groups { teams, home, skills: operator.skills })
    }
}

/// Where an operator belongs, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Belongs<'a> {
    pub(crate) teams: &'a BTreeSet<TeamId>,
    pub(crate) home: &'a BTreeSet<LineId>,
    pub(crate) skills: SkillSet,
}

impl<'a> From<&'a Groups> for Belongs<'a> {
    fn from(groups: &'a Groups) -> Belongs<'a> {
        Belongs { teams: &groups.teams, home: &groups.home, skills: groups.skills }
    }
}

impl<'a> From<&'a Operator> for Belongs<'a> {
    fn from(operator: &'a Operator) -> Belongs<'a> {
        Belongs { teams: &operator.teams, home: &operator.home, skills: operator.skills }
    }
}

fn operator_deadline(state: &State, operator: &Operator) -> Option<SiteTime> {
    let grace = match operator.link {
        Link::Grace { until } => Some(until),
        Link::Online | Link::Lost => None,
    };
    let wrap_up = match operator.work {
        Work::WrapUp { until, .. } => Some(until),
        _ => None,
    };
    let pause = match operator.duty {
        Duty::Paused { until, .. } => until,
        _ => None,
    };
    let shift =
        operator.shift.map(|s| if s.ending { s.ends_at } else { s.ends_at - state.timers().shift_end });
    [grace, wrap_up, pause, operator.cool_until, shift].into_iter().flatten().min()
}

pub(super) fn line_deadline(state: &State, line: LineId) -> Option<SiteTime> {
    let status = state.lines.get(&line)?;
    let closed = match status.state {
        LineState::ClosedByHand { until, .. } => Some(until),
        _ => None,
    };
    closed.into_iter().chain(status.divert.map(|d| d.until)).min()
}
