//! Callers in SQLite: a number is found by its keyed hash and kept sealed. A new caller's row is written with the
//! append that follows: one transaction and one sync for both, and never an arrival without its caller.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use switchboard::id::{CallerRef, SiteId};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;

use super::arriving::{NewCaller, TooMany};
use super::met::Met;
use super::open::{JOURNAL_FILE, Use, connect, told};
use super::{OpenFault, SqliteStore, read};
use crate::caller::{CallerNumber, Callers, CallersFault, Chance};
use crate::crash::{CrashPoint, reached};
use crate::engine::{Places, Statement, Stopped, most, subjects};
use crate::seal::SealKey;
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
        let chance = Chance::seeded_behind(seed, before);
        let callers = SqliteCallers::new(store, key, chance).await?;
        let gone = read(&mut *callers.looking().await, subjects::forgotten()).await;
        let gone = gone.and_then(|rows| rows.iter().map(subjects::reference).collect());
        callers.chance.forget(&gone.map_err(|stopped| told(callers.store.dir(), stopped))?);
        Ok(callers)
    }

    /// With what numbers are looked up.
    pub(super) async fn looking(&self) -> MutexGuard<'_, SqliteConnection> {
        self.looking.reader.lock().await
    }

    async fn new(store: Arc<SqliteStore>, key: SealKey, chance: Chance) -> Result<SqliteCallers, OpenFault> {
        let mut reader = connect(&store.dir().join(JOURNAL_FILE), Use::Read).await?;
        let sealed = read(&mut reader, subjects::any_caller()).await;
        let fits = sealed.and_then(|sealed| subjects::fits(sealed.first(), &key));
        if !fits.map_err(|stopped| told(store.dir(), stopped))? {
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
        let sealed = read(&mut reader, subjects::sealed(site, caller)).await?;
        let number = subjects::opened(&self.key, site, caller, sealed.first())?;
        Ok(number.map(|number| CallerNumber::received(&number)))
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
        let any = read(&mut reader, subjects::any_caller()).await;
        Ok(!any.map_err(|stopped| told(self.dir(), stopped))?.is_empty())
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
        let found = read(&mut reader, subjects::find(site, &mac)).await?;
        if let Some(found) = found.first() {
            let caller = subjects::reference(found)?;
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
            Err(stopped) => {
                let (_, why) = stopped.told();
                return tracing::warn!(
                    why,
                    "who was met before cannot be read; each number is looked for instead"
                );
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
) -> Result<Vec<(String, String)>, Stopped> {
    let asked = Statement::of(sql::MET).with(site.as_str()).with(mac.as_str()).with(most(PAGE));
    let rows = read(connection, asked).await?;
    rows.iter().map(|row| Ok((row.text("site")?, row.text("number_mac")?))).collect()
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
