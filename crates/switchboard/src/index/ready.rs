//! Operators who could take a call this moment, and those who count as on duty.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::marks::Belongs;
use super::{OperatorMark, Pool, count};
use crate::id::{LineId, OperatorId};
use crate::skills::SkillSet;
use crate::state::State;
use crate::time::SiteTime;

/// Ready operators in the order of fairness: idle longest first.
pub(crate) type Bench = BTreeSet<(SiteTime, OperatorId)>;

/// Ready operators, and counts of staff.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ready {
    /// By own line or team, and by skills.
    pub(crate) benches: BTreeMap<(Pool, SkillSet), Bench>,
    /// Everyone who has a home line.
    pub(crate) homed: BTreeMap<SkillSet, Bench>,
    /// Those whose home lines all have more ready operators than they keep.
    pub(crate) lendable: BTreeMap<SkillSet, Bench>,
    /// Ready own operators of a line.
    pub(crate) at_home: BTreeMap<LineId, u32>,
    /// Staff by own line or team, and by skills; under `Others`, those who have a home line.
    pub(crate) staff: BTreeMap<(Pool, SkillSet), u32>,
    /// Operators to look at when settling.
    pub(crate) stirred: BTreeSet<OperatorId>,
    /// Some group lost its last staff: some calls may have nobody on duty.
    pub(crate) staff_dropped: bool,
}

impl Ready {
    pub(super) fn change(
        &mut self,
        id: OperatorId,
        before: &OperatorMark,
        after: &OperatorMark,
        state: &State,
    ) {
        let now = state.operators.get(&id).map(Belongs::from);
        let then = before.left.as_ref().map(Belongs::from).or(now);
        let moved = then != now;
        if before.ready != after.ready || moved {
            if let Some((since, groups)) = before.ready.zip(then) {
                self.leave(id, since, groups, state);
            }
            if let Some((since, groups)) = after.ready.zip(now) {
                self.enter(id, since, groups, state);
            }
        }
        if before.staff != after.staff || moved {
            if let Some(groups) = then.filter(|_| before.staff) {
                self.count_staff(groups, -1);
            }
            if let Some(groups) = now.filter(|_| after.staff) {
                self.count_staff(groups, 1);
            }
        }
    }

    fn enter(&mut self, id: OperatorId, since: SiteTime, groups: Belongs<'_>, state: &State) {
        self.stirred.insert(id);
        for pool in pools(groups) {
            self.benches.entry((pool, groups.skills)).or_default().insert((since, id));
        }
        if !groups.home.is_empty() {
            self.homed.entry(groups.skills).or_default().insert((since, id));
        }
        for line in groups.home {
            let ready = count(&mut self.at_home, *line, 1);
            if ready == state.guard(*line) + 1 {
                self.relend(*line, state);
            }
        }
        if self.lends(groups.home, state) {
            self.lendable.entry(groups.skills).or_default().insert((since, id));
        }
    }

    fn leave(&mut self, id: OperatorId, since: SiteTime, groups: Belongs<'_>, state: &State) {
        self.stirred.remove(&id);
        for pool in pools(groups) {
            take(&mut self.benches, (pool, groups.skills), (since, id));
        }
        take(&mut self.homed, groups.skills, (since, id));
        take(&mut self.lendable, groups.skills, (since, id));
        for line in groups.home {
            let ready = count(&mut self.at_home, *line, -1);
            if ready == state.guard(*line) {
                self.relend(*line, state);
            }
        }
    }

    /// A line began or ceased to have more ready operators than it keeps: look at each of them again.
    fn relend(&mut self, line: LineId, state: &State) {
        let benches =
            self.benches.range((Pool::Own(line), SkillSet::NONE)..=(Pool::Own(line), SkillSet::ALL));
        let own: Vec<_> =
            benches.flat_map(|((_, skills), bench)| bench.iter().map(|entry| (*skills, *entry))).collect();
        for (skills, (since, id)) in own {
            let lends = state.operators.get(&id).is_some_and(|o| self.lends(&o.home, state));
            if lends {
                if self.lendable.entry(skills).or_default().insert((since, id)) {
                    self.stirred.insert(id);
                }
            } else {
                take(&mut self.lendable, skills, (since, id));
            }
        }
    }

    /// Whether someone with these home lines may be lent.
    pub(crate) fn lends(&self, home: &BTreeSet<LineId>, state: &State) -> bool {
        let spare = |line: &LineId| self.at_home.get(line).copied().unwrap_or(0) > state.guard(*line);
        !home.is_empty() && home.iter().all(spare)
    }

    /// The benches of a pool whose skills cover what is needed.
    pub(crate) fn benches_of(&self, pool: Pool, needs: SkillSet) -> impl Iterator<Item = (SkillSet, &Bench)> {
        self.benches
            .range((pool, SkillSet::NONE)..=(pool, SkillSet::ALL))
            .filter(move |((_, skills), _)| skills.covers(needs))
            .map(|((_, skills), bench)| (*skills, bench))
    }

    /// Whether anybody in a pool is staff with these skills; `line` is the line that asks.
    pub(crate) fn has_staff(&self, pool: Pool, line: LineId, required: SkillSet) -> bool {
        let pool = match pool {
            Pool::Guarded(other) => Pool::Own(other),
            Pool::Own(_) | Pool::Team(_) | Pool::Others => pool,
        };
        let of = |pool: Pool, skills: SkillSet| self.staff.get(&(pool, skills)).copied().unwrap_or(0);
        let groups = self.staff.range((pool, SkillSet::NONE)..=(pool, SkillSet::ALL));
        let own = |skills: SkillSet| if pool == Pool::Others { of(Pool::Own(line), skills) } else { 0 };
        groups.filter(|((_, skills), _)| skills.covers(required)).any(|((_, skills), n)| *n > own(*skills))
    }

    fn count_staff(&mut self, groups: Belongs<'_>, by: i32) {
        let others = (!groups.home.is_empty()).then_some(Pool::Others);
        for pool in pools(groups).chain(others) {
            let left = count(&mut self.staff, (pool, groups.skills), by);
            self.staff_dropped |= by < 0 && (left == 0 || pool == Pool::Others);
        }
    }
}

fn pools(groups: Belongs<'_>) -> impl Iterator<Item = Pool> {
    groups.home.iter().map(|l| Pool::Own(*l)).chain(groups.teams.iter().map(|t| Pool::Team(*t)))
}

fn take<K: Ord>(benches: &mut BTreeMap<K, Bench>, key: K, entry: (SiteTime, OperatorId)) {
    if let Some(bench) = benches.get_mut(&key) {
        bench.remove(&entry);
        if bench.is_empty() {
            benches.remove(&key);
        }
    }
}
