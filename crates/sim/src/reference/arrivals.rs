//! A caller rings in, is let in, sent on or let go; and how a call ends.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::{
    Abandon, Call, CallState, CallerKind, Class, DivertedBy, EndedBy, MoveCause, Outcome, Phase, Refusal,
    SkillNames, TierSet, Tombstone, Withdrawal,
};
use switchboard::command::{ADOPTED_WAIT_MAX, Arrival};
use switchboard::decision::Reply;
use switchboard::event::{Alarm, Event};
use switchboard::id::{CallId, DestinationId, GatewayId, LineId, OperatorId, Revision, Seq};
use switchboard::line::LineState;
use switchboard::plan::WhenClosed;
use switchboard::rejection::Rejection;
use switchboard::time::{SiteTime, Span};

use super::{Answer, Reference};

/// How long an outside number of a line (not of a tier) rings.
const DIVERT_RING: Span = Span::secs(30);
/// How often one call is sent on, at most.
const HOPS_MAX: usize = 8;

/// What a line promises a call.
pub(super) struct Promise {
    pub(super) class: Class,
    pub(super) revision: Revision,
    pub(super) required: SkillNames,
    pub(super) held: SkillNames,
}

impl Reference {
    pub(super) fn arrive(&mut self, gateway: GatewayId, arrival: &Arrival) -> Answer {
        let id = arrival.call;
        if let Some(call) = self.state.calls.get(&id) {
            let same = (call.gateway, call.called, call.caller) == (gateway, arrival.line, arrival.caller);
            let first = Rejection::AlreadyDone(Reply::Arrived { line: call.line });
            return Err(if same { first } else { Rejection::CallIdTaken });
        }
        self.check_arrival(gateway, arrival)?;
        let left = self.place_left(arrival);
        let came = self.now() - arrival.waited;
        let (arrived_at, ladder_from) = left.unwrap_or((came, came));
        let promise = self.promise(arrival.line, &arrival.skills, ladder_from);
        let call = self.new_call(gateway, arrival, arrived_at, ladder_from, &promise);
        self.state.calls.insert(id, call);
        if left.is_some() {
            self.state
                .abandons
                .get_mut(&arrival.line)
                .expect("it was found there")
                .remove_mut(&arrival.caller);
            self.state.abandons.retain(|_, callers| !callers.is_empty());
        }
        self.say(Event::CallArrived {
            call: id,
            gateway,
            caller: arrival.caller,
            kind: arrival.kind,
            line: arrival.line,
            class: promise.class,
            revision: promise.revision,
            arrived_at,
            ladder_from,
            resumed: left.is_some(),
            required: promise.required,
            held: promise.held,
        });
        match arrival.diverted {
            Some(destination) => self.divert(id, destination, None, DivertedBy::EmergencyPlan),
            None => self.admit(id),
        }
        let line = self.state.calls.get(&id).map_or(arrival.line, |call| call.line);
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
        if arrival.skills.iter().any(|skill| !self.state.skills.knows(*skill)) {
            return Err(Rejection::UnknownSkill);
        }
        match arrival.diverted {
            Some(destination) => self.check_destination(destination),
            None => Ok(()),
        }
    }

    pub(super) fn check_destination(&self, destination: DestinationId) -> Result<(), Rejection> {
        let plan = self.state.plans.get(&self.state.revision);
        match plan.and_then(|plan| plan.destinations.get(&destination)) {
            Some(number) if number.press_one => Ok(()),
            _ => Err(Rejection::UnknownDestination),
        }
    }

    fn place_left(&self, arrival: &Arrival) -> Option<(SiteTime, SiteTime)> {
        if arrival.waited > Span::ZERO || !self.planned(arrival.line)?.resume_redial {
            return None;
        }
        let abandon = self.state.abandons.get(&arrival.line)?.get(&arrival.caller)?;
        (self.now() <= abandon.until).then_some((abandon.arrived_at, self.now() - abandon.served))
    }

    fn new_call(
        &self,
        gateway: GatewayId,
        arrival: &Arrival,
        arrived_at: SiteTime,
        ladder_from: SiteTime,
        promise: &Promise,
    ) -> Call {
        Call {
            gateway,
            caller: arrival.caller,
            kind: arrival.kind,
            line: arrival.line,
            called: arrival.line,
            class: promise.class,
            revision: promise.revision,
            seq: self.state.seq,
            arrived_at,
            rang_at: self.now(),
            ladder_from,
            required: self.state.skills.set(&promise.required),
            held: self.state.skills.set(&promise.held),
            tiers: TierSet::FIRST,
            attempts: 0,
            missed: 0,
            tried: BTreeMap::new(),
            target: None,
            escaped: false,
            answered: false,
            closing_until: None,
            offers: BTreeMap::new(),
            ended: BTreeMap::new(),
            phase: Phase::Queued,
            treatment_revision: Seq(0),
        }
    }

    /// What a line promises a call that brings these skills and whose ladder counts from then: by the newest plan
    /// that has the line.
    pub(super) fn promise(
        &self,
        line: LineId,
        chosen: &BTreeSet<switchboard::id::SkillId>,
        from: SiteTime,
    ) -> Promise {
        let newest = self.state.plans.iter().rfind(|(_, plan)| plan.lines.contains_key(&line));
        let Some((revision, plan)) = newest else {
            let (class, revision, required) = (Class::Normal, self.state.revision, chosen.clone());
            return Promise { class, revision, required, held: SkillNames::new() };
        };
        let line = &plan.lines[&line];
        let held = line.prefers.iter().filter(|p| p.hold > Span::ZERO && self.now() < from + p.hold);
        Promise {
            class: line.class,
            revision: *revision,
            required: line.requires.union(chosen).copied().collect(),
            held: held.map(|p| p.skill).collect(),
        }
    }

    /// Lets a call that has come to a line wait there, sends it on, or lets it go.
    pub(super) fn admit(&mut self, id: CallId) {
        for _ in 0..HOPS_MAX {
            let call = self.call(id).clone();
            let line = call.line;
            let blockable = line == call.called && call.class != Class::Emergency;
            let status = self.state.lines[&line];
            if self.state.blocks.contains_key(&call.caller) && blockable {
                return self.close(id, Outcome::Refused(Refusal::Blocked));
            }
            if self.is_going(line) {
                let Some(to) = self.state.moves.get(&line).copied() else {
                    return self.close(id, Outcome::Refused(Refusal::Draining));
                };
                self.move_to(id, to, MoveCause::LineRemoved);
                continue;
            }
            if let Some(divert) = status.divert {
                let until = self.now() + DIVERT_RING;
                return self.divert(id, divert.destination, Some(until), DivertedBy::Line);
            }
            if status.state != LineState::Open {
                match self.planned(line).map_or(WhenClosed::Message, |l| l.when_closed) {
                    WhenClosed::MoveTo(to) if !self.is_going(to) => {
                        self.move_to(id, to, MoveCause::LineClosed)
                    }
                    WhenClosed::Divert(to) => {
                        let until = self.now() + DIVERT_RING;
                        return self.divert(id, to, Some(until), DivertedBy::Closed);
                    }
                    _ => return self.close(id, Outcome::Refused(Refusal::Closed)),
                }
                continue;
            }
            if let Some(to) = self.staff_line(&call) {
                self.move_to(id, to, MoveCause::StaffCaller);
                continue;
            }
            let others = self
                .state
                .calls
                .iter()
                .filter(|(other, c)| **other != id && c.line == line && c.is_waiting());
            let full = self
                .planned(line)
                .and_then(|l| l.max_waiting)
                .is_some_and(|max| others.count() >= max as usize);
            if full {
                self.close(id, Outcome::Refused(Refusal::Full));
            }
            return;
        }
        self.close(id, Outcome::Refused(Refusal::Closed));
    }

    fn staff_line(&self, call: &Call) -> Option<LineId> {
        let to = self.planned(call.line)?.staff_to?;
        let open = self.state.lines.get(&to).is_some_and(|status| status.state == LineState::Open);
        (call.kind == CallerKind::Staff && !call.escaped && open).then_some(to)
    }

    /// Being removed, removed, or never there.
    pub(super) fn is_going(&self, line: LineId) -> bool {
        let status = self.state.lines.get(&line);
        status.is_none_or(|s| matches!(s.state, LineState::Draining | LineState::Retired))
    }

    /// Skills the caller brought or chose: those that the line does not ask for itself.
    pub(super) fn chosen(&self, call: &Call) -> SkillNames {
        let mut chosen = self.state.skills.names(call.required);
        let line = self.state.plans.get(&call.revision).and_then(|plan| plan.lines.get(&call.line));
        chosen.retain(|skill| line.is_none_or(|line| !line.requires.contains(skill)));
        chosen
    }

    /// Changes a call's line: place, age, gateway, ladder clock and tried operators stay.
    pub(super) fn move_to(&mut self, id: CallId, to: LineId, cause: MoveCause) {
        let call = self.call(id).clone();
        let promise = self.promise(to, &self.chosen(&call), call.ladder_from);
        self.put_on(id, to, &promise);
        if cause == MoveCause::Escape {
            self.call_mut(id).escaped = true;
        }
        self.say(Event::CallMoved {
            call: id,
            from: call.line,
            to,
            cause,
            class: promise.class,
            revision: promise.revision,
            required: promise.required,
            held: promise.held,
        });
        self.retire_if_empty(call.line);
    }

    pub(super) fn put_on(&mut self, id: CallId, line: LineId, promise: &Promise) {
        let required = self.state.skills.set(&promise.required);
        let held = self.state.skills.set(&promise.held);
        let call = self.call_mut(id);
        call.line = line;
        call.class = promise.class;
        call.revision = promise.revision;
        call.required = required;
        call.held = held;
        call.tiers = TierSet::FIRST;
        call.closing_until = None;
        call.target = None;
    }

    pub(super) fn divert(&mut self, id: CallId, to: DestinationId, until: Option<SiteTime>, by: DivertedBy) {
        let attempt = self.next_attempt(id);
        self.call_mut(id).closing_until = None;
        self.call_mut(id).phase = Phase::Diverting { destination: to, attempt, ringing_until: until, by };
        self.say(Event::CallDiverted { call: id, destination: to, attempt, ringing_until: until, by });
    }

    pub(super) fn divert_failed(&mut self, id: CallId) {
        let Phase::Diverting { by, .. } = self.call(id).phase else { return };
        self.call_mut(id).phase = Phase::Queued;
        self.say(Event::DivertFailed { call: id });
        if by == DivertedBy::Closed {
            self.close(id, Outcome::Refused(Refusal::Closed));
        }
    }

    /// The caller left.
    pub(super) fn caller_left(&mut self, id: CallId) {
        let call = self.call(id);
        let outside = matches!(call.phase, Phase::Diverting { ringing_until: None, .. });
        let answered = Outcome::Answered { ended_by: EndedBy::Caller };
        let outcome = match call.state() {
            _ if outside => Outcome::DivertedOut,
            _ if call.answered => answered,
            CallState::Waiting => Outcome::AbandonedWaiting,
            CallState::Offered | CallState::Diverting => Outcome::AbandonedRinging,
            CallState::Connecting => Outcome::AbandonedConnecting,
            CallState::Connected | CallState::Held => answered,
        };
        self.close(id, outcome);
    }

    /// Writes the one outcome, after everybody else is free of the call.
    pub(super) fn close(&mut self, id: CallId, outcome: Outcome) {
        self.withdraw_all(id, Withdrawal::CallerGone);
        let failed = matches!(outcome, Outcome::Failed { .. });
        if failed {
            self.say(Event::AlarmRaised { alarm: Alarm::CallFailed { call: id } });
        }
        let wrap_up = if failed { Span::ZERO } else { self.wrap_up_of(self.call(id)) };
        let resumable_until = self.resumable_until(self.call(id), outcome);
        let call = self.state.calls.remove(&id).expect("only open calls close");
        let now = self.now();
        if let Some(until) = resumable_until {
            let served = if call.answered { Span::ZERO } else { now.since(call.ladder_from) };
            let abandon = Abandon { arrived_at: call.arrived_at, served, left_at: now, until };
            self.state.abandons.entry(call.called).or_default().insert_mut(call.caller, abandon);
        }
        let tombstone = Tombstone {
            closed_at: now,
            outcome,
            line: call.line,
            caller: call.caller,
            class: call.class,
            gateway: call.gateway,
            revision: call.revision,
            seq: self.state.seq,
            ended: call.ended,
        };
        self.state.closed.insert_mut(id, tombstone);
        self.say(Event::CallClosed { call: id, outcome, resumable_until });
        if let Phase::Bridged { operator, .. } = call.phase {
            self.after_call(operator, id, wrap_up);
        }
        self.retire_if_empty(call.line);
    }

    /// An abandoned or failed call leaves its place behind.
    fn resumable_until(&self, call: &Call, outcome: Outcome) -> Option<SiteTime> {
        let left = matches!(
            outcome,
            Outcome::AbandonedWaiting
                | Outcome::AbandonedRinging
                | Outcome::AbandonedConnecting
                | Outcome::Failed { .. }
        );
        let left = left || (outcome == Outcome::Refused(Refusal::Full) && call.arrived_at < call.rang_at);
        let resumes = self.planned(call.called).is_some_and(|line| line.resume_redial);
        (left && resumes).then(|| self.now() + self.timers().redial)
    }

    pub(super) fn wrap_up_of(&self, call: &Call) -> Span {
        let line = self.state.plans.get(&call.revision).and_then(|plan| plan.lines.get(&call.line));
        line.map_or(Span::ZERO, |line| line.wrap_up)
    }

    /// Frees the operator a bridged call leaves, through wrap-up if there is any.
    pub(super) fn after_call(&mut self, operator: OperatorId, call: CallId, wrap_up: Span) {
        if wrap_up > Span::ZERO {
            self.start_wrap_up(operator, call, wrap_up);
        } else {
            self.free(operator);
        }
    }
}
