//! Snapshots and call records in memory: as durable as the process, like the journal they follow.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use switchboard::id::{CallId, Seq, SiteId};

use crate::derived::{Derived, DerivedFault, RecordCursor, RecordPlace, RecordQuery, Snapshot, superfluous};
use crate::record::CallRecord;

/// What follows from journals in memory.
#[derive(Default)]
pub struct MemoryDerived(Mutex<BTreeMap<SiteId, OfSite>>);

#[derive(Default)]
struct OfSite {
    snapshots: BTreeMap<Seq, Snapshot>,
    records: BTreeMap<CallId, CallRecord>,
    cursor: Option<RecordCursor>,
}

impl MemoryDerived {
    /// Nothing yet.
    pub fn new() -> MemoryDerived {
        MemoryDerived::default()
    }

    fn sites(&self) -> MutexGuard<'_, BTreeMap<SiteId, OfSite>> {
        // Every change under this lock is whole, or of what can be made again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chosen(&self, site: SiteId, wanted: impl Fn(&CallRecord) -> bool) -> Vec<CallRecord> {
        let mut sites = self.sites();
        let records = sites.entry(site).or_default().records.values();
        let mut chosen: Vec<CallRecord> = records.filter(|record| wanted(record)).cloned().collect();
        chosen.sort_by_key(CallRecord::place);
        chosen
    }
}

#[async_trait]
impl Derived for MemoryDerived {
    async fn keep_snapshot(&self, site: SiteId, snapshot: &Snapshot) -> Result<(), DerivedFault> {
        let mut sites = self.sites();
        let snapshots = &mut sites.entry(site).or_default().snapshots;
        snapshots.insert(snapshot.seq, snapshot.clone());
        let newest_first: Vec<Seq> = snapshots.keys().rev().copied().collect();
        for gone in superfluous(&newest_first) {
            snapshots.remove(&gone);
        }
        Ok(())
    }

    async fn snapshot(&self, site: SiteId, at_most: Seq) -> Result<Option<Snapshot>, DerivedFault> {
        let mut sites = self.sites();
        let snapshots = &sites.entry(site).or_default().snapshots;
        Ok(snapshots.range(..=at_most).next_back().map(|(_, snapshot)| snapshot.clone()))
    }

    async fn record_cursor(&self, site: SiteId) -> Result<Option<RecordCursor>, DerivedFault> {
        Ok(self.sites().entry(site).or_default().cursor)
    }

    async fn keep_records(
        &self,
        site: SiteId,
        records: &[CallRecord],
        from: Option<Seq>,
        to: RecordCursor,
    ) -> Result<(), DerivedFault> {
        let mut sites = self.sites();
        let of_site = sites.entry(site).or_default();
        if of_site.cursor.map(|cursor| cursor.seq) != from {
            return Err(DerivedFault::Moved);
        }
        of_site.records.extend(records.iter().map(|record| (record.call, record.clone())));
        of_site.cursor = Some(to);
        Ok(())
    }

    async fn open_records(&self, site: SiteId) -> Result<Vec<CallRecord>, DerivedFault> {
        Ok(self.chosen(site, |record| record.closed.is_none()))
    }

    async fn records(
        &self,
        site: SiteId,
        after: Seq,
        records_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let mut records = self.chosen(site, |record| record.first_seq > after);
        records.truncate(records_max);
        Ok(records)
    }

    async fn record(&self, site: SiteId, call: CallId) -> Result<Option<CallRecord>, DerivedFault> {
        Ok(self.sites().entry(site).or_default().records.get(&call).cloned())
    }

    async fn latest_records(
        &self,
        site: SiteId,
        asked: &RecordQuery,
        behind: Option<RecordPlace>,
        records_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let before = |record: &CallRecord| behind.is_none_or(|behind| record.place() < behind);
        let mut records = self.chosen(site, |record| before(record) && asked.asks_for(record));
        records.reverse();
        records.truncate(records_max);
        Ok(records)
    }

    async fn forget_records(&self, site: SiteId) -> Result<(), DerivedFault> {
        let mut sites = self.sites();
        let of_site = sites.entry(site).or_default();
        of_site.records.clear();
        of_site.cursor = None;
        Ok(())
    }
}
