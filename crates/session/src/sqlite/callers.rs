//! Callers in SQLite: a number is found by its keyed hash and kept sealed. A new caller's row is written with the
//! append that follows: one transaction and one sync for both, and never an arrival without its caller.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Error, Row as _, SqliteConnection};
use switchboard::id::{CallerRef, SiteId};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::arriving::{NewCaller, TooMany};
use super::fault::{self, Kind};
use super::met::Met;
use super::open::{JOURNAL_FILE, Use, connect, judged};
use super::seal::SealKey;
use super::subjects::forgotten;
use super::{OpenFault, SqliteStore};
use crate::caller::{CallerNumber, Callers, CallersFault, Chance};
use crate::crash::{CrashPoint, reached};
use crate::sql;

/// Hashes of numbers read at once after a start: a caller who has to be looked for meanwhile waits for one page.
const PAGE: usize = 1_000;

/// The callers of a data directory.
pub struct SqliteCallers {
    pub(super) store: Arc<SqliteStore>,
    looking: Arc<Looking>,
    /// Reads who was met before; none where nobody new is taken.
    reading: Option<JoinHandle<()>>,
    pub(super) key: SealKey,
    pub(super) chance: Chance,
}

/// Finding a number: a connection that nobody else reads with, so that an emergency never waits for somebody's history.
struct Looking {
    reader: Mutex<SqliteConnection>,
    met: Met,
}

impl Drop for SqliteCallers {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}

impl SqliteCallers {
    /// With random references.
    ///
    /// # Errors
    /// [`OpenFault::WrongKey`], if numbers are there that another key sealed; [`OpenFault`] if they cannot be read.
    pub async fn random(store: Arc<SqliteStore>, key: SealKey) -> Result<SqliteCallers, OpenFault> {
        SqliteCallers::new(store, key, Chance::Machine).await
    }

    /// With references that follow from a seed, for a stepped clock. `before` is a number that grows from start to
    /// start, such as the last decision's: withheld numbers of an earlier start are not met again.
    ///
    /// # Errors
    /// As [`SqliteCallers::random`].
    pub async fn seeded(
        store: Arc<SqliteStore>,
        key: SealKey,
        seed: u64,
        before: u64,
    ) -> Result<SqliteCallers, OpenFault> {
        /// More withheld numbers than ring in between two decisions.
        const OF_ONE_START: u64 = 1 << 20;
        let chance = Chance::seeded(seed, before.wrapping_mul(OF_ONE_START));
        let callers = SqliteCallers::new(store, key, chance).await?;
        let gone = forgotten(&mut *callers.looking().await).await;
        let gone = gone.map_err(|error| judged(callers.store.dir(), &error))?;
        callers.chance.forget(&gone);
        Ok(callers)
    }

    /// With what numbers are looked up.
    pub(super) async fn looking(&self) -> MutexGuard<'_, SqliteConnection> {
        self.looking.reader.lock().await
    }

    async fn new(store: Arc<SqliteStore>, key: SealKey, chance: Chance) -> Result<SqliteCallers, OpenFault> {
        let mut reader = connect(&store.dir().join(JOURNAL_FILE), Use::Read).await?;
        if !fits(&mut reader, &key).await.map_err(|error| judged(store.dir(), &error))? {
            return Err(OpenFault::WrongKey);
        }
        let looking = Arc::new(Looking { reader: Mutex::new(reader), met: Met::default() });
        let writes = store.writing.is_some();
        let reading = writes.then(|| tokio::spawn(read_all(Arc::clone(&looking))));
        Ok(SqliteCallers { store, looking, reading, key, chance })
    }

    /// The number of a caller whose row is written.
    pub(super) async fn kept_number(
        &self,
        site: SiteId,
        caller: CallerRef,
    ) -> Result<Option<CallerNumber>, CallersFault> {
        let mut reader = self.looking.reader.lock().await;
        let sealed = sealed(&mut reader, site, caller).await.map_err(|error| judged_caller(&error))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let number = self.key.open(site, caller, &sealed);
        let number = number
            .ok_or_else(|| CallersFault::Damaged(format!("the number of {caller} cannot be opened")))?;
        Ok(Some(CallerNumber::received(&number)))
    }

    fn begin(&self, site: SiteId, number: &str, mac: String) -> Result<CallerRef, CallersFault> {
        if self.store.writing.is_none() {
            return Err(CallersFault::Unavailable("it was opened to be read only".to_owned()));
        }
        let caller = self.chance.reference(site, Some(number))?;
        let sealed = self.key.seal(site, caller, number);
        let sealed = sealed.ok_or_else(|| CallersFault::NoChance("for sealing a number".to_owned()))?;
        reached(CrashPoint::BeforeCaller);
        self.looking.met.note([mac.as_str()]);
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
        let Some(number) = number.reveal() else { return self.chance.reference(site, None) };
        let mac = self.key.mac(site, number);
        if let Some(caller) = self.store.arriving.known(site, &mac) {
            return Ok(caller);
        }
        if self.looking.met.is_new(&mac) {
            return self.begin(site, number, mac);
        }
        let mut reader = self.looking.reader.lock().await;
        let found = find(&mut reader, site, &mac).await.map_err(|error| judged_caller(&error))?;
        if let Some(caller) = found {
            self.store.arriving.found(site, mac, caller);
            return Ok(caller);
        }
        drop(reader);
        self.begin(site, number, mac)
    }
}

impl std::fmt::Debug for SqliteCallers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteCallers")
    }
}

/// Reads who was met before, page by page. If that fails, every number is looked for in the file.
async fn read_all(looking: Arc<Looking>) {
    let mut after = (String::new(), String::new());
    loop {
        let mut reader = looking.reader.lock().await;
        let page = met(&mut reader, &after).await;
        drop(reader);
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                return tracing::warn!(%error, "who was met before cannot be read; each number is looked for instead");
            }
        };
        looking.met.note(page.iter().map(|(_, mac)| mac.as_str()));
        let read = page.len();
        let Some(last) = page.into_iter().next_back().filter(|_| read == PAGE) else {
            return looking.met.is_whole();
        };
        after = last;
    }
}

async fn met(
    connection: &mut SqliteConnection,
    (site, mac): &(String, String),
) -> Result<Vec<(String, String)>, Error> {
    let query = sqlx::query(sql::MET).bind(site.clone()).bind(mac.clone());
    let rows = query.bind(i64::try_from(PAGE).unwrap_or(i64::MAX)).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get("site")?, row.try_get("number_mac")?))).collect()
}

pub(super) fn judged_caller(error: &Error) -> CallersFault {
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

pub(super) fn reference(text: String) -> Result<CallerRef, Error> {
    Uuid::parse_str(&text).map(CallerRef).map_err(|fault| Error::Decode(fault.into()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::FutureExt;
    use switchboard::id::Seq;
    use switchboard::time::SiteTime;

    use super::*;
    use crate::journal::{Appended, Journal, Row, Writer};

    #[tokio::test]
    async fn a_first_call_waits_for_no_look_into_the_file_and_every_earlier_caller_is_found_there() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let numbers: Vec<CallerNumber> =
            (0..PAGE * 2 + 3).map(|n| CallerNumber::received(&n.to_string())).collect();
        let mut before = Vec::new();
        let callers = opened(dir.path()).await;
        for number in &numbers {
            before.push(callers.reference(site(), number).await);
        }
        keep(&callers.store).await;
        drop(callers);

        let callers = opened(dir.path()).await;
        let mac = callers.key.mac(site(), "somebody else");
        while !callers.looking.met.is_new(&mac) {
            tokio::task::yield_now().await;
        }
        let looking = Arc::clone(&callers.looking);
        let held = looking.reader.lock().await;
        let first = callers.reference(site(), &CallerNumber::received("first")).now_or_never();
        let first = first.expect("nobody is waited for");
        assert_eq!(callers.reference(site(), &CallerNumber::received("first")).now_or_never(), Some(first));
        for number in &numbers {
            assert_eq!(
                callers.reference(site(), number).now_or_never(),
                None,
                "the file has to say who it is"
            );
        }
        drop(held);
        for (number, before) in numbers.iter().zip(before) {
            assert_eq!(callers.reference(site(), number).await, before);
        }
    }

    async fn opened(dir: &Path) -> SqliteCallers {
        let store = Arc::new(SqliteStore::open(dir).await.expect("its files"));
        let key = SealKey::parse(&"5".repeat(64)).expect("a key");
        SqliteCallers::random(store, key).await.expect("its callers")
    }

    async fn keep(store: &SqliteStore) {
        let row = Row {
            seq: Seq(1),
            last_seq: Seq(1),
            at: SiteTime(1),
            wall_us: 0,
            writer: Writer::new("test"),
            format: crate::FORMAT,
            body: "[]".to_owned(),
        };
        assert_eq!(store.append(site(), &row).await, Ok(Appended::Stored));
    }

    fn site() -> SiteId {
        "main".parse().expect("a name")
    }
}
