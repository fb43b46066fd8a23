//! Offers: made, delivered, taken, over.

use switchboard::call::{ENDED_MAX, Ended, Offer, OfferEnd, Phase, Purpose, Stage, Tried, Withdrawal};
use switchboard::decision::Reply;
use switchboard::event::{Alarm, Event};
use switchboard::id::{Attempt, CallId, Code, DeskSession, OfferId, OperatorId};
use switchboard::operator::{Device, Duty, Link, Work};
use switchboard::rejection::Rejection;
use switchboard::time::Span;

use super::{Answer, Reference};

impl Reference {
    pub(super) fn offer(&mut self, id: CallId, operator: OperatorId, purpose: Purpose) -> Attempt {
        let now = self.now();
        let ring_until = now + self.promised(self.call(id)).ring;
        let (device, session) = (self.operator(operator).device, self.operator(operator).session);
        let deliver_by = Some(if device.has_desk() { now + self.timers().deliver_by } else { ring_until });
        let attempt = self.next_attempt(id);
        let stage = Stage::Ringing { deliver_by, ring_until };
        let offer = Offer { operator, session, device, purpose, stage, reload_by: None, made_at: now };
        self.call_mut(id).closing_until = None;
        self.call_mut(id).offers.insert(attempt, offer);
        self.operator_mut(operator).work = Work::Offered { call: id, attempt };
        self.say(Event::OfferMade {
            call: id,
            attempt,
            operator,
            session,
            device,
            purpose,
            deliver_by,
            ring_until,
        });
        attempt
    }

    pub(super) fn next_attempt(&mut self, id: CallId) -> Attempt {
        let call = self.call_mut(id);
        call.attempts += 1;
        Attempt(call.attempts)
    }

    /// Takes an offer off the call, remembers how it ended and frees the operator.
    pub(super) fn end_offer(&mut self, id: CallId, attempt: Attempt, how: OfferEnd) -> Offer {
        let call = self.call_mut(id);
        let offer = call.offers.remove(&attempt).expect("only live offers are ended");
        let strike = how == OfferEnd::RangOut && offer.purpose != Purpose::Consult;
        call.ended.insert(attempt, Ended { operator: offer.operator, how, strike });
        while call.ended.len() > ENDED_MAX {
            call.ended.pop_first();
        }
        if how != OfferEnd::Connected {
            let talked = offer.stage == Stage::Talking;
            let now = self.now();
            let operator = self.operator_mut(offer.operator);
            operator.work = Work::Idle;
            if talked {
                operator.idle_since = now;
            }
        }
        offer
    }

    /// A no is never forgotten for a mere miss.
    fn note_tried(&mut self, id: CallId, operator: OperatorId, how: Tried) {
        let tried = self.call_mut(id).tried.entry(operator).or_insert(how);
        *tried = how.max(*tried);
    }

    pub(super) fn confirm_delivery(
        &mut self,
        by: OperatorId,
        offer: OfferId,
        session: DeskSession,
    ) -> Answer {
        self.check_session(by, session)?;
        self.live_offer(by, offer)?;
        self.deliver(offer.call, offer.attempt)
    }

    /// The desk shows it, or the phone rings.
    pub(super) fn deliver(&mut self, id: CallId, attempt: Attempt) -> Answer {
        let offer = self.call_mut(id).offers.get_mut(&attempt).expect("the caller has looked");
        match &mut offer.stage {
            Stage::Ringing { deliver_by, .. } if deliver_by.is_some() => *deliver_by = None,
            _ => return Err(Rejection::AlreadyDone(Reply::Done)),
        }
        self.say(Event::OfferDelivered { call: id, attempt });
        Ok(Reply::Done)
    }

    pub(super) fn accept(&mut self, by: OperatorId, offer: OfferId, session: DeskSession) -> Answer {
        self.check_session(by, session)?;
        if self.operator(by).device == Device::Telephone {
            return Err(Rejection::WrongDevice);
        }
        if self.live_offer(by, offer).is_ok() {
            return self.take(offer.call, offer.attempt);
        }
        self.accept_too_late(by, offer)
    }

    /// Somebody takes a live offer, in whatever way.
    pub(super) fn take(&mut self, id: CallId, attempt: Attempt) -> Answer {
        let call = self.call(id);
        let offer = call.offers[&attempt].clone();
        let reply = Reply::Accepted { offer: OfferId { call: id, attempt } };
        let Stage::Ringing { ring_until, .. } = offer.stage else {
            return Err(Rejection::AlreadyDone(reply));
        };
        if offer.purpose != Purpose::Consult && call.accepted().is_some() {
            self.withdraw(id, attempt, Withdrawal::AnsweredElsewhere);
            return Ok(Reply::AnsweredElsewhere);
        }
        let timers = self.timers();
        let connect_by = match offer.device {
            Device::Ring => ring_until.max(self.now() + timers.pick_up_min),
            _ => self.now() + timers.connect_by,
        };
        let live = self.call_mut(id).offers.get_mut(&attempt).expect("it was just read");
        live.stage = Stage::Accepted { connect_by };
        live.reload_by = None;
        self.operator_mut(offer.operator).work = Work::Connecting { call: id, attempt };
        self.say(Event::OfferAccepted { call: id, attempt, connect_by });
        Ok(reply)
    }

    fn accept_too_late(&mut self, by: OperatorId, offer: OfferId) -> Answer {
        let ended = self.ended(offer).filter(|ended| ended.operator == by);
        let bridge = self.state.calls.get(&offer.call).and_then(|call| match call.phase {
            Phase::Bridged { operator, .. } => Some(operator),
            _ => None,
        });
        match ended {
            Some(Ended { how: OfferEnd::Connected, .. }) if bridge == Some(by) => {
                Err(Rejection::AlreadyDone(Reply::Accepted { offer }))
            }
            Some(Ended { how: OfferEnd::RangOut, strike: true, .. }) => Ok(self.take_strike_back(by, offer)),
            _ => Err(self.why_over(by, offer)),
        }
    }

    fn take_strike_back(&mut self, by: OperatorId, offer: OfferId) -> Reply {
        let open = self.state.calls.get_mut(&offer.call).map(|call| &mut call.ended);
        let closed = self.state.closed.get_mut(&offer.call).map(|tombstone| &mut tombstone.ended);
        let ended = open.or(closed).and_then(|ended| ended.get_mut(&offer.attempt));
        ended.expect("the caller found it").strike = false;
        let operator = self.operator_mut(by);
        operator.strikes = operator.strikes.saturating_sub(1);
        operator.cool_until = None;
        if matches!(operator.duty, Duty::Suspended { .. }) {
            operator.duty = Duty::On;
        }
        self.say(Event::LateAcceptNoted { call: offer.call, attempt: offer.attempt, operator: by });
        Reply::Expired
    }

    fn ended(&self, offer: OfferId) -> Option<Ended> {
        let open = self.state.calls.get(&offer.call).map(|call| &call.ended);
        let closed = self.state.closed.get(&offer.call).map(|tombstone| &tombstone.ended);
        open.or(closed)?.get(&offer.attempt).copied()
    }

    /// What is answered about an offer that is over.
    fn why_over(&self, by: OperatorId, offer: OfferId) -> Rejection {
        if !self.state.calls.contains_key(&offer.call) && !self.state.closed.contains_key(&offer.call) {
            return Rejection::UnknownCall;
        }
        match self.ended(offer).filter(|ended| ended.operator == by).map(|ended| ended.how) {
            None => Rejection::UnknownAttempt,
            Some(OfferEnd::RangOut) => Rejection::Expired,
            Some(OfferEnd::Withdrawn(Withdrawal::CallerGone)) => Rejection::CallerGone,
            Some(OfferEnd::Withdrawn(Withdrawal::AnsweredElsewhere)) => Rejection::AnsweredElsewhere,
            Some(OfferEnd::Withdrawn(_)) => Rejection::Withdrawn,
            Some(_) => Rejection::StaleOffer,
        }
    }

    pub(super) fn decline(
        &mut self,
        by: OperatorId,
        offer: OfferId,
        session: DeskSession,
        reason: Option<Code>,
    ) -> Answer {
        self.check_session(by, session)?;
        if self.live_offer(by, offer).is_err() {
            return Err(self.why_over(by, offer));
        }
        if !matches!(self.call(offer.call).offers[&offer.attempt].stage, Stage::Ringing { .. }) {
            return Err(Rejection::WrongCallState);
        }
        self.refuse(offer.call, offer.attempt, reason);
        Ok(Reply::Done)
    }

    /// The operator said no: on the desk, or by putting the ringing phone down.
    pub(super) fn refuse(&mut self, id: CallId, attempt: Attempt, reason: Option<Code>) {
        let now = self.now();
        let offer = self.end_offer(id, attempt, OfferEnd::Declined);
        if offer.purpose != Purpose::Consult {
            self.note_tried(id, offer.operator, Tried::Declined);
        }
        self.say(Event::OfferDeclined { call: id, attempt, reason });
        let declines = &mut self.operator_mut(offer.operator).declines;
        declines.push(now);
        if declines.len() > 3 {
            declines.remove(0);
        }
        if declines.len() == 3 && now.since(declines[0]) <= Span::secs(3_600) {
            self.say(Event::AlarmRaised { alarm: Alarm::ManyDeclines { operator: offer.operator } });
        }
        self.after_offer(id, &offer);
    }

    /// Nobody answered.
    pub(super) fn ring_out(&mut self, id: CallId, attempt: Attempt) {
        let timers = self.timers();
        let until = self.now() + timers.cool_down;
        let offer = self.end_offer(id, attempt, OfferEnd::RangOut);
        let (mut cool_until, mut suspended) = (None, None);
        if offer.purpose != Purpose::Consult {
            let call = self.call_mut(id);
            call.missed += 1;
            self.note_tried(id, offer.operator, Tried::Missed);
            let operator = self.operator_mut(offer.operator);
            operator.strikes = operator.strikes.saturating_add(1);
            if operator.strikes >= timers.misses_to_suspend && operator.duty == Duty::On {
                suspended = Some(operator.strikes);
                operator.duty = Duty::Suspended { missed: operator.strikes };
            } else {
                cool_until = Some(until);
                operator.cool_until = cool_until;
            }
        }
        self.say(Event::OfferRangOut { call: id, attempt, cool_until, suspended });
        self.after_offer(id, &offer);
    }

    /// The desk never showed it, or the phone failed.
    pub(super) fn not_delivered(&mut self, id: CallId, attempt: Attempt, phone_failed: bool) {
        let timers = self.timers();
        let now = self.now();
        let offer = self.end_offer(id, attempt, OfferEnd::Undeliverable);
        let operator = self.operator_mut(offer.operator);
        let (mut grace_until, mut cool_until) = (None, None);
        if phone_failed || offer.device == Device::Telephone {
            cool_until = Some(now + timers.cool_down);
            operator.cool_until = cool_until;
        } else if operator.link == Link::Online {
            let until = now + timers.grace;
            grace_until = Some(until);
            operator.link = Link::Grace { until };
        }
        self.say(Event::OfferUndeliverable { call: id, attempt, grace_until, cool_until });
        self.after_offer(id, &offer);
    }

    /// Accepted, but the leg never came up.
    pub(super) fn fail_bridge(&mut self, id: CallId, attempt: Attempt, cause: Option<Code>, cools: bool) {
        let until = self.now() + self.timers().cool_down;
        let offer = self.end_offer(id, attempt, OfferEnd::BridgeFailed);
        let cool_until = cools.then_some(until);
        if cools {
            self.operator_mut(offer.operator).cool_until = cool_until;
        }
        self.say(Event::BridgeFailed { call: id, attempt, cause, cool_until });
        self.after_offer(id, &offer);
    }

    /// Ends an offer for a reason that is not its operator's answer.
    pub(super) fn withdraw(&mut self, id: CallId, attempt: Attempt, why: Withdrawal) {
        let offer = self.take_back(id, attempt, why);
        self.after_offer(id, &offer);
    }

    /// A consult that talked ends by itself; a ringing one, or any other offer, is withdrawn.
    fn take_back(&mut self, id: CallId, attempt: Attempt, why: Withdrawal) -> Offer {
        let talks = self.call(id).offers[&attempt].stage == Stage::Talking;
        let why = if talks { Withdrawal::Superseded } else { why };
        let offer = self.end_offer(id, attempt, OfferEnd::Withdrawn(why));
        if offer.stage == Stage::Talking {
            self.say(Event::ConsultEnded { call: id, attempt });
        } else {
            if why == Withdrawal::Paused && offer.purpose != Purpose::Consult {
                self.note_tried(id, offer.operator, Tried::Declined);
            }
            self.say(Event::OfferWithdrawn { call: id, attempt, why });
        }
        offer
    }

    /// Ends all offers of a call that goes elsewhere or closes.
    pub(super) fn withdraw_all(&mut self, id: CallId, why: Withdrawal) {
        let attempts: Vec<Attempt> = self.call(id).offers.keys().copied().collect();
        for attempt in attempts {
            let operator = self.take_back(id, attempt, why).operator;
            self.work_ended(operator);
        }
    }

    /// Takes back the ringing offer an operator has.
    pub(super) fn withdraw_ringing(&mut self, operator: OperatorId, why: Withdrawal) {
        if let Work::Offered { call, attempt } = self.operator(operator).work {
            self.withdraw(call, attempt, why);
        }
    }

    /// A blind transfer waited for nobody else; and the operator's put-off wishes take effect.
    fn after_offer(&mut self, id: CallId, offer: &Offer) {
        if offer.purpose == Purpose::Transfer && self.call_mut(id).target.take().is_some() {
            self.say(Event::TargetExpired { call: id });
        }
        self.work_ended(offer.operator);
    }

    pub(super) fn confirm_media(&mut self, by: OperatorId, offer: OfferId, session: DeskSession) -> Answer {
        self.check_session(by, session)?;
        if self.operator(by).device != Device::Softphone {
            return Err(Rejection::WrongDevice);
        }
        let call = self.open_call(offer.call)?;
        match call.phase {
            Phase::Bridged { operator, attempt, .. } if (operator, attempt) == (by, offer.attempt) => {
                Err(Rejection::AlreadyDone(Reply::Done))
            }
            _ => {
                self.live_offer(by, offer)?;
                self.bridged(offer.call, offer.attempt)
            }
        }
    }

    /// Two parties hear each other by a live offer.
    pub(super) fn bridged(&mut self, id: CallId, attempt: Attempt) -> Answer {
        let call = self.call(id);
        let offer = call.offers[&attempt].clone();
        let consult = offer.purpose == Purpose::Consult;
        match offer.stage {
            Stage::Talking => return Err(Rejection::AlreadyDone(Reply::Done)),
            Stage::Accepted { .. } => {}
            Stage::Ringing { .. } => {
                // A ringing phone's answer may be lost on the way; nobody else's can.
                if offer.device != Device::Ring || (!consult && call.accepted().is_some()) {
                    return Err(Rejection::WrongCallState);
                }
                self.take(id, attempt)
                    .expect("a ringing offer of a call that nobody has accepted can be taken");
            }
        }
        self.operator_mut(offer.operator).work = Work::Talking { call: id, attempt };
        self.operator_mut(offer.operator).strikes = 0;
        if consult {
            self.call_mut(id).offers.get_mut(&attempt).expect("it was just read").stage = Stage::Talking;
            self.say(Event::ConsultConnected { call: id, attempt });
            return Ok(Reply::Done);
        }
        let others: Vec<Attempt> = self.call(id).offers.keys().copied().filter(|a| *a != attempt).collect();
        for other in others {
            self.withdraw(id, other, Withdrawal::AnsweredElsewhere);
        }
        self.end_offer(id, attempt, OfferEnd::Connected);
        let now = self.now();
        let call = self.call_mut(id);
        call.answered = true;
        call.target = None;
        call.closing_until = None;
        call.phase = Phase::Bridged { operator: offer.operator, attempt, since: now, held: false };
        self.say(Event::CallConnected { call: id, attempt });
        Ok(Reply::Done)
    }

    pub(super) fn check_session(&self, by: OperatorId, session: DeskSession) -> Result<(), Rejection> {
        if self.known_operator(by)?.session == session { Ok(()) } else { Err(Rejection::StaleSession) }
    }

    fn live_offer(&self, by: OperatorId, offer: OfferId) -> Result<&Offer, Rejection> {
        let call = self.open_call(offer.call)?;
        let live = call.offers.get(&offer.attempt).filter(|live| live.operator == by);
        live.ok_or_else(|| self.why_over(by, offer))
    }
}
