//! Settling: after every decision, nobody who could talk is left apart. This is the room for "who gets the next call".
//!
//! Only what was stirred is looked at: calls that began to wait or wait otherwise, operators who became ready, lines on
//! which more wait. Everybody else was settled before, and an operator taken away makes no pair possible that was not.
//! In the order of their places, each call takes its best operator ([`best`]) or, if there is none, climbs its ladder
//! ([`ladder`]).

mod best;
mod ladder;

use alloc::collections::BTreeSet;

use crate::call::{Place, Purpose};
use crate::decide::Closings;
use crate::event::Event;
use crate::id::{Attempt, CallId, OperatorId};
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Fires what is due, by the clock or by what was just decided, before anybody is asked; matches whoever can be
    /// matched, opens whatever tier must open, and leaves nothing due.
    pub(crate) fn settle(&mut self) {
        self.reindex();
        self.fire_due(self.at(), Closings::Wait);
        let mut offered = BTreeSet::new();
        loop {
            self.reindex();
            self.stir_unstaffed();
            while let Some(place) = self.next_stirred() {
                self.settle_call(place, &mut offered);
            }
            if !self.open_by_depth() && !self.fire_again() {
                break;
            }
        }
        for place in offered {
            self.ring_together(place.call);
        }
    }

    /// A timer of no length may be due at once; a closing message may be over that nobody cut short.
    fn fire_again(&mut self) -> bool {
        let due = self.next_deadline().is_some_and(|due| due <= self.at());
        if due {
            self.fire_due(self.at(), Closings::End);
        }
        due
    }

    /// The first call, in order, that was stirred or that a stirred operator could take.
    fn next_stirred(&mut self) -> Option<Place> {
        let mut first = self.index.waiting.stirred.first().copied();
        let operators = core::mem::take(&mut self.index.ready.stirred);
        for operator in operators {
            if let Some(place) = self.first_call_for(operator) {
                self.index.ready.stirred.insert(operator);
                first = Some(first.map_or(place, |f| f.min(place)));
            }
        }
        first
    }

    /// Gives one waiting call its operator, or opens tiers until there is nothing to open.
    fn settle_call(&mut self, place: Place, offered: &mut BTreeSet<Place>) {
        self.index.waiting.stirred.remove(&place);
        loop {
            self.expire_target(place.call);
            self.relax(place.call);
            self.reindex();
            if !self.state.calls.get(&place.call).is_some_and(crate::call::Call::is_waiting) {
                break;
            }
            if let Some((operator, purpose)) = self.best_operator(place.call) {
                self.make_offer(place.call, operator, purpose);
                offered.insert(place);
                break;
            }
            if !self.climb(place.call) {
                break;
            }
        }
        self.reindex();
        self.index.waiting.stirred.remove(&place);
    }

    /// Reserves a call for an operator.
    pub(crate) fn make_offer(&mut self, id: CallId, operator: OperatorId, purpose: Purpose) {
        let Some(call) = self.state.calls.get(&id) else { return };
        let Some(known) = self.state.operators.get(&operator) else { return };
        let timers = self.state.timers();
        let ring = self.state.promise(call).map_or(timers.transfer, |l| l.ring);
        let ring_until = self.at() + ring;
        let deliver_by = if known.device.has_desk() { self.at() + timers.deliver_by } else { ring_until };
        self.emit(Event::OfferMade {
            call: id,
            attempt: Attempt(call.attempts + 1),
            operator,
            session: known.session,
            device: known.device,
            purpose,
            deliver_by: Some(deliver_by),
            ring_until,
        });
    }

    /// Rings further operators for a call whose line rings several at once.
    fn ring_together(&mut self, id: CallId) {
        loop {
            self.reindex();
            let Some(call) = self.state.calls.get(&id) else { return };
            let at_once = self.state.promise(call).map_or(1, |l| usize::from(l.ring_at_once));
            if call.offers.len() >= at_once || call.target.is_some() {
                return;
            }
            let Some((operator, purpose)) = self.best_operator(id) else { return };
            self.make_offer(id, operator, purpose);
        }
    }
}
