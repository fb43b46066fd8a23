use crate::call::{ENDED_MAX, Ended, Offer, OfferEnd, Phase, Purpose, Stage, Tried, Withdrawal};
use crate::event::Event;
use crate::id::{Attempt, CallId};
use crate::operator::{DECLINES_SHOWN, Duty, Link, Work};
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Applies an event of an offer; false for any other.
    pub(super) fn apply_to_offer(&mut self, event: &Event) -> bool {
        let at = self.at();
        match event {
            Event::OfferMade {
                call,
                attempt,
                operator,
                session,
                device,
                purpose,
                deliver_by,
                ring_until,
            } => {
                let stage = Stage::Ringing { deliver_by: *deliver_by, ring_until: *ring_until };
                let offer = Offer {
                    operator: *operator,
                    session: *session,
                    device: *device,
                    purpose: *purpose,
                    stage,
                    reload_by: None,
                    made_at: at,
                };
                self.with_call(*call, |c| {
                    c.attempts = attempt.0;
                    c.closing_until = None;
                    c.offers.insert(*attempt, offer);
                });
                self.with_operator(*operator, |o| o.work = Work::Offered { call: *call, attempt: *attempt });
            }
            Event::OfferDelivered { call, attempt } => self.with_offer(*call, *attempt, |o| {
                if let Stage::Ringing { deliver_by, .. } = &mut o.stage {
                    *deliver_by = None;
                }
            }),
            Event::OfferAccepted { call, attempt, connect_by } => {
                self.with_offer(*call, *attempt, |o| {
                    o.stage = Stage::Accepted { connect_by: *connect_by };
                    o.reload_by = None;
                });
                if let Some(operator) = self.asked(*call, *attempt) {
                    self.with_operator(operator, |o| {
                        o.work = Work::Connecting { call: *call, attempt: *attempt }
                    });
                }
            }
            Event::OfferDeclined { call, attempt, .. } => {
                let Some(ended) = self.end_offer(*call, *attempt, OfferEnd::Declined) else { return true };
                self.mark_tried(*call, &ended, Tried::Declined);
                self.with_operator(ended.operator, |o| {
                    if o.declines.len() == DECLINES_SHOWN {
                        o.declines.remove(0);
                    }
                    o.declines.push(at);
                });
            }
            Event::OfferRangOut { call, attempt, cool_until, suspended } => {
                let Some(ended) = self.end_offer(*call, *attempt, OfferEnd::RangOut) else { return true };
                if ended.purpose == Purpose::Consult {
                    return true;
                }
                self.mark_tried(*call, &ended, Tried::Missed);
                self.with_call(*call, |c| c.missed += 1);
                self.with_operator(ended.operator, |o| {
                    o.strikes = o.strikes.saturating_add(1);
                    o.cool_until = *cool_until;
                    if let Some(missed) = suspended {
                        o.duty = Duty::Suspended { missed: *missed };
                    }
                });
            }
            Event::OfferUndeliverable { call, attempt, grace_until, cool_until } => {
                let Some(ended) = self.end_offer(*call, *attempt, OfferEnd::Undeliverable) else {
                    return true;
                };
                self.with_operator(ended.operator, |o| {
                    if let Some(until) = grace_until {
                        o.link = Link::Grace { until: *until };
                    }
                    o.cool_until = cool_until.or(o.cool_until);
                });
            }
            Event::OfferWithdrawn { call, attempt, why } => {
                let Some(ended) = self.end_offer(*call, *attempt, OfferEnd::Withdrawn(*why)) else {
                    return true;
                };
                if *why == Withdrawal::Paused {
                    self.mark_tried(*call, &ended, Tried::Declined);
                }
            }
            Event::BridgeFailed { call, attempt, cool_until, .. } => {
                let Some(ended) = self.end_offer(*call, *attempt, OfferEnd::BridgeFailed) else {
                    return true;
                };
                self.with_operator(ended.operator, |o| o.cool_until = cool_until.or(o.cool_until));
            }
            Event::LateAcceptNoted { call, attempt, operator } => {
                self.late_accept_noted(*call, *attempt, *operator)
            }
            Event::CallConnected { call, attempt } => {
                let Some(ended) = self.end_offer(*call, *attempt, OfferEnd::Connected) else { return true };
                self.with_call(*call, |c| {
                    let operator = ended.operator;
                    c.phase = Phase::Bridged { operator, attempt: *attempt, since: at, held: false };
                    c.answered = true;
                    c.target = None;
                    c.closing_until = None;
                });
                self.talks(ended.operator, *call, *attempt);
            }
            Event::ConsultConnected { call, attempt } => {
                self.with_offer(*call, *attempt, |o| o.stage = Stage::Talking);
                if let Some(operator) = self.asked(*call, *attempt) {
                    self.talks(operator, *call, *attempt);
                }
            }
            Event::ConsultEnded { call, attempt } => {
                let how = OfferEnd::Withdrawn(Withdrawal::Superseded);
                let Some(ended) = self.end_offer(*call, *attempt, how) else { return true };
                self.freed(ended.operator, true);
            }
            Event::TransferCompleted { call, from, attempt } => {
                let Some(ended) = self.end_offer(*call, *attempt, OfferEnd::Connected) else { return true };
                self.with_call(*call, |c| {
                    let operator = ended.operator;
                    c.phase = Phase::Bridged { operator, attempt: *attempt, since: at, held: false };
                });
                self.freed(*from, true);
                self.talks(ended.operator, *call, *attempt);
            }
            _ => return false,
        }
        true
    }

    fn with_offer(&mut self, call: CallId, attempt: Attempt, change: impl FnOnce(&mut Offer)) {
        self.with_call(call, |c| {
            if let Some(offer) = c.offers.get_mut(&attempt) {
                change(offer);
            }
        });
    }

    fn asked(&self, call: CallId, attempt: Attempt) -> Option<crate::id::OperatorId> {
        Some(self.state.calls.get(&call)?.offers.get(&attempt)?.operator)
    }

    fn talks(&mut self, operator: crate::id::OperatorId, call: CallId, attempt: Attempt) {
        self.with_operator(operator, |o| {
            o.work = Work::Talking { call, attempt };
            o.strikes = 0;
        });
    }

    /// Takes an offer off its call and sets its operator idle, idle time kept.
    fn end_offer(&mut self, id: CallId, attempt: Attempt, how: OfferEnd) -> Option<Offer> {
        let mut over = None;
        self.with_call(id, |c| {
            let Some(offer) = c.offers.remove(&attempt) else { return };
            let strike = how == OfferEnd::RangOut && offer.purpose != Purpose::Consult;
            c.ended.insert(attempt, Ended { operator: offer.operator, how, strike });
            if c.ended.len() > ENDED_MAX {
                c.ended.pop_first();
            }
            over = Some(offer);
        });
        let offer = over?;
        self.freed(offer.operator, false);
        Some(offer)
    }

    fn mark_tried(&mut self, call: CallId, offer: &Offer, how: Tried) {
        if offer.purpose == Purpose::Consult {
            return;
        }
        let operator = offer.operator;
        self.with_call(call, |c| {
            let worst = c.tried.get(&operator).map_or(how, |before| (*before).max(how));
            c.tried.insert(operator, worst);
        });
    }

    fn late_accept_noted(&mut self, call: CallId, attempt: Attempt, operator: crate::id::OperatorId) {
        let open = self.state.calls.get_mut(&call).map(|c| &mut c.ended);
        let ended = match open {
            Some(ended) => Some(ended),
            None => self.state.closed.get_mut(&call).map(|t| &mut t.ended),
        };
        if let Some(end) = ended.and_then(|e| e.get_mut(&attempt)) {
            end.strike = false;
        }
        self.with_operator(operator, |o| {
            o.strikes = o.strikes.saturating_sub(1);
            o.cool_until = None;
            if matches!(o.duty, Duty::Suspended { .. }) {
                o.duty = Duty::On;
            }
        });
    }
}
