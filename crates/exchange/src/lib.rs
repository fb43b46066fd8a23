//! The runtime of one site's switchboard in one process. It gives each ask a time and a place in the order, lets the
//! switchboard decide, appends what was decided to the journal as one row, and only then answers and publishes it.
//!
//! `run.rs` is the loop, `drafting.rs` what happens between two appends,
//! `committing.rs` what an append makes true, `keeping.rs` what is made of it at leisure.
//!
//! Not here: what a decision should be (crate `switchboard`), how a row is stored (crate `session`), who is
//! reachable (crate `presence`), gRPC and principals (crate `routing`). One exchange serves one site; several
//! exchanges may share a site's journal, and the journal alone decides between them.
//!
//! # Reading
//! `durable` is the switchboard of committed decisions: every read, view and treatment comes from it. `draft` runs
//! ahead of it by the appends under way. What was decided on a draft whose append was lost is decided again.

mod ask;
mod batch;
mod clock;
mod committing;
mod drafting;
mod evidence;
mod feed;
mod format;
mod free;
mod handle;
mod hints;
mod inbox;
mod keeping;
mod planted;
mod published;
mod pulse;
mod readiness;
mod replaying;
mod roll;
mod run;
mod schedule;
mod start;
mod step;
#[cfg(test)]
mod tests;
mod traces;
mod turns;
mod way;

#[cfg(test)]
extern crate self as exchange;

pub use ask::{Committed, Cursor, Refused};
pub use batch::BATCH_DECISIONS_MAX;
pub use clock::{Clock, STEPPED_WALL_START_US};
pub use feed::{Feed, FeedItem, ResetCause};
pub use handle::{ExchangeHandle, Figures, Linked};
pub use inbox::{Lane, RETRY_AFTER};
pub use published::FEED_DECISIONS_MAX;
pub use pulse::Pulse;
pub use readiness::{COMMIT_OVERDUE_AFTER, Readiness};
pub use replaying::past;
pub use roll::{RollUnknown, SiteRouter};
pub use start::{Exchange, ExchangeConfig, StartFault};
pub use step::{StepFault, StepTo, Stepped};
pub use traces::TRACES;
