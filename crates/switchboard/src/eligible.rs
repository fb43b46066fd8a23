//! Why an operator may not be asked about a call: the closed list of reasons. `explain` shows them, law L07 accepts
//! no other. Said plainly and slowly from the state alone; the match itself looks people up in its own order.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::call::{Call, Class};
use crate::id::{CallId, LineId, OperatorId, SkillId};
use crate::operator::{Duty, Link, Operator, Work};
use crate::plan::{Line, Plan, Who};
use crate::state::State;
use crate::time::SiteTime;

/// One reason for not asking this operator about this call at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Not on duty.
    OffDuty,
    /// On a pause.
    Paused,
    /// Suspended after too many ring-no-answers.
    Suspended,
    /// Leaving when the work is done.
    Leaving,
    /// Being removed from the site.
    Removing,
    /// The desk dropped a moment ago.
    LinkGrace,
    /// The desk is gone.
    LinkLost,
    /// Offered, connecting, talking, wrapping up, or in an outside call.
    Busy,
    /// Let the last offer ring out.
    CoolingDown {
        /// Over then.
        until: SiteTime,
    },
    /// The shift is about to end.
    ShiftEnding {
        /// Ends then.
        ends_at: SiteTime,
    },
    /// In none of the tiers open for the call.
    NoOpenTier,
    /// Lacks a skill the call requires.
    LacksSkill {
        /// Which.
        skill: SkillId,
    },
    /// Lacks a preferred skill that is still held to.
    LacksPreferred {
        /// Which.
        skill: SkillId,
    },
    /// Said no to this call.
    Declined,
    /// The call waits for exactly one other person.
    NotTheTarget,
    /// The call's gateway cannot ring this operator's device.
    NotReachedByGateway,
    /// Would be borrowed, and this home line needs its idle operators itself.
    Guard {
        /// Which line.
        line: LineId,
    },
}

/// All reasons that hold, in the order of [`Term`]; none means that the operator may be asked.
/// An operator or a call that does not exist is [`Term::OffDuty`] or [`Term::NoOpenTier`].
pub fn terms(state: &State, operator: OperatorId, call: CallId) -> Vec<Term> {
    let Some(person) = state.operators.get(&operator) else { return Vec::from([Term::OffDuty]) };
    let Some(about) = state.calls.get(&call) else { return Vec::from([Term::NoOpenTier]) };
    let mut terms = personal_terms(person);
    match about.target {
        Some(target) if target.operator != operator => terms.push(Term::NotTheTarget),
        Some(_) => {}
        None => ladder_terms(state, operator, person, about, &mut terms),
    }
    if about.declined_by(operator) {
        terms.push(Term::Declined);
    }
    if !is_rung_by_gateway(state, operator, person, about) {
        terms.push(Term::NotReachedByGateway);
    }
    terms.sort_unstable();
    terms
}

/// The reasons that lie with the operator, whatever the call, in the order of [`Term`].
pub fn personal_terms(operator: &Operator) -> Vec<Term> {
    let mut terms = Vec::new();
    match operator.duty {
        Duty::On => {}
        Duty::Off => terms.push(Term::OffDuty),
        Duty::Paused { .. } => terms.push(Term::Paused),
        Duty::Suspended { .. } => terms.push(Term::Suspended),
        Duty::Leaving => terms.push(Term::Leaving),
    }
    if operator.removing {
        terms.push(Term::Removing);
    }
    match operator.link {
        _ if !operator.device.has_desk() => {}
        Link::Online => {}
        Link::Grace { .. } => terms.push(Term::LinkGrace),
        Link::Lost => terms.push(Term::LinkLost),
    }
    if operator.work != Work::Idle {
        terms.push(Term::Busy);
    }
    if let Some(until) = operator.cool_until {
        terms.push(Term::CoolingDown { until });
    }
    if let Some(shift) = operator.shift.filter(|s| s.ending) {
        terms.push(Term::ShiftEnding { ends_at: shift.ends_at });
    }
    terms
}

/// What tiers, skills and guards say; a call with a target looks at none of them.
fn ladder_terms(state: &State, id: OperatorId, operator: &Operator, call: &Call, terms: &mut Vec<Term>) {
    match access(state, operator, call) {
        Access::None => terms.push(Term::NoOpenTier),
        Access::Full => {}
        Access::Borrowed if call.class == Class::Emergency => {}
        Access::Borrowed => terms.extend(guarded_lines(state, id).map(|line| Term::Guard { line })),
    }
    let lacking = call.required.without(operator.skills);
    terms.extend(state.skills.names(lacking).into_iter().map(|skill| Term::LacksSkill { skill }));
    let lacking = call.held.without(call.required).without(operator.skills);
    terms.extend(state.skills.names(lacking).into_iter().map(|skill| Term::LacksPreferred { skill }));
}

/// How the tiers open for a call let an operator in.
enum Access {
    /// Not at all.
    None,
    /// Only lent by another line.
    Borrowed,
    /// As the line's own, or by a team.
    Full,
}

fn access(state: &State, operator: &Operator, call: &Call) -> Access {
    let Some(line) = promised_line(state, call) else { return Access::None };
    let mut access = Access::None;
    for tier in call.tiers.iter() {
        let Some(tier) = line.tiers.get(usize::from(tier)) else { continue };
        if !is_in_tier(operator, call.line, &tier.who) {
            continue;
        }
        if !matches!(tier.who, Who::Line(_) | Who::OtherLines) {
            return Access::Full;
        }
        access = Access::Borrowed;
    }
    access
}

/// Whether an operator is one of those a tier of a line names; nobody is in a tier that is not of people.
pub fn is_in_tier(operator: &Operator, line: LineId, who: &Who) -> bool {
    match who {
        Who::Own => operator.home.contains(&line),
        Who::Team(team) => operator.teams.contains(team),
        Who::Line(other) => operator.home.contains(other),
        Who::OtherLines => !operator.home.is_empty() && !operator.home.contains(&line),
        Who::Outside { .. } | Who::Closing => false,
    }
}

/// The call's line as the plan it was promised has it.
pub fn promised_line<'a>(state: &'a State, call: &Call) -> Option<&'a Line> {
    state.plans.get(&call.revision)?.lines.get(&call.line)
}

/// The operator's home lines that have no ready operator to spare, by the plan in force.
fn guarded_lines(state: &State, operator: OperatorId) -> impl Iterator<Item = LineId> {
    let plan: Option<&Plan> = state.plans.get(&state.revision);
    let home = state.operators.get(&operator).map(|o| &o.home).into_iter().flatten();
    home.copied().filter(move |line| {
        let guard = plan.and_then(|p| p.lines.get(line)).map_or(0, |l| l.guard as usize);
        let ready = state.operators.values().filter(|o| o.home.contains(line) && o.is_ready()).count();
        guard > 0 && ready <= guard
    })
}

fn is_rung_by_gateway(state: &State, id: OperatorId, operator: &Operator, call: &Call) -> bool {
    let reaches = state.gateways.get(&call.gateway).and_then(|g| g.reaches.as_ref());
    !operator.device.has_leg() || reaches.is_none_or(|reached| reached.contains(&id))
}
