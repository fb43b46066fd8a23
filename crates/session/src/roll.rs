//! The roll of the routers that serve a site: each says now and then that it lives, and whom it holds.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use switchboard::id::SiteId;

use crate::journal::{JournalFault, Writer};

/// What a router said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollEntry {
    /// Who: as it signs its rows in the journal.
    pub router: Writer,
    /// One more than the time before, from 1. That it grows is the sign of life, so that no two clocks are compared.
    pub beat: u64,
    /// Whose streams end there, in words of the exchange's.
    pub held: String,
}

/// Where routers of one journal hear of each other. It stands beside the journal, because whoever reaches the one must
/// reach the other: who cannot say that it lives cannot decide anything either. It is soft: nothing is lost with it, it
/// need not be synced to a disk, and an entry that has not changed for a day may be forgotten.
#[async_trait]
pub trait Roll: Send + Sync {
    /// Writes one's own entry, and then reads those of all other routers of the site.
    ///
    /// # Errors
    /// [`JournalFault`]; then nothing is known of the others. Also where one's own entry from before is gone: theirs may be, too.
    async fn call(&self, site: SiteId, own: &RollEntry) -> Result<Vec<RollEntry>, JournalFault>;
}

/// The roll in memory, for exchanges of one process.
#[derive(Default)]
pub struct MemoryRoll(Mutex<BTreeMap<SiteId, BTreeMap<String, RollEntry>>>);

#[async_trait]
impl Roll for MemoryRoll {
    async fn call(&self, site: SiteId, own: &RollEntry) -> Result<Vec<RollEntry>, JournalFault> {
        // An entry goes in by one insert: whoever panicked left the map whole.
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = sites.entry(site).or_default();
        entries.insert(own.router.as_str().to_owned(), own.clone());
        Ok(entries.values().filter(|entry| entry.router != own.router).cloned().collect())
    }
}
