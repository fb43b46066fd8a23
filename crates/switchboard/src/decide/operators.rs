//! People: added, changed, removed, set right by hand.

use crate::call::Withdrawal;
use crate::command::{Expected, Force, Profile};
use crate::decision::Reply;
use crate::event::Event;
use crate::id::OperatorId;
use crate::line::LineState;
use crate::operator::{Duty, Work};
use crate::rejection::{Limit, Rejection};
use crate::state::OPERATORS_MAX;
use crate::switchboard::{Decided, Switchboard};

impl Switchboard {
    pub(super) fn add_operator(&mut self, operator: OperatorId, profile: &Profile) -> Decided {
        if let Some(known) = self.state.operators.get(&operator) {
            let same = !known.removing && self.profile(operator).as_ref() == Some(profile);
            return Err(if same { Rejection::AlreadyDone(Reply::Done) } else { Rejection::OperatorExists });
        }
        self.check_profile(profile)?;
        if self.state.operators.len() >= OPERATORS_MAX {
            return Err(Rejection::LimitReached { what: Limit::Operators });
        }
        self.emit(Event::OperatorAdded { operator, profile: profile.clone() });
        Ok(Reply::Done)
    }

    pub(super) fn change_profile(
        &mut self,
        operator: OperatorId,
        profile: &Profile,
        expect: &Expected,
    ) -> Decided {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        if known.removing {
            return Err(Rejection::WrongOperatorState);
        }
        let before = self.profile(operator);
        if before.as_ref() == Some(profile) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        if !expect.is_met_by(before.as_ref()) {
            return Err(Rejection::ProfileConflict);
        }
        if known.device != profile.device && known.work != Work::Idle {
            return Err(Rejection::OperatorBusy);
        }
        self.check_profile(profile)?;
        self.emit(Event::OperatorChanged { operator, profile: profile.clone() });
        // A gateway may reach the new device that did not reach the one before.
        self.index.ready.stirred.insert(operator);
        Ok(Reply::Done)
    }

    /// What is known of a person, as it was told.
    pub fn profile(&self, operator: OperatorId) -> Option<Profile> {
        let known = self.state.operators.get(&operator)?;
        Some(Profile {
            teams: known.teams.clone(),
            home: known.home.clone(),
            skills: self.state.skills.names(known.skills),
            device: known.device,
        })
    }

    fn check_profile(&self, profile: &Profile) -> Result<(), Rejection> {
        let plan = self.state.plan();
        if profile.teams.iter().any(|t| plan.is_none_or(|p| !p.teams.contains_key(t))) {
            return Err(Rejection::UnknownTeam);
        }
        let retired = |l| self.state.lines.get(l).is_none_or(|s| s.state == LineState::Retired);
        if profile.home.iter().any(retired) {
            return Err(Rejection::UnknownLine);
        }
        if profile.skills.iter().any(|s| !self.state.skills.knows(*s)) {
            return Err(Rejection::UnknownSkill);
        }
        Ok(())
    }

    pub(super) fn remove_operator(&mut self, operator: OperatorId) -> Decided {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        if known.removing {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        match known.work {
            Work::Idle | Work::OutsideCall => self.emit(Event::OperatorRemoved { operator }),
            Work::Offered { call, attempt } => {
                self.emit(Event::OperatorRemoving { operator });
                self.withdraw(call, attempt, Withdrawal::Supervisor);
            }
            Work::Connecting { .. } | Work::Talking { .. } | Work::WrapUp { .. } => {
                self.emit(Event::OperatorRemoving { operator });
            }
        }
        Ok(Reply::Done)
    }

    pub(super) fn note_phone(&mut self, operator: OperatorId, busy: bool) -> Decided {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        match (known.work, busy) {
            (Work::OutsideCall, true) => Err(Rejection::AlreadyDone(Reply::Done)),
            (Work::OutsideCall, false) => {
                self.emit(Event::OutsideCallEnded { operator });
                self.work_ended(operator);
                Ok(Reply::Done)
            }
            (Work::Idle, true) => {
                self.emit(Event::OutsideCallStarted { operator });
                Ok(Reply::Done)
            }
            (_, false) => Err(Rejection::AlreadyDone(Reply::Done)),
            (_, true) => Err(Rejection::OperatorBusy),
        }
    }

    pub(super) fn force_operator(&mut self, operator: OperatorId, to: Force) -> Decided {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        if known.removing {
            return Err(Rejection::WrongOperatorState);
        }
        match to {
            Force::On => {
                let idle_since = match known.duty {
                    Duty::Paused { idle_for, .. } => self.at() - idle_for,
                    _ => known.idle_since,
                };
                if known.duty == Duty::Off {
                    self.emit(Event::WentOnDuty { operator });
                } else if known.duty == Duty::On
                    && known.strikes == 0
                    && known.cool_until.is_none()
                    && known.pause_next.is_none()
                {
                    return Err(Rejection::AlreadyDone(Reply::Done));
                } else {
                    self.emit(Event::OperatorResumed { operator, idle_since });
                }
            }
            Force::Off if matches!(known.duty, Duty::Off | Duty::Leaving) => {
                return Err(Rejection::AlreadyDone(Reply::Done));
            }
            Force::Off => self.go(operator, Withdrawal::Supervisor),
            Force::Idle => {
                if !matches!(known.work, Work::WrapUp { .. } | Work::OutsideCall) {
                    return Err(Rejection::WrongOperatorState);
                }
                self.emit(Event::OperatorForcedIdle { operator });
                self.work_ended(operator);
            }
        }
        Ok(Reply::Done)
    }
}
