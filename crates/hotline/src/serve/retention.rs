//! Once a day: what was kept long enough is let go, and the log says what the audit ends with.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use session::{
    Audit, AuditFilter, Derived, Journal, Retention, SubjectRecords, Subjects, SweptStores, sweep,
};
use switchboard::id::SiteId;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is swept, and how long what is kept.
pub(super) struct Sweeping {
    pub(super) retention: Retention,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) derived: Arc<dyn Derived>,
    pub(super) audit: Arc<dyn Audit>,
    pub(super) subjects: Arc<dyn Subjects>,
    pub(super) records: Arc<dyn SubjectRecords>,
}

impl Sweeping {
    /// At once, and then every day until dropped.
    pub(super) async fn every_day(self) {
        loop {
            match self.journal.heads().await {
                Ok(sites) => {
                    for (site, _) in sites {
                        if !self.retention.keeps_all() {
                            self.once(site).await;
                        }
                        self.tell_head(site).await;
                    }
                }
                Err(fault) => tracing::warn!(%fault, "what was kept long enough is let go tomorrow"),
            }
            tokio::time::sleep(DAY).await;
        }
    }

    async fn once(&self, site: SiteId) {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now_us = i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX);
        let stores = SweptStores {
            journal: &*self.journal,
            derived: &*self.derived,
            records: &*self.records,
            subjects: &*self.subjects,
            audit: &*self.audit,
        };
        match sweep(site, &self.retention, now_us, stores).await {
            Ok(swept) => tracing::info!(
                %site,
                numbers = swept.numbers,
                records = swept.records,
                audit_through = swept.audit_through.unwrap_or(0),
                "what was kept long enough was let go"
            ),
            Err(fault) => tracing::warn!(%site, %fault, "what was kept long enough is let go tomorrow"),
        }
    }

    /// A log that is kept elsewhere tells by this whether the audit was cut off or written anew.
    async fn tell_head(&self, site: SiteId) {
        match self.audit.rows(site, &AuditFilter::default(), u64::MAX, 1).await {
            Ok(rows) => {
                if let Some(last) = rows.first() {
                    tracing::info!(%site, number = last.number, hash = %last.hash, "the audit ends with this row");
                }
            }
            Err(fault) => tracing::warn!(%site, %fault, "the end of the audit cannot be read"),
        }
    }
}
