//! What a command of the office is about: ids and codes, what was and what is to be.

use switchboard::canonical::{self, Hash};
use switchboard::command::{Command, Profile};
use switchboard::id::OperatorId;
use switchboard::plan::Plan;
use switchboard::state::State;

use crate::rosters::profile;
use crate::site::plan_hash;

/// What an act is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) object: String,
    pub(crate) was: String,
    pub(crate) becomes: String,
    /// In place of what was sent beside the request.
    pub(crate) why: Option<String>,
    pub(crate) request: String,
}

/// What a command of the office is about.
pub(crate) fn about(state: &State, command: &Command) -> About {
    let (object, was) = match command {
        Command::DivertLine { line, .. } | Command::OpenLine { line } | Command::CloseLine { line, .. } => {
            (format!("line:{line}"), state.lines.get(line).map(canonical::encode))
        }
        Command::MoveCall { call, .. } => {
            (format!("call:{call}"), state.calls.get(call).map(|call| canonical::encode(&call.line)))
        }
        Command::BlockCaller { call, .. } => (format!("call:{call}"), None),
        Command::UnblockCaller { caller } => {
            (format!("caller:{caller}"), state.blocks.get(caller).map(canonical::encode))
        }
        Command::Pause { operator, .. } | Command::ForceOperator { operator, .. } => {
            let found = state.operators.get(operator);
            (format!("operator:{operator}"), found.map(|is| canonical::encode(&(&is.duty, &is.work))))
        }
        Command::AddOperator { operator, .. }
        | Command::ChangeOperator { operator, .. }
        | Command::RemoveOperator { operator } => {
            (format!("operator:{operator}"), known(state, operator).map(|known| canonical::encode(&known)))
        }
        Command::AdoptPlan(_) => {
            ("plan".to_owned(), state.plan().map(|plan| revision(state.revision.0, plan)))
        }
        Command::ExtendSchedule { .. } => ("schedule".to_owned(), None),
        Command::RetireSite => ("site".to_owned(), None),
        _ => (String::new(), None),
    };
    let becomes = match command {
        Command::AdoptPlan(adoption) => {
            let next = revision(adoption.expect.0.saturating_add(1), &adoption.plan);
            let (migrate, moves) = (adoption.migrate, canonical::encode(&adoption.move_waiting));
            format!("{},\"migrate\":{migrate},\"move_waiting\":{moves}}}", next.trim_end_matches('}'))
        }
        Command::ExtendSchedule { edges } => {
            format!("{{\"edges\":{},\"hash\":\"{}\"}}", edges.len(), Hash::of(&canonical::encode(edges)))
        }
        Command::AddOperator { profile, .. } | Command::ChangeOperator { profile, .. } => {
            canonical::encode(profile)
        }
        Command::RemoveOperator { .. } => String::new(),
        other => canonical::encode(other),
    };
    About { object, was: was.unwrap_or_default(), becomes, ..About::default() }
}

fn revision(revision: u32, plan: &Plan) -> String {
    format!("{{\"revision\":{revision},\"hash\":\"{}\"}}", plan_hash(plan))
}

fn known(state: &State, operator: &OperatorId) -> Option<Profile> {
    state.operators.get(operator).map(|known| profile(state, known))
}
