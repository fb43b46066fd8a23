//! A connection that is made when it is needed, and made anew when it broke. What broke in the middle of a question that
//! only reads is asked once more. When one falls silent those over which nobody asks at that moment are ended with it, unless
//! they were heard since: whatever it was has mostly happened to them, too, and whoever asked next would wait in vain.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Error, Executor, PgConnection};
use tokio::sync::watch;
use tokio::time::timeout;

use super::address::Address;
use super::fault::{Failed, Kind, PostgresFault};
use crate::engine::driving::postgres as driving;
use crate::engine::journal::{epoch, epoch_of};
use crate::engine::{Places, Statement, Whole};
use crate::journal::Epoch;

/// How long the database is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresLimits {
    /// To be connected with.
    pub connect: Duration,
    /// To wait for somebody else's lock.
    pub lock: Duration,
    /// For one statement. What has not come back a while later is taken for lost.
    pub statement: Duration,
}

impl Default for PostgresLimits {
    fn default() -> PostgresLimits {
        PostgresLimits {
            connect: Duration::from_secs(5),
            lock: Duration::from_secs(2),
            statement: Duration::from_secs(10),
        }
    }
}

/// What the server is given beyond its own limit before it counts as gone.
const GRACE: Duration = Duration::from_secs(1);

/// Whoever has waited for so long and goes without an answer takes the server for silent. Some wait for less long than it
/// is given.
const SILENCE: Duration = Duration::from_millis(500);

/// What the server does about a router that is gone without a word: it asks whether the other side is there after
/// quiet, that often, and lets the connection go. Else it keeps it for two hours, as a system does by itself, and a
/// network that comes and goes leaves it more of them each time.
const QUIET: Duration = Duration::from_secs(10);
const PROBE: Duration = Duration::from_secs(5);
const PROBES: u32 = 2;

/// The oldest server that is known to do.
const OLDEST: i64 = 15;

/// What every connection knows of the database.
pub(super) struct Server {
    pub(super) address: Address,
    pub(super) limits: PostgresLimits,
    /// Of which life the record is; known once it was opened.
    pub(super) life: OnceLock<Epoch>,
    pub(super) replaced: watch::Sender<bool>,
    /// Where connections are while nobody asks over them.
    places: Mutex<Vec<Weak<Place>>>,
}

/// Where a connection is while nobody asks over it.
type Place = Mutex<Option<Idle>>;

/// A connection over which nobody asks, and when the server was last heard on it.
struct Idle {
    connection: PgConnection,
    heard: Instant,
}

/// When what was committed is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// Before it is acknowledged.
    AtOnce,
    /// With the next that is, on whichever connection: the log is one.
    WithNext,
}

impl Server {
    pub(super) fn new(url: &str, limits: PostgresLimits) -> Result<Server, PostgresFault> {
        let address = Address::parse(url)?;
        let (life, replaced) = (OnceLock::new(), watch::Sender::new(false));
        Ok(Server { address, limits, life, replaced, places: Mutex::default() })
    }

    fn name(&self) -> String {
        self.address.name.clone()
    }

    /// A connection to a server that can be used, which waits as the limits say.
    pub(super) async fn connect(&self, durability: Durability) -> Result<PgConnection, PostgresFault> {
        let made = timeout(self.limits.connect, self.connected(durability)).await;
        made.unwrap_or_else(|_| {
            let why = "no answer in time".to_owned();
            Err(PostgresFault::Unreachable { server: self.name(), why })
        })
    }

    async fn connected(&self, durability: Durability) -> Result<PgConnection, PostgresFault> {
        let connection = self.address.options.connect().await;
        let mut connection = connection.map_err(|error| self.address.judged(&error))?;
        let set = connection.execute(AssertSqlSafe(self.settings(durability))).await;
        set.map_err(|error| self.address.judged(&error))?;
        self.look(&mut connection).await?;
        Ok(connection)
    }

    fn settings(&self, durability: Durability) -> String {
        let PostgresLimits { lock, statement, .. } = self.limits;
        let (lock, statement) = (lock.as_millis(), statement.as_millis());
        let (quiet, probe) = (QUIET.as_secs(), PROBE.as_secs());
        let gone = (QUIET + PROBE * PROBES).as_millis();
        let commit = if durability == Durability::AtOnce { "on" } else { "off" };
        format!(
            "SET search_path = hotline; SET synchronous_commit = {commit}; SET lock_timeout = {lock}; \
             SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {statement}; \
             SET default_transaction_isolation = 'read committed'; SET tcp_keepalives_idle = {quiet}; \
             SET tcp_keepalives_interval = {probe}; SET tcp_keepalives_count = {PROBES}; \
             SET tcp_user_timeout = {gone}"
        )
    }

    async fn look(&self, connection: &mut PgConnection) -> Result<(), PostgresFault> {
        const LOOK: &str = "SELECT CAST(current_setting('server_version_num') AS BIGINT) AS version, \
             CAST(CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END AS BIGINT) AS is_replica, \
             current_setting('transaction_read_only') AS read_only, \
             current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync";
        let rows = driving::rows(connection, Statement::of(LOOK)).await;
        let rows = rows.map_err(|error| self.address.judged(&error))?;
        let server = self.name();
        let failed = |why: String| PostgresFault::Failed { server: server.clone(), why };
        let row = rows.first().ok_or_else(|| failed("it says nothing of itself".to_owned()))?;
        let number = |column| row.number(column).map_err(|stopped| failed(stopped.told().1));
        let text = |column| row.text(column).map_err(|stopped| failed(stopped.told().1));
        let version = number("version")? / 10_000;
        if version < OLDEST {
            return Err(PostgresFault::TooOld { server, version });
        }
        if number("is_replica")? == 1 {
            return Err(PostgresFault::Replica { server });
        }
        if text("read_only")? == "on" {
            return Err(PostgresFault::ReadOnly { server });
        }
        let encoding = text("encoding")?;
        if encoding != "UTF8" {
            return Err(PostgresFault::NotUtf8 { server, encoding });
        }
        if text("fsync")? != "on" {
            tracing::warn!(
                server,
                "this database runs with fsync off: what it acknowledges may be lost with its machine"
            );
        }
        Ok(())
    }

    /// A connection to the record that was opened. Another that stands at the same address is not taken for it.
    async fn connect_again(&self, durability: Durability) -> Result<PgConnection, Failed> {
        let mut connection = self.connect(durability).await.map_err(|fault| Failed::unreached(&fault))?;
        let Some(known) = self.life.get() else { return Ok(connection) };
        let life = self.in_time(driving::rows(&mut connection, epoch())).await?;
        if life.first().and_then(|row| epoch_of(row).ok().flatten()) == Some(*known) {
            return Ok(connection);
        }
        self.replaced.send_replace(true);
        let why =
            "the database is not the one it was: it was restored from a backup, or is another".to_owned();
        Err(Failed { kind: Kind::Replaced, lost: true, why })
    }

    fn place(&self) -> Arc<Place> {
        let place = Arc::default();
        inside(&self.places).push(Arc::downgrade(&place));
        place
    }

    /// What the server says while it is still waited for.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Failed> {
        let mut question = Question { server: self, asked: Instant::now(), is_answered: false };
        let answer = timeout(self.limits.statement + GRACE, asked).await;
        question.is_answered = answer.is_ok();
        match answer {
            Ok(answer) => answer.map_err(|error| Failed::of(&error)),
            Err(_) => Err(Failed::silent()),
        }
    }

    /// Something that was asked then has no answer. Over connections that are away somebody asks, and finds out.
    fn doubts(&self, asked: Instant) {
        inside(&self.places).retain(|place| {
            let Some(place) = place.upgrade() else { return false };
            inside(&place).take_if(|idle| idle.heard < asked);
            true
        });
    }
}

/// A question under way, until its answer, its limit, or whoever asked leaves.
struct Question<'s> {
    server: &'s Server,
    asked: Instant,
    is_answered: bool,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if !self.is_answered && self.asked.elapsed() >= SILENCE {
            self.server.doubts(self.asked);
        }
    }
}

fn inside<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nobody panics while holding one of these.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection. It is away while somebody asks: a question that is given up in the middle takes it along.
pub(super) struct Link {
    server: Arc<Server>,
    durability: Durability,
    place: Arc<Place>,
    /// How many connections there were.
    pub(super) made: u64,
}

impl Link {
    pub(super) fn to(server: &Arc<Server>, durability: Durability) -> Link {
        Link { place: server.place(), server: Arc::clone(server), durability, made: 0 }
    }

    /// Over a connection that is there already.
    pub(super) fn with(server: &Arc<Server>, durability: Durability, connection: PgConnection) -> Link {
        let mut link = Link { made: 1, ..Link::to(server, durability) };
        link.stays(connection);
        link
    }

    /// The connection, and whether it had to be made first.
    async fn taken(&mut self) -> Result<(PgConnection, bool), Failed> {
        let idle = inside(&self.place).take();
        if let Some(Idle { connection, .. }) = idle {
            return Ok((connection, false));
        }
        let connection = self.server.connect_again(self.durability).await;
        let connection = connection.map_err(Failed::before_it_was_asked)?;
        self.made += 1;
        Ok((connection, true))
    }

    /// The same, of which the server has said just now that it is there.
    async fn taken_alive(&mut self) -> Result<PgConnection, Failed> {
        let (mut connection, is_new) = self.taken().await?;
        if is_new || self.server.in_time(connection.ping()).await.is_ok() {
            return Ok(connection);
        }
        drop(connection);
        Ok(self.taken().await?.0)
    }

    fn put_back<T>(&mut self, connection: PgConnection, answer: &Result<T, Failed>) {
        if !answer.as_ref().is_err_and(|failed| failed.lost) {
            self.stays(connection);
        }
    }

    fn stays(&mut self, connection: PgConnection) {
        *inside(&self.place) = Some(Idle { connection, heard: Instant::now() });
    }

    /// Makes the connection if there is none.
    pub(super) async fn ready(&mut self) -> Result<(), Failed> {
        if inside(&self.place).is_none() {
            let (connection, _) = self.taken().await?;
            self.stays(connection);
        }
        Ok(())
    }

    /// Ends the connection, if there is one: the next question makes another.
    pub(super) fn let_go(&mut self) {
        inside(&self.place).take();
    }

    /// The rows that answer a question, or a change that is the same if it is made twice: it is asked again if the connection
    /// was broken before.
    pub(super) async fn rows(&mut self, asked: Statement) -> Result<Vec<PgRow>, Failed> {
        loop {
            let (mut connection, is_new) = self.taken().await?;
            let answer = self.server.in_time(driving::rows(&mut connection, asked.clone())).await;
            self.put_back(connection, &answer);
            match answer {
                Err(Failed { kind: Kind::Unknown, lost: true, .. }) if !is_new => {}
                answer => return answer,
            }
        }
    }

    /// Changes rows, over a connection that is there as far as anybody can tell.
    pub(super) async fn change(&mut self, asked: Statement) -> Result<u64, Failed> {
        let mut connection = self.taken_alive().await?;
        let answer = self.server.in_time(driving::change(&mut connection, asked)).await;
        self.put_back(connection, &answer);
        answer
    }

    /// The rows that answer what changes some, without asking first whether the connection is there: whoever asks can find
    /// out what became of it.
    pub(super) async fn rows_at_once(&mut self, asked: Statement) -> Result<Vec<PgRow>, Failed> {
        let (mut connection, _) = self.taken().await?;
        let answer = self.server.in_time(driving::rows(&mut connection, asked)).await;
        self.put_back(connection, &answer);
        answer
    }

    /// Changes rows together or not at all; none if a statement that was to change one row did not.
    pub(super) async fn change_all(&mut self, whole: Whole) -> Result<Option<u64>, Failed> {
        let mut connection = self.taken_alive().await?;
        let answer = self.server.in_time(driving::change_all(&mut connection, whole)).await;
        self.put_back(connection, &answer);
        answer
    }

    pub(super) async fn close(self) -> Result<(), Error> {
        let idle = inside(&self.place).take();
        match idle {
            Some(Idle { connection, .. }) => connection.close().await,
            None => Ok(()),
        }
    }
}
