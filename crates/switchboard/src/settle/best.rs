//! Who gets the next call: the best operator for a call, and the first call for an operator.

use alloc::collections::BTreeSet;

use crate::call::{Call, Class, Place, Purpose, Tried};
use crate::id::{LineId, OperatorId};
use crate::index::Pool;
use crate::operator::Operator;
use crate::plan::{Line, Who};
use crate::skills::SkillSet;
use crate::switchboard::Switchboard;
use crate::time::SiteTime;

/// How good an operator is for a call within one tier: smaller is better.
type Fitness = (core::cmp::Reverse<u32>, SiteTime, OperatorId);

impl Switchboard {
    /// The best eligible operator for a call, and through what. Those who missed this call come after all others.
    pub(super) fn best_operator(&self, id: crate::id::CallId) -> Option<(OperatorId, Purpose)> {
        let call = self.state.calls.get(&id)?;
        if let Some(target) = call.target {
            let ready = self.state.operators.get(&target.operator)?.is_ready();
            let asked = ready && !call.tried.contains_key(&target.operator);
            let reached = self.state.reaches(call.gateway, target.operator);
            return (asked && reached).then_some((target.operator, Purpose::Transfer));
        }
        let line = self.state.promise(call)?;
        self.best_untried(call, line).or_else(|| self.best_who_missed(call, line))
    }

    fn best_untried(&self, call: &Call, line: &Line) -> Option<(OperatorId, Purpose)> {
        let preferred = self.preferred(line);
        call.tiers.iter().find_map(|n| {
            let tier = line.tiers.get(usize::from(n))?;
            let best = self.best_in_tier(call, &tier.who, preferred)?;
            Some((best.2, Purpose::Line(n)))
        })
    }

    fn best_in_tier(&self, call: &Call, who: &Who, preferred: SkillSet) -> Option<Fitness> {
        let ready = &self.index.ready;
        let pool = Pool::behind(who, call.line)?;
        let fits = |id: OperatorId| {
            !call.tried.contains_key(&id)
                && self.state.reaches(call.gateway, id)
                && self.in_tier(call, who, id)
        };
        let first = |(skills, bench): (SkillSet, &BTreeSet<(SiteTime, OperatorId)>)| {
            let (since, id) = bench.iter().copied().find(|(_, id)| fits(*id))?;
            Some((core::cmp::Reverse(skills.count_of(preferred)), since, id))
        };
        let needs = call.needs();
        match pool {
            Pool::Own(_) | Pool::Team(_) => ready.benches_of(pool, needs).filter_map(first).min(),
            Pool::Guarded(other) => ready.benches_of(Pool::Own(other), needs).filter_map(first).min(),
            Pool::Others => {
                let lent = if call.class == Class::Emergency { &ready.homed } else { &ready.lendable };
                let covering = lent.iter().filter(|(skills, _)| skills.covers(needs));
                covering.filter_map(|(skills, bench)| first((*skills, bench))).min()
            }
        }
    }

    fn best_who_missed(&self, call: &Call, line: &Line) -> Option<(OperatorId, Purpose)> {
        let preferred = self.preferred(line);
        let missed = call.tried.iter().filter(|(_, how)| **how == Tried::Missed).map(|(id, _)| *id);
        let ranked = missed.filter_map(|id| {
            let operator = self.state.operators.get(&id).filter(|o| o.is_ready())?;
            let tier = self.lowest_tier(call, line, id, operator)?;
            Some((tier, core::cmp::Reverse(operator.skills.count_of(preferred)), operator.idle_since, id))
        });
        ranked.min().map(|(tier, _, _, id)| (id, Purpose::Line(tier)))
    }

    /// The skills a line prefers.
    pub(crate) fn preferred(&self, line: &Line) -> SkillSet {
        line.prefers.iter().fold(SkillSet::NONE, |set, p| set.union(self.state.skills.bit(p.skill)))
    }

    /// The lowest open tier through which a ready operator is eligible for a call.
    fn lowest_tier(&self, call: &Call, line: &Line, id: OperatorId, operator: &Operator) -> Option<u8> {
        if !operator.skills.covers(call.needs())
            || call.declined_by(id)
            || !self.state.reaches(call.gateway, id)
        {
            return None;
        }
        call.tiers
            .iter()
            .find(|n| line.tiers.get(usize::from(*n)).is_some_and(|t| self.in_tier(call, &t.who, id)))
    }

    /// Whether a tier's people include an operator, guards respected.
    pub(crate) fn in_tier(&self, call: &Call, who: &Who, id: OperatorId) -> bool {
        let Some(operator) = self.state.operators.get(&id) else { return false };
        let lent = || call.class == Class::Emergency || self.index.ready.lends(&operator.home, &self.state);
        match who {
            Who::Own => operator.home.contains(&call.line),
            Who::Team(team) => operator.teams.contains(team),
            Who::Line(other) => operator.home.contains(other) && lent(),
            Who::OtherLines => !operator.home.is_empty() && !operator.home.contains(&call.line) && lent(),
            Who::Outside { .. } | Who::Closing => false,
        }
    }

    /// The first waiting call, in order, that a ready operator is eligible for.
    pub(super) fn first_call_for(&self, id: OperatorId) -> Option<Place> {
        let operator = self.state.operators.get(&id).filter(|o| o.is_ready())?;
        let targeted = self.first_targeted(id);
        let lends = self.index.ready.lends(&operator.home, &self.state);
        let home = operator.home.iter();
        let own = home.clone().map(|l| Pool::Own(*l)).chain(operator.teams.iter().map(|t| Pool::Team(*t)));
        let lent = home.map(|l: &LineId| Pool::Guarded(*l)).chain(core::iter::once(Pool::Others));
        let free = own.filter_map(|pool| self.first_in(pool, id, operator, true));
        let borrowed = lent.filter_map(|pool| self.first_in(pool, id, operator, lends));
        free.chain(borrowed).chain(targeted).min()
    }

    fn first_targeted(&self, id: OperatorId) -> Option<Place> {
        let places = self.index.waiting.targeted.get(&id)?;
        places.iter().copied().find(|place| self.best_operator(place.call).is_some())
    }

    /// The first call in a pool's queues that this operator may take. Whoever may not be lent goes to emergencies only,
    /// and those stand first in every queue.
    fn first_in(&self, pool: Pool, id: OperatorId, operator: &Operator, lends: bool) -> Option<Place> {
        let may_take = |place: &&Place| {
            let Some(call) = self.state.calls.get(&place.call) else { return false };
            let Some(line) = self.state.promise(call) else { return false };
            self.lowest_tier(call, line, id, operator).is_some()
        };
        let queues = self.index.waiting.queues_for(pool, operator.skills);
        let reach = |place: &&Place| lends || place.class == Class::Emergency;
        queues.filter_map(|queue| queue.iter().take_while(reach).find(may_take)).min().copied()
    }
}
