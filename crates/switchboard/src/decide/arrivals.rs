//! A caller rings in: which line, which place, and whether the line takes the call at all.

use alloc::collections::BTreeSet;

use crate::call::{Call, CallerKind, Class, DivertedBy, MoveCause, Outcome, Refusal, SkillNames};
use crate::command::{ADOPTED_WAIT_MAX, Arrival};
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{Attempt, CallId, DestinationId, GatewayId, LineId, Revision};
use crate::line::LineState;
use crate::plan::{HOPS_MAX, Line, WhenClosed};
use crate::rejection::{Limit, Rejection};
use crate::state::CALLS_MAX;
use crate::switchboard::{Decided, Switchboard};
use crate::time::{SiteTime, Span};

/// An outside number of a line's divert rings this long; a tier's says so itself.
const DIVERT_RING: Span = Span::secs(30);

/// What a line promises a call that comes to it.
pub(crate) struct Terms {
    pub(crate) class: Class,
    pub(crate) revision: Revision,
    pub(crate) required: SkillNames,
    pub(crate) held: SkillNames,
}

/// Whether a line takes a call.
enum Gate {
    Wait,
    Refuse(Refusal),
    Divert(DestinationId, DivertedBy),
    Move(LineId, MoveCause),
}

impl Switchboard {
    pub(super) fn arrive(&mut self, gateway: GatewayId, arrival: &Arrival) -> Decided {
        if let Some(call) = self.state.calls.get(&arrival.call) {
            let same =
                call.gateway == gateway && call.called == arrival.line && call.caller == arrival.caller;
            let already = Rejection::AlreadyDone(Reply::Arrived { line: call.line });
            return Err(if same { already } else { Rejection::CallIdTaken });
        }
        self.check_arrival(gateway, arrival)?;
        let at = self.at();
        let adopted = at - arrival.waited;
        let left = self.place_left(arrival);
        let (arrived_at, ladder_from) = left.unwrap_or((adopted, adopted));
        let terms = self.terms(arrival.line, &arrival.skills, ladder_from);
        self.emit(Event::CallArrived {
            call: arrival.call,
            gateway,
            caller: arrival.caller,
            kind: arrival.kind,
            line: arrival.line,
            class: terms.class,
            revision: terms.revision,
            arrived_at,
            ladder_from,
            resumed: left.is_some(),
            required: terms.required,
            held: terms.held,
        });
        match arrival.diverted {
            Some(destination) => self.divert(arrival.call, destination, DivertedBy::EmergencyPlan, None),
            None => self.admit(arrival.call),
        }
        let line = self.state.calls.get(&arrival.call).map_or(arrival.line, |c| c.line);
        Ok(Reply::Arrived { line })
    }

    fn check_arrival(&self, gateway: GatewayId, arrival: &Arrival) -> Result<(), Rejection> {
        if !self.state.gateways.get(&gateway).is_some_and(|g| g.attached) {
            return Err(Rejection::UnknownGateway);
        }
        if self.state.closed.contains_key(&arrival.call) {
            return Err(Rejection::CallClosed);
        }
        if !self.state.lines.contains_key(&arrival.line) {
            return Err(Rejection::UnknownLine);
        }
        if arrival.waited > ADOPTED_WAIT_MAX {
            return Err(Rejection::BadArrival);
        }
        if arrival.skills.iter().any(|s| !self.state.skills.knows(*s)) {
            return Err(Rejection::UnknownSkill);
        }
        if arrival.diverted.is_some_and(|d| !self.has_destination(d)) {
            return Err(Rejection::UnknownDestination);
        }
        if self.state.calls.len() >= CALLS_MAX {
            return Err(Rejection::LimitReached { what: Limit::Calls });
        }
        Ok(())
    }

    /// The place a redial takes up, and from when its ladder counts.
    fn place_left(&self, arrival: &Arrival) -> Option<(SiteTime, SiteTime)> {
        if arrival.waited > Span::ZERO || !self.state.line(arrival.line)?.resume_redial {
            return None;
        }
        let abandon = self.state.abandons.get(&arrival.line)?.get(&arrival.caller)?;
        (abandon.until >= self.at()).then(|| (abandon.arrived_at, self.at() - abandon.served))
    }

    /// What a line promises a call that brings these skills and whose ladder counts from then.
    pub(crate) fn terms(&self, line: LineId, chosen: &BTreeSet<crate::id::SkillId>, from: SiteTime) -> Terms {
        let newest = self.state.plans.iter().rev().find(|(_, plan)| plan.lines.contains_key(&line));
        let Some((revision, promised)) = newest.and_then(|(r, plan)| Some((*r, plan.lines.get(&line)?)))
        else {
            let required = chosen.clone();
            return Terms {
                class: Class::Normal,
                revision: self.state.revision,
                required,
                held: SkillNames::new(),
            };
        };
        let held = |p: &&crate::plan::Preference| p.hold > Span::ZERO && from + p.hold > self.at();
        Terms {
            class: promised.class,
            revision,
            required: promised.requires.union(chosen).copied().collect(),
            held: promised.prefers.iter().filter(held).map(|p| p.skill).collect(),
        }
    }

    /// Lets a call that just came to its line wait there, or sends it where the line sends it.
    pub(crate) fn admit(&mut self, id: CallId) {
        for _ in 0..HOPS_MAX {
            let Some(call) = self.state.calls.get(&id) else { return };
            match self.gate(call) {
                Gate::Wait => return,
                Gate::Refuse(refusal) => return self.close(id, Outcome::Refused(refusal)),
                Gate::Divert(to, by) => return self.divert(id, to, by, Some(DIVERT_RING)),
                Gate::Move(to, cause) => self.move_to(id, to, cause),
            }
        }
        self.close(id, Outcome::Refused(Refusal::Closed));
    }

    fn gate(&self, call: &Call) -> Gate {
        let status = self.state.lines.get(&call.line).copied().unwrap_or_default();
        let blocked = self.state.blocks.contains_key(&call.caller);
        if blocked && call.line == call.called && call.class != Class::Emergency {
            return Gate::Refuse(Refusal::Blocked);
        }
        let divert = status.divert.map(|d| Gate::Divert(d.destination, DivertedBy::Line));
        match status.state {
            LineState::Draining | LineState::Retired => match self.state.moves.get(&call.line) {
                Some(to) => Gate::Move(*to, MoveCause::LineRemoved),
                None => Gate::Refuse(Refusal::Draining),
            },
            LineState::ClosedBySchedule | LineState::ClosedByHand { .. } => {
                divert.unwrap_or_else(|| self.closed_gate(call.line))
            }
            LineState::Open => divert.unwrap_or_else(|| self.open_gate(call)),
        }
    }

    fn closed_gate(&self, line: LineId) -> Gate {
        match self.state.line(line).map(|l| l.when_closed) {
            Some(WhenClosed::MoveTo(to)) if !self.is_going(to) => Gate::Move(to, MoveCause::LineClosed),
            Some(WhenClosed::Divert(to)) => Gate::Divert(to, DivertedBy::Closed),
            Some(WhenClosed::MoveTo(_) | WhenClosed::Message) | None => Gate::Refuse(Refusal::Closed),
        }
    }

    fn open_gate(&self, call: &Call) -> Gate {
        let Some(line) = self.state.line(call.line) else { return Gate::Wait };
        match self.staff_line(call, line) {
            Some(to) => Gate::Move(to, MoveCause::StaffCaller),
            None if line.max_waiting.is_some_and(|max| self.index.waiting.depth_of(call.line) >= max) => {
                Gate::Refuse(Refusal::Full)
            }
            None => Gate::Wait,
        }
    }

    fn staff_line(&self, call: &Call, line: &Line) -> Option<LineId> {
        let to = line.staff_to.filter(|_| call.kind == CallerKind::Staff && !call.escaped)?;
        (self.state.lines.get(&to)?.state == LineState::Open).then_some(to)
    }

    /// Whether a line is being removed, or is removed.
    pub(crate) fn is_going(&self, line: LineId) -> bool {
        let state = self.state.lines.get(&line).map(|l| l.state);
        matches!(state, None | Some(LineState::Draining | LineState::Retired))
    }

    /// Changes a call's line; age and place stay.
    pub(crate) fn move_to(&mut self, id: CallId, to: LineId, cause: MoveCause) {
        let Some(call) = self.state.calls.get(&id) else { return };
        let from = call.line;
        let chosen = self.chosen_skills(call);
        let terms = self.terms(to, &chosen, call.ladder_from);
        let Terms { class, revision, required, held } = terms;
        self.emit(Event::CallMoved { call: id, from, to, cause, class, revision, required, held });
        self.retire_if_empty(from);
    }

    /// Required skills that the caller brought or chose, not the line.
    pub(crate) fn chosen_skills(&self, call: &Call) -> SkillNames {
        let of_line =
            self.state.promise(call).map(|l| self.state.skills.set(&l.requires)).unwrap_or_default();
        self.state.skills.names(call.required.without(of_line))
    }

    /// Rings an outside number for a call, or notes that it talks there already.
    pub(crate) fn divert(
        &mut self,
        id: CallId,
        destination: DestinationId,
        by: DivertedBy,
        ring: Option<Span>,
    ) {
        let Some(call) = self.state.calls.get(&id) else { return };
        let attempt = Attempt(call.attempts + 1);
        let ringing_until = ring.map(|span| self.at() + span);
        self.emit(Event::CallDiverted { call: id, destination, attempt, ringing_until, by });
    }

    /// Whether the plan in force has a number that callers may be put through to.
    pub(crate) fn has_destination(&self, id: DestinationId) -> bool {
        self.state.plan().and_then(|p| p.destinations.get(&id)).is_some_and(|d| d.press_one)
    }
}
