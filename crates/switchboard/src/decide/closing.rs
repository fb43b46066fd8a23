//! A call ends: exactly one outcome, and everybody who was bound by it is free.

use crate::call::{
    CallState, EndedBy, Failure, OfferEnd, Outcome, Phase, Purpose, Refusal, Stage, TierSet, Withdrawal,
};
use crate::decision::Reply;
use crate::event::{Alarm, Event};
use crate::id::{Attempt, CallId, GatewayId, OperatorId};
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};

impl Switchboard {
    pub(super) fn caller_hung_up(&mut self, gateway: GatewayId, id: CallId) -> Decided {
        self.held_by(gateway, id)?;
        self.end_by_caller(id);
        Ok(Reply::Done)
    }

    /// The call, if this gateway holds it.
    pub(super) fn held_by(&self, gateway: GatewayId, id: CallId) -> Result<&crate::call::Call, Rejection> {
        let call = self.state.calls.get(&id).ok_or_else(|| self.no_open_call(id))?;
        if call.gateway == gateway { Ok(call) } else { Err(Rejection::NotYours) }
    }

    /// Closes a call whose caller left.
    pub(super) fn end_by_caller(&mut self, id: CallId) {
        let Some(call) = self.state.calls.get(&id) else { return };
        let talks_outside = matches!(call.phase, Phase::Diverting { ringing_until: None, .. });
        let outcome = match call.state() {
            _ if talks_outside => Outcome::DivertedOut,
            _ if call.answered => Outcome::Answered { ended_by: EndedBy::Caller },
            CallState::Waiting => Outcome::AbandonedWaiting,
            CallState::Offered | CallState::Diverting => Outcome::AbandonedRinging,
            CallState::Connecting => Outcome::AbandonedConnecting,
            CallState::Connected | CallState::Held => Outcome::Answered { ended_by: EndedBy::Caller },
        };
        self.close(id, outcome);
    }

    pub(super) fn prompt_finished(&mut self, gateway: GatewayId, id: CallId) -> Decided {
        let call = self.held_by(gateway, id)?;
        if call.closing_until.is_none() || !call.is_waiting() {
            return Err(Rejection::WrongCallState);
        }
        self.close(id, Outcome::NobodyOnDuty);
        Ok(Reply::Done)
    }

    /// Closes a call: frees everybody first, then writes the outcome.
    pub(crate) fn close(&mut self, id: CallId, outcome: Outcome) {
        self.withdraw_all(id, Withdrawal::CallerGone, None);
        let Some(call) = self.state.calls.get(&id) else { return };
        let operator = match call.phase {
            Phase::Bridged { operator, .. } => Some(operator),
            Phase::Queued | Phase::Diverting { .. } => None,
        };
        let failed = matches!(outcome, Outcome::Failed { .. });
        let resumable_until = self.resumes(call, outcome).then(|| self.at() + self.state.timers().redial);
        let wrap_up = self.wrap_up_of(call);
        let line = call.line;
        if failed {
            self.emit(Event::AlarmRaised { alarm: Alarm::CallFailed { call: id } });
        }
        self.emit(Event::CallClosed { call: id, outcome, resumable_until });
        if let Some(operator) = operator {
            let wrap_up = if failed { crate::time::Span::ZERO } else { wrap_up };
            self.wrap_up(operator, id, wrap_up);
        }
        self.retire_if_empty(line);
    }

    fn resumes(&self, call: &crate::call::Call, outcome: Outcome) -> bool {
        let left = match outcome {
            Outcome::AbandonedWaiting | Outcome::AbandonedRinging | Outcome::AbandonedConnecting => {
                !call.answered
            }
            Outcome::Failed { .. } => true,
            // A redial that took up its place and found the queue full leaves it behind again.
            Outcome::Refused(Refusal::Full) => call.arrived_at < call.rang_at,
            Outcome::Answered { .. } | Outcome::DivertedOut | Outcome::Refused(_) | Outcome::NobodyOnDuty => {
                false
            }
        };
        left && self.state.line(call.called).is_some_and(|l| l.resume_redial)
    }

    /// A line's after-call time, as this call was promised it.
    pub(super) fn wrap_up_of(&self, call: &crate::call::Call) -> crate::time::Span {
        self.state.promise(call).map_or(crate::time::Span::ZERO, |l| l.wrap_up)
    }

    /// Gives an operator after-call time, or lets the operator go on at once.
    pub(super) fn wrap_up(&mut self, operator: OperatorId, call: CallId, span: crate::time::Span) {
        if span == crate::time::Span::ZERO {
            self.work_ended(operator);
        } else {
            let until = self.at() + span;
            self.emit(Event::WrapUpStarted { operator, call, until });
        }
    }

    /// Ends every live offer of a call but one.
    pub(crate) fn withdraw_all(&mut self, id: CallId, why: Withdrawal, but: Option<Attempt>) {
        let Some(call) = self.state.calls.get(&id) else { return };
        let live: alloc::vec::Vec<_> = call
            .offers
            .iter()
            .filter(|(a, _)| Some(**a) != but)
            .map(|(a, o)| (*a, o.operator, o.stage))
            .collect();
        for (attempt, operator, stage) in live {
            if stage == Stage::Talking {
                self.emit(Event::ConsultEnded { call: id, attempt });
            } else {
                self.emit(Event::OfferWithdrawn { call: id, attempt, why });
            }
            self.work_ended(operator);
        }
    }

    /// An outside number was not taken.
    pub(super) fn divert_failed(&mut self, id: CallId) {
        let Some(Phase::Diverting { by, .. }) = self.state.calls.get(&id).map(|c| c.phase) else { return };
        self.emit(Event::DivertFailed { call: id });
        if by == crate::call::DivertedBy::Closed {
            self.close(id, Outcome::Refused(Refusal::Closed));
        }
    }

    /// Puts a bridged caller back in the queue, with the place kept.
    pub(super) fn requeue(&mut self, id: CallId) {
        let Some(Phase::Bridged { operator, .. }) = self.state.calls.get(&id).map(|c| c.phase) else {
            return;
        };
        self.withdraw_all(id, Withdrawal::Superseded, None);
        let tiers = self.people_tiers(id, None);
        self.emit(Event::CallRequeued { call: id, operator, tiers });
        self.work_ended(operator);
    }

    /// The open tiers of a call that are of people, by the plan it was promised or by another.
    pub(super) fn people_tiers(&self, id: CallId, revision: Option<crate::id::Revision>) -> TierSet {
        let Some(call) = self.state.calls.get(&id) else { return TierSet::FIRST };
        let plan = self.state.plans.get(&revision.unwrap_or(call.revision));
        let tiers =
            plan.and_then(|p| p.lines.get(&call.line)).map(|l| l.tiers.as_slice()).unwrap_or_default();
        let of_people = |n: &u8| tiers.get(usize::from(*n)).is_some_and(|t| t.who.is_people());
        call.tiers.iter().filter(of_people).collect()
    }

    pub(super) fn fail(&mut self, id: CallId, cause: Failure) {
        self.close(id, Outcome::Failed { cause });
    }

    /// How an accept for an offer that is no longer live is answered; what it changes is decided by the caller.
    pub(super) fn stale_answer(&self, id: CallId, operator: OperatorId, attempt: Attempt) -> Rejection {
        let ended = match (self.state.calls.get(&id), self.state.closed.get(&id)) {
            (Some(call), _) => &call.ended,
            (None, Some(tomb)) => &tomb.ended,
            (None, None) => return Rejection::UnknownCall,
        };
        let Some(end) = ended.get(&attempt).filter(|e| e.operator == operator) else {
            return Rejection::UnknownAttempt;
        };
        match end.how {
            OfferEnd::RangOut => Rejection::Expired,
            OfferEnd::Withdrawn(Withdrawal::CallerGone) => Rejection::CallerGone,
            OfferEnd::Withdrawn(Withdrawal::AnsweredElsewhere) => Rejection::AnsweredElsewhere,
            OfferEnd::Withdrawn(_) => Rejection::Withdrawn,
            OfferEnd::Connected | OfferEnd::BridgeFailed | OfferEnd::Declined | OfferEnd::Undeliverable => {
                Rejection::StaleOffer
            }
        }
    }

    /// A blind transfer's offer ended without a bridge: nobody else was waited for, so the class order again.
    pub(super) fn transfer_over(&mut self, id: CallId, purpose: Purpose) {
        let targeted = self.state.calls.get(&id).is_some_and(|c| c.target.is_some());
        if purpose == Purpose::Transfer && targeted {
            self.emit(Event::TargetExpired { call: id });
        }
    }
}
