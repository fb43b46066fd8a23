//! Desks come and go. Presence tells; what follows for offers is decided here.

use crate::call::{Stage, Withdrawal};
use crate::command::Actor;
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{CallId, DeskId, DeskSession, OperatorId};
use crate::operator::Link;
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};

impl Switchboard {
    pub(super) fn attach_desk(&mut self, operator: OperatorId, desk: DeskId) -> Decided {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        if !known.device.has_desk() {
            return Err(Rejection::WrongDevice);
        }
        let same = known.desk == Some(desk);
        if same && known.link == Link::Online {
            return Err(Rejection::AlreadyDone(Reply::Session { session: known.session }));
        }
        let session = if same { known.session } else { DeskSession(known.session.0 + 1) };
        if !same {
            self.withdraw_ringing(operator, Withdrawal::LinkLost);
        }
        self.emit(Event::DeskAttached { operator, desk, session });
        Ok(Reply::Session { session })
    }

    pub(super) fn renew_desk(&mut self, operator: OperatorId, session: DeskSession) -> Decided {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        let desk = known.desk.filter(|_| known.session == session).ok_or(Rejection::StaleSession)?;
        self.attach_desk(operator, desk)
    }

    pub(super) fn drop_desk(&mut self, actor: Actor, operator: OperatorId, session: DeskSession) -> Decided {
        if actor != Actor::Presence {
            return Err(Rejection::NotYours);
        }
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        if known.session != session {
            return Err(Rejection::StaleSession);
        }
        if known.link != Link::Online {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        let timers = self.state.timers();
        let (grace_until, reload_by) = (self.at() + timers.grace, self.at() + timers.reload);
        self.emit(Event::DeskDropped { operator, grace_until, reload_by });
        Ok(Reply::Done)
    }

    /// The ringing offer an operator has.
    pub(super) fn ringing(&self, operator: OperatorId) -> Option<(CallId, crate::id::Attempt)> {
        let (call, attempt) = self.state.operators.get(&operator)?.work.call()?;
        let offer = self.state.calls.get(&call)?.offers.get(&attempt)?;
        matches!(offer.stage, Stage::Ringing { .. }).then_some((call, attempt))
    }

    /// Takes back the ringing offer an operator has, if any.
    pub(super) fn withdraw_ringing(&mut self, operator: OperatorId, why: Withdrawal) {
        if let Some((call, attempt)) = self.ringing(operator) {
            self.withdraw(call, attempt, why);
        }
    }
}
