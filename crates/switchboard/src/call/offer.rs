//! An offer: a call reserved for one operator, and how it ended.

use serde::{Deserialize, Serialize};

use crate::id::{Code, DeskSession, OperatorId};
use crate::operator::Device;
use crate::time::SiteTime;

/// Ended offers remembered per call: enough for every late answer, bounded for a caller nobody picks up.
pub const ENDED_MAX: usize = 16;

/// A call reserved for one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// For whom.
    pub operator: OperatorId,
    /// The desk session it was made to.
    pub session: DeskSession,
    /// How this operator answers.
    pub device: Device,
    /// Why.
    pub purpose: Purpose,
    /// Ringing or accepted.
    pub stage: Stage,
    /// The desk dropped while it rang: withdrawn then.
    pub reload_by: Option<SiteTime>,
    /// When it was made.
    pub made_at: SiteTime,
}

/// What an offer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The line's next call, through this tier.
    Line(u8),
    /// A blind transfer to this person.
    Transfer,
    /// Another operator asks for a word while the caller holds.
    Consult,
}

/// How far an offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The phone rings, or is about to.
    Ringing {
        /// Undeliverable if not confirmed by then; none once confirmed.
        deliver_by: Option<SiteTime>,
        /// Rings out then.
        ring_until: SiteTime,
    },
    /// Accepted; the leg comes up.
    Accepted {
        /// The bridge has failed if not up by then.
        connect_by: SiteTime,
    },
    /// A consult that talks.
    Talking,
}

/// An offer that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// For whom it was.
    pub operator: OperatorId,
    /// How it ended.
    pub how: OfferEnd,
    /// The strike it left can still be taken back.
    pub strike: bool,
}

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// Bridged.
    Connected,
    /// The leg never came up.
    BridgeFailed,
    /// The operator said no.
    Declined,
    /// Nobody answered.
    RangOut,
    /// The desk never confirmed it.
    Undeliverable,
    /// Ended for another reason.
    Withdrawn(Withdrawal),
}

/// Why an offer was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// The caller left.
    CallerGone,
    /// Another operator has the caller.
    AnsweredElsewhere,
    /// The operator paused, left or was suspended.
    Paused,
    /// The desk did not come back in time.
    LinkLost,
    /// A supervisor took the call or the operator away.
    Supervisor,
    /// A later decision replaced it.
    Superseded,
}

/// A coded reason an operator gave for declining.
pub type DeclineReason = Option<Code>;
