//! The record on Postgres, which several processes share. Nobody holds it: the key of the journal is the only lock
//! that orders writers, and no connection thinks with one in its hands. A hand that is up is a lock that nobody waits for.

mod address;
mod at_once;
mod callers;
mod checkup;
mod clock;
mod copying;
mod fault;
mod journal;
mod lane;
mod link;
mod making;
mod migrating;
mod roll;
mod turns;

use std::fmt;
use std::sync::Arc;

use sqlx::postgres::PgRow;
use switchboard::id::{Seq, SiteId};
use tokio::sync::{Mutex, watch};

pub use self::callers::PostgresCallers;
pub use self::checkup::PostgresCheckup;
pub use self::copying::{CopyFault, back_up_postgres, restore_to_postgres};
pub use self::fault::PostgresFault;
use self::lane::Lane;
pub use self::link::PostgresLimits;
use self::link::{Durability, Link, Server};
pub use self::making::{drop_postgres_database, make_postgres_database};
pub use self::migrating::migrate_postgres;
use crate::derived::RecordCursor;
use crate::engine::records::RECORDS_AT_ONCE;
use crate::engine::subjects::seal_mark;
use crate::engine::{Engine, Part, Statement, Stopped, Whole};
use crate::journal::Epoch;
use crate::record::CallRecord;

/// Connections that append. Each site has its own among them: its appends come one after the other anyway, those of
/// several sites on one connection share statements, and connections share the server's syncs.
const LANES: usize = 4;

/// A database: its journal, its callers, its registry, its audit, and what follows from them. Its connections are made
/// when they are needed, nine at most.
pub struct PostgresStore {
    server: Arc<Server>,
    epoch: Epoch,
    lanes: [Lane; LANES],
    /// Follows the journals.
    following: Mutex<Link>,
    /// What the office asks for never stands in the way of whoever follows.
    office: Mutex<Link>,
    derived: Mutex<Link>,
    roll: Mutex<Link>,
    audit_turn: Mutex<()>,
}

impl PostgresStore {
    /// Opens the record at an address such as `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`. Others
    /// may have it open as well.
    ///
    /// # Errors
    /// [`PostgresFault`]: what is wrong with the database, and what mends it. Nothing was changed.
    pub async fn open(url: &str) -> Result<PostgresStore, PostgresFault> {
        PostgresStore::open_within(url, PostgresLimits::default()).await
    }

    /// The same for a server that is given other limits.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub async fn open_within(url: &str, limits: PostgresLimits) -> Result<PostgresStore, PostgresFault> {
        let server = Server::new(url, limits)?;
        let mut connection = server.connect(Durability::AtOnce).await?;
        let epoch = migrating::fitting(&server.address, &mut connection).await?;
        server.life.get_or_init(|| epoch);
        let server = Arc::new(server);
        let link = |durability| Mutex::new(Link::to(&server, durability));
        Ok(PostgresStore {
            epoch,
            lanes: std::array::from_fn(|_| Lane::to(&server)),
            following: Mutex::new(Link::with(&server, Durability::AtOnce, connection)),
            office: link(Durability::AtOnce),
            // What follows from the journal stands behind it in the log: it may be lost, and is never ahead.
            derived: link(Durability::WithNext),
            roll: link(Durability::WithNext),
            audit_turn: Mutex::default(),
            server,
        })
    }

    /// Whether somebody served this record before: then the key that numbers are sealed with is theirs.
    ///
    /// # Errors
    /// [`PostgresFault`], if that cannot be read.
    pub async fn is_sealed(&self) -> Result<bool, PostgresFault> {
        let mark = seal_mark(self).await;
        mark.map(|mark| mark.is_some()).map_err(|stopped| self.told(stopped))
    }

    /// Turns true when another database stands at the address than the one that was opened, such as one restored from a
    /// backup: what this process knows is of another life then, and it has to end.
    pub fn watch_broken(&self) -> watch::Receiver<bool> {
        self.server.replaced.subscribe()
    }

    /// Host, port and database: what may be shown of the address.
    pub fn server(&self) -> &str {
        &self.server.address.name
    }

    /// Ends the connections in good order. What was appended is durable without it.
    pub async fn close(self) {
        let lanes = self.lanes.map(Lane::into_link);
        let others = [self.following, self.office, self.derived, self.roll].map(Mutex::into_inner);
        for link in lanes.into_iter().chain(others) {
            if let Err(error) = link.close().await {
                tracing::warn!(%error, "a connection to the journal did not end in good order");
            }
        }
    }

    fn told(&self, stopped: Stopped) -> PostgresFault {
        let server = self.server.address.name.clone();
        match stopped.told() {
            (true, why) => PostgresFault::Damaged { server, why },
            (false, why) => PostgresFault::Failed { server, why },
        }
    }

    fn link(&self, of: Part) -> &Mutex<Link> {
        match of {
            Part::Journal => &self.office,
            Part::Derived => &self.derived,
        }
    }
}

impl Engine for PostgresStore {
    type Row = PgRow;

    async fn rows(&self, of: Part, asked: Statement) -> Result<Vec<PgRow>, Stopped> {
        Ok(self.link(of).lock().await.rows(asked).await?)
    }

    async fn change(&self, of: Part, asked: Statement) -> Result<u64, Stopped> {
        let asked = asked.keepable()?;
        Ok(self.link(of).lock().await.change(asked).await?)
    }

    async fn change_all(&self, of: Part, whole: Whole) -> Result<u64, Stopped> {
        let whole = whole.keepable()?;
        self.link(of).lock().await.change_all(whole).await?.ok_or(Stopped::NotOne)
    }

    fn step(site: SiteId, from: Seq, to: RecordCursor, records: &[CallRecord]) -> Option<Statement> {
        (records.len() <= RECORDS_AT_ONCE).then(|| at_once::step(site, from, to, records))
    }

    fn audit_turn(&self) -> &Mutex<()> {
        &self.audit_turn
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("server", &self.server()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "../../tests/stores/server.rs"]
mod server;

#[cfg(test)]
mod tests {
    use sqlx::{Executor, SqlSafeStr, Statement as _};

    use super::*;
    use crate::engine::Places;
    use crate::sql;

    #[tokio::test]
    async fn every_statement_is_prepared() {
        server::with_database(|url| async move {
            migrate_postgres(&url).await.expect("an empty database");
            let server = Server::new(&url, PostgresLimits::default()).expect("an address");
            let mut connection = server.connect(Durability::AtOnce).await.expect("it answers");
            let constants = sql::IN_JOURNAL.into_iter().chain(sql::IN_DERIVED).map(SqlSafeStr::into_sql_str);
            // Callers ride on an append, as a part of a longer text, on SQLite alone.
            let own = [turns::LOOK, turns::RAISE, turns::LOWER, at_once::CALLER, at_once::ROLL];
            let own = own.map(SqlSafeStr::into_sql_str);
            let appends = (1..=lane::ROWS_AT_ONCE).map(turns::appends);
            let steps = (0..=RECORDS_AT_ONCE).map(at_once::steps);
            let of_any_length = appends.chain(steps).chain([sql::keep_records(3)]);
            let of_any_length = of_any_length.map(|text| sqlx::AssertSqlSafe(text).into_sql_str());
            for text in constants.chain(own).chain(of_any_length) {
                let places = (1..).take_while(|n| text.as_str().contains(&format!("${n}"))).count();
                let shown = text.as_str().to_owned();
                let statement = connection.prepare(text).await.expect(&shown);
                let types = statement.parameters().expect("told").left().expect("by type");
                assert_eq!(types.len(), places, "{shown}");
                // What is bound is one of two types, and so is what the engine takes there.
                let known =
                    |kind: &sqlx::postgres::PgTypeInfo| ["INT8", "TEXT"].contains(&kind.to_string().as_str());
                assert!(types.iter().all(known), "{shown}: {types:?}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_acknowledged_is_on_the_disk_whatever_the_database_says() {
        server::with_database(|url| async move {
            let (_, database) = url.rsplit_once('/').expect("an address");
            server::ask(&url, &format!("ALTER DATABASE {database} SET synchronous_commit = off")).await;
            let server = Server::new(&url, PostgresLimits::default()).expect("an address");
            for (durability, set) in [(Durability::AtOnce, "on"), (Durability::WithNext, "off")] {
                let mut connection = server.connect(durability).await.expect("it answers");
                let asked = Statement::of("SHOW synchronous_commit");
                let rows = crate::engine::driving::postgres::rows(&mut connection, asked).await;
                assert_eq!(rows.expect("told")[0].text("synchronous_commit"), Ok(set.to_owned()));
            }
        })
        .await;
    }
}
