//! The journal of a server, in a data directory, in a database or in memory; and `hotline journal`, which looks after one.

mod text;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use session::{
    Audit, Callers, Derived, FoldedRecords, Journal, MemoryAudit, MemoryCallers, MemoryDerived,
    MemoryJournal, MemoryRegistry, OpenFault, PostgresCallers, PostgresFault, PostgresStore, Registry, Roll,
    SealKey, SqliteCallers, SqliteStore, SubjectRecords, Subjects,
};
use switchboard::id::SiteId;
use tokio::sync::watch;

pub(crate) use self::text::{unnamed, unopened};
pub(crate) use self::verify::{JournalFlags, look_through};
use crate::lang::Lang;
use crate::postgres::{self, Address};

/// Names the sealing key where no file should hold it.
pub(crate) const SEAL_KEY_VARIABLE: &str = "HOTLINE_SEAL_KEY";
/// The journal of a data directory.
pub(crate) const JOURNAL_FILE: &str = "journal.db";
/// Holds it otherwise, in the data directory.
pub(crate) const SEAL_KEY_FILE: &str = "seal.key";

/// Files that hold the key callers' numbers are sealed with, in place of the data directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct SealKeyAt {
    /// Named by a flag: before the variable.
    pub(crate) flag: Option<PathBuf>,
    /// Named by the configuration: after it.
    pub(crate) configured: Option<PathBuf>,
}

impl SealKeyAt {
    /// The key, if it is named anywhere. Who may read such a file is the affair of whoever hands it in: secrets of
    /// containers and credentials of services have modes of their own.
    fn key(&self) -> Result<Option<SealKey>> {
        let variable = std::env::var(SEAL_KEY_VARIABLE).ok();
        let file = match (&self.flag, variable, &self.configured) {
            (Some(file), _, _) | (None, None, Some(file)) => file,
            (None, Some(text), _) => return SealKey::parse(&text).map(Some).context(SEAL_KEY_VARIABLE),
            (None, None, None) => return Ok(None),
        };
        Ok(Some(SealKey::read(file)?))
    }
}

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
    /// The routers that serve the same sites, if there may be others.
    pub(crate) roll: Option<Arc<dyn Roll>>,
    /// Whether it outlives the process.
    pub(crate) is_kept: bool,
    /// Turns true when only another process can tell what was kept.
    pub(crate) broken: watch::Receiver<bool>,
}

impl Kept {
    /// In a database, or in a data directory, or in memory if there is neither. With a seed callers' references follow
    /// from it.
    ///
    /// # Errors
    /// When it cannot be used, in this language as far as it is known here what is wrong.
    pub(crate) async fn open(
        data: Option<&Path>,
        database: Option<&Address>,
        key: &SealKeyAt,
        site: SiteId,
        seed: Option<u64>,
        lang: Lang,
    ) -> Result<Kept> {
        let kept = match (data, database) {
            (data, Some(address)) => Kept::in_database(data, address, key, site, seed).await,
            (Some(dir), None) => Kept::in_directory(dir, key, site, seed).await,
            (None, None) => Ok(Kept::in_memory(seed)),
        };
        kept.map_err(|fault| told(lang, database, fault))
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
            roll: None,
            is_kept: false,
            broken: watch::Sender::new(false).subscribe(),
        }
    }

    async fn in_directory(dir: &Path, key: &SealKeyAt, site: SiteId, seed: Option<u64>) -> Result<Kept> {
        let store = Arc::new(SqliteStore::open(dir).await?);
        let key = match key.key()? {
            Some(key) => key,
            None => key_in(dir, store.has_callers().await?)?,
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
            roll: None,
            is_kept: true,
            derived: store,
        })
    }

    async fn in_database(
        data: Option<&Path>,
        address: &Address,
        key: &SealKeyAt,
        site: SiteId,
        seed: Option<u64>,
    ) -> Result<Kept> {
        if let Some(dir) = data {
            let journal = dir.join(JOURNAL_FILE);
            // Whoever is inside it would be waited for by nobody.
            ensure!(
                !journal.exists(),
                "{} is a journal of its own, and nobody would serve it beside a database; name another data directory",
                journal.display()
            );
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        let store = Arc::new(PostgresStore::open(address.reveal()).await?);
        let key = match (key.key()?, data) {
            (Some(key), _) => key,
            (None, Some(dir)) => key_in(dir, store.is_sealed().await?)?,
            (None, None) => bail!(
                "say with which key callers' numbers are sealed: --seal-key FILE, or set {SEAL_KEY_VARIABLE}, or name a data \
                 directory, which holds {SEAL_KEY_FILE}"
            ),
        };
        let callers = match seed {
            Some(seed) => {
                let before = store.head(site).await?.last_seq.0;
                PostgresCallers::seeded(Arc::clone(&store), key, seed, before).await?
            }
            None => PostgresCallers::random(Arc::clone(&store), key).await?,
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
            roll: Some(store.clone()),
            is_kept: true,
            derived: store,
        })
    }
}

fn key_in(dir: &Path, is_needed: bool) -> Result<SealKey> {
    let file = dir.join(SEAL_KEY_FILE);
    // A new key would open none of them, and stand in the way of the right one.
    ensure!(
        file.exists() || !is_needed,
        "{} is missing, and callers' numbers are sealed with it; put it back, or set {SEAL_KEY_VARIABLE}",
        file.display()
    );
    Ok(SealKey::kept_in(&file)?)
}

/// Why a record was not opened, in somebody's language. Whoever ends because of it has to know, whatever the language,
/// of what use another start is.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(crate) struct Unopened {
    words: String,
    pub(crate) again: Again,
}

/// Of what use another start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It may go well.
    MayHelp,
    /// Only a later release reads the record.
    NeedsLaterRelease,
    /// What was said of where the record is makes no sense, and would make none the next time.
    NeedsOtherWords,
}

fn told(lang: Lang, database: Option<&Address>, fault: anyhow::Error) -> anyhow::Error {
    let fault = match fault.downcast::<OpenFault>() {
        Ok(fault) => {
            let again = match fault {
                OpenFault::Newer { .. } => Again::NeedsLaterRelease,
                OpenFault::WrongKey => Again::NeedsOtherWords,
                _ => Again::MayHelp,
            };
            return Unopened { words: text::unopened(lang, &fault), again }.into();
        }
        Err(other) => other,
    };
    match fault.downcast::<PostgresFault>() {
        Ok(fault) => {
            let again = match fault {
                PostgresFault::Newer { .. } => Again::NeedsLaterRelease,
                PostgresFault::BadAddress { .. } | PostgresFault::WrongKey => Again::NeedsOtherWords,
                _ => Again::MayHelp,
            };
            let words = match database {
                Some(address) => postgres::unopened_at(lang, address, &fault),
                None => postgres::unopened(lang, &fault),
            };
            Unopened { words, again }.into()
        }
        Err(other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(lang: Lang, fault: anyhow::Error) -> (String, Again) {
        let told = told(lang, None, fault).downcast::<Unopened>().expect("it is told");
        (told.to_string(), told.again)
    }

    #[test]
    fn of_what_use_another_start_is_is_known_in_either_language() {
        let path = || PathBuf::from("/data/journal.db");
        for lang in [Lang::Zh, Lang::En] {
            let later = OpenFault::Newer { path: path(), schema: 9, known: 7 };
            let words = text::unopened(lang, &later);
            assert_eq!(again(lang, later.into()), (words, Again::NeedsLaterRelease));
            let later = PostgresFault::Newer { server: "db:5432/hotline".to_owned(), step: 9 };
            assert_eq!(again(lang, later.into()).1, Again::NeedsLaterRelease);
            let behind = PostgresFault::Behind { server: "db:5432/hotline".to_owned(), missing: vec![] };
            let others: [anyhow::Error; 2] = [OpenFault::NotOurs { path: path() }.into(), behind.into()];
            for other in others {
                assert_eq!(again(lang, other).1, Again::MayHelp);
            }
            let nonsense = PostgresFault::BadAddress { why: "it is empty".to_owned() };
            assert_eq!(again(lang, nonsense.into()).1, Again::NeedsOtherWords);
        }
    }
}
