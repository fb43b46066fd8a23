//! Lines, blocks, the plan and its schedule.

use std::collections::BTreeSet;

use switchboard::call::{Class, MoveCause, Phase, TierSet, Withdrawal};
use switchboard::command::{Adoption, Edge, EdgeKind};
use switchboard::decision::Reply;
use switchboard::event::Event;
use switchboard::id::{CallId, CallerRef, Code, DestinationId, LineId, OperatorId, Revision};
use switchboard::line::{LineDivert, LineState, LineStatus};
use switchboard::operator::Work;
use switchboard::rejection::Rejection;
use switchboard::skills::SkillSet;
use switchboard::state::Block;
use switchboard::time::Span;

use super::operators::check_lasting;
use super::{Answer, Reference};

impl Reference {
    fn status(&self, line: LineId) -> Result<LineStatus, Rejection> {
        self.state.lines.get(&line).copied().ok_or(Rejection::UnknownLine)
    }

    fn status_mut(&mut self, line: LineId) -> &mut LineStatus {
        self.state.lines.get_mut(&line).expect("the caller has looked: this line exists")
    }

    fn is_emergency(&self, line: LineId) -> bool {
        self.planned(line).is_some_and(|planned| planned.class == Class::Emergency)
    }

    pub(super) fn divert_line(&mut self, line: LineId, to: Option<DestinationId>, lasting: Span) -> Answer {
        let status = self.status(line)?;
        if self.is_going(line) {
            return Err(Rejection::WrongLineState);
        }
        match to {
            None if status.divert.is_none() => return Err(Rejection::AlreadyDone(Reply::Done)),
            None => self.end_divert(line),
            Some(destination) => {
                check_lasting(lasting)?;
                self.check_destination(destination)?;
                let until = self.now() + lasting;
                self.status_mut(line).divert = Some(LineDivert { destination, until });
                self.say(Event::LineDiverted { line, destination, until });
            }
        }
        Ok(Reply::Done)
    }

    /// An emergency line never stays closed without its divert.
    pub(super) fn end_divert(&mut self, line: LineId) {
        self.status_mut(line).divert = None;
        self.say(Event::LineDivertEnded { line });
        if self.is_emergency(line) {
            self.reopen(line);
        }
    }

    /// Ends a closing by hand, into what the schedule says.
    pub(super) fn reopen(&mut self, line: LineId) {
        let LineState::ClosedByHand { scheduled_open, .. } = self.state.lines[&line].state else { return };
        self.set_open(line, scheduled_open);
    }

    fn set_open(&mut self, line: LineId, open: bool) {
        self.status_mut(line).state = if open { LineState::Open } else { LineState::ClosedBySchedule };
        self.say(if open { Event::LineOpened { line } } else { Event::LineClosedBySchedule { line } });
    }

    pub(super) fn open_line(&mut self, line: LineId) -> Answer {
        match self.status(line)?.state {
            LineState::Open => Err(Rejection::AlreadyDone(Reply::Done)),
            LineState::ClosedByHand { .. } => {
                self.reopen(line);
                Ok(Reply::Done)
            }
            LineState::ClosedBySchedule | LineState::Draining | LineState::Retired => {
                Err(Rejection::WrongLineState)
            }
        }
    }

    pub(super) fn close_line(&mut self, line: LineId, reason: Code, lasting: Span) -> Answer {
        let status = self.status(line)?;
        check_lasting(lasting)?;
        let scheduled_open = match status.state {
            LineState::Open => true,
            LineState::ClosedBySchedule => false,
            LineState::ClosedByHand { scheduled_open, .. } => scheduled_open,
            LineState::Draining | LineState::Retired => return Err(Rejection::WrongLineState),
        };
        let mut until = self.now() + lasting;
        if self.is_emergency(line) {
            until = until.min(status.divert.ok_or(Rejection::EmergencyNeedsDivert)?.until);
        }
        self.status_mut(line).state = LineState::ClosedByHand { reason, until, scheduled_open };
        self.say(Event::LineClosedByHand { line, reason, until });
        Ok(Reply::Done)
    }

    pub(super) fn move_by_hand(&mut self, id: CallId, to: LineId) -> Answer {
        let call = self.open_call(id)?.clone();
        let status = self.status(to)?;
        if call.line == to {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        if status.state != LineState::Open {
            return Err(Rejection::LineNotOpen);
        }
        match call.phase {
            Phase::Diverting { .. } => return Err(Rejection::WrongCallState),
            Phase::Queued => self.withdraw_all(id, Withdrawal::Supervisor),
            Phase::Bridged { operator, .. } => {
                self.withdraw_all(id, Withdrawal::Supervisor);
                self.unbridge(id, operator);
                self.after_call(operator, id, self.wrap_up_of(&call));
            }
        }
        self.move_to(id, to, MoveCause::Supervisor);
        Ok(Reply::Done)
    }

    pub(super) fn retire_if_empty(&mut self, line: LineId) {
        let empty = !self.state.calls.values().any(|call| call.line == line);
        if empty && self.state.lines[&line].state == LineState::Draining {
            self.status_mut(line).state = LineState::Retired;
            self.say(Event::LineRetired { line });
        }
    }

    /// A site goes when its last caller has.
    pub(super) fn retire(&mut self) -> Answer {
        if self.state.retired {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        if !self.state.calls.is_empty() {
            return Err(Rejection::SiteHasCalls { open: self.state.calls.len() });
        }
        self.state.retired = true;
        self.say(Event::SiteRetired);
        Ok(Reply::Done)
    }

    // Blocks.

    /// An operator blocks only the caller of the own call, during it or in its wrap-up.
    pub(super) fn check_blocker(&self, by: OperatorId, id: CallId) -> Result<(), Rejection> {
        match self.known_operator(by)?.work {
            Work::Talking { call, .. } | Work::WrapUp { call, .. } if call == id => Ok(()),
            _ => Err(Rejection::NotYours),
        }
    }

    pub(super) fn block(&mut self, id: CallId, reason: Code, lasting: Option<Span>) -> Answer {
        let lasting = lasting.unwrap_or(self.timers().block);
        check_lasting(lasting)?;
        let open = self.state.calls.get(&id).map(|call| (call.caller, call.class));
        let closed = self.state.closed.get(&id).map(|tombstone| (tombstone.caller, tombstone.class));
        let (caller, class) = open.or(closed).ok_or(Rejection::UnknownCall)?;
        if class == Class::Emergency {
            return Err(Rejection::NeverBlocked);
        }
        let until = self.now() + lasting;
        self.state.blocks.insert(caller, Block { reason, until });
        self.say(Event::CallerBlocked { caller, reason, until });
        Ok(Reply::Done)
    }

    pub(super) fn unblock(&mut self, caller: CallerRef) -> Answer {
        self.state.blocks.remove(&caller).ok_or(Rejection::NotBlocked)?;
        self.say(Event::CallerUnblocked { caller });
        Ok(Reply::Done)
    }

    // The plan.

    pub(super) fn adopt(&mut self, adoption: &Adoption) -> Answer {
        let in_force = self.state.revision;
        if adoption.expect != in_force {
            return Err(Rejection::PlanConflict { in_force });
        }
        let planned: BTreeSet<LineId> = adoption.plan.lines.keys().copied().collect();
        let known: BTreeSet<LineId> = self.state.lines.keys().copied().collect();
        if planned.intersection(&known).any(|line| self.is_going(*line)) {
            return Err(Rejection::LineIdRetired);
        }
        if adoption.plan.skills.keys().filter(|s| !self.state.skills.knows(**s)).count() + self.skills_known()
            > 64
        {
            return Err(Rejection::SkillsExhausted);
        }
        let removed: BTreeSet<LineId> =
            known.difference(&planned).copied().filter(|line| !self.is_going(*line)).collect();
        if !adoption.move_waiting.iter().all(|(from, to)| removed.contains(from) && planned.contains(to)) {
            return Err(Rejection::BadMove);
        }
        let revision = Revision(in_force.0 + 1);
        self.take_plan(adoption, revision);
        for line in planned.difference(&known) {
            self.state.lines.insert(*line, LineStatus::default());
            self.say(Event::LineOpened { line: *line });
        }
        for line in removed {
            self.drain(line);
        }
        if adoption.migrate {
            self.migrate(revision);
        }
        Ok(Reply::Adopted { revision })
    }

    fn skills_known(&self) -> usize {
        self.state.skills.names(SkillSet::ALL).len()
    }

    fn drain(&mut self, line: LineId) {
        let status = self.status_mut(line);
        status.state = LineState::Draining;
        if status.divert.take().is_some() {
            self.say(Event::LineDivertEnded { line });
        }
        self.say(Event::LineDraining { line });
        if let Some(to) = self.state.moves.get(&line).copied() {
            let calls = self.state.calls.iter();
            let waiting: Vec<CallId> =
                calls.filter(|(_, call)| call.line == line && call.is_waiting()).map(|(id, _)| *id).collect();
            for call in waiting {
                self.move_to(call, to, MoveCause::LineRemoved);
            }
        }
        self.retire_if_empty(line);
    }

    /// Waiting calls are promised the new plan, where it has their line.
    fn migrate(&mut self, revision: Revision) {
        let calls = self.state.calls.iter();
        let waiting: Vec<CallId> = calls
            .filter(|(_, call)| call.is_waiting() && call.revision != revision)
            .filter(|(_, call)| self.planned(call.line).is_some())
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            let tiers = self.tiers_of_people(id, revision);
            let mut required = self.chosen(self.call(id));
            required.extend(self.state.plans[&revision].lines[&self.call(id).line].requires.iter().copied());
            let bits = self.state.skills.set(&required);
            let call = self.call_mut(id);
            call.required = bits;
            call.tiers = tiers;
            call.revision = revision;
            call.closing_until = None;
            call.held = SkillSet::NONE;
            self.say(Event::CallMigrated { call: id, revision, tiers, required });
        }
    }

    /// A call's open tiers that are of people by some plan.
    pub(super) fn tiers_of_people(&self, id: CallId, revision: Revision) -> TierSet {
        let call = self.call(id);
        let tiers = &self.state.plans[&revision].lines[&call.line].tiers;
        let of_people = |n: &u8| tiers.get(usize::from(*n)).is_some_and(|tier| tier.who.is_people());
        call.tiers.iter().filter(of_people).collect()
    }

    pub(super) fn extend_schedule(&mut self, edges: &[Edge]) -> Answer {
        let in_order = edges.windows(2).all(|pair| pair[0].at <= pair[1].at);
        let known = |edge: &Edge| match edge.what {
            EdgeKind::LineOpens(line) | EdgeKind::LineCloses(line) => self.state.lines.contains_key(&line),
            EdgeKind::ShiftStarts { operator, ends_at } => {
                self.state.operators.contains_key(&operator) && ends_at > edge.at
            }
        };
        let sound = |edge: &Edge| edge.at >= self.now() && known(edge);
        if !in_order || !edges.iter().all(sound) {
            return Err(Rejection::BadSchedule);
        }
        self.state.edges = edges.iter().copied().collect();
        self.say(Event::ScheduleExtended { edges: edges.to_vec() });
        self.pass_edges();
        Ok(Reply::Done)
    }

    pub(super) fn pass_edges(&mut self) {
        while self.state.edges.front().is_some_and(|edge| edge.at <= self.now()) {
            let edge = self.state.edges.pop_front().expect("it was just seen");
            self.say(Event::EdgePassed);
            match edge.what {
                EdgeKind::LineOpens(line) => self.schedule_line(line, true),
                EdgeKind::LineCloses(line) => self.schedule_line(line, false),
                EdgeKind::ShiftStarts { operator, ends_at } if ends_at > self.now() => {
                    self.shift_starts(operator, ends_at);
                }
                EdgeKind::ShiftStarts { .. } => {}
            }
        }
    }

    fn schedule_line(&mut self, line: LineId, open: bool) {
        match &mut self.status_mut(line).state {
            LineState::ClosedBySchedule if open => self.set_open(line, true),
            LineState::Open if !open => self.set_open(line, false),
            LineState::ClosedByHand { scheduled_open, .. } if *scheduled_open != open => {
                *scheduled_open = open;
                self.say(Event::LineScheduleNoted { line, open });
            }
            _ => {}
        }
    }

    fn take_plan(&mut self, adoption: &Adoption, revision: Revision) {
        for skill in adoption.plan.skills.keys() {
            self.state.skills.learn(*skill);
        }
        self.state.plans.insert(revision, adoption.plan.clone());
        self.state.revision = revision;
        self.state.moves.extend(&adoption.move_waiting);
        let (plan, moves) = (Box::new(adoption.plan.clone()), adoption.move_waiting.clone());
        self.say(Event::PlanAdopted { revision, plan, moves });
    }
}
