//! L10: site time never decreases; sequence numbers have no gaps.

use alloc::format;

use super::{Step, Violation, demand};
use crate::decision::Decision;
use crate::id::Seq;
use crate::time::SiteTime;

const LAW: &str = "L10";

/// # Errors
/// Says which step in time or number was wrong.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    let decision = step.decision;
    check_next(step.before.seq, step.before.now, decision)?;
    let after = step.after.state();
    demand(LAW, decision.seq, after.seq == decision.seq && after.now == decision.at, || {
        format!(
            "after decision {:?} at {:?} the state is at {:?}, {:?}",
            decision.seq, decision.at, after.seq, after.now
        )
    })
}

/// One decision after another: needs nothing but the two ends, so a journal can be read with it.
///
/// # Errors
/// Says which step in time or number was wrong.
pub fn check_next(last: Seq, now: SiteTime, decision: &Decision) -> Result<(), Violation> {
    demand(LAW, decision.seq, decision.seq == last.next(), || {
        format!("decision {} follows decision {}", decision.seq.0, last.0)
    })?;
    demand(LAW, decision.seq, decision.at >= now, || {
        format!("site time went back from {} to {} microseconds", now.0, decision.at.0)
    })
}
