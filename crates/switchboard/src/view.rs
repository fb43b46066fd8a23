//! The board: what a supervisor sees at a glance. Derived from state by one pass over it.

use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::CallState;
use crate::eligible::is_in_tier;
use crate::id::{LineId, Revision, Seq, TeamId};
use crate::line::{LineState, LineStatus};
use crate::operator::{Duty, Link, Operator, Work};
use crate::switchboard::Switchboard;
use crate::time::{SiteTime, Span};

/// The board.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteView {
    /// As of this decision.
    pub seq: Seq,
    /// As of this time.
    pub at: SiteTime,
    /// The plan in force.
    pub revision: Revision,
    /// Lines that are not retired, and a retired one while a call is on it: one adopted after an outage, say.
    pub lines: BTreeMap<LineId, LineView>,
    /// Operators by team; one in several teams counts in each.
    pub teams: BTreeMap<TeamId, Crew>,
    /// All operators.
    pub operators: Crew,
}

/// One line on the board.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// Open, closed, draining.
    pub status: LineStatus,
    /// Who could answer.
    pub cover: Cover,
    /// Calls that wait, nobody asked.
    pub waiting: u32,
    /// Calls for which a phone rings.
    pub ringing: u32,
    /// Calls connected, connecting or held.
    pub talking: u32,
    /// Calls with an outside number.
    pub diverting: u32,
    /// How long the call waits that waits longest.
    pub longest_wait: Span,
}

/// Who could answer a line's next call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// Somebody in its tiers is ready.
    Staffed,
    /// Somebody is on duty, nobody is ready.
    Saturated,
    /// Nobody is on duty.
    #[default]
    NobodyOnDuty,
}

/// A group of operators by what they do. Each operator is in exactly one figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crew {
    /// Ready for a call.
    pub ready: u32,
    /// A phone rings.
    pub offered: u32,
    /// Talking or connecting.
    pub talking: u32,
    /// In after-call time.
    pub wrap_up: u32,
    /// Cooling down, on an outside call, the shift ending.
    pub held_back: u32,
    /// Paused.
    pub paused: u32,
    /// Suspended after misses.
    pub suspended: u32,
    /// On duty, desk not reachable.
    pub unreachable: u32,
    /// Leaving after the work.
    pub leaving: u32,
    /// Off duty.
    pub off: u32,
}

impl Switchboard {
    /// The board.
    pub fn view(&self) -> SiteView {
        let state = &self.state;
        let mut view =
            SiteView { seq: state.seq, at: state.now, revision: state.revision, ..SiteView::default() };
        let shown = |id, status: &LineStatus| LineView {
            status: *status,
            cover: self.cover(id),
            ..LineView::default()
        };
        for (id, status) in state.lines.iter().filter(|(_, s)| s.state != LineState::Retired) {
            view.lines.insert(*id, shown(*id, status));
        }
        for call in state.calls.values() {
            let status = state.lines.get(&call.line).copied().unwrap_or_default();
            let line = view.lines.entry(call.line).or_insert_with(|| shown(call.line, &status));
            match call.state() {
                CallState::Waiting => line.waiting += 1,
                CallState::Offered => line.ringing += 1,
                CallState::Connecting | CallState::Connected | CallState::Held => line.talking += 1,
                CallState::Diverting => line.diverting += 1,
            }
            if matches!(call.state(), CallState::Waiting | CallState::Offered) {
                line.longest_wait = line.longest_wait.max(state.now.since(call.rang_at));
            }
        }
        for operator in state.operators.values() {
            view.operators.count(operator);
            for team in &operator.teams {
                view.teams.entry(*team).or_default().count(operator);
            }
        }
        view
    }

    fn cover(&self, id: LineId) -> Cover {
        let Some(line) = self.state.line(id) else { return Cover::NobodyOnDuty };
        let behind = |operator: &Operator| line.tiers.iter().any(|tier| is_in_tier(operator, id, &tier.who));
        let operators = || self.state.operators.values().filter(|o| behind(o));
        if operators().any(Operator::is_ready) {
            Cover::Staffed
        } else if operators().any(Operator::is_staff) {
            Cover::Saturated
        } else {
            Cover::NobodyOnDuty
        }
    }
}

impl Crew {
    /// Adds one operator to the figure that fits.
    fn count(&mut self, operator: &Operator) {
        let figure = match (operator.duty, operator.work) {
            (_, Work::Offered { .. }) => &mut self.offered,
            (_, Work::Connecting { .. } | Work::Talking { .. }) => &mut self.talking,
            (_, Work::WrapUp { .. }) => &mut self.wrap_up,
            (Duty::Off, _) => &mut self.off,
            (Duty::Leaving, _) => &mut self.leaving,
            (Duty::Paused { .. }, _) => &mut self.paused,
            (Duty::Suspended { .. }, _) => &mut self.suspended,
            (Duty::On, _) if operator.device.has_desk() && operator.link != Link::Online => {
                &mut self.unreachable
            }
            (Duty::On, Work::Idle) if operator.is_ready() => &mut self.ready,
            (Duty::On, _) => &mut self.held_back,
        };
        *figure += 1;
    }
}
