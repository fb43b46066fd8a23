//! The journal in memory: as durable as the process. Several exchanges may share one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;

use crate::journal::{Appended, Epoch, Head, Journal, JournalFault, Row, StoredRow, Writer};

/// Rows by (site, seq), behind one lock that is never held across a wait.
pub struct MemoryJournal {
    epoch: Epoch,
    store_clock: Box<dyn Fn() -> i64 + Send + Sync>,
    sites: Mutex<BTreeMap<SiteId, BTreeMap<Seq, StoredRow>>>,
    waiting: Mutex<BTreeSet<(SiteId, Writer)>>,
}

impl MemoryJournal {
    /// An empty journal on the machine's wall clock.
    pub fn new() -> MemoryJournal {
        MemoryJournal::with_store_clock(wall_us)
    }

    /// An empty journal on another clock, in microseconds since 1970 UTC. What it shows first is the epoch.
    pub fn with_store_clock(clock: impl Fn() -> i64 + Send + Sync + 'static) -> MemoryJournal {
        let epoch = Epoch(clock().max(0).unsigned_abs());
        MemoryJournal {
            epoch,
            store_clock: Box::new(clock),
            sites: Mutex::default(),
            waiting: Mutex::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeSet<(SiteId, Writer)>> {
        // Each change is one insert or one removal.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_awaited_of(&self, site: SiteId, writer: &Writer) -> bool {
        self.waiting().iter().any(|(waits_at, waits)| *waits_at == site && waits != writer)
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<SiteId, BTreeMap<Seq, StoredRow>>> {
        // A row goes in by one insert: whoever panicked left the map whole.
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryJournal {
    fn default() -> MemoryJournal {
        MemoryJournal::new()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        let mut sites = self.rows();
        let rows = sites.entry(site).or_default();
        if rows.contains_key(&row.seq) {
            return Ok(Appended::Lost);
        }
        let last_seq = rows.last_key_value().map_or(Seq(0), |(_, last)| last.row.last_seq);
        if row.seq != last_seq.next() || row.last_seq < row.seq {
            return Err(JournalFault::Gap { seq: row.seq, last_seq });
        }
        rows.insert(row.seq, StoredRow { row: row.clone(), store_us: (self.store_clock)() });
        Ok(if self.is_awaited_of(site, &row.writer) { Appended::Awaited } else { Appended::Stored })
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        let sites = self.rows();
        let Some(rows) = sites.get(&site) else { return Ok(Vec::new()) };
        Ok(rows.range(after.next()..).take(rows_max).map(|(_, row)| row.clone()).collect())
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        let sites = self.rows();
        let store_now_us = (self.store_clock)();
        let last = sites.get(&site).and_then(|rows| rows.last_key_value()).map(|(_, last)| last);
        Ok(Head {
            epoch: self.epoch,
            last_seq: last.map_or(Seq(0), |l| l.row.last_seq),
            at: last.map_or(SiteTime(0), |l| l.row.at),
            wall_us: last.map_or(0, |l| l.row.wall_us),
            format: last.map_or(0, |l| l.row.format),
            store_us: last.map_or(store_now_us, |l| l.store_us),
            store_now_us,
        })
    }

    async fn wait_for_turn(&self, site: SiteId, writer: &Writer, waits: bool) {
        let who = (site, writer.clone());
        match waits {
            true => self.waiting().insert(who),
            false => self.waiting().remove(&who),
        };
    }

    async fn is_awaited(&self, site: SiteId, writer: &Writer) -> bool {
        self.is_awaited_of(site, writer)
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        let sites = self.rows();
        let last = |(site, rows): (&SiteId, &BTreeMap<Seq, StoredRow>)| {
            rows.last_key_value().map(|(_, last)| (*site, last.row.last_seq))
        };
        Ok(sites.iter().filter_map(last).collect())
    }
}

fn wall_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}
