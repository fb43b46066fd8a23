//! The journal of a server, in a data directory or in memory; and `hotline journal`, which looks after one.

mod text;
mod verify;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use session::{
    Audit, Callers, Derived, FoldedRecords, Journal, MemoryAudit, MemoryCallers, MemoryDerived,
    MemoryJournal, MemoryRegistry, OpenFault, Registry, SealKey, SqliteCallers, SqliteStore, SubjectRecords,
    Subjects,
};
use switchboard::id::SiteId;
use tokio::sync::watch;

pub(crate) use self::text::unopened;
pub(crate) use self::verify::{JournalFlags, look_through};
use crate::lang::Lang;

/// Names the sealing key where no file should hold it.
pub(crate) const SEAL_KEY_VARIABLE: &str = "HOTLINE_SEAL_KEY";
/// Holds it otherwise, in the data directory.
pub(crate) const SEAL_KEY_FILE: &str = "seal.key";

/// What a server keeps.
pub(crate) struct Kept {
    /// Its decisions.
    pub(crate) journal: Arc<dyn Journal>,
    /// Who its callers are.
    pub(crate) callers: Arc<dyn Callers>,
    /// Who may ask, and the plans as they were written.
    pub(crate) registry: Arc<dyn Registry>,
    /// What the office did.
    pub(crate) audit: Arc<dyn Audit>,
    /// The persons behind callers' references.
    pub(crate) subjects: Arc<dyn Subjects>,
    /// The records of calls by who called.
    pub(crate) records: Arc<dyn SubjectRecords>,
    /// Snapshots and call records.
    pub(crate) derived: Arc<dyn Derived>,
    /// Turns true when only another process can tell what was kept.
    pub(crate) broken: watch::Receiver<bool>,
}

impl Kept {
    /// In a data directory, or in memory if there is none. With a seed callers' references follow from it.
    ///
    /// # Errors
    /// When the directory cannot be used, in this language as far as it is known here what is wrong.
    pub(crate) async fn open(
        data: Option<&Path>,
        site: SiteId,
        seed: Option<u64>,
        lang: Lang,
    ) -> Result<Kept> {
        let Some(dir) = data else { return Ok(Kept::in_memory(seed)) };
        Kept::in_directory(dir, site, seed).await.map_err(|fault| match fault.downcast::<OpenFault>() {
            Ok(fault) => anyhow::Error::msg(text::unopened(lang, &fault)),
            Err(other) => other,
        })
    }

    fn in_memory(seed: Option<u64>) -> Kept {
        let callers = Arc::new(seed.map_or_else(MemoryCallers::random, MemoryCallers::seeded));
        let journal = Arc::new(MemoryJournal::new());
        Kept {
            journal: journal.clone(),
            callers: callers.clone(),
            registry: Arc::new(MemoryRegistry::new()),
            audit: Arc::new(MemoryAudit::new()),
            subjects: callers,
            records: Arc::new(FoldedRecords::of(journal)),
            derived: Arc::new(MemoryDerived::new()),
            broken: watch::Sender::new(false).subscribe(),
        }
    }

    async fn in_directory(dir: &Path, site: SiteId, seed: Option<u64>) -> Result<Kept> {
        let store = Arc::new(SqliteStore::open(dir).await?);
        let key = match std::env::var(SEAL_KEY_VARIABLE) {
            Ok(text) => SealKey::parse(&text).context(SEAL_KEY_VARIABLE)?,
            Err(_) => {
                let file = dir.join(SEAL_KEY_FILE);
                // A new key would open none of them, and stand in the way of the right one.
                ensure!(
                    file.exists() || !store.has_callers().await?,
                    "{} is missing, and callers' numbers are sealed with it; put it back, or set {SEAL_KEY_VARIABLE}",
                    file.display()
                );
                SealKey::kept_in(&file)?
            }
        };
        let callers = match seed {
            Some(seed) => {
                let before = store.head(site).await?.last_seq.0;
                SqliteCallers::seeded(Arc::clone(&store), key, seed, before).await?
            }
            None => SqliteCallers::random(Arc::clone(&store), key).await?,
        };
        let callers = Arc::new(callers);
        Ok(Kept {
            journal: store.clone(),
            callers: callers.clone(),
            registry: store.clone(),
            audit: store.clone(),
            subjects: callers,
            records: store.clone(),
            broken: store.watch_broken(),
            derived: store,
        })
    }
}
