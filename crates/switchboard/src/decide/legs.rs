//! What gateways report of legs other than the caller's: operators' phones and outside numbers.

use crate::call::{Call, CallState, EndedBy, Outcome, Phase, Purpose, Stage};
use crate::command::LegFact;
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{Attempt, CallId, Code, GatewayId, OperatorId};
use crate::operator::Device;
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};

/// The key that takes a call on a telephone and at an outside number, and a staff caller's way back.
const KEY_TAKE: char = '1';

/// Whose leg an attempt names.
enum Whose {
    Offer { operator: OperatorId, stage: Stage, device: Device, purpose: Purpose },
    Bridge { operator: OperatorId },
    Outside { ringing: bool },
}

impl Switchboard {
    pub(super) fn leg(&mut self, gateway: GatewayId, id: CallId, attempt: Attempt, fact: LegFact) -> Decided {
        let call = self.held_by(gateway, id)?;
        match whose(call, attempt)? {
            Whose::Outside { ringing } => self.outside_leg(id, ringing, fact),
            Whose::Bridge { operator } => self.bridge_leg(id, operator, fact),
            Whose::Offer { operator, stage, device, purpose } => match fact {
                // No phone rings there yet, and no desk is heard through it.
                LegFact::Ringing | LegFact::HungUp | LegFact::Failed(_)
                    if matches!(stage, Stage::Ringing { .. }) && !device.rings() =>
                {
                    Err(Rejection::AlreadyDone(Reply::Done))
                }
                LegFact::Ringing => self.leg_rings(id, attempt, stage),
                LegFact::Answered => self.leg_answered(id, attempt, operator, stage, device),
                LegFact::Bridged if device.has_leg() => self.bridged(id, attempt, operator),
                LegFact::Bridged => Err(Rejection::WrongDevice),
                LegFact::HungUp => self.offer_leg_gone(id, attempt, stage, purpose, None),
                LegFact::Failed(cause) => self.offer_leg_gone(id, attempt, stage, purpose, Some(cause)),
                LegFact::BridgeLost => Err(Rejection::WrongCallState),
            },
        }
    }

    fn leg_rings(&mut self, id: CallId, attempt: Attempt, stage: Stage) -> Decided {
        if !matches!(stage, Stage::Ringing { deliver_by: Some(_), .. }) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.emit(Event::OfferDelivered { call: id, attempt });
        Ok(Reply::Done)
    }

    fn leg_answered(
        &mut self,
        id: CallId,
        attempt: Attempt,
        operator: OperatorId,
        stage: Stage,
        device: Device,
    ) -> Decided {
        if device == Device::Ring && matches!(stage, Stage::Ringing { .. }) {
            return self.take(operator, id, attempt);
        }
        Err(Rejection::AlreadyDone(Reply::Done))
    }

    fn offer_leg_gone(
        &mut self,
        id: CallId,
        attempt: Attempt,
        stage: Stage,
        purpose: Purpose,
        cause: Option<Code>,
    ) -> Decided {
        match stage {
            Stage::Accepted { .. } => self.bridge_failed(id, attempt, cause, cause.is_none()),
            Stage::Ringing { .. } if cause.is_some() => self.undeliverable(id, attempt, true),
            Stage::Ringing { .. } => self.say_no(id, attempt, None),
            Stage::Talking => {
                debug_assert!(purpose == Purpose::Consult, "only a consult talks as an offer");
                self.end_consult(id);
            }
        }
        Ok(Reply::Done)
    }

    fn bridge_leg(&mut self, id: CallId, operator: OperatorId, fact: LegFact) -> Decided {
        let consult = self.state.calls.get(&id).and_then(Call::consult).map(|(_, offer)| offer.stage);
        match fact {
            LegFact::Ringing | LegFact::Answered | LegFact::Bridged => {
                return Err(Rejection::AlreadyDone(Reply::Done));
            }
            LegFact::HungUp | LegFact::Failed(_) if consult == Some(Stage::Talking) => {
                self.hand_over(id, operator);
            }
            LegFact::HungUp if consult.is_none() => {
                self.close(id, Outcome::Answered { ended_by: EndedBy::Operator });
            }
            LegFact::HungUp | LegFact::Failed(_) | LegFact::BridgeLost => self.requeue(id),
        }
        Ok(Reply::Done)
    }

    fn outside_leg(&mut self, id: CallId, ringing: bool, fact: LegFact) -> Decided {
        match fact {
            LegFact::Ringing | LegFact::Answered | LegFact::Bridged => {
                Err(Rejection::AlreadyDone(Reply::Done))
            }
            LegFact::HungUp | LegFact::Failed(_) | LegFact::BridgeLost if ringing => {
                self.divert_failed(id);
                Ok(Reply::Done)
            }
            LegFact::HungUp | LegFact::Failed(_) | LegFact::BridgeLost => {
                self.close(id, Outcome::DivertedOut);
                Ok(Reply::Done)
            }
        }
    }

    pub(super) fn digit(
        &mut self,
        gateway: GatewayId,
        id: CallId,
        attempt: Option<Attempt>,
        digit: char,
    ) -> Decided {
        let call = self.held_by(gateway, id)?;
        let Some(attempt) = attempt else { return self.caller_digit(id, digit) };
        match whose(call, attempt)? {
            Whose::Outside { ringing: true } if digit == KEY_TAKE => {
                self.emit(Event::DivertConnected { call: id });
                Ok(Reply::Done)
            }
            Whose::Outside { ringing: false } if digit == KEY_TAKE => {
                Err(Rejection::AlreadyDone(Reply::Done))
            }
            Whose::Offer { operator, device: Device::Telephone, .. } if digit == KEY_TAKE => {
                self.take(operator, id, attempt)
            }
            Whose::Bridge { .. } | Whose::Outside { .. } | Whose::Offer { .. } => {
                Err(Rejection::MeaninglessDigit)
            }
        }
    }

    fn caller_digit(&mut self, id: CallId, digit: char) -> Decided {
        let call = self.state.calls.get(&id).ok_or(Rejection::UnknownCall)?;
        if !matches!(call.state(), CallState::Waiting | CallState::Offered) {
            return Err(Rejection::WrongCallState);
        }
        if digit == KEY_TAKE && self.escapes(call) && !self.is_going(call.called) {
            return self.escape(id);
        }
        let line = self.state.promise(call).ok_or(Rejection::MeaninglessDigit)?;
        let skill = *line.skill_keys.get(&digit).ok_or(Rejection::MeaninglessDigit)?;
        if call.required.covers(self.state.skills.bit(skill)) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        let unfit: alloc::vec::Vec<Attempt> = call
            .offers
            .iter()
            .filter(|(_, o)| o.purpose != Purpose::Transfer && !self.has_skill(o.operator, skill))
            .map(|(attempt, _)| *attempt)
            .collect();
        for attempt in unfit {
            self.withdraw(id, attempt, crate::call::Withdrawal::Superseded);
        }
        self.emit(Event::SkillChosen { call: id, skill });
        Ok(Reply::Done)
    }

    fn has_skill(&self, operator: OperatorId, skill: crate::id::SkillId) -> bool {
        self.state.operators.get(&operator).is_some_and(|o| o.skills.covers(self.state.skills.bit(skill)))
    }

    /// Whether a call is a staff caller's who was moved and may still say "this is about a patient now".
    pub(crate) fn escapes(&self, call: &Call) -> bool {
        call.kind == crate::call::CallerKind::Staff
            && !call.escaped
            && call.line != call.called
            && self.called_line(call).is_some_and(|l| l.staff_to == Some(call.line))
    }

    /// The line a call was made to, as the plan it was promised has it.
    pub(crate) fn called_line(&self, call: &Call) -> Option<&crate::plan::Line> {
        self.state.plans.get(&call.revision)?.lines.get(&call.called)
    }

    fn escape(&mut self, id: CallId) -> Decided {
        let Some(called) = self.state.calls.get(&id).map(|c| c.called) else {
            return Err(Rejection::UnknownCall);
        };
        self.withdraw_all(id, crate::call::Withdrawal::Superseded, None);
        self.move_to(id, called, crate::call::MoveCause::Escape);
        self.admit(id);
        Ok(Reply::Done)
    }
}

fn whose(call: &Call, attempt: Attempt) -> Result<Whose, Rejection> {
    if let Some(o) = call.offers.get(&attempt) {
        return Ok(Whose::Offer {
            operator: o.operator,
            stage: o.stage,
            device: o.device,
            purpose: o.purpose,
        });
    }
    match call.phase {
        Phase::Bridged { operator, attempt: bridge, .. } if bridge == attempt => {
            Ok(Whose::Bridge { operator })
        }
        Phase::Diverting { attempt: outside, ringing_until, .. } if outside == attempt => {
            Ok(Whose::Outside { ringing: ringing_until.is_some() })
        }
        _ if call.ended.contains_key(&attempt) || attempt.0 <= call.attempts => {
            Err(Rejection::AlreadyDone(Reply::Done))
        }
        _ => Err(Rejection::UnknownAttempt),
    }
}
