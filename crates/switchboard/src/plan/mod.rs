//! Everything a supervisor may decide, as data. A [`Plan`] exists only after [`Plan::check`]: whoever holds one
//! never asks again whether a team or a prompt is there. Text, spans and time zones are the `plan` crate's.

mod check;
mod hours;
mod line;

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::ops::Deref;

use serde::{Deserialize, Serialize};

pub use self::check::{PlanFault, PlanProblem};
pub use self::hours::{Hours, MINUTES_PER_WEEK, Window};
pub use self::line::{Line, LinePrompts, Preference, Tier, Trigger, WhenClosed, Who};
use crate::id::{DestinationId, LineId, PromptId, SkillId, TeamId};
use crate::time::Span;

/// Closed lines pass a caller on this often, and no further: the plan has no circle, but lines close by hand, too.
pub const HOPS_MAX: usize = 8;

/// Most lines of one site: a hospital has six; a group's switchboard stays under this.
pub const LINES_MAX: usize = 256;
/// Most tiers of one line: their openness is a bit set of this width.
pub const TIERS_MAX: usize = 16;
/// Most skills a site ever names: an operator's skills are a bit set of this width.
pub const SKILLS_MAX: usize = 64;
/// Longest wrap-up a line may grant.
pub const WRAP_UP_MAX: Span = Span::secs(120);
/// Largest boost a line may have; with it the overtake bound (law L08) is printed.
pub const BOOST_MAX: Span = Span::secs(120);
/// Longest title in characters.
pub const TITLE_CHARS_MAX: usize = 128;

/// What people read: one text per language of the product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A group of operators that tiers can name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// What people read.
    pub title: Title,
}

/// One of the hospital's own numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// What people read.
    pub title: Title,
    /// The number as it is dialled or published: digits, an optional leading `+`, at most 64 bytes.
    pub number: String,
    /// Whoever answers must press 1 before the caller is put through, so that no machine takes a caller.
    /// Required of every number that a ladder, a divert or a closed line may ring.
    pub press_one: bool,
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// What it says.
    pub says: Title,
    /// How long it may play, at most; a closing message that nobody reports finished ends then.
    pub length_max: Span,
}

/// The site's timers. Each default is the one of the semantics page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timers {
    /// An offer the desk has not confirmed by then is undeliverable.
    pub deliver_by: Span,
    /// After an accept on a desk, the leg (or the softphone's confirmation) must be up by then.
    pub connect_by: Span,
    /// After an accept on the desk of a ringing phone, at least this long to pick it up.
    pub pick_up_min: Span,
    /// A ring-no-answer's cool-down.
    pub cool_down: Span,
    /// This many ring-no-answers in a row suspend an operator.
    pub misses_to_suspend: u8,
    /// A dropped desk's live offer stays this long, for a reload.
    pub reload: Span,
    /// From grace to lost.
    pub grace: Span,
    /// A redial within this time of an abandon resumes the place.
    pub redial: Span,
    /// A blind transfer to an operator waits this long for exactly that person.
    pub transfer: Span,
    /// Nobody gets a call within this time of the shift's end.
    pub shift_end: Span,
    /// A block without a stated end lasts this long.
    pub block: Span,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers {
            deliver_by: Span::secs(2),
            connect_by: Span::secs(5),
            pick_up_min: Span::secs(10),
            cool_down: Span::secs(20),
            misses_to_suspend: 2,
            reload: Span::secs(3),
            grace: Span::secs(15),
            redial: Span::secs(600),
            transfer: Span::secs(20),
            shift_end: Span::secs(120),
            block: Span::secs(86_400),
        }
    }
}

/// A plan as written down, before anyone looked at it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanDraft {
    /// The IANA name of the zone in which hours are meant.
    pub time_zone: String,
    /// The lines.
    pub lines: BTreeMap<LineId, Line>,
    /// The teams.
    pub teams: BTreeMap<TeamId, Team>,
    /// The skills.
    pub skills: BTreeMap<SkillId, Title>,
    /// The hospital's own numbers.
    pub destinations: BTreeMap<DestinationId, Destination>,
    /// The recordings.
    pub prompts: BTreeMap<PromptId, Prompt>,
    /// The site's timers.
    pub timers: Timers,
}

/// A plan whose names all resolve and whose figures are all within their limits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PlanDraft")]
pub struct Plan(PlanDraft);

impl Plan {
    /// Looks at everything in a draft and names every fault, with its path.
    ///
    /// # Errors
    /// All faults found, in the order of the draft.
    pub fn check(draft: PlanDraft) -> Result<Plan, alloc::vec::Vec<PlanFault>> {
        let faults = check::faults(&draft);
        if faults.is_empty() { Ok(Plan(draft)) } else { Err(faults) }
    }

    /// The draft again, to edit.
    pub fn into_draft(self) -> PlanDraft {
        self.0
    }
}

impl Deref for Plan {
    type Target = PlanDraft;
    fn deref(&self) -> &PlanDraft {
        &self.0
    }
}

impl TryFrom<PlanDraft> for Plan {
    type Error = PlanFault;
    fn try_from(draft: PlanDraft) -> Result<Plan, PlanFault> {
        Plan::check(draft).map_err(|mut faults| faults.swap_remove(0))
    }
}
