//! What gateways report: the caller's leg, other legs, keys.

use switchboard::call::{
    Call, CallState, CallerKind, EndedBy, MoveCause, Outcome, Phase, Purpose, Stage, Withdrawal,
};
use switchboard::command::{Command, LegFact};
use switchboard::decision::Reply;
use switchboard::event::Event;
use switchboard::id::{Attempt, CallId, GatewayId};
use switchboard::operator::Device;
use switchboard::rejection::Rejection;

use super::{Answer, Reference};

impl Reference {
    pub(super) fn for_gateway(&mut self, gateway: GatewayId, command: &Command) -> Answer {
        match command {
            Command::Arrive(arrival) => self.arrive(gateway, arrival),
            Command::CallerHungUp { call } => {
                self.held_by(gateway, *call)?;
                self.caller_left(*call);
                Ok(Reply::Done)
            }
            Command::Leg { call, attempt, fact } => {
                self.held_by(gateway, *call)?;
                self.leg(*call, *attempt, *fact)
            }
            Command::Digit { call, attempt, digit } => {
                self.held_by(gateway, *call)?;
                match attempt {
                    None => self.callers_key(*call, *digit),
                    Some(attempt) => self.legs_key(*call, *attempt, *digit),
                }
            }
            Command::PromptFinished { call } => {
                let open = self.held_by(gateway, *call)?;
                if !open.is_waiting() || open.closing_until.is_none() {
                    return Err(Rejection::WrongCallState);
                }
                self.close(*call, Outcome::NobodyOnDuty);
                Ok(Reply::Done)
            }
            Command::AttachGateway { incarnation, reaches, calls } => {
                self.attach_gateway(gateway, *incarnation, reaches.clone(), calls)
            }
            Command::LoseGateway { gateway: lost, incarnation } if *lost == gateway => {
                self.lose_gateway(gateway, *incarnation)
            }
            Command::NotePhone { operator, busy } => self.note_phone(*operator, *busy),
            _ => Err(Rejection::NotYours),
        }
    }

    fn held_by(&self, gateway: GatewayId, call: CallId) -> Result<&Call, Rejection> {
        let open = self.open_call(call)?;
        if open.gateway == gateway { Ok(open) } else { Err(Rejection::NotYours) }
    }

    fn leg(&mut self, id: CallId, attempt: Attempt, fact: LegFact) -> Answer {
        let call = self.call(id);
        if call.offers.contains_key(&attempt) {
            return self.offers_leg(id, attempt, fact);
        }
        match call.phase {
            Phase::Bridged { attempt: bridge, .. } if bridge == attempt => self.bridges_leg(id, fact),
            Phase::Diverting { attempt: outside, ringing_until, .. } if outside == attempt => {
                self.outside_leg(id, ringing_until.is_some(), fact)
            }
            _ => Err(self.old_attempt(id, attempt)),
        }
    }

    fn old_attempt(&self, id: CallId, attempt: Attempt) -> Rejection {
        if attempt.0 <= self.call(id).attempts {
            Rejection::AlreadyDone(Reply::Done)
        } else {
            Rejection::UnknownAttempt
        }
    }

    fn offers_leg(&mut self, id: CallId, attempt: Attempt, fact: LegFact) -> Answer {
        let offer = self.call(id).offers[&attempt].clone();
        let ringing = matches!(offer.stage, Stage::Ringing { .. });
        let rings = matches!(offer.device, Device::Ring | Device::Telephone);
        match fact {
            LegFact::Ringing | LegFact::HungUp | LegFact::Failed(_) if ringing && !rings => {
                Err(Rejection::AlreadyDone(Reply::Done))
            }
            LegFact::Ringing => self.deliver(id, attempt),
            LegFact::Answered if offer.device == Device::Ring && ringing => self.take(id, attempt),
            LegFact::Answered => Err(Rejection::AlreadyDone(Reply::Done)),
            LegFact::Bridged if !offer.device.has_leg() => Err(Rejection::WrongDevice),
            LegFact::Bridged => self.bridged(id, attempt),
            LegFact::BridgeLost => Err(Rejection::WrongCallState),
            LegFact::HungUp | LegFact::Failed(_) => {
                let cause = match fact {
                    LegFact::Failed(cause) => Some(cause),
                    _ => None,
                };
                match offer.stage {
                    Stage::Talking => self.end_consult(id),
                    Stage::Accepted { .. } => self.fail_bridge(id, attempt, cause, cause.is_some()),
                    Stage::Ringing { .. } if cause.is_some() => self.not_delivered(id, attempt, true),
                    Stage::Ringing { .. } => self.refuse(id, attempt, None),
                }
                Ok(Reply::Done)
            }
        }
    }

    fn bridges_leg(&mut self, id: CallId, fact: LegFact) -> Answer {
        let consult = self.call(id).consult().map(|(_, offer)| offer.stage);
        match (fact, consult) {
            (LegFact::Ringing | LegFact::Answered | LegFact::Bridged, _) => {
                return Err(Rejection::AlreadyDone(Reply::Done));
            }
            (LegFact::HungUp | LegFact::Failed(_), Some(Stage::Talking)) => self.hand_over(id),
            (LegFact::HungUp, None) => self.close(id, Outcome::Answered { ended_by: EndedBy::Operator }),
            (LegFact::HungUp | LegFact::Failed(_) | LegFact::BridgeLost, _) => self.requeue(id),
        }
        Ok(Reply::Done)
    }

    fn outside_leg(&mut self, id: CallId, ringing: bool, fact: LegFact) -> Answer {
        match fact {
            LegFact::Ringing | LegFact::Answered | LegFact::Bridged => {
                return Err(Rejection::AlreadyDone(Reply::Done));
            }
            LegFact::HungUp | LegFact::Failed(_) | LegFact::BridgeLost if ringing => self.divert_failed(id),
            LegFact::HungUp | LegFact::Failed(_) | LegFact::BridgeLost => {
                self.close(id, Outcome::DivertedOut)
            }
        }
        Ok(Reply::Done)
    }

    /// A key on an operator's or an outside leg: only `1` means something, on a telephone.
    fn legs_key(&mut self, id: CallId, attempt: Attempt, digit: char) -> Answer {
        let call = self.call(id);
        if let Some(offer) = call.offers.get(&attempt) {
            let takes = offer.device == Device::Telephone && digit == '1';
            return if takes { self.take(id, attempt) } else { Err(Rejection::MeaninglessDigit) };
        }
        match call.phase {
            Phase::Bridged { attempt: bridge, .. } if bridge == attempt => Err(Rejection::MeaninglessDigit),
            Phase::Diverting { destination, attempt: outside, ringing_until, by } if outside == attempt => {
                if digit != '1' {
                    return Err(Rejection::MeaninglessDigit);
                }
                if ringing_until.is_none() {
                    return Err(Rejection::AlreadyDone(Reply::Done));
                }
                self.call_mut(id).phase = Phase::Diverting { destination, attempt, ringing_until: None, by };
                self.say(Event::DivertConnected { call: id });
                Ok(Reply::Done)
            }
            _ => Err(self.old_attempt(id, attempt)),
        }
    }

    /// A waiting caller's key: the staff caller's way back, or a skill.
    fn callers_key(&mut self, id: CallId, digit: char) -> Answer {
        let call = self.call(id).clone();
        if !matches!(call.state(), CallState::Waiting | CallState::Offered) {
            return Err(Rejection::WrongCallState);
        }
        if digit == '1' && self.may_escape(&call) {
            self.withdraw_all(id, Withdrawal::Superseded);
            self.move_to(id, call.called, MoveCause::Escape);
            self.admit(id);
            return Ok(Reply::Done);
        }
        let skill = *self.promised(&call).skill_keys.get(&digit).ok_or(Rejection::MeaninglessDigit)?;
        let bit = self.state.skills.bit(skill);
        if call.required.covers(bit) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        for (attempt, offer) in &call.offers {
            // A blind transfer's target was chosen by a person: skills do not matter.
            if offer.purpose != Purpose::Transfer && !self.operator(offer.operator).skills.covers(bit) {
                self.withdraw(id, *attempt, Withdrawal::Superseded);
            }
        }
        let call = self.call_mut(id);
        call.required = call.required.union(bit);
        self.say(Event::SkillChosen { call: id, skill });
        Ok(Reply::Done)
    }

    fn may_escape(&self, call: &Call) -> bool {
        let plan = &self.state.plans[&call.revision];
        let sent_here = plan.lines.get(&call.called).is_some_and(|line| line.staff_to == Some(call.line));
        let moved = call.kind == CallerKind::Staff && !call.escaped && call.line != call.called;
        moved && sent_here && !self.is_going(call.called)
    }
}
