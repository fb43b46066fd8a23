//! Callers in SQLite: a number is found by its keyed hash and kept sealed. A new caller's row is written with the
//! append that follows: one transaction and one sync for both, and never an arrival without its caller.

use async_trait::async_trait;
use sqlx::{Error, Row as _, SqliteConnection};
use switchboard::id::{CallerRef, SiteId};
use uuid::Uuid;

use super::arriving::{NewCaller, TooMany};
use super::fault::{self, Kind};
use super::open::judged;
use super::seal::SealKey;
use super::{OpenFault, SqliteStore};
use crate::caller::{CallerNumber, Callers, CallersFault, Chance};
use crate::crash::{CrashPoint, reached};
use crate::sql;

/// The callers of a data directory.
pub struct SqliteCallers {
    store: std::sync::Arc<SqliteStore>,
    key: SealKey,
    chance: Chance,
}

impl SqliteCallers {
    /// With random references.
    ///
    /// # Errors
    /// [`OpenFault::WrongKey`], if numbers are there that another key sealed; [`OpenFault`] if they cannot be read.
    pub async fn random(
        store: std::sync::Arc<SqliteStore>,
        key: SealKey,
    ) -> Result<SqliteCallers, OpenFault> {
        SqliteCallers::new(store, key, Chance::Machine).await
    }

    /// With references that follow from a seed, for a stepped clock. `before` is a number that grows from start to
    /// start, such as the last decision's: withheld numbers of an earlier start are not met again.
    ///
    /// # Errors
    /// As [`SqliteCallers::random`].
    pub async fn seeded(
        store: std::sync::Arc<SqliteStore>,
        key: SealKey,
        seed: u64,
        before: u64,
    ) -> Result<SqliteCallers, OpenFault> {
        /// More withheld numbers than ring in between two decisions.
        const OF_ONE_START: u64 = 1 << 20;
        let chance = Chance::seeded(seed, before.wrapping_mul(OF_ONE_START));
        SqliteCallers::new(store, key, chance).await
    }

    async fn new(
        store: std::sync::Arc<SqliteStore>,
        key: SealKey,
        chance: Chance,
    ) -> Result<SqliteCallers, OpenFault> {
        let mut reader = store.reader.lock().await;
        let fits = fits(&mut reader, &key).await.map_err(|error| judged(store.dir(), &error))?;
        drop(reader);
        if fits { Ok(SqliteCallers { store, key, chance }) } else { Err(OpenFault::WrongKey) }
    }

    /// The number of a caller, for whoever may see it.
    ///
    /// # Errors
    /// [`CallersFault`].
    pub async fn number(&self, site: SiteId, caller: CallerRef) -> Result<Option<String>, CallersFault> {
        let mut reader = self.store.reader.lock().await;
        let sealed = sealed(&mut reader, site, caller).await.map_err(|error| judged_caller(&error))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.key.open(site, caller, &sealed);
        opened
            .map(Some)
            .ok_or_else(|| CallersFault::Damaged(format!("the number of {caller} cannot be opened")))
    }

    fn begin(&self, site: SiteId, number: &str, mac: String) -> Result<CallerRef, CallersFault> {
        if self.store.writing.is_none() {
            return Err(CallersFault::Unavailable("it was opened to be read only".to_owned()));
        }
        let caller = self.chance.reference(site, Some(number))?;
        let sealed = self.key.seal(site, caller, number);
        let sealed = sealed.ok_or_else(|| CallersFault::NoChance("for sealing a number".to_owned()))?;
        reached(CrashPoint::BeforeCaller);
        let begun = self.store.arriving.begin(site, NewCaller { caller, mac, sealed, perhaps_there: false });
        reached(CrashPoint::AfterCaller);
        begun.map_err(|TooMany| {
            CallersFault::Unavailable("too many new numbers wait to be written".to_owned())
        })
    }
}

impl SqliteStore {
    /// Whether any number is kept here: then the key it was sealed with is needed.
    ///
    /// # Errors
    /// [`OpenFault`], if that cannot be read.
    pub async fn has_callers(&self) -> Result<bool, OpenFault> {
        let mut reader = self.reader.lock().await;
        let any = sqlx::query(sql::ANY_CALLER).fetch_optional(&mut *reader).await;
        Ok(any.map_err(|error| judged(self.dir(), &error))?.is_some())
    }
}

#[async_trait]
impl Callers for SqliteCallers {
    async fn reference(&self, site: SiteId, number: &CallerNumber) -> Result<CallerRef, CallersFault> {
        let Some(number) = number.text() else { return self.chance.reference(site, None) };
        let mac = self.key.mac(site, number);
        if let Some(caller) = self.store.arriving.known(site, &mac) {
            return Ok(caller);
        }
        let mut reader = self.store.reader.lock().await;
        let found = find(&mut reader, site, &mac).await.map_err(|error| judged_caller(&error))?;
        drop(reader);
        let Some(caller) = found else { return self.begin(site, number, mac) };
        self.store.arriving.found(site, mac, caller);
        Ok(caller)
    }
}

impl std::fmt::Debug for SqliteCallers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteCallers")
    }
}

fn judged_caller(error: &Error) -> CallersFault {
    match fault::kind(error) {
        Kind::Damaged => CallersFault::Damaged(error.to_string()),
        _ => CallersFault::Unavailable(error.to_string()),
    }
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    site: SiteId,
    mac: &str,
) -> Result<Option<CallerRef>, Error> {
    let query = sqlx::query(sql::FIND_CALLER).bind(site.as_str().to_owned()).bind(mac.to_owned());
    let row = query.fetch_optional(connection).await?;
    row.map(|row| reference(row.try_get("caller_ref")?)).transpose()
}

async fn sealed(
    connection: &mut SqliteConnection,
    site: SiteId,
    caller: CallerRef,
) -> Result<Option<String>, Error> {
    let query = sqlx::query(sql::SEALED_NUMBER).bind(site.as_str().to_owned()).bind(caller.to_string());
    query.fetch_optional(connection).await?.map(|row| row.try_get("number_sealed")).transpose()
}

/// Whether this key opens what is there; any key fits where nothing is.
async fn fits(connection: &mut SqliteConnection, key: &SealKey) -> Result<bool, Error> {
    let Some(row) = sqlx::query(sql::ANY_CALLER).fetch_optional(connection).await? else { return Ok(true) };
    let site: String = row.try_get("site")?;
    let site: SiteId = site.parse().map_err(|_| Error::Decode("a site's name".into()))?;
    let caller = reference(row.try_get("caller_ref")?)?;
    let sealed: String = row.try_get("number_sealed")?;
    Ok(key.open(site, caller, &sealed).is_some())
}

fn reference(text: String) -> Result<CallerRef, Error> {
    Uuid::parse_str(&text).map(CallerRef).map_err(|fault| Error::Decode(fault.into()))
}
