//! What an operator does with a caller: hold, hang up, hand on, ask a colleague.

use switchboard::call::{Call, EndedBy, OfferEnd, Outcome, Phase, Purpose, Stage, Target, Withdrawal};
use switchboard::command::{Command, TransferTarget};
use switchboard::decision::Reply;
use switchboard::event::Event;
use switchboard::id::{CallId, OfferId, OperatorId};
use switchboard::line::LineState;
use switchboard::rejection::Rejection;

use super::{Answer, Reference};

impl Reference {
    pub(super) fn for_desk(&mut self, by: OperatorId, command: &Command) -> Answer {
        match *command {
            Command::AttachDesk { operator, desk } if operator == by => self.attach_desk(by, desk),
            Command::RenewDesk { operator, session } if operator == by => self.renew_desk(by, session),
            Command::ConfirmDelivery { offer, session } => self.confirm_delivery(by, offer, session),
            Command::Accept { offer, session } => self.accept(by, offer, session),
            Command::Decline { offer, session, reason } => self.decline(by, offer, session, reason),
            Command::ConfirmMedia { offer, session } => self.confirm_media(by, offer, session),
            Command::Hold { call } => self.hold(by, call),
            Command::Retrieve { call } => self.retrieve(by, call),
            Command::HangUp { call } => self.hang_up(by, call),
            Command::Transfer { call, to } => self.transfer(by, call, to),
            Command::Consult { call, operator } => self.consult(by, call, operator),
            Command::CompleteTransfer { call } => self.complete_transfer(by, call),
            Command::EndWrapUp { topic } => self.end_wrap_up(by, topic),
            Command::GoOnDuty { operator } if operator == by => self.go_on_duty(by),
            Command::Pause { operator, reason, lasting } if operator == by => self.pause(by, reason, lasting),
            Command::Resume { operator } if operator == by => self.resume(by),
            Command::Leave { operator } if operator == by => self.leave(by),
            Command::BlockCaller { call, reason, lasting } => {
                self.check_blocker(by, call)?;
                self.block(call, reason, lasting)
            }
            _ => Err(Rejection::NotYours),
        }
    }

    /// The call, if this operator holds it.
    fn own_call(&self, by: OperatorId, id: CallId) -> Result<&Call, Rejection> {
        let call = self.open_call(id)?;
        match call.phase {
            Phase::Bridged { operator, .. } if operator == by => Ok(call),
            Phase::Bridged { .. } => Err(Rejection::NotYours),
            Phase::Queued | Phase::Diverting { .. } => Err(Rejection::WrongCallState),
        }
    }

    fn set_held(&mut self, id: CallId, to: bool) {
        let Phase::Bridged { held, .. } = &mut self.call_mut(id).phase else { return };
        if *held != to {
            *held = to;
            self.say(if to { Event::CallHeld { call: id } } else { Event::CallRetrieved { call: id } });
        }
    }

    fn hold(&mut self, by: OperatorId, id: CallId) -> Answer {
        if self.own_call(by, id)?.phase.is_held() {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.set_held(id, true);
        Ok(Reply::Done)
    }

    fn retrieve(&mut self, by: OperatorId, id: CallId) -> Answer {
        if !self.own_call(by, id)?.phase.is_held() {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.end_consult(id);
        self.set_held(id, false);
        Ok(Reply::Done)
    }

    pub(super) fn end_consult(&mut self, id: CallId) {
        if let Some((attempt, _)) = self.call(id).consult() {
            self.withdraw(id, attempt, Withdrawal::Superseded);
        }
    }

    fn hang_up(&mut self, by: OperatorId, id: CallId) -> Answer {
        let consult = self.state.calls.get(&id).and_then(Call::consult).map(|(_, offer)| offer.clone());
        if let Some(offer) = consult.as_ref().filter(|offer| offer.operator == by) {
            if offer.stage != Stage::Talking {
                return Err(Rejection::WrongCallState);
            }
            self.end_consult(id);
            return Ok(Reply::Done);
        }
        self.own_call(by, id)?;
        match consult.map(|offer| offer.stage) {
            None => self.close(id, Outcome::Answered { ended_by: EndedBy::Operator }),
            Some(Stage::Talking) => self.hand_over(id),
            Some(_) => return Err(Rejection::ConsultInProgress),
        }
        Ok(Reply::Done)
    }

    /// The operator's leg broke: the caller is back in the queue, with the place kept.
    pub(super) fn requeue(&mut self, id: CallId) {
        let Phase::Bridged { operator, .. } = self.call(id).phase else { return };
        self.withdraw_all(id, Withdrawal::Superseded);
        self.unbridge(id, operator);
        self.free(operator);
    }

    /// Takes the caller off the operator, who is not free by that alone.
    pub(super) fn unbridge(&mut self, id: CallId, operator: OperatorId) {
        let now = self.now();
        let tiers = self.tiers_of_people(id, self.call(id).revision);
        let call = self.call_mut(id);
        call.phase = Phase::Queued;
        call.tiers = tiers;
        call.ladder_from = now;
        self.say(Event::CallRequeued { call: id, operator, tiers });
    }

    fn transfer(&mut self, by: OperatorId, id: CallId, to: TransferTarget) -> Answer {
        let call = self.own_call(by, id)?.clone();
        if call.consult().is_some() {
            return Err(Rejection::ConsultInProgress);
        }
        let (line, target) = match to {
            TransferTarget::Line(line) => {
                let status = self.state.lines.get(&line).ok_or(Rejection::UnknownLine)?;
                if status.state != LineState::Open {
                    return Err(Rejection::LineNotOpen);
                }
                (line, None)
            }
            TransferTarget::Operator(colleague) => {
                self.check_colleague(by, colleague)?;
                let until = self.now() + self.timers().transfer;
                (call.line, Some(Target { operator: colleague, until }))
            }
        };
        let now = self.now();
        let promise = self.promise(line, &self.chosen(&call), now);
        self.put_on(id, line, &promise);
        let open = self.call_mut(id);
        open.phase = Phase::Queued;
        open.ladder_from = now;
        open.target = target;
        open.tried.clear();
        open.missed = 0;
        self.say(Event::CallTransferred {
            call: id,
            from: by,
            to,
            line,
            class: promise.class,
            revision: promise.revision,
            target_until: target.map(|target| target.until),
            required: promise.required,
            held: promise.held,
        });
        self.retire_if_empty(call.line);
        self.after_call(by, id, self.wrap_up_of(&call));
        Ok(Reply::Done)
    }

    fn check_colleague(&self, by: OperatorId, colleague: OperatorId) -> Result<(), Rejection> {
        let removing = self.known_operator(colleague)?.removing;
        if removing || colleague == by { Err(Rejection::OperatorNotReady) } else { Ok(()) }
    }

    fn consult(&mut self, by: OperatorId, id: CallId, colleague: OperatorId) -> Answer {
        let call = self.own_call(by, id)?;
        if call.consult().is_some() {
            return Err(Rejection::ConsultInProgress);
        }
        self.check_colleague(by, colleague)?;
        let other = self.operator(colleague);
        let reaches = self.state.gateways.get(&call.gateway).and_then(|gateway| gateway.reaches.as_ref());
        let reached = !other.device.has_leg() || reaches.is_none_or(|all| all.contains(&colleague));
        if !other.is_ready() || !reached {
            return Err(Rejection::OperatorNotReady);
        }
        self.set_held(id, true);
        let attempt = self.offer(id, colleague, Purpose::Consult);
        Ok(Reply::Consulting { offer: OfferId { call: id, attempt } })
    }

    fn complete_transfer(&mut self, by: OperatorId, id: CallId) -> Answer {
        match self.own_call(by, id)?.consult() {
            Some((_, offer)) if offer.stage == Stage::Talking => {
                self.hand_over(id);
                Ok(Reply::Done)
            }
            _ => Err(Rejection::WrongCallState),
        }
    }

    /// The colleague who is being consulted takes the caller over.
    pub(super) fn hand_over(&mut self, id: CallId) {
        let wrap_up = self.wrap_up_of(self.call(id));
        let now = self.now();
        let call = self.call(id);
        let Phase::Bridged { operator: from, .. } = call.phase else { return };
        let Some(attempt) = call.consult().map(|(attempt, _)| attempt) else { return };
        let offer = self.end_offer(id, attempt, OfferEnd::Connected);
        self.call_mut(id).phase =
            Phase::Bridged { operator: offer.operator, attempt, since: now, held: false };
        self.say(Event::TransferCompleted { call: id, from, attempt });
        self.after_call(from, id, wrap_up);
    }
}

/// Whether the caller holds.
trait IsHeld {
    fn is_held(&self) -> bool;
}

impl IsHeld for Phase {
    fn is_held(&self) -> bool {
        matches!(self, Phase::Bridged { held: true, .. })
    }
}
