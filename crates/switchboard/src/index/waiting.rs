//! Waiting calls, by whom they wait for.

use alloc::collections::{BTreeMap, BTreeSet};

use super::{Pool, WaitMark, count};
use crate::call::{Place, TierSet};
use crate::id::{LineId, OperatorId, Revision};
use crate::skills::SkillSet;
use crate::state::State;

/// Calls that look alike to the ladder: line, plan, open tiers, required skills.
pub(crate) type Bucket = (LineId, Revision, TierSet, SkillSet);

/// Waiting calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// In order, for each pool they wait for and each set of skills they need.
    pub(crate) queues: BTreeMap<(Pool, SkillSet), BTreeSet<Place>>,
    /// Those that wait for one person.
    pub(crate) targeted: BTreeMap<OperatorId, BTreeSet<Place>>,
    /// Those that look alike to the ladder; the targeted ones are not in it.
    pub(crate) buckets: BTreeMap<Bucket, BTreeSet<Place>>,
    /// How many wait on a line, the targeted ones included.
    pub(crate) depth: BTreeMap<LineId, u32>,
    /// Calls to look at when settling.
    pub(crate) stirred: BTreeSet<Place>,
    /// Lines on which a call began to wait, or waits otherwise.
    pub(crate) deepened: BTreeSet<LineId>,
}

impl Waiting {
    pub(super) fn insert(&mut self, wait: &WaitMark, state: &State) {
        self.stirred.insert(wait.place);
        self.deepened.insert(wait.line);
        count(&mut self.depth, wait.line, 1);
        if let Some(operator) = wait.target {
            self.targeted.entry(operator).or_default().insert(wait.place);
            return;
        }
        self.buckets.entry(bucket(wait)).or_default().insert(wait.place);
        for pool in pools(wait, state) {
            self.queues.entry((pool, wait.needs)).or_default().insert(wait.place);
        }
    }

    pub(super) fn remove(&mut self, wait: &WaitMark, state: &State) {
        self.stirred.remove(&wait.place);
        count(&mut self.depth, wait.line, -1);
        if let Some(operator) = wait.target {
            take(&mut self.targeted, &operator, &wait.place);
            return;
        }
        take(&mut self.buckets, &bucket(wait), &wait.place);
        for pool in pools(wait, state) {
            take(&mut self.queues, &(pool, wait.needs), &wait.place);
        }
    }

    /// How many calls wait on a line.
    pub(crate) fn depth_of(&self, line: LineId) -> u32 {
        self.depth.get(&line).copied().unwrap_or(0)
    }

    /// The queues for a pool whose needs these skills cover.
    pub(crate) fn queues_for(&self, pool: Pool, skills: SkillSet) -> impl Iterator<Item = &BTreeSet<Place>> {
        self.queues
            .range((pool, SkillSet::NONE)..=(pool, SkillSet::ALL))
            .filter(move |((_, needs), _)| skills.covers(*needs))
            .map(|(_, queue)| queue)
    }

    /// The buckets of a line.
    pub(crate) fn buckets_of(&self, line: LineId) -> impl Iterator<Item = (&Bucket, &BTreeSet<Place>)> {
        let first = (line, Revision(0), TierSet::default(), SkillSet::NONE);
        self.buckets.range(first..).take_while(move |((l, ..), _)| *l == line)
    }
}

fn bucket(wait: &WaitMark) -> Bucket {
    (wait.line, wait.revision, wait.tiers, wait.required)
}

fn pools<'a>(wait: &'a WaitMark, state: &'a State) -> impl Iterator<Item = Pool> + 'a {
    let tiers =
        state.plans.get(&wait.revision).and_then(|p| p.lines.get(&wait.line)).map(|l| l.tiers.as_slice());
    let tiers = tiers.unwrap_or_default();
    wait.tiers
        .iter()
        .filter_map(|n| tiers.get(usize::from(n)))
        .filter_map(|tier| Pool::behind(&tier.who, wait.line))
}

fn take<K: Ord, V: Ord>(map: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = map.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            map.remove(key);
        }
    }
}
