//! Callers in Postgres. Every router may meet a number for the first time, so nobody remembers who is new: a number is
//! looked for, and a row of it written if there is none, before anybody names it. That row does not wait for the disk: the log is one, and
//! whatever acknowledges the arrival brings the row with it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use switchboard::id::{CallerRef, SiteId};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::fault::{Kind, PostgresFault};
use super::link::{Durability, Link};
use super::{PostgresStore, at_once};
use crate::caller::{CallerNumber, Callers, CallersFault, Chance};
use crate::crash::{CrashPoint, reached};
use crate::engine::{Engine, Part, Stopped, subjects};
use crate::seal::SealKey;
use crate::subject::{Erasure, KeptNumber, Subjects};

/// How often a number is looked for before its caller is told that there is no answer.
const TRIES: usize = 3;

/// The callers of a database.
pub struct PostgresCallers {
    store: Arc<PostgresStore>,
    /// Nobody else asks here: an emergency never waits for somebody's history.
    looking: Mutex<Link>,
    key: SealKey,
    chance: Chance,
}

impl PostgresCallers {
    /// With random references.
    ///
    /// # Errors
    /// [`PostgresFault::WrongKey`], if this record is sealed with another key; [`PostgresFault`] if they cannot be
    /// read.
    pub async fn random(store: Arc<PostgresStore>, key: SealKey) -> Result<PostgresCallers, PostgresFault> {
        PostgresCallers::new(store, key, Chance::Machine).await
    }

    /// With references that follow from a seed, for a stepped clock and one process. `before` is a number that grows
    /// from start to start, such as the last decision's: withheld numbers of an earlier start are not met again.
    ///
    /// # Errors
    /// As [`PostgresCallers::random`].
    pub async fn seeded(
        store: Arc<PostgresStore>,
        key: SealKey,
        seed: u64,
        before: u64,
    ) -> Result<PostgresCallers, PostgresFault> {
        let callers = PostgresCallers::new(store, key, Chance::seeded_behind(seed, before)).await?;
        let gone = callers.store.rows(Part::Journal, subjects::forgotten()).await;
        let gone = gone.and_then(|rows| rows.iter().map(subjects::reference).collect());
        callers.chance.forget(&gone.map_err(|stopped| callers.store.told(stopped))?);
        Ok(callers)
    }

    async fn new(
        store: Arc<PostgresStore>,
        key: SealKey,
        chance: Chance,
    ) -> Result<PostgresCallers, PostgresFault> {
        let sealed = store.row(Part::Journal, subjects::any_caller()).await;
        let fits = sealed.and_then(|sealed| subjects::fits(sealed.as_ref(), &key));
        let fits = fits.map_err(|stopped| store.told(stopped))?;
        // Two servers that begin at once may each have made a key.
        let mark = subjects::marked(&*store, &key.mark()).await.map_err(|stopped| store.told(stopped))?;
        if !fits || mark.as_deref() != Some(&key.mark()) {
            return Err(PostgresFault::WrongKey);
        }
        let looking = Mutex::new(Link::to(&store.server, Durability::WithNext));
        Ok(PostgresCallers { store, looking, key, chance })
    }

    async fn found(&self, site: SiteId, mac: &str) -> Result<Option<CallerRef>, CallersFault> {
        let rows = self.looking.lock().await.rows(subjects::find(site, mac)).await;
        let rows = rows.map_err(Stopped::from)?;
        Ok(rows.first().map(subjects::reference).transpose()?)
    }

    /// Finds a number, or writes its row. None if it may be there by now: look again.
    async fn found_or_begun(
        &self,
        site: SiteId,
        number: &str,
        mac: &str,
    ) -> Result<Option<CallerRef>, CallersFault> {
        let caller = self.chance.reference(site, Some(number))?;
        let sealed = self.key.seal(site, caller, number);
        let sealed = sealed.ok_or_else(|| CallersFault::NoChance("for sealing a number".to_owned()))?;
        reached(CrashPoint::BeforeCaller);
        let kept = self.looking.lock().await.rows(at_once::caller(site, caller, mac, sealed)).await;
        reached(CrashPoint::AfterCaller);
        match kept {
            Ok(rows) => Ok(rows.first().map(subjects::reference).transpose()?),
            Err(failed) if failed.kind == Kind::KeyTaken => {
                if self.found(site, mac).await?.is_none() {
                    // Not the number but the reference: it was somebody's who is forgotten.
                    self.chance.forget(&BTreeSet::from([caller]));
                }
                Ok(None)
            }
            Err(failed) if failed.kind == Kind::Unknown => Ok(None),
            Err(failed) => Err(Stopped::from(failed).into()),
        }
    }
}

#[async_trait]
impl Callers for PostgresCallers {
    async fn reference(&self, site: SiteId, number: &CallerNumber) -> Result<CallerRef, CallersFault> {
        let Some(number) = number.reveal() else { return self.chance.reference(site, None) };
        let mac = self.key.mac(site, number);
        for _ in 0..TRIES {
            if let Some(caller) = self.found_or_begun(site, number, &mac).await? {
                return Ok(caller);
            }
        }
        Err(CallersFault::Unavailable("the database does not keep a new number".to_owned()))
    }
}

#[async_trait]
impl Subjects for PostgresCallers {
    async fn number(&self, site: SiteId, caller: CallerRef) -> Result<Option<CallerNumber>, CallersFault> {
        let row = self.store.row(Part::Journal, subjects::sealed(site, caller)).await?;
        let number = subjects::opened(&self.key, site, caller, row.as_ref())?;
        Ok(number.map(|number| CallerNumber::received(&number)))
    }

    async fn known(&self, site: SiteId, number: &CallerNumber) -> Result<Option<CallerRef>, CallersFault> {
        match number.reveal() {
            Some(number) => self.found(site, &self.key.mac(site, number)).await,
            None => Ok(None),
        }
    }

    /// As far as the database can be asked. Its own files and log hold the sealed number until they are written over:
    /// docs/postgres.md says for how long.
    async fn forget(&self, site: SiteId, callers: &[CallerRef]) -> Result<u64, CallersFault> {
        let mut forgotten = 0;
        for callers in callers.chunks(subjects::ROWS_AT_ONCE) {
            forgotten += self.store.change_all(Part::Journal, subjects::erased(site, callers)).await?;
            self.chance.forget(&callers.iter().copied().collect());
        }
        Ok(forgotten)
    }

    async fn keep_erasure(&self, site: SiteId, erasure: &Erasure) -> Result<(), CallersFault> {
        subjects::keep_erasure(&*self.store, site, erasure).await
    }

    async fn erasure(&self, site: SiteId, id: Uuid) -> Result<Option<Erasure>, CallersFault> {
        subjects::erasure(&*self.store, site, id).await
    }

    async fn erasures(&self, site: SiteId, now_us: i64, most: usize) -> Result<Vec<Erasure>, CallersFault> {
        subjects::erasures(&*self.store, site, now_us, most).await
    }

    async fn end_erasure(&self, site: SiteId, id: Uuid, by: &str, at_us: i64) -> Result<(), CallersFault> {
        subjects::end_erasure(&*self.store, site, id, by, at_us).await
    }

    async fn kept(
        &self,
        site: SiteId,
        after: Option<CallerRef>,
        most: usize,
    ) -> Result<Vec<KeptNumber>, CallersFault> {
        subjects::kept(&*self.store, site, after, most).await
    }

    async fn notice(&self, site: SiteId, callers: &[CallerRef], at_us: i64) -> Result<(), CallersFault> {
        subjects::notice(&*self.store, site, callers, at_us).await
    }
}

impl fmt::Debug for PostgresCallers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresCallers")
    }
}
