//! People: duty, desks, what is put off until the work ends.

use switchboard::call::{Stage, Withdrawal};
use switchboard::command::{Expected, Force, Profile};
use switchboard::decision::Reply;
use switchboard::event::{Alarm, Event};
use switchboard::id::{CallId, Code, DeskId, DeskSession, LineId, OperatorId};
use switchboard::line::LineState;
use switchboard::operator::{Duty, Link, Operator, PauseWish, Shift, Work};
use switchboard::rejection::Rejection;
use switchboard::time::{SiteTime, Span};

use super::{Answer, Reference};

impl Reference {
    fn staying(&self, id: OperatorId) -> Result<&Operator, Rejection> {
        let operator = self.known_operator(id)?;
        if operator.removing { Err(Rejection::WrongOperatorState) } else { Ok(operator) }
    }

    // Desks.

    pub(super) fn attach_desk(&mut self, id: OperatorId, desk: DeskId) -> Answer {
        let operator = self.known_operator(id)?.clone();
        if !operator.device.has_desk() {
            return Err(Rejection::WrongDevice);
        }
        let same = operator.desk == Some(desk);
        if same && operator.link == Link::Online {
            return Err(Rejection::AlreadyDone(Reply::Session { session: operator.session }));
        }
        let session = if same { operator.session } else { DeskSession(operator.session.0 + 1) };
        if !same {
            self.withdraw_ringing(id, Withdrawal::LinkLost);
        }
        if let Some(operator) = self.state.operators.get_mut(&id) {
            operator.desk = Some(desk);
            operator.session = session;
            operator.link = Link::Online;
            if let Work::Offered { call, attempt } = operator.work {
                self.call_mut(call).offers.get_mut(&attempt).expect("both sides agree").reload_by = None;
            }
        }
        self.say(Event::DeskAttached { operator: id, desk, session });
        Ok(Reply::Session { session })
    }

    pub(super) fn renew_desk(&mut self, id: OperatorId, session: DeskSession) -> Answer {
        self.check_session(id, session)?;
        match self.operator(id).desk {
            Some(desk) => self.attach_desk(id, desk),
            None => Err(Rejection::StaleSession),
        }
    }

    pub(super) fn drop_desk(&mut self, id: OperatorId, session: DeskSession) -> Answer {
        self.check_session(id, session)?;
        if self.operator(id).link != Link::Online {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        let timers = self.timers();
        let (grace_until, reload_by) = (self.now() + timers.grace, self.now() + timers.reload);
        self.operator_mut(id).link = Link::Grace { until: grace_until };
        if let Work::Offered { call, attempt } = self.operator(id).work {
            let offer = self.call_mut(call).offers.get_mut(&attempt).expect("both sides agree");
            if matches!(offer.stage, Stage::Ringing { .. }) {
                offer.reload_by = Some(reload_by);
            }
        }
        self.say(Event::DeskDropped { operator: id, grace_until, reload_by });
        Ok(Reply::Done)
    }

    // Duty.

    pub(super) fn go_on_duty(&mut self, id: OperatorId) -> Answer {
        let operator = self.staying(id)?;
        match operator.duty {
            Duty::On => return Err(Rejection::AlreadyDone(Reply::Done)),
            Duty::Paused { .. } | Duty::Suspended { .. } => return Err(Rejection::WrongOperatorState),
            Duty::Off if operator.device.has_desk() && operator.desk.is_none() => {
                return Err(Rejection::WrongOperatorState);
            }
            Duty::Off | Duty::Leaving => {}
        }
        self.put_on_duty(id);
        Ok(Reply::Done)
    }

    fn put_on_duty(&mut self, id: OperatorId) {
        let now = self.now();
        let operator = self.operator_mut(id);
        if operator.duty == Duty::Off {
            operator.idle_since = now;
            operator.strikes = 0;
            operator.cool_until = None;
        }
        operator.duty = Duty::On;
        self.say(Event::WentOnDuty { operator: id });
    }

    pub(super) fn pause(&mut self, id: OperatorId, reason: Code, lasting: Option<Span>) -> Answer {
        let operator = self.staying(id)?.clone();
        if let Some(lasting) = lasting {
            check_lasting(lasting)?;
        }
        let until = lasting.map(|lasting| self.now() + lasting);
        if operator.duty != Duty::On {
            return Err(Rejection::WrongOperatorState);
        }
        match operator.work {
            Work::Idle | Work::OutsideCall | Work::Offered { .. } => {
                self.begin_pause(id, reason, until);
                self.withdraw_ringing(id, Withdrawal::Paused);
            }
            Work::Connecting { .. } | Work::Talking { .. } | Work::WrapUp { .. } => {
                self.operator_mut(id).pause_next = Some(PauseWish { reason, until });
                self.say(Event::PauseNoted { operator: id, reason, until });
            }
        }
        Ok(Reply::Done)
    }

    fn begin_pause(&mut self, id: OperatorId, reason: Code, until: Option<SiteTime>) {
        let now = self.now();
        let operator = self.operator_mut(id);
        let idle_for = now.since(operator.idle_since);
        operator.duty = Duty::Paused { reason, until, idle_for };
        operator.pause_next = None;
        self.say(Event::OperatorPaused { operator: id, reason, until, idle_for });
    }

    pub(super) fn end_pause(&mut self, id: OperatorId) {
        let Duty::Paused { idle_for, .. } = self.operator(id).duty else { return };
        let idle_since = self.now() - idle_for;
        self.return_to_duty(id, idle_since);
    }

    fn return_to_duty(&mut self, id: OperatorId, idle_since: SiteTime) {
        let operator = self.operator_mut(id);
        operator.duty = Duty::On;
        operator.strikes = 0;
        operator.cool_until = None;
        operator.pause_next = None;
        operator.idle_since = idle_since;
        self.say(Event::OperatorResumed { operator: id, idle_since });
    }

    pub(super) fn resume(&mut self, id: OperatorId) -> Answer {
        let operator = self.staying(id)?;
        let idle_since = match operator.duty {
            Duty::On if operator.pause_next.is_none() => return Err(Rejection::AlreadyDone(Reply::Done)),
            Duty::Off => return Err(Rejection::WrongOperatorState),
            Duty::Paused { idle_for, .. } => self.now() - idle_for,
            Duty::On | Duty::Suspended { .. } | Duty::Leaving => operator.idle_since,
        };
        self.return_to_duty(id, idle_since);
        Ok(Reply::Done)
    }

    pub(super) fn leave(&mut self, id: OperatorId) -> Answer {
        if matches!(self.staying(id)?.duty, Duty::Off | Duty::Leaving) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.go(id, Withdrawal::Paused);
        Ok(Reply::Done)
    }

    /// Off duty at once, or as soon as the work ends; a ringing offer is taken back.
    fn go(&mut self, id: OperatorId, why: Withdrawal) {
        if matches!(self.operator(id).work, Work::Idle | Work::OutsideCall) {
            return self.go_off(id);
        }
        self.operator_mut(id).duty = Duty::Leaving;
        self.operator_mut(id).pause_next = None;
        self.say(Event::OperatorLeaving { operator: id });
        self.withdraw_ringing(id, why);
    }

    fn go_off(&mut self, id: OperatorId) {
        let operator = self.operator_mut(id);
        operator.duty = Duty::Off;
        operator.strikes = 0;
        operator.cool_until = None;
        operator.pause_next = None;
        self.say(Event::WentOffDuty { operator: id });
    }

    pub(super) fn force(&mut self, id: OperatorId, to: Force) -> Answer {
        let operator = self.staying(id)?.clone();
        let settled = operator.strikes == 0 && operator.cool_until.is_none() && operator.pause_next.is_none();
        match to {
            Force::On if operator.duty == Duty::Off => self.put_on_duty(id),
            Force::On if operator.duty == Duty::On && settled => {
                return Err(Rejection::AlreadyDone(Reply::Done));
            }
            Force::On => match operator.duty {
                Duty::Paused { .. } => self.end_pause(id),
                _ => self.return_to_duty(id, operator.idle_since),
            },
            Force::Off if matches!(operator.duty, Duty::Off | Duty::Leaving) => {
                return Err(Rejection::AlreadyDone(Reply::Done));
            }
            Force::Off => self.go(id, Withdrawal::Supervisor),
            Force::Idle => match operator.work {
                Work::WrapUp { .. } | Work::OutsideCall => {
                    self.operator_mut(id).work = Work::Idle;
                    self.say(Event::OperatorForcedIdle { operator: id });
                    self.work_ended(id);
                }
                _ => return Err(Rejection::WrongOperatorState),
            },
        }
        Ok(Reply::Done)
    }

    // Work.

    pub(super) fn start_wrap_up(&mut self, id: OperatorId, call: CallId, wrap_up: Span) {
        let now = self.now();
        let until = now + wrap_up;
        let operator = self.operator_mut(id);
        operator.idle_since = now;
        operator.work = Work::WrapUp { call, until };
        self.say(Event::WrapUpStarted { operator: id, call, until });
    }

    pub(super) fn end_wrap_up(&mut self, id: OperatorId, topic: Option<Code>) -> Answer {
        if !matches!(self.known_operator(id)?.work, Work::WrapUp { .. }) {
            return Err(Rejection::WrongOperatorState);
        }
        self.end_after_call(id, topic);
        Ok(Reply::Done)
    }

    pub(super) fn end_after_call(&mut self, id: OperatorId, topic: Option<Code>) {
        let now = self.now();
        let operator = self.operator_mut(id);
        operator.work = Work::Idle;
        operator.idle_since = now;
        self.say(Event::WrapUpEnded { operator: id, topic });
        self.work_ended(id);
    }

    /// Idle since now, after a call.
    pub(super) fn free(&mut self, id: OperatorId) {
        let now = self.now();
        let operator = self.operator_mut(id);
        operator.work = Work::Idle;
        operator.idle_since = now;
        self.work_ended(id);
    }

    /// Nothing occupies the operator: what was put off takes effect.
    pub(super) fn work_ended(&mut self, id: OperatorId) {
        let Some(operator) = self.state.operators.get(&id).filter(|o| o.work == Work::Idle).cloned() else {
            return;
        };
        if operator.removing {
            self.state.operators.remove(&id);
            self.say(Event::OperatorRemoved { operator: id });
        } else if operator.duty == Duty::Leaving {
            self.go_off(id);
        } else if let (Duty::On, Some(wish)) = (operator.duty, operator.pause_next) {
            self.begin_pause(id, wish.reason, wish.until);
        }
    }

    pub(super) fn note_phone(&mut self, id: OperatorId, busy: bool) -> Answer {
        match (self.known_operator(id)?.work, busy) {
            (Work::OutsideCall, true) => Err(Rejection::AlreadyDone(Reply::Done)),
            (Work::OutsideCall, false) => {
                self.operator_mut(id).work = Work::Idle;
                self.say(Event::OutsideCallEnded { operator: id });
                self.work_ended(id);
                Ok(Reply::Done)
            }
            (_, false) => Err(Rejection::AlreadyDone(Reply::Done)),
            (Work::Idle, true) => {
                self.operator_mut(id).work = Work::OutsideCall;
                self.say(Event::OutsideCallStarted { operator: id });
                Ok(Reply::Done)
            }
            (_, true) => Err(Rejection::OperatorBusy),
        }
    }

    // Shifts.

    pub(super) fn shift_starts(&mut self, id: OperatorId, ends_at: SiteTime) {
        let Some(operator) = self.state.operators.get_mut(&id).filter(|o| !o.removing) else { return };
        let was_on_shift = operator.shift.replace(Shift { ends_at, ending: false }).is_some();
        let goes_on = !was_on_shift && !operator.device.has_desk() && operator.duty == Duty::Off;
        self.say(Event::ShiftStarted { operator: id, ends_at });
        if goes_on {
            self.put_on_duty(id);
        }
    }

    pub(super) fn shift_ending(&mut self, id: OperatorId) {
        let operator = self.operator(id);
        let others = |line: &LineId| {
            self.state
                .operators
                .iter()
                .any(|(other, o)| *other != id && o.home.contains(line) && o.is_staff())
        };
        let home = operator.home.iter().filter(|line| operator.is_staff() && !others(line));
        let last_on: std::collections::BTreeSet<LineId> = home.copied().collect();
        if let Some(shift) = &mut self.operator_mut(id).shift {
            shift.ending = true;
        }
        self.say(Event::ShiftEnding { operator: id, last_on: last_on.clone() });
        for line in last_on {
            self.say(Event::AlarmRaised { alarm: Alarm::LastOperatorLeaving { line } });
        }
    }

    pub(super) fn shift_ended(&mut self, id: OperatorId) {
        self.operator_mut(id).shift = None;
        self.say(Event::ShiftEnded { operator: id });
        if !matches!(self.operator(id).duty, Duty::Off | Duty::Leaving) {
            self.go(id, Withdrawal::Paused);
        }
    }

    // People.

    pub(super) fn add_operator(&mut self, id: OperatorId, profile: &Profile) -> Answer {
        if let Some(operator) = self.state.operators.get(&id) {
            let same = !operator.removing && self.profile(operator) == *profile;
            return Err(if same { Rejection::AlreadyDone(Reply::Done) } else { Rejection::OperatorExists });
        }
        self.check_profile(profile)?;
        let skills = self.state.skills.set(&profile.skills);
        let (teams, home) = (profile.teams.clone(), profile.home.clone());
        let operator = Operator::new(teams, home, skills, profile.device, self.now());
        self.state.operators.insert(id, operator);
        self.say(Event::OperatorAdded { operator: id, profile: profile.clone() });
        Ok(Reply::Done)
    }

    pub(super) fn change_operator(&mut self, id: OperatorId, profile: &Profile, expect: &Expected) -> Answer {
        let operator = self.staying(id)?;
        let before = self.profile(operator);
        if before == *profile {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        if expect.0.as_ref().is_some_and(|expected| **expected != before) {
            return Err(Rejection::ProfileConflict);
        }
        if operator.device != profile.device && operator.work != Work::Idle {
            return Err(Rejection::OperatorBusy);
        }
        self.check_profile(profile)?;
        let skills = self.state.skills.set(&profile.skills);
        let operator = self.operator_mut(id);
        operator.teams = profile.teams.clone();
        operator.home = profile.home.clone();
        operator.skills = skills;
        operator.device = profile.device;
        self.say(Event::OperatorChanged { operator: id, profile: profile.clone() });
        Ok(Reply::Done)
    }

    fn profile(&self, operator: &Operator) -> Profile {
        Profile {
            teams: operator.teams.clone(),
            home: operator.home.clone(),
            skills: self.state.skills.names(operator.skills),
            device: operator.device,
        }
    }

    fn check_profile(&self, profile: &Profile) -> Result<(), Rejection> {
        let plan = self.state.plans.get(&self.state.revision);
        if !profile.teams.iter().all(|team| plan.is_some_and(|plan| plan.teams.contains_key(team))) {
            return Err(Rejection::UnknownTeam);
        }
        let there = |line: &LineId| self.state.lines.get(line).is_some_and(|l| l.state != LineState::Retired);
        if !profile.home.iter().all(there) {
            return Err(Rejection::UnknownLine);
        }
        if !profile.skills.iter().all(|skill| self.state.skills.knows(*skill)) {
            return Err(Rejection::UnknownSkill);
        }
        Ok(())
    }

    pub(super) fn remove_operator(&mut self, id: OperatorId) -> Answer {
        let operator = self.known_operator(id)?;
        if operator.removing {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        if matches!(operator.work, Work::Idle | Work::OutsideCall) {
            self.state.operators.remove(&id);
            self.say(Event::OperatorRemoved { operator: id });
            return Ok(Reply::Done);
        }
        self.operator_mut(id).removing = true;
        self.say(Event::OperatorRemoving { operator: id });
        self.withdraw_ringing(id, Withdrawal::Supervisor);
        Ok(Reply::Done)
    }
}

/// What a person asks for lasts from a minute to thirty days.
pub(super) fn check_lasting(lasting: Span) -> Result<(), Rejection> {
    let right = (Span::secs(60)..=Span::secs(30 * 86_400)).contains(&lasting);
    if right { Ok(()) } else { Err(Rejection::BadDuration) }
}
