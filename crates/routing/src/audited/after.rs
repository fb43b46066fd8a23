//! Acts that a server had recorded when it died: whether they were done.

use std::collections::BTreeSet;

use exchange::ExchangeHandle;
use session::{AuditEntry, AuditFault, AuditFilter, AuditRow};
use switchboard::id::RequestId;
use uuid::Uuid;

use super::Recorder;

/// Acts under way at once are far fewer.
const ROWS: usize = 1_000;

/// No act takes longer than a request may: whatever began before is over, whoever did it.
const ACTS_LAST_US: i64 = 60_000_000;

/// Records how acts ended that no row tells the end of. At the start of the only router nobody else acts: whoever did is
/// dead. Among others a young act may be theirs.
///
/// # Errors
/// The audit does not answer.
pub(crate) async fn tell_ends(
    recorder: &Recorder,
    exchange: &ExchangeHandle,
    is_shared: bool,
) -> Result<(), AuditFault> {
    let site = exchange.site();
    let rows = recorder.audit().rows(site, &AuditFilter::default(), u64::MAX, ROWS).await?;
    let young_from = recorder.wall_us().saturating_sub(ACTS_LAST_US);
    for row in open(&rows).into_iter().filter(|row| !is_shared || row.entry.wall_us < young_from) {
        let outcome = outcome(exchange, row);
        tracing::warn!(
            row = row.number,
            what = row.entry.what,
            outcome,
            "an act had no end when the server ended"
        );
        let entry = AuditEntry {
            wall_us: recorder.wall_us(),
            outcome: outcome.to_owned(),
            refers_to: row.number,
            was: String::new(),
            becomes: String::new(),
            why: String::new(),
            ..row.entry.clone()
        };
        recorder.audit().record(site, entry).await?;
    }
    Ok(())
}

/// Oldest first.
fn open(rows: &[AuditRow]) -> Vec<&AuditRow> {
    let ended: BTreeSet<u64> = rows.iter().map(|row| row.entry.refers_to).collect();
    let asked = rows.iter().rev().filter(|row| row.entry.outcome == AuditEntry::ASKED);
    asked.filter(|row| !ended.contains(&row.number)).collect()
}

/// What the journal knows by the request id was done. Of anything else nobody can tell.
fn outcome(exchange: &ExchangeHandle, row: &AuditRow) -> &'static str {
    let Ok(request) = row.entry.request.parse::<Uuid>().map(RequestId) else { return AuditEntry::UNKNOWN };
    let is_known = exchange.read(|switchboard| switchboard.state().requests.find(request).is_some());
    if is_known { AuditEntry::DONE } else { AuditEntry::UNKNOWN }
}

#[cfg(test)]
mod tests {
    use switchboard::canonical::Hash;

    use super::*;

    #[test]
    fn an_act_is_open_until_a_row_tells_its_end() {
        let row = |number, outcome: &str, refers_to| AuditRow {
            number,
            entry: AuditEntry { outcome: outcome.to_owned(), refers_to, ..AuditEntry::default() },
            hash: Hash::default(),
        };
        // The latest first, as an audit gives them.
        let rows = [
            row(5, "asked", 0),
            row(4, "done", 2),
            row(3, "asked", 0),
            row(2, "asked", 0),
            row(1, "done", 0),
        ];
        assert_eq!(open(&rows).iter().map(|row| row.number).collect::<Vec<_>>(), [3, 5]);
    }
}
