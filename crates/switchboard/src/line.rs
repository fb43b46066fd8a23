//! A line's state: what the schedule, a supervisor or a removal made of it.

use serde::{Deserialize, Serialize};

use crate::id::{Code, DestinationId};
use crate::time::SiteTime;

/// Whether a line takes calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Takes calls.
    #[default]
    Open,
    /// Outside its hours.
    ClosedBySchedule,
    /// A supervisor closed it.
    ClosedByHand {
        /// Why.
        reason: Code,
        /// Opens by itself then.
        until: SiteTime,
        /// What the schedule says meanwhile: what it opens into.
        scheduled_open: bool,
    },
    /// Being removed: no new calls, those inside finish.
    Draining,
    /// Removed; the id is never used again.
    Retired,
}

/// A supervisor's divert of a whole line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDivert {
    /// To which number.
    pub destination: DestinationId,
    /// Until when.
    pub until: SiteTime,
}

/// One line, apart from its plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineStatus {
    /// Whether it takes calls.
    pub state: LineState,
    /// Where a supervisor sends its new calls.
    pub divert: Option<LineDivert>,
}
