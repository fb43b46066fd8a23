//! How long what is kept, by kind. Decisions stay: they hold ids only. What may be over is a caller's number, the
//! records of calls, and the audit's oldest rows.

use std::collections::BTreeSet;

use switchboard::id::{CallerRef, SiteId};

use crate::audit::{Audit, AuditEntry, AuditFault, AuditRow, let_audit_go};
use crate::caller::CallersFault;
use crate::derived::DerivedFault;
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

/// What a sweep let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many callers' numbers.
    pub numbers: u64,
    /// How many records of calls.
    pub records: u64,
    /// Up to which row of the audit.
    pub audit_through: Option<u64>,
}

/// Why a sweep did not come to its end. The next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum RetentionFault {
    /// What is to be let go has to be recorded first.
    #[error(transparent)]
    Audit(#[from] AuditFault),
    /// Of numbers.
    #[error(transparent)]
    Callers(#[from] CallersFault),
    /// Of records.
    #[error(transparent)]
    Records(#[from] DerivedFault),
}

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Numbers that are looked at together, and forgotten together.
const NUMBERS_AT_ONCE: usize = 500;

/// Lets go of what was kept long enough at a time of the wall clock, in microseconds since 1970 UTC. Says so in the
/// audit before and afterwards.
///
/// # Errors
/// [`RetentionFault`].
pub async fn sweep(
    site: SiteId,
    retention: &Retention,
    now_us: i64,
    (audit, subjects, records): (&dyn Audit, &dyn Subjects, &dyn SubjectRecords),
) -> Result<Swept, RetentionFault> {
    let asked = audit.record(site, AuditEntry { becomes: days(retention), ..by_server(now_us) }).await?;
    let mut swept = Swept::default();
    if let Some(before_us) = cutoff(now_us, retention.numbers_days) {
        swept.numbers = forget_numbers(site, before_us, now_us, subjects, records).await?;
    }
    if let Some(before_us) = cutoff(now_us, retention.records_days) {
        swept.records = records.drop_records(site, before_us).await?;
    }
    if let Some(before_us) = cutoff(now_us, retention.audit_days) {
        swept.audit_through = let_audit_go(audit, site, before_us, by_server(now_us)).await?;
    }
    audit.record(site, ended(&asked, &swept)).await?;
    Ok(swept)
}

fn cutoff(now_us: i64, days: Option<u32>) -> Option<i64> {
    days.map(|days| now_us.saturating_sub(i64::from(days) * DAY_US))
}

fn by_server(now_us: i64) -> AuditEntry {
    AuditEntry {
        wall_us: now_us,
        role: "server".to_owned(),
        who: "retention".to_owned(),
        what: "retention.sweep".to_owned(),
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
    let Swept { numbers, records, audit_through } = swept;
    let through = audit_through.unwrap_or(0);
    AuditEntry {
        becomes: format!("{{\"numbers\":{numbers},\"records\":{records},\"audit_through\":{through}}}"),
        outcome: AuditEntry::DONE.to_owned(),
        refers_to: asked.number,
        ..by_server(asked.entry.wall_us)
    }
}

/// A number is kept as long as its caller has a record that is young enough, and no less long than it was noticed: a
/// caller may never have come as far as a record.
async fn forget_numbers(
    site: SiteId,
    before_us: i64,
    now_us: i64,
    subjects: &dyn Subjects,
    records: &dyn SubjectRecords,
) -> Result<u64, RetentionFault> {
    let lately: BTreeSet<CallerRef> = records.callers_since(site, before_us).await?.into_iter().collect();
    let (mut after, mut forgotten) = (None, 0);
    loop {
        let page = subjects.kept(site, after, NUMBERS_AT_ONCE).await?;
        let Some(last) = page.last() else { return Ok(forgotten) };
        after = Some(last.caller);
        let found: Vec<CallerRef> =
            page.iter().filter(|kept| kept.noticed_us.is_none()).map(|kept| kept.caller).collect();
        if !found.is_empty() {
            subjects.notice(site, &found, now_us).await?;
        }
        let old = page.iter().filter(|kept| kept.noticed_us.is_some_and(|noticed| noticed < before_us));
        let gone: Vec<CallerRef> =
            old.map(|kept| kept.caller).filter(|caller| !lately.contains(caller)).collect();
        if !gone.is_empty() {
            forgotten += subjects.forget(site, &gone).await?;
        }
    }
}
