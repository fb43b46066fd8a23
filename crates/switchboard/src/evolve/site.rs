use alloc::collections::VecDeque;

use crate::event::Event;
use crate::index::Subject;
use crate::line::{LineDivert, LineState};
use crate::state::{Block, Gateway};
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Applies an event about lines, the plan, the schedule, callers or gateways; false for any other.
    pub(super) fn apply_to_site(&mut self, event: &Event) -> bool {
        match event {
            Event::LineOpened { line } => self.change_line(*line, |l| l.state = LineState::Open),
            Event::LineClosedBySchedule { line } => {
                self.change_line(*line, |l| l.state = LineState::ClosedBySchedule)
            }
            Event::LineClosedByHand { line, reason, until } => self.change_line(*line, |l| {
                let scheduled_open = match l.state {
                    LineState::ClosedByHand { scheduled_open, .. } => scheduled_open,
                    state => state == LineState::Open,
                };
                l.state = LineState::ClosedByHand { reason: *reason, until: *until, scheduled_open };
            }),
            Event::LineScheduleNoted { line, open } => self.change_line(*line, |l| {
                if let LineState::ClosedByHand { scheduled_open, .. } = &mut l.state {
                    *scheduled_open = *open;
                }
            }),
            Event::LineDraining { line } => self.change_line(*line, |l| l.state = LineState::Draining),
            Event::LineRetired { line } => self.change_line(*line, |l| l.state = LineState::Retired),
            Event::LineDiverted { line, destination, until } => self.change_line(*line, |l| {
                l.divert = Some(LineDivert { destination: *destination, until: *until });
            }),
            Event::LineDivertEnded { line } => self.change_line(*line, |l| l.divert = None),
            Event::PlanAdopted { revision, plan, moves } => {
                for skill in plan.skills.keys() {
                    self.state.skills.learn(*skill);
                }
                self.state.plans.insert(*revision, (**plan).clone());
                self.state.revision = *revision;
                self.state.moves.extend(moves.iter().map(|(from, to)| (*from, *to)));
                self.reindex_all();
            }
            Event::ScheduleExtended { edges } => {
                self.change_edges(|state| state.edges = edges.iter().copied().collect::<VecDeque<_>>());
            }
            Event::EdgePassed => self.change_edges(|state| {
                state.edges.pop_front();
            }),
            Event::CallerBlocked { caller, reason, until } => {
                let before = self.state.blocks.get(caller).map(|b| b.until);
                self.index.set_deadline(Subject::Caller(*caller), before, Some(*until));
                self.state.blocks.insert(*caller, Block { reason: *reason, until: *until });
            }
            Event::CallerUnblocked { caller } => {
                let before = self.state.blocks.remove(caller).map(|b| b.until);
                self.index.set_deadline(Subject::Caller(*caller), before, None);
            }
            Event::GatewayAttached { gateway, incarnation, reaches } => {
                let life = Gateway { incarnation: *incarnation, reaches: reaches.clone(), attached: true };
                self.state.gateways.insert(*gateway, life);
            }
            Event::SiteRetired => self.state.retired = true,
            Event::GatewayLost { gateway } => {
                if let Some(known) = self.state.gateways.get_mut(gateway) {
                    known.attached = false;
                }
            }
            _ => return false,
        }
        true
    }
}
