//! An operator: three independent facts (duty, link, work) about one person who answers.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{Attempt, CallId, Code, DeskId, DeskSession, LineId, TeamId};
use crate::skills::SkillSet;
use crate::time::{SiteTime, Span};

/// How an operator answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// Accept on the desk; then the gateway brings the leg up by itself.
    AutoAnswer,
    /// The phone rings during the offer: picking it up is Accept; or Accept first, then pick it up.
    Ring,
    /// An ordinary telephone without a desk: key 1 is Accept.
    Telephone,
    /// Media is elsewhere: the desk accepts and confirms.
    Softphone,
}

impl Device {
    /// Whether a desk belongs to it.
    pub fn has_desk(self) -> bool {
        self != Device::Telephone
    }

    /// Whether the gateway has a leg for it.
    pub fn has_leg(self) -> bool {
        self != Device::Softphone
    }

    /// Whether the gateway rings it while the offer is open.
    pub fn rings(self) -> bool {
        matches!(self, Device::Ring | Device::Telephone)
    }
}

/// Whether the operator is meant to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Not here.
    #[default]
    Off,
    /// Here.
    On,
    /// Here, not answering for a while.
    Paused {
        /// Why.
        reason: Code,
        /// Ends by itself then, if set.
        until: Option<SiteTime>,
        /// How long idle when it began: fairness is frozen.
        idle_for: Span,
    },
    /// Missed too often in a row; one tap returns.
    Suspended {
        /// How often.
        missed: u8,
    },
    /// Off as soon as the work is done.
    Leaving,
}

/// Whether the operator's desk can be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Its stream is open.
    Online,
    /// Dropped a moment ago; no new offers.
    Grace {
        /// Lost then.
        until: SiteTime,
    },
    /// Gone.
    #[default]
    Lost,
}

/// What occupies the operator. Each names its cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Nothing.
    #[default]
    Idle,
    /// A live offer.
    Offered {
        /// Of this call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// Accepted; the leg comes up.
    Connecting {
        /// This call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// Talking with a caller, holding one, or consulted about one.
    Talking {
        /// This call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// After-call time.
    WrapUp {
        /// After this call.
        call: CallId,
        /// Ends by itself then.
        until: SiteTime,
    },
    /// The phone is busy with a call that is not ours.
    OutsideCall,
}

impl Work {
    /// The call it is about, if it is about a live one.
    pub fn call(&self) -> Option<(CallId, Attempt)> {
        match *self {
            Work::Offered { call, attempt }
            | Work::Connecting { call, attempt }
            | Work::Talking { call, attempt } => Some((call, attempt)),
            Work::Idle | Work::WrapUp { .. } | Work::OutsideCall => None,
        }
    }
}

/// A pause asked for during a call: begins after wrap-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseWish {
    /// Why.
    pub reason: Code,
    /// Until when.
    pub until: Option<SiteTime>,
}

/// The rostered shift under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// When it ends.
    pub ends_at: SiteTime,
    /// The end is near: no new calls.
    pub ending: bool,
}

/// Declines remembered per operator: three within an hour are shown to the supervisor.
pub const DECLINES_SHOWN: usize = 3;

/// One operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Teams.
    pub teams: BTreeSet<TeamId>,
    /// Home lines: those whose own operator this is.
    pub home: BTreeSet<LineId>,
    /// Skills.
    pub skills: SkillSet,
    /// How this operator answers.
    pub device: Device,
    /// Meant to answer?
    pub duty: Duty,
    /// Reachable? Meaningless for a telephone, which always is.
    pub link: Link,
    /// The desk that holds the session.
    pub desk: Option<DeskId>,
    /// The session's number.
    pub session: DeskSession,
    /// Occupied?
    pub work: Work,
    /// Idle since: what fairness counts. A missed or declined offer leaves it as it was.
    pub idle_since: SiteTime,
    /// Not asked until then, after a ring-no-answer.
    pub cool_until: Option<SiteTime>,
    /// Ring-no-answers in a row.
    pub strikes: u8,
    /// When the last declines were, oldest first; at most [`DECLINES_SHOWN`].
    pub declines: Vec<SiteTime>,
    /// The shift under way.
    pub shift: Option<Shift>,
    /// Pauses after this call.
    pub pause_next: Option<PauseWish>,
    /// Removed as soon as the work is done.
    pub removing: bool,
}

impl Operator {
    /// A newly added operator: off duty, not reachable, idle.
    pub fn new(
        teams: BTreeSet<TeamId>,
        home: BTreeSet<LineId>,
        skills: SkillSet,
        device: Device,
        at: SiteTime,
    ) -> Operator {
        Operator {
            teams,
            home,
            skills,
            device,
            duty: Duty::Off,
            link: Link::Lost,
            desk: None,
            session: DeskSession(0),
            work: Work::Idle,
            idle_since: at,
            cool_until: None,
            strikes: 0,
            declines: Vec::new(),
            shift: None,
            pause_next: None,
            removing: false,
        }
    }

    /// Can be reached at this moment: a desk online, or a telephone.
    pub fn is_reachable(&self) -> bool {
        !self.device.has_desk() || self.link == Link::Online
    }

    /// Counts as on duty for `Empty`: meant to answer now or after a pause, and not gone.
    pub fn is_staff(&self) -> bool {
        let here = !self.device.has_desk() || self.link != Link::Lost;
        let ending = self.shift.is_some_and(|s| s.ending);
        here && !ending && !self.removing && matches!(self.duty, Duty::On | Duty::Paused { .. })
    }

    /// Could take a call now, as far as nothing but the operator is concerned.
    pub fn is_ready(&self) -> bool {
        self.duty == Duty::On
            && !self.removing
            && self.is_reachable()
            && self.work == Work::Idle
            && self.cool_until.is_none()
            && !self.shift.is_some_and(|s| s.ending)
    }
}
