use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Hours, Title};
use crate::call::Class;
use crate::id::{DestinationId, LineId, PromptId, SkillId, TeamId};
use crate::time::Span;

/// A published number or service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What people read.
    pub title: Title,
    /// The priority of its calls.
    pub class: Class,
    /// Its published numbers; none for an internal line that callers only reach by a move.
    pub numbers: Vec<DestinationId>,
    /// When it is open.
    pub hours: Hours,
    /// What a caller meets outside the hours.
    pub when_closed: WhenClosed,
    /// Added to a waiting call's age when calls are put in order.
    pub boost: Span,
    /// How long an operator's phone rings.
    pub ring: Span,
    /// How many operators ring at once for one call; the first accept wins.
    pub ring_at_once: u8,
    /// After-call time.
    pub wrap_up: Span,
    /// More waiting callers than this are refused (never on an emergency line).
    pub max_waiting: Option<u32>,
    /// Idle own operators this line keeps when it lends to others.
    pub guard: u32,
    /// Whether a redial within the redial window resumes the place.
    pub resume_redial: bool,
    /// Skills every call of this line needs.
    pub requires: BTreeSet<SkillId>,
    /// Skills every call of this line should get, each held for a while, then only preferred.
    pub prefers: Vec<Preference>,
    /// Keys by which a waiting caller chooses a skill (a dialect), which is then required.
    pub skill_keys: BTreeMap<char, SkillId>,
    /// Where staff callers are moved, if this line keeps itself free of them.
    pub staff_to: Option<LineId>,
    /// The ladder, first tier first. The first is open from the start.
    pub tiers: Vec<Tier>,
    /// What callers hear.
    pub prompts: LinePrompts,
}

/// What a caller meets on a closed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenClosed {
    /// The line's closed message; the call ends `Refused(Closed)`.
    Message,
    /// Another line takes the call.
    MoveTo(LineId),
    /// An outside number rings; if nobody takes it there, the closed message.
    Divert(DestinationId),
}

/// A preferred skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preference {
    /// The skill.
    pub skill: SkillId,
    /// For so long only operators with the skill are asked; after that they merely come first.
    pub hold: Span,
}

/// A step of the ladder: who becomes eligible, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Who.
    pub who: Who,
    /// Any one of these opens it. Ignored for the first tier. `Empty` always holds beside them: when nobody is
    /// on duty in the open tiers, the next opens at once.
    pub when: Vec<Trigger>,
}

/// Who a tier makes eligible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The line's own operators: those who have it as a home line.
    Own,
    /// A team.
    Team(TeamId),
    /// One other line's own operators, under that line's guard.
    Line(LineId),
    /// Every other line's own operators, under each line's guard.
    OtherLines,
    /// An outside number, which rings for so long; taken only after key 1.
    Outside {
        /// Which number.
        destination: DestinationId,
        /// How long it rings.
        ring: Span,
    },
    /// The closing message: when it has been heard, the call ends `NobodyOnDuty`.
    Closing,
}

impl Who {
    /// Whether operators stand behind this tier (and not a number or a message).
    pub fn is_people(&self) -> bool {
        !matches!(self, Who::Outside { .. } | Who::Closing)
    }
}

/// When a tier opens for a waiting call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// No eligible idle operator in the open tiers.
    Busy,
    /// Nobody on duty in the open tiers.
    Empty,
    /// The call has waited this long on its ladder.
    Wait(Span),
    /// More than this many calls wait on the line.
    Depth(u32),
    /// This many of the call's offers rang out.
    Missed(u32),
}

/// What a line's callers hear, by recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinePrompts {
    /// Once at the start of waiting.
    pub greeting: Option<PromptId>,
    /// When the line is closed.
    pub closed: Option<PromptId>,
    /// When it is full, or draining.
    pub full: Option<PromptId>,
    /// When the ladder ends.
    pub closing: Option<PromptId>,
    /// When the caller is blocked.
    pub blocked: Option<PromptId>,
    /// A staff caller's menu, with the one-key escape back to the line called.
    pub staff_menu: Option<PromptId>,
}
