//! Skills as bits. The site's register gives each skill a bit when a plan first names it and never takes one back,
//! so that a stored set means the same for ever.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::SkillId;

/// A set of skills of one site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SkillSet(u64);

impl SkillSet {
    /// No skill.
    pub const NONE: SkillSet = SkillSet(0);
    /// Every skill there could be.
    pub const ALL: SkillSet = SkillSet(u64::MAX);

    /// Both together.
    #[must_use]
    pub fn union(self, other: SkillSet) -> SkillSet {
        SkillSet(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: SkillSet) -> SkillSet {
        SkillSet(self.0 & !other.0)
    }

    /// Whether all of `other` are in.
    pub fn covers(self, other: SkillSet) -> bool {
        other.0 & !self.0 == 0
    }

    /// How many of `other` are in.
    pub fn count_of(self, other: SkillSet) -> u32 {
        (self.0 & other.0).count_ones()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Which bit is which skill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillRegister(Vec<SkillId>);

impl SkillRegister {
    /// Gives a new skill the next bit. Whether there was room (64 skills for ever) is checked before.
    pub fn learn(&mut self, skill: SkillId) {
        if !self.0.contains(&skill) {
            self.0.push(skill);
        }
    }

    /// How many bits are taken once these are learnt too.
    pub(crate) fn size_with<'a>(&self, skills: impl Iterator<Item = &'a SkillId>) -> usize {
        self.0.len() + skills.filter(|s| !self.0.contains(s)).count()
    }

    /// One skill as a set; empty for an unknown one.
    pub fn bit(&self, skill: SkillId) -> SkillSet {
        self.0.iter().position(|s| *s == skill).map_or(SkillSet::NONE, |n| SkillSet(1 << n))
    }

    /// Whether a skill was ever named.
    pub fn knows(&self, skill: SkillId) -> bool {
        self.0.contains(&skill)
    }

    /// Names as a set.
    pub fn set<'a>(&self, skills: impl IntoIterator<Item = &'a SkillId>) -> SkillSet {
        skills.into_iter().fold(SkillSet::NONE, |set, skill| set.union(self.bit(*skill)))
    }

    /// A set as names.
    pub fn names(&self, set: SkillSet) -> BTreeSet<SkillId> {
        self.0.iter().copied().filter(|s| !self.bit(*s).is_empty() && set.covers(self.bit(*s))).collect()
    }
}
