//! Order and matching: what happens at the end of every decision.

use std::cmp::Reverse;

use switchboard::call::{Call, Class, DivertedBy, Purpose, Tried};
use switchboard::eligible::{is_in_tier, terms};
use switchboard::event::{Alarm, Event};
use switchboard::id::{CallId, LineId, OperatorId};
use switchboard::operator::Operator;
use switchboard::plan::{Preference, Trigger, Who};
use switchboard::time::Span;

use super::Reference;
use super::clock::Closings;

impl Reference {
    /// Fires what is due by now, matches calls and operators and opens tiers, until nothing more happens.
    pub(super) fn settle(&mut self) {
        self.fire_due(Closings::Wait);
        let mut fresh = Vec::new();
        loop {
            while self.in_order().into_iter().any(|call| self.serve(call, &mut fresh)) {}
            let deep: Vec<CallId> =
                self.in_order().into_iter().filter(|call| self.open_by_depth(*call)).collect();
            if deep.is_empty() && !self.fire_due(Closings::End) {
                break;
            }
        }
        fresh.retain(|call| self.state.calls.contains_key(call));
        fresh.sort_by_key(|call| self.place(*call));
        for call in fresh {
            self.ring_more(call);
        }
    }

    /// The waiting calls in order.
    fn in_order(&self) -> Vec<CallId> {
        let mut waiting: Vec<CallId> =
            self.state.calls.iter().filter(|(_, call)| call.is_waiting()).map(|(id, _)| *id).collect();
        waiting.sort_by_key(|call| self.place(*call));
        waiting
    }

    /// (class, arrived_at − boost, arrival seq), with the boost as a delay of those who have less of it.
    fn place(&self, id: CallId) -> (Class, u64, u64) {
        let call = self.call(id);
        let boost = self.promised(call).boost.0;
        (call.class, call.arrived_at.0 + Span::secs(120).0 - boost, call.seq.0)
    }

    /// Offers a waiting call, or opens its next tier. Whether anything happened.
    fn serve(&mut self, id: CallId, fresh: &mut Vec<CallId>) -> bool {
        if self.expire_target(id) || self.relax(id) {
            return true;
        }
        if let Some((operator, purpose)) = self.best(id) {
            self.offer(id, operator, purpose);
            if purpose != Purpose::Transfer {
                fresh.push(id);
            }
            return true;
        }
        match self.due_tier(id) {
            Some((tier, trigger)) => {
                self.open_tier(id, tier, trigger);
                true
            }
            None if self.closing_stopped(id) => {
                self.start_closing(id);
                true
            }
            None => false,
        }
    }

    /// Whether the ladder has ended for a call and an offer stopped its closing message.
    fn closing_stopped(&self, id: CallId) -> bool {
        let call = self.call(id);
        let line = self.promised(call);
        let ended = call.tiers.iter().any(|n| line.tiers[usize::from(n)].who == Who::Closing);
        ended && call.closing_until.is_none() && call.target.is_none()
    }

    fn expire_target(&mut self, id: CallId) -> bool {
        let over = self.call(id).target.is_some_and(|target| target.until <= self.now());
        if over {
            self.call_mut(id).target = None;
            self.say(Event::TargetExpired { call: id });
        }
        over
    }

    /// Lets go of a preferred skill that was held to for long enough.
    fn relax(&mut self, id: CallId) -> bool {
        let call = self.call(id);
        let over = |p: &&Preference| {
            call.held.covers(self.state.skills.bit(p.skill)) && call.ladder_from + p.hold <= self.now()
        };
        let Some(skill) = self.promised(call).prefers.iter().find(over).map(|p| p.skill) else {
            return false;
        };
        if call.target.is_some() {
            return false;
        }
        let bit = self.state.skills.bit(skill);
        let call = self.call_mut(id);
        call.held = call.held.without(bit);
        self.say(Event::PreferenceRelaxed { call: id, skill });
        true
    }

    /// The best eligible operator, and through what.
    fn best(&self, id: CallId) -> Option<(OperatorId, Purpose)> {
        let call = self.call(id);
        let eligible =
            self.state.operators.keys().copied().filter(|op| terms(&self.state, *op, id).is_empty());
        let best = eligible.min_by_key(|op| self.preference(call, *op))?;
        match call.target {
            Some(_) => Some((best, Purpose::Transfer)),
            None => Some((best, Purpose::Line(self.lowest_tier(call, best)))),
        }
    }

    /// Those who missed this call come last; then tier, preferred skills, idle time, id.
    fn preference(&self, call: &Call, id: OperatorId) -> impl Ord + use<> {
        let operator = self.operator(id);
        let missed = call.tried.get(&id) == Some(&Tried::Missed);
        let preferred = self.promised(call).prefers.iter();
        let fit = preferred.filter(|p| operator.skills.covers(self.state.skills.bit(p.skill))).count();
        (missed, self.lowest_tier(call, id), Reverse(fit), operator.idle_since, id)
    }

    /// The lowest open tier through which an eligible operator may be asked: a borrowing one only if nobody's guard
    /// forbids.
    fn lowest_tier(&self, call: &Call, id: OperatorId) -> u8 {
        let line = self.promised(call);
        let operator = self.operator(id);
        let lets_in = |n: &u8| {
            let who = line.tiers[usize::from(*n)].who;
            let borrows = matches!(who, Who::Line(_) | Who::OtherLines);
            is_in_tier(operator, call.line, &who) && (!borrows || self.may_be_lent(operator, call))
        };
        call.tiers.iter().find(lets_in).unwrap_or(0)
    }

    /// Whether each home line has more ready operators than it keeps.
    fn may_be_lent(&self, operator: &Operator, call: &Call) -> bool {
        let spare = |line: &LineId| {
            let guard = self.planned(*line).map_or(0, |planned| planned.guard as usize);
            self.state.operators.values().filter(|o| o.is_ready() && o.home.contains(line)).count() > guard
        };
        call.class == Class::Emergency || operator.home.iter().all(spare)
    }

    /// The lowest closed tier with a trigger that holds for a call nobody is eligible for.
    fn due_tier(&self, id: CallId) -> Option<(u8, Trigger)> {
        let call = self.call(id);
        if call.target.is_some() {
            return None;
        }
        let closed = self.closed_tiers(call);
        for tier in &closed {
            let listed = self.promised(call).tiers[usize::from(*tier)].when.clone();
            let implied = (tier == &closed[0]).then_some(Trigger::Empty);
            if let Some(trigger) = listed.into_iter().chain(implied).find(|t| self.holds(call, t)) {
                return Some((*tier, trigger));
            }
        }
        None
    }

    fn closed_tiers(&self, call: &Call) -> Vec<u8> {
        let count =
            u8::try_from(self.promised(call).tiers.len()).expect("a plan has at most 16 tiers per line");
        (0..count).filter(|tier| !call.tiers.contains(*tier)).collect()
    }

    fn holds(&self, call: &Call, trigger: &Trigger) -> bool {
        match *trigger {
            Trigger::Busy => true,
            Trigger::Empty => self.nobody_on_duty(call),
            Trigger::Wait(wait) => self.now() >= call.ladder_from + wait,
            Trigger::Missed(count) => call.missed >= count,
            Trigger::Depth(_) => false,
        }
    }

    /// Whether no staff with the required skills stands behind the open tiers.
    fn nobody_on_duty(&self, call: &Call) -> bool {
        let line = self.promised(call);
        let stands = |operator: OperatorId| {
            let operator = self.operator(operator);
            let mut open = call.tiers.iter();
            operator.is_staff()
                && operator.skills.covers(call.required)
                && open.any(|n| is_in_tier(operator, call.line, &line.tiers[usize::from(n)].who))
        };
        !self.state.operators.keys().any(|operator| stands(*operator))
    }

    /// Opens the lowest closed tier with a `Depth` that holds.
    fn open_by_depth(&mut self, id: CallId) -> bool {
        let call = self.call(id);
        if call.target.is_some() || !call.is_waiting() {
            return false;
        }
        let waiting = self.state.calls.values().filter(|c| c.is_waiting() && c.line == call.line).count();
        let deep = |t: &Trigger| matches!(t, Trigger::Depth(n) if (*n as usize) < waiting);
        let line = self.promised(call);
        let due = self.closed_tiers(call).into_iter().find_map(|tier| {
            let trigger = line.tiers[usize::from(tier)].when.iter().copied().find(deep)?;
            Some((tier, trigger))
        });
        let Some((tier, trigger)) = due else { return false };
        self.open_tier(id, tier, trigger);
        true
    }

    fn open_tier(&mut self, id: CallId, tier: u8, trigger: Trigger) {
        let call = self.call(id);
        let line = self.promised(call);
        let who = line.tiers[usize::from(tier)].who;
        let people_only = call.tiers.iter().all(|n| line.tiers[usize::from(n)].who.is_people());
        if trigger == Trigger::Empty && !who.is_people() && people_only {
            self.say(Event::AlarmRaised { alarm: Alarm::NobodyOnDuty { line: call.line } });
        }
        self.call_mut(id).tiers.insert(tier);
        self.say(Event::TierOpened { call: id, tier, trigger });
        match who {
            Who::Outside { destination, ring } => {
                let until = self.now() + ring;
                self.divert(id, destination, Some(until), DivertedBy::Tier(tier));
            }
            Who::Closing => self.start_closing(id),
            _ => {}
        }
    }

    fn start_closing(&mut self, id: CallId) {
        let call = self.call(id);
        let plan = &self.state.plans[&call.revision];
        let prompt = self.promised(call).prompts.closing.and_then(|prompt| plan.prompts.get(&prompt));
        let until = self.now() + prompt.map_or(Span::secs(10), |prompt| prompt.length_max);
        self.call_mut(id).closing_until = Some(until);
        self.say(Event::ClosingStarted { call: id, until });
    }

    /// Further offers for a call of a line that rings several at once.
    fn ring_more(&mut self, id: CallId) {
        while self.call(id).offers.len() < usize::from(self.promised(self.call(id)).ring_at_once) {
            let Some((operator, purpose)) = self.best(id) else { return };
            self.offer(id, operator, purpose);
        }
    }
}
