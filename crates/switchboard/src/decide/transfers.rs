//! What an operator does with a caller: hold, hang up, hand on, ask a colleague.

use crate::call::{Call, EndedBy, Outcome, Phase, Purpose, Stage, Withdrawal};
use crate::command::TransferTarget;
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{Attempt, CallId, OfferId, OperatorId};
use crate::line::LineState;
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};

use super::arrivals::Terms;

impl Switchboard {
    pub(super) fn hold(&mut self, operator: OperatorId, id: CallId) -> Decided {
        let call = self.talking_with(operator, id)?;
        if matches!(call.phase, Phase::Bridged { held: true, .. }) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.emit(Event::CallHeld { call: id });
        Ok(Reply::Done)
    }

    pub(super) fn retrieve(&mut self, operator: OperatorId, id: CallId) -> Decided {
        let call = self.talking_with(operator, id)?;
        if matches!(call.phase, Phase::Bridged { held: false, .. }) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.end_consult(id);
        self.emit(Event::CallRetrieved { call: id });
        Ok(Reply::Done)
    }

    pub(super) fn hang_up(&mut self, operator: OperatorId, id: CallId) -> Decided {
        if let Some(call) = self.state.calls.get(&id)
            && let Some((_, offer)) = call.consult().filter(|(_, o)| o.operator == operator)
        {
            if offer.stage != Stage::Talking {
                return Err(Rejection::WrongCallState);
            }
            self.end_consult(id);
            return Ok(Reply::Done);
        }
        let call = self.talking_with(operator, id)?;
        match call.consult().map(|(_, offer)| offer.stage) {
            Some(Stage::Talking) => self.hand_over(id, operator),
            Some(_) => return Err(Rejection::ConsultInProgress),
            None => self.close(id, Outcome::Answered { ended_by: EndedBy::Operator }),
        }
        Ok(Reply::Done)
    }

    pub(super) fn transfer(&mut self, operator: OperatorId, id: CallId, to: TransferTarget) -> Decided {
        let call = self.talking_with(operator, id)?;
        if call.consult().is_some() {
            return Err(Rejection::ConsultInProgress);
        }
        let (line, target_until) = match to {
            TransferTarget::Line(line) => {
                let status = self.state.lines.get(&line).ok_or(Rejection::UnknownLine)?;
                if status.state != LineState::Open {
                    return Err(Rejection::LineNotOpen);
                }
                (line, None)
            }
            TransferTarget::Operator(colleague) => {
                self.check_colleague(operator, colleague)?;
                (call.line, Some(self.at() + self.state.timers().transfer))
            }
        };
        let from_line = call.line;
        let span = self.wrap_up_of(call);
        let chosen = self.chosen_skills(call);
        let Terms { class, revision, required, held } = self.terms(line, &chosen, self.at());
        self.emit(Event::CallTransferred {
            call: id,
            from: operator,
            to,
            line,
            class,
            revision,
            target_until,
            required,
            held,
        });
        self.retire_if_empty(from_line);
        self.wrap_up(operator, id, span);
        Ok(Reply::Done)
    }

    pub(super) fn consult(&mut self, operator: OperatorId, id: CallId, colleague: OperatorId) -> Decided {
        let call = self.talking_with(operator, id)?;
        if call.consult().is_some() {
            return Err(Rejection::ConsultInProgress);
        }
        self.check_colleague(operator, colleague)?;
        let reached = self.state.reaches(call.gateway, colleague);
        let ready = self.state.operators.get(&colleague).is_some_and(crate::operator::Operator::is_ready);
        if !ready || !reached {
            return Err(Rejection::OperatorNotReady);
        }
        let attempt = Attempt(call.attempts + 1);
        if matches!(call.phase, Phase::Bridged { held: false, .. }) {
            self.emit(Event::CallHeld { call: id });
        }
        self.make_offer(id, colleague, Purpose::Consult);
        Ok(Reply::Consulting { offer: OfferId { call: id, attempt } })
    }

    fn check_colleague(&self, operator: OperatorId, colleague: OperatorId) -> Result<(), Rejection> {
        let known = self.state.operators.get(&colleague).ok_or(Rejection::UnknownOperator)?;
        if colleague == operator || known.removing { Err(Rejection::OperatorNotReady) } else { Ok(()) }
    }

    pub(super) fn complete_transfer(&mut self, operator: OperatorId, id: CallId) -> Decided {
        let call = self.talking_with(operator, id)?;
        if call.consult().is_none_or(|(_, offer)| offer.stage != Stage::Talking) {
            return Err(Rejection::WrongCallState);
        }
        self.hand_over(id, operator);
        Ok(Reply::Done)
    }

    /// The colleague consulted takes the caller over.
    pub(super) fn hand_over(&mut self, id: CallId, from: OperatorId) {
        let Some(call) = self.state.calls.get(&id) else { return };
        let Some((attempt, _)) = call.consult() else { return };
        let span = self.wrap_up_of(call);
        self.emit(Event::TransferCompleted { call: id, from, attempt });
        self.wrap_up(from, id, span);
    }

    /// Ends a consult, in whatever stage it is.
    pub(super) fn end_consult(&mut self, id: CallId) {
        if self.state.calls.get(&id).and_then(Call::consult).is_some() {
            self.withdraw_all(id, Withdrawal::Superseded, None);
        }
    }

    fn talking_with(&self, operator: OperatorId, id: CallId) -> Result<&Call, Rejection> {
        let call = self.state.calls.get(&id).ok_or_else(|| self.no_open_call(id))?;
        match call.bridge() {
            Some((holder, _)) if holder == operator => Ok(call),
            Some(_) => Err(Rejection::NotYours),
            None => Err(Rejection::WrongCallState),
        }
    }
}
