//! Whether an operator is meant to answer: duty, pauses, wrap-up, and what takes effect when the work ends.

use crate::call::Withdrawal;
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{Code, OperatorId};
use crate::operator::{Duty, Operator, Work};
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};
use crate::time::Span;

impl Switchboard {
    fn known(&self, operator: OperatorId) -> Result<&Operator, Rejection> {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        if known.removing { Err(Rejection::WrongOperatorState) } else { Ok(known) }
    }

    pub(super) fn go_on_duty(&mut self, operator: OperatorId) -> Decided {
        let known = self.known(operator)?;
        match known.duty {
            Duty::On => return Err(Rejection::AlreadyDone(Reply::Done)),
            Duty::Paused { .. } | Duty::Suspended { .. } => return Err(Rejection::WrongOperatorState),
            Duty::Off if known.device.has_desk() && known.desk.is_none() => {
                return Err(Rejection::WrongOperatorState);
            }
            Duty::Off | Duty::Leaving => {}
        }
        self.emit(Event::WentOnDuty { operator });
        Ok(Reply::Done)
    }

    pub(super) fn pause(&mut self, operator: OperatorId, reason: Code, lasting: Option<Span>) -> Decided {
        let known = self.known(operator)?;
        let lasting = lasting.map(super::lasting).transpose()?;
        let until = lasting.map(|span| self.at() + span);
        if known.duty != Duty::On {
            return Err(Rejection::WrongOperatorState);
        }
        let idle_for = self.at().since(known.idle_since);
        match known.work {
            Work::Idle | Work::OutsideCall => {
                self.emit(Event::OperatorPaused { operator, reason, until, idle_for })
            }
            Work::Offered { call, attempt } => {
                self.emit(Event::OperatorPaused { operator, reason, until, idle_for });
                self.withdraw(call, attempt, Withdrawal::Paused);
            }
            Work::Connecting { .. } | Work::Talking { .. } | Work::WrapUp { .. } => {
                self.emit(Event::PauseNoted { operator, reason, until });
            }
        }
        Ok(Reply::Done)
    }

    pub(super) fn resume(&mut self, operator: OperatorId) -> Decided {
        let known = self.known(operator)?;
        let idle_since = match known.duty {
            Duty::On if known.pause_next.is_none() => return Err(Rejection::AlreadyDone(Reply::Done)),
            Duty::Off => return Err(Rejection::WrongOperatorState),
            Duty::Paused { idle_for, .. } => self.at() - idle_for,
            Duty::On | Duty::Suspended { .. } | Duty::Leaving => known.idle_since,
        };
        self.emit(Event::OperatorResumed { operator, idle_since });
        Ok(Reply::Done)
    }

    pub(super) fn leave(&mut self, operator: OperatorId) -> Decided {
        let known = self.known(operator)?;
        if matches!(known.duty, Duty::Off | Duty::Leaving) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.go(operator, Withdrawal::Paused);
        Ok(Reply::Done)
    }

    /// Off duty at once when nothing occupies the operator, else as soon as the work ends.
    pub(super) fn go(&mut self, operator: OperatorId, why: Withdrawal) {
        let Some(known) = self.state.operators.get(&operator) else { return };
        match known.work {
            Work::Idle | Work::OutsideCall => self.emit(Event::WentOffDuty { operator }),
            Work::Offered { call, attempt } => {
                self.emit(Event::OperatorLeaving { operator });
                self.withdraw(call, attempt, why);
            }
            Work::Connecting { .. } | Work::Talking { .. } | Work::WrapUp { .. } => {
                self.emit(Event::OperatorLeaving { operator });
            }
        }
    }

    pub(super) fn end_wrap_up(&mut self, operator: OperatorId, topic: Option<Code>) -> Decided {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        if !matches!(known.work, Work::WrapUp { .. }) {
            return Err(Rejection::WrongOperatorState);
        }
        self.wrap_up_over(operator, topic);
        Ok(Reply::Done)
    }

    /// After-call time is over, by the operator or by time.
    pub(super) fn wrap_up_over(&mut self, operator: OperatorId, topic: Option<Code>) {
        self.emit(Event::WrapUpEnded { operator, topic });
        self.work_ended(operator);
    }

    /// Nothing occupies the operator any more: what was put off takes effect.
    pub(crate) fn work_ended(&mut self, operator: OperatorId) {
        let Some(known) = self.state.operators.get(&operator) else { return };
        if known.work != Work::Idle {
            return;
        }
        if known.removing {
            self.emit(Event::OperatorRemoved { operator });
        } else if known.duty == Duty::Leaving {
            self.emit(Event::WentOffDuty { operator });
        } else if let (Duty::On, Some(wish)) = (known.duty, known.pause_next) {
            let idle_for = self.at().since(known.idle_since);
            self.emit(Event::OperatorPaused { operator, reason: wish.reason, until: wish.until, idle_for });
        }
    }
}
