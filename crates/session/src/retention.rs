//! How long what is kept, by kind. Decisions stay: they hold ids only. What may be over is a caller's number, the
//! records of calls, and the audit's oldest rows.

use std::collections::BTreeSet;

use switchboard::id::{CallerRef, Seq, SiteId};

use crate::audit::{Audit, AuditEntry, AuditFault, AuditFilter, AuditRow, let_audit_go};
use crate::body::{BodyFault, decode};
use crate::caller::CallersFault;
use crate::derived::{Derived, DerivedFault, SNAPSHOT_STEP};
use crate::journal::{Journal, JournalFault};
use crate::record::{CallRecord, RecordFold};
use crate::subject::{SubjectRecords, Subjects};

/// Days to keep each kind for; none keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// A caller's number, since the caller's last call.
    pub numbers_days: Option<u32>,
    /// The record of a call, since it rang in.
    pub records_days: Option<u32>,
    /// A row of the audit.
    pub audit_days: Option<u32>,
}

impl Retention {
    /// Fewest days that the audit is kept for.
    pub const AUDIT_DAYS_MIN: u32 = 180;

    /// Whether anything is ever let go.
    pub fn keeps_all(&self) -> bool {
        *self == Retention::default()
    }

    /// Whether the records tell, for as long as a number is kept, when its caller last called.
    pub fn tells_last_calls(&self) -> bool {
        self.records_days.is_none_or(|records| self.numbers_days.is_none_or(|numbers| numbers <= records))
    }
}

/// Where what may be over is kept, and where it is said who called lately.
#[derive(Clone, Copy)]
pub struct SweptStores<'a> {
    /// Every call there was, the last ones before anybody has a record of them.
    pub journal: &'a dyn Journal,
    /// How far the records are behind it.
    pub derived: &'a dyn Derived,
    /// The records themselves.
    pub records: &'a dyn SubjectRecords,
    /// The numbers.
    pub subjects: &'a dyn Subjects,
    /// The audit.
    pub audit: &'a dyn Audit,
}

/// What a sweep let go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many callers' numbers.
    pub numbers: u64,
    /// How many records of calls.
    pub records: u64,
    /// Up to which row of the audit.
    pub audit_through: Option<u64>,
    /// Numbers were left alone: the records are too far behind the journal to say who called lately.
    pub numbers_wait: bool,
    /// Kinds that the sweep did not come to the end of. The next one goes on.
    pub failed: Vec<&'static str>,
}

/// Why one kind was not let go to the end.
#[derive(Debug, thiserror::Error)]
enum SweepFault {
    #[error(transparent)]
    Audit(#[from] AuditFault),
    #[error(transparent)]
    Callers(#[from] CallersFault),
    #[error(transparent)]
    Records(#[from] DerivedFault),
    #[error(transparent)]
    Journal(#[from] JournalFault),
    #[error(transparent)]
    Body(#[from] BodyFault),
}

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Numbers that are looked at together, and forgotten together.
const NUMBERS_AT_ONCE: usize = 500;

/// So many decisions behind the journal the records may be, and who called meanwhile is read from it.
const BEHIND_MAX: u64 = SNAPSHOT_STEP;
const ROWS_AT_ONCE: usize = 256;
const AUDIT_ROWS_AT_ONCE: usize = 1_000;

/// What a sweep is called in the audit.
const SWEEP: &str = "retention.sweep";

/// The outcome of a sweep of which something failed.
const INCOMPLETE: &str = "RETENTION_INCOMPLETE";

/// Lets go of what was kept long enough at a time of the wall clock, in microseconds since 1970 UTC. Says so in the
/// audit before and afterwards. A kind that fails keeps no other from being let go.
///
/// # Errors
/// [`AuditFault`]: what is to be let go has to be recorded first, and what was let go has to be recorded, too.
pub async fn sweep(
    site: SiteId,
    retention: &Retention,
    now_us: i64,
    stores: SweptStores<'_>,
) -> Result<Swept, AuditFault> {
    let SweptStores { records, audit, .. } = stores;
    let asked = audit.record(site, AuditEntry { becomes: days(retention), ..by_server(now_us) }).await?;
    let mut swept = Swept::default();
    if let Some(before_us) = cutoff(now_us, retention.numbers_days) {
        let done = forget_numbers(site, (before_us, now_us), stores, &mut swept).await;
        swept.note(site, "numbers", done);
    }
    if let Some(before_us) = cutoff(now_us, retention.records_days) {
        let done = records.drop_records(site, before_us).await;
        swept.records = swept.note(site, "records", done.map_err(SweepFault::from)).unwrap_or_default();
    }
    if let Some(before_us) = cutoff(now_us, retention.audit_days) {
        let done = let_audit_go(audit, site, before_us, by_server(now_us)).await;
        swept.audit_through = swept.note(site, "audit", done.map_err(SweepFault::from)).flatten();
    }
    audit.record(site, ended(&asked, &swept)).await?;
    Ok(swept)
}

impl Swept {
    fn note<T>(&mut self, site: SiteId, kind: &'static str, done: Result<T, SweepFault>) -> Option<T> {
        done.map_err(|fault| {
            tracing::warn!(%site, kind, %fault, "not all that was kept long enough could be let go");
            self.failed.push(kind);
        })
        .ok()
    }
}

/// Whether a sweep may have let records of a site's calls go. Each says so before it does it; where the audit's oldest rows
/// are gone, such a one may have been among them.
///
/// # Errors
/// [`AuditFault`].
pub async fn may_have_dropped_records(audit: &dyn Audit, site: SiteId) -> Result<bool, AuditFault> {
    if audit.chain(site, 0, 1).await?.first().is_some_and(|row| row.number > 1) {
        return Ok(true);
    }
    let filter = AuditFilter { what: SWEEP.to_owned(), ..AuditFilter::default() };
    let mut before = u64::MAX;
    loop {
        let rows = audit.rows(site, &filter, before, AUDIT_ROWS_AT_ONCE).await?;
        let Some(last) = rows.last() else { return Ok(false) };
        if rows.iter().any(|row| row.entry.becomes.contains("\"records_days\":")) {
            return Ok(true);
        }
        before = last.number;
    }
}

fn cutoff(now_us: i64, days: Option<u32>) -> Option<i64> {
    days.map(|days| now_us.saturating_sub(i64::from(days) * DAY_US))
}

fn by_server(now_us: i64) -> AuditEntry {
    AuditEntry {
        wall_us: now_us,
        role: "server".to_owned(),
        who: "retention".to_owned(),
        what: SWEEP.to_owned(),
        outcome: AuditEntry::ASKED.to_owned(),
        ..AuditEntry::default()
    }
}

fn days(retention: &Retention) -> String {
    let Retention { numbers_days, records_days, audit_days } = retention;
    let days = [("numbers_days", numbers_days), ("records_days", records_days), ("audit_days", audit_days)];
    let days: Vec<String> =
        days.iter().filter_map(|(kind, days)| days.map(|days| format!("\"{kind}\":{days}"))).collect();
    format!("{{{}}}", days.join(","))
}

fn ended(asked: &AuditRow, swept: &Swept) -> AuditEntry {
    let Swept { numbers, records, audit_through, numbers_wait, failed } = swept;
    let through = audit_through.unwrap_or(0);
    let mut becomes = format!("{{\"numbers\":{numbers},\"records\":{records},\"audit_through\":{through}");
    if *numbers_wait {
        becomes.push_str(",\"numbers_wait\":true");
    }
    if !failed.is_empty() {
        becomes.push_str(&format!(",\"failed\":[\"{}\"]", failed.join("\",\"")));
    }
    becomes.push('}');
    AuditEntry {
        becomes,
        outcome: if failed.is_empty() { AuditEntry::DONE } else { INCOMPLETE }.to_owned(),
        refers_to: asked.number,
        ..by_server(asked.entry.wall_us)
    }
}

/// A number is kept as long as its caller is on a call or had one that is young enough, and no less long than it was
/// noticed: a caller may never have come as far as a call.
async fn forget_numbers(
    site: SiteId,
    (before_us, now_us): (i64, i64),
    stores: SweptStores<'_>,
    swept: &mut Swept,
) -> Result<(), SweepFault> {
    let SweptStores { journal, subjects, .. } = stores;
    let Some(mut lately) = Lately::of(site, before_us, stores).await? else {
        tracing::warn!(%site, "the records of calls are far behind the journal; callers' numbers are kept for another day");
        swept.numbers_wait = true;
        return Ok(());
    };
    let mut after = None;
    loop {
        let page = subjects.kept(site, after, NUMBERS_AT_ONCE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.caller);
        let found: Vec<CallerRef> =
            page.iter().filter(|kept| kept.noticed_us.is_none()).map(|kept| kept.caller).collect();
        if !found.is_empty() {
            subjects.notice(site, &found, now_us).await?;
        }
        // Whoever rang in meanwhile called lately, too.
        lately.follow(site, journal).await?;
        let old = page.iter().filter(|kept| kept.noticed_us.is_some_and(|noticed| noticed < before_us));
        let gone: Vec<CallerRef> =
            old.map(|kept| kept.caller).filter(|caller| !lately.callers.contains(caller)).collect();
        if !gone.is_empty() {
            swept.numbers += subjects.forget(site, &gone).await?;
        }
    }
}

/// Who called since a time of the wall clock, or is on a call.
struct Lately {
    before_us: i64,
    callers: BTreeSet<CallerRef>,
    /// Calls behind the records.
    fold: RecordFold,
    /// The last decision that was looked at.
    seq: Seq,
}

impl Lately {
    /// By the records, and behind them by the journal; none if that is too much to read.
    async fn of(
        site: SiteId,
        before_us: i64,
        SweptStores { journal, derived, records, .. }: SweptStores<'_>,
    ) -> Result<Option<Lately>, SweepFault> {
        // First how far the records are: what they say is of then, or later.
        let seq = match derived.record_cursor(site).await? {
            Some(cursor) if cursor.row.stands(journal, site, cursor.seq).await? => cursor.seq,
            _ => Seq(0),
        };
        if journal.head(site).await?.last_seq.0.saturating_sub(seq.0) > BEHIND_MAX {
            return Ok(None);
        }
        let open = derived.open_records(site).await?;
        let mut callers: BTreeSet<CallerRef> = open.iter().map(|record| record.caller).collect();
        callers.extend(records.callers_since(site, before_us).await?);
        Ok(Some(Lately { before_us, callers, fold: RecordFold::resume(open), seq }))
    }

    /// Reads on to where the journal ends.
    async fn follow(&mut self, site: SiteId, journal: &dyn Journal) -> Result<(), SweepFault> {
        loop {
            let rows = journal.tail(site, self.seq, ROWS_AT_ONCE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            self.seq = last.row.last_seq;
            for stored in &rows {
                for decision in decode(&stored.row)? {
                    self.fold.fold(&decision, stored.row.wall_us);
                }
            }
            let before_us = self.before_us;
            let counts = |record: &CallRecord| record.closed.is_none() || record.wall_us >= before_us;
            let changed = self.fold.take_changed();
            self.callers.extend(changed.into_iter().filter(counts).map(|record| record.caller));
        }
    }
}
