//! The last snapshot of a history that can be used.

use switchboard::Switchboard;
use switchboard::id::{Seq, SiteId};

use crate::derived::Derived;
use crate::journal::{Journal, JournalFault};

/// A switchboard in the state of the last usable snapshot of this journal; none if everything has to be replayed.
/// Whatever is wrong with a snapshot is said in the log and costs time, nothing else.
///
/// # Errors
/// [`JournalFault`], when the journal itself cannot be read.
pub async fn restore(
    journal: &dyn Journal,
    derived: &dyn Derived,
    site: SiteId,
) -> Result<Option<Switchboard>, JournalFault> {
    let last = journal.head(site).await?.last_seq;
    restore_at(journal, derived, site, last).await
}

/// The same of the last usable snapshot at or before a decision.
///
/// # Errors
/// [`JournalFault`], when the journal itself cannot be read.
pub async fn restore_at(
    journal: &dyn Journal,
    derived: &dyn Derived,
    site: SiteId,
    mut at_most: Seq,
) -> Result<Option<Switchboard>, JournalFault> {
    while at_most > Seq(0) {
        let snapshot = match derived.snapshot(site, at_most).await {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => break,
            Err(fault) => {
                tracing::warn!(%site, %fault, "snapshots cannot be read; the whole journal is replayed");
                break;
            }
        };
        if !snapshot.row.stands(journal, site, snapshot.seq).await? {
            tracing::warn!(%site, seq = snapshot.seq.0, "a snapshot is of another history and is passed over");
        } else {
            match snapshot.open() {
                Ok(state) => return Ok(Some(Switchboard::from_state(state))),
                Err(fault) => {
                    tracing::warn!(%site, seq = snapshot.seq.0, %fault, "a snapshot is passed over");
                }
            }
        }
        at_most = Seq(snapshot.seq.0.saturating_sub(1));
    }
    Ok(None)
}
