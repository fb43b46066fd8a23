//! Edges of the schedule: lines open and close, shifts start and end.

use crate::call::Withdrawal;
use crate::command::{Edge, EdgeKind};
use crate::decision::Reply;
use crate::event::{Alarm, Event};
use crate::id::{LineId, OperatorId};
use crate::line::LineState;
use crate::operator::Duty;
use crate::rejection::{Limit, Rejection};
use crate::state::EDGES_MAX;
use crate::switchboard::{Decided, Switchboard};

impl Switchboard {
    pub(super) fn extend_schedule(&mut self, edges: &[Edge]) -> Decided {
        if edges.len() > EDGES_MAX {
            return Err(Rejection::LimitReached { what: Limit::Edges });
        }
        let in_order = edges.is_sorted_by_key(|e| e.at) && edges.first().is_none_or(|e| e.at >= self.at());
        let known = edges.iter().all(|e| match e.what {
            EdgeKind::LineOpens(line) | EdgeKind::LineCloses(line) => self.state.lines.contains_key(&line),
            EdgeKind::ShiftStarts { operator, ends_at } => {
                self.state.operators.contains_key(&operator) && ends_at > e.at
            }
        });
        if !in_order || !known {
            return Err(Rejection::BadSchedule);
        }
        self.emit(Event::ScheduleExtended { edges: edges.to_vec() });
        self.pass_edges();
        Ok(Reply::Done)
    }

    /// Fires every edge that is due.
    pub(super) fn pass_edges(&mut self) {
        while let Some(edge) = self.state.edges.front().copied().filter(|e| e.at <= self.at()) {
            self.emit(Event::EdgePassed);
            match edge.what {
                EdgeKind::LineOpens(line) => self.line_edge(line, true),
                EdgeKind::LineCloses(line) => self.line_edge(line, false),
                EdgeKind::ShiftStarts { operator, ends_at } => {
                    if ends_at > self.at() {
                        self.shift_starts(operator, ends_at);
                    }
                }
            }
        }
    }

    fn line_edge(&mut self, line: LineId, open: bool) {
        match (self.scheduled_state(line), open) {
            (Some(LineState::ClosedBySchedule), true) => self.emit(Event::LineOpened { line }),
            (Some(LineState::Open), false) => self.emit(Event::LineClosedBySchedule { line }),
            (Some(LineState::ClosedByHand { scheduled_open, .. }), _) if scheduled_open != open => {
                self.emit(Event::LineScheduleNoted { line, open });
            }
            _ => {}
        }
    }

    fn shift_starts(&mut self, operator: OperatorId, ends_at: crate::time::SiteTime) {
        let Some(known) = self.state.operators.get(&operator).filter(|o| !o.removing) else { return };
        // A shift under way that ends otherwise begins for nobody: who went off during it stays off.
        let begins = known.shift.is_none();
        let goes_on = begins && !known.device.has_desk() && known.duty == Duty::Off;
        self.emit(Event::ShiftStarted { operator, ends_at });
        if goes_on {
            self.emit(Event::WentOnDuty { operator });
        }
    }

    /// A shift's end is near: who is the last on a line, somebody should know.
    pub(super) fn shift_ending(&mut self, operator: OperatorId) {
        let Some(known) = self.state.operators.get(&operator) else { return };
        let staffs = known.is_staff();
        let others = |line: &LineId| {
            self.state
                .operators
                .iter()
                .any(|(id, o)| *id != operator && o.home.contains(line) && o.is_staff())
        };
        let last_on: alloc::collections::BTreeSet<LineId> =
            known.home.iter().filter(|line| staffs && !others(line)).copied().collect();
        self.emit(Event::ShiftEnding { operator, last_on: last_on.clone() });
        for line in last_on {
            self.emit(Event::AlarmRaised { alarm: Alarm::LastOperatorLeaving { line } });
        }
    }

    pub(super) fn shift_ended(&mut self, operator: OperatorId) {
        self.emit(Event::ShiftEnded { operator });
        let duty = self.state.operators.get(&operator).map(|o| o.duty);
        if !matches!(duty, None | Some(Duty::Off | Duty::Leaving)) {
            self.go(operator, Withdrawal::Paused);
        }
    }
}
