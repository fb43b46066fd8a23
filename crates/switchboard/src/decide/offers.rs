//! An offer lives: delivered, accepted, declined, or over.

use crate::call::{Call, Offer, OfferEnd, Purpose, Stage, Withdrawal};
use crate::decision::Reply;
use crate::event::{Alarm, Event};
use crate::id::{Attempt, CallId, Code, DeskSession, OfferId, OperatorId};
use crate::operator::{DECLINES_SHOWN, Device};
use crate::planted::Bug;
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};
use crate::time::{SiteTime, Span};

/// Three declines within this time are shown to the supervisor.
const DECLINES_WITHIN: Span = Span::secs(3_600);

impl Switchboard {
    pub(super) fn confirm_delivery(
        &mut self,
        operator: OperatorId,
        id: OfferId,
        session: DeskSession,
    ) -> Decided {
        self.check_session(operator, session)?;
        let offer = self.live_offer(operator, id)?;
        match offer.stage {
            Stage::Ringing { deliver_by: Some(_), .. } => {}
            _ => return Err(Rejection::AlreadyDone(Reply::Done)),
        }
        self.emit(Event::OfferDelivered { call: id.call, attempt: id.attempt });
        Ok(Reply::Done)
    }

    pub(super) fn accept(&mut self, operator: OperatorId, id: OfferId, session: DeskSession) -> Decided {
        self.check_session(operator, session)?;
        if self.state.operators.get(&operator).is_some_and(|o| !o.device.has_desk()) {
            return Err(Rejection::WrongDevice);
        }
        match self.live_offer(operator, id) {
            Ok(_) => self.take(operator, id.call, id.attempt),
            Err(_) => self.late_accept(operator, id),
        }
    }

    /// An accept of a live offer, however it was made.
    pub(super) fn take(&mut self, operator: OperatorId, id: CallId, attempt: Attempt) -> Decided {
        let call = self.state.calls.get(&id).ok_or(Rejection::UnknownCall)?;
        let offer = call.offers.get(&attempt).ok_or(Rejection::UnknownAttempt)?;
        let accepted = Reply::Accepted { offer: OfferId { call: id, attempt } };
        if offer.stage == Stage::Talking || matches!(offer.stage, Stage::Accepted { .. }) {
            return Err(Rejection::AlreadyDone(accepted));
        }
        let taken = call.accepted().is_some() && offer.purpose != Purpose::Consult;
        if taken && !self.state.suffers(Bug::SecondAcceptWins) {
            self.emit(Event::OfferWithdrawn { call: id, attempt, why: Withdrawal::AnsweredElsewhere });
            self.work_ended(operator);
            return Ok(Reply::AnsweredElsewhere);
        }
        let connect_by = self.connect_by(offer);
        self.emit(Event::OfferAccepted { call: id, attempt, connect_by });
        Ok(accepted)
    }

    fn connect_by(&self, offer: &Offer) -> SiteTime {
        let timers = self.state.timers();
        match (offer.device, offer.stage) {
            (Device::Ring, Stage::Ringing { ring_until, .. }) => {
                ring_until.max(self.at() + timers.pick_up_min)
            }
            _ => self.at() + timers.connect_by,
        }
    }

    fn late_accept(&mut self, operator: OperatorId, id: OfferId) -> Decided {
        if let Some(call) = self.state.calls.get(&id.call) {
            let end = call.ended.get(&id.attempt).filter(|e| e.operator == operator);
            let bridged =
                call.phase_operator() == Some(operator) && end.is_some_and(|e| e.how == OfferEnd::Connected);
            if bridged {
                return Err(Rejection::AlreadyDone(Reply::Accepted { offer: id }));
            }
        }
        let refusal = self.stale_answer(id.call, operator, id.attempt);
        let strike = self.ended(id).is_some_and(|e| e.operator == operator && e.strike);
        if refusal == Rejection::Expired && strike {
            if self.state.suffers(Bug::LateAcceptWins) {
                let connect_by = self.at() + self.state.timers().connect_by;
                self.emit(Event::OfferAccepted { call: id.call, attempt: id.attempt, connect_by });
                return Ok(Reply::Accepted { offer: id });
            }
            self.emit(Event::LateAcceptNoted { call: id.call, attempt: id.attempt, operator });
            return Ok(Reply::Expired);
        }
        Err(refusal)
    }

    fn ended(&self, id: OfferId) -> Option<crate::call::Ended> {
        let open = self.state.calls.get(&id.call).map(|c| &c.ended);
        open.or_else(|| self.state.closed.get(&id.call).map(|t| &t.ended))?.get(&id.attempt).copied()
    }

    pub(super) fn decline(
        &mut self,
        operator: OperatorId,
        id: OfferId,
        session: DeskSession,
        reason: Option<Code>,
    ) -> Decided {
        self.check_session(operator, session)?;
        let offer = match self.live_offer(operator, id) {
            Ok(offer) => offer,
            Err(_) => return Err(self.stale_answer(id.call, operator, id.attempt)),
        };
        if !matches!(offer.stage, Stage::Ringing { .. }) {
            return Err(Rejection::WrongCallState);
        }
        self.say_no(id.call, id.attempt, reason);
        Ok(Reply::Done)
    }

    /// Ends a ringing offer because its operator said no.
    pub(super) fn say_no(&mut self, id: CallId, attempt: Attempt, reason: Option<Code>) {
        let Some(offer) = self.state.calls.get(&id).and_then(|c| c.offers.get(&attempt)) else { return };
        let (operator, purpose) = (offer.operator, offer.purpose);
        self.emit(Event::OfferDeclined { call: id, attempt, reason });
        self.note_declines(operator);
        self.transfer_over(id, purpose);
        self.work_ended(operator);
    }

    fn note_declines(&mut self, operator: OperatorId) {
        let Some(known) = self.state.operators.get(&operator) else { return };
        let often = known.declines.len() == DECLINES_SHOWN;
        let lately = known.declines.first().is_some_and(|first| self.at().since(*first) <= DECLINES_WITHIN);
        if often && lately {
            self.emit(Event::AlarmRaised { alarm: Alarm::ManyDeclines { operator } });
        }
    }

    pub(super) fn confirm_media(
        &mut self,
        operator: OperatorId,
        id: OfferId,
        session: DeskSession,
    ) -> Decided {
        self.check_session(operator, session)?;
        if self.state.operators.get(&operator).is_some_and(|o| o.device != Device::Softphone) {
            return Err(Rejection::WrongDevice);
        }
        self.bridged(id.call, id.attempt, operator)
    }

    /// Two parties hear each other by this attempt.
    pub(super) fn bridged(&mut self, id: CallId, attempt: Attempt, operator: OperatorId) -> Decided {
        let call = self.state.calls.get(&id).ok_or_else(|| self.no_open_call(id))?;
        if call.bridge() == Some((operator, attempt)) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        let offer = self.live_offer(operator, OfferId { call: id, attempt })?;
        let consult = offer.purpose == Purpose::Consult;
        match offer.stage {
            Stage::Talking => return Err(Rejection::AlreadyDone(Reply::Done)),
            Stage::Accepted { .. } => {}
            Stage::Ringing { .. }
                if offer.device == Device::Ring && (consult || call.accepted().is_none()) =>
            {
                let connect_by = self.connect_by(offer);
                self.emit(Event::OfferAccepted { call: id, attempt, connect_by });
            }
            Stage::Ringing { .. } => return Err(Rejection::WrongCallState),
        }
        if consult {
            self.emit(Event::ConsultConnected { call: id, attempt });
        } else {
            self.withdraw_all(id, Withdrawal::AnsweredElsewhere, Some(attempt));
            self.emit(Event::CallConnected { call: id, attempt });
        }
        Ok(Reply::Done)
    }

    /// A ring that nobody answered.
    pub(super) fn rang_out(&mut self, id: CallId, attempt: Attempt) {
        let Some(offer) = self.state.calls.get(&id).and_then(|c| c.offers.get(&attempt)) else { return };
        let (operator, purpose) = (offer.operator, offer.purpose);
        let timers = self.state.timers();
        let strikes = self.state.operators.get(&operator).map_or(0, |o| o.strikes) + 1;
        let leaving =
            self.state.operators.get(&operator).is_some_and(|o| o.duty != crate::operator::Duty::On);
        let (cool_until, suspended) = match purpose {
            Purpose::Consult => (None, None),
            _ if strikes >= timers.misses_to_suspend && !leaving => (None, Some(strikes)),
            _ if self.state.suffers(Bug::NoCoolDown) => (None, None),
            _ => (Some(self.at() + timers.cool_down), None),
        };
        self.emit(Event::OfferRangOut { call: id, attempt, cool_until, suspended });
        self.transfer_over(id, purpose);
        self.work_ended(operator);
    }

    /// An offer that never reached its device. A desk that did not confirm is in doubt; a phone that failed is not asked
    /// again at once.
    pub(super) fn undeliverable(&mut self, id: CallId, attempt: Attempt, phone_failed: bool) {
        let Some(offer) = self.state.calls.get(&id).and_then(|c| c.offers.get(&attempt)) else { return };
        let (operator, purpose, device) = (offer.operator, offer.purpose, offer.device);
        let timers = self.state.timers();
        let online =
            self.state.operators.get(&operator).is_some_and(|o| o.link == crate::operator::Link::Online);
        let desk_failed = device.has_desk() && !phone_failed;
        let grace_until = (desk_failed && online).then(|| self.at() + timers.grace);
        let cool_until = (!desk_failed).then(|| self.at() + timers.cool_down);
        self.emit(Event::OfferUndeliverable { call: id, attempt, grace_until, cool_until });
        self.transfer_over(id, purpose);
        self.work_ended(operator);
    }

    /// An accepted offer whose leg never came up.
    pub(super) fn bridge_failed(
        &mut self,
        id: CallId,
        attempt: Attempt,
        cause: Option<Code>,
        put_down: bool,
    ) {
        let Some(offer) = self.state.calls.get(&id).and_then(|c| c.offers.get(&attempt)) else { return };
        let (operator, purpose) = (offer.operator, offer.purpose);
        let cool_until = (!put_down).then(|| self.at() + self.state.timers().cool_down);
        self.emit(Event::BridgeFailed { call: id, attempt, cause, cool_until });
        self.transfer_over(id, purpose);
        self.work_ended(operator);
    }

    /// Ends one ringing or accepted offer for a reason that is not its operator's answer.
    pub(super) fn withdraw(&mut self, id: CallId, attempt: Attempt, why: Withdrawal) {
        let Some(offer) = self.state.calls.get(&id).and_then(|c| c.offers.get(&attempt)) else { return };
        let (operator, purpose) = (offer.operator, offer.purpose);
        self.emit(Event::OfferWithdrawn { call: id, attempt, why });
        self.transfer_over(id, purpose);
        self.work_ended(operator);
    }

    fn check_session(&self, operator: OperatorId, session: DeskSession) -> Result<(), Rejection> {
        let known = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?;
        let current = known.session == session || self.state.suffers(Bug::AnySession);
        if current { Ok(()) } else { Err(Rejection::StaleSession) }
    }

    fn live_offer(&self, operator: OperatorId, id: OfferId) -> Result<&Offer, Rejection> {
        let call = self.state.calls.get(&id.call).ok_or_else(|| self.no_open_call(id.call))?;
        let offer = call.offers.get(&id.attempt).filter(|o| o.operator == operator);
        offer.ok_or_else(|| self.stale_answer(id.call, operator, id.attempt))
    }
}

impl Call {
    /// The operator the caller is bridged with, and by which attempt.
    pub fn bridge(&self) -> Option<(OperatorId, Attempt)> {
        match self.phase {
            crate::call::Phase::Bridged { operator, attempt, .. } => Some((operator, attempt)),
            crate::call::Phase::Queued | crate::call::Phase::Diverting { .. } => None,
        }
    }

    fn phase_operator(&self) -> Option<OperatorId> {
        self.bridge().map(|(operator, _)| operator)
    }
}
