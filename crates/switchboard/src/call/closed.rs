//! What stays of a call: its outcome, a tombstone for late facts, the place a redial may take up.

use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Class, Ended};
use crate::id::{Attempt, CallerRef, GatewayId, LineId, Revision, Seq};
use crate::time::{SiteTime, Span};

/// How a call ended. Written exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Was bridged with an operator at some time.
    Answered {
        /// Who ended it.
        ended_by: EndedBy,
    },
    /// The caller left the queue.
    AbandonedWaiting,
    /// The caller left while somebody's phone rang.
    AbandonedRinging,
    /// The caller left between accept and bridge.
    AbandonedConnecting,
    /// An outside number took it.
    DivertedOut,
    /// Not let in.
    Refused(Refusal),
    /// The ladder ended; the closing message was heard.
    NobodyOnDuty,
    /// A fault: always an alarm.
    Failed {
        /// Which.
        cause: Failure,
    },
}

/// Who ended an answered call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The caller hung up.
    Caller,
    /// The operator hung up.
    Operator,
}

/// Why a call was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The caller is blocked.
    Blocked,
    /// Too many wait.
    Full,
    /// The line is closed.
    Closed,
    /// The line is being removed.
    Draining,
}

/// A fault that ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Its gateway died or lost it.
    Gateway,
    /// Bridge and caller's leg were lost together.
    Bridge,
}

/// A closed call, remembered for late facts and answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When it closed.
    pub closed_at: SiteTime,
    /// How.
    pub outcome: Outcome,
    /// The line it closed on.
    pub line: LineId,
    /// Who called.
    pub caller: CallerRef,
    /// Its priority.
    pub class: Class,
    /// The gateway that holds its legs, if any are left.
    pub gateway: GatewayId,
    /// The plan it was promised: its last prompt is that one's.
    pub revision: Revision,
    /// The decision that closed it: its treatment's revision.
    pub seq: Seq,
    /// Its last offers.
    pub ended: BTreeMap<Attempt, Ended>,
}

/// A caller who left and may take the place up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandon {
    /// The place left.
    pub arrived_at: SiteTime,
    /// How much of the ladder was served.
    pub served: Span,
    /// When it was left.
    pub left_at: SiteTime,
    /// Until when it can be taken up.
    pub until: SiteTime,
}
