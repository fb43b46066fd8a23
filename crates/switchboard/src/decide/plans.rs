//! A plan is adopted: lines come and go, callers keep what they were promised unless they are migrated.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::call::{MoveCause, Place};
use crate::command::Adoption;
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{CallId, LineId, Revision};
use crate::line::LineState;
use crate::plan::SKILLS_MAX;
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};

impl Switchboard {
    pub(super) fn adopt_plan(&mut self, adoption: &Adoption) -> Decided {
        let in_force = self.state.revision;
        if adoption.expect != in_force {
            return Err(Rejection::PlanConflict { in_force });
        }
        let plan = &adoption.plan;
        if plan.lines.keys().any(|l| self.state.lines.contains_key(l) && self.is_going(*l)) {
            return Err(Rejection::LineIdRetired);
        }
        if self.state.skills.size_with(plan.skills.keys()) > SKILLS_MAX {
            return Err(Rejection::SkillsExhausted);
        }
        let removed: BTreeSet<LineId> = self
            .state
            .lines
            .keys()
            .copied()
            .filter(|l| !self.is_going(*l) && !plan.lines.contains_key(l))
            .collect();
        let sound = |(from, to): (&LineId, &LineId)| removed.contains(from) && plan.lines.contains_key(to);
        if !adoption.move_waiting.iter().all(sound) {
            return Err(Rejection::BadMove);
        }
        let opened: Vec<LineId> =
            plan.lines.keys().copied().filter(|l| !self.state.lines.contains_key(l)).collect();
        let revision = Revision(in_force.0 + 1);
        self.emit(Event::PlanAdopted {
            revision,
            plan: Box::new(plan.clone()),
            moves: adoption.move_waiting.clone(),
        });
        for line in opened {
            self.emit(Event::LineOpened { line });
        }
        for line in removed {
            self.drain(line);
        }
        if adoption.migrate {
            self.migrate(revision);
        }
        Ok(Reply::Adopted { revision })
    }

    fn drain(&mut self, line: LineId) {
        if self.state.lines.get(&line).is_some_and(|l| l.divert.is_some()) {
            self.emit(Event::LineDivertEnded { line });
        }
        self.emit(Event::LineDraining { line });
        if let Some(to) = self.state.moves.get(&line).copied() {
            for id in self.waiting_in_order(|l| l == line) {
                self.move_to(id, to, MoveCause::LineRemoved);
            }
        }
        self.retire_if_empty(line);
    }

    fn migrate(&mut self, revision: Revision) {
        for id in self.waiting_in_order(|_| true) {
            let call = &self.state.calls[&id];
            let stays = self.state.line(call.line).is_some();
            if stays && call.revision != revision {
                let tiers = self.people_tiers(id, Some(revision));
                let chosen = self.chosen_skills(call);
                let required = self.terms(call.line, &chosen, call.ladder_from).required;
                self.emit(Event::CallMigrated { call: id, revision, tiers, required });
            }
        }
    }

    fn waiting_in_order(&self, on: impl Fn(LineId) -> bool) -> Vec<CallId> {
        let mut places: Vec<Place> = self
            .state
            .calls
            .iter()
            .filter(|(_, c)| c.is_waiting() && on(c.line))
            .map(|(id, c)| self.state.place(*id, c))
            .collect();
        places.sort_unstable();
        places.into_iter().map(|p| p.call).collect()
    }

    /// Whether a line can be closed by the schedule at this moment.
    pub(super) fn scheduled_state(&self, line: LineId) -> Option<LineState> {
        self.state.lines.get(&line).map(|l| l.state)
    }
}
