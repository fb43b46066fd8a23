//! The tables, step by step, and whether a database has those of this release.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType};
use sqlx::{Connection, Executor, PgConnection, SqlSafeStr};

use super::address::Address;
use super::clock::now_us;
use super::fault::PostgresFault;
use super::link::{Durability, PostgresLimits, Server};
use crate::engine::driving::postgres as driving;
use crate::engine::journal::{begin_life, epoch, epoch_of};
use crate::engine::{Places, Statement, Stopped};
use crate::journal::Epoch;

/// Where sqlx keeps which steps were made.
const MADE: &str = "hotline._sqlx_migrations";

/// How long somebody else may change the schema, or hold a table, meanwhile.
const LOCK: Duration = Duration::from_secs(30);

/// A step: its group, its number there, its name and its text.
pub(super) struct Step {
    group: &'static str,
    number: i64,
    name: &'static str,
    text: &'static str,
}

macro_rules! step {
    ($group:literal, $number:literal, $name:literal) => {
        Step {
            group: $group,
            number: $number,
            name: $name,
            text: include_str!(concat!(
                "../../../../migrations/postgres/",
                $group,
                "/000",
                $number,
                "_",
                $name,
                ".sql"
            )),
        }
    };
}

/// What must never be lost, then what follows from it.
static STEPS: [Step; 9] = [
    step!("journal", 1, "journal"),
    step!("journal", 2, "registry"),
    step!("journal", 3, "audit"),
    step!("journal", 4, "roster"),
    step!("journal", 5, "invite"),
    step!("journal", 6, "roll"),
    step!("journal", 7, "seal"),
    step!("derived", 1, "derived"),
    step!("derived", 2, "by_caller"),
];

impl Step {
    /// Both groups stand in one list: the second is numbered from here on.
    const DERIVED: i64 = 1_000;

    fn version(&self) -> i64 {
        if self.group == "derived" { Step::DERIVED + self.number } else { self.number }
    }

    fn title(&self) -> String {
        format!("{}/{:04}_{}", self.group, self.number, self.name)
    }

    fn migration(&self) -> Migration {
        let name = Cow::Borrowed(self.name);
        Migration::new(self.version(), name, MigrationType::Simple, self.text.into_sql_str(), false)
    }
}

/// Brings the database at an address to the schema of this release, and begins the first life of its record. Answers
/// which steps were made. Two at once wait for each other.
///
/// # Errors
/// [`PostgresFault`]. Each step is made whole or not at all.
pub async fn migrate_postgres(url: &str) -> Result<Vec<String>, PostgresFault> {
    let patient = PostgresLimits { connect: LOCK, lock: LOCK, ..PostgresLimits::default() };
    let server = Server::new(url, patient)?;
    let mut connection = server.connect(Durability::AtOnce).await?;
    let address = &server.address;
    // A table that is long takes its time.
    ask(address, &mut connection, "SET statement_timeout = 0").await?;
    connection.lock().await.map_err(|fault| judged(address, fault))?;
    let made = made_steps(address, &mut connection).await;
    // The connection ends with this function, and its lock with it.
    let unlocked = connection.unlock().await;
    let closed = connection.close().await;
    let made = made?;
    unlocked.map_err(|fault| judged(address, fault))?;
    closed.map_err(|error| address.judged(&error))?;
    Ok(made)
}

async fn made_steps(address: &Address, connection: &mut PgConnection) -> Result<Vec<String>, PostgresFault> {
    let missing = missing(address, connection).await?;
    ask(address, connection, "CREATE SCHEMA IF NOT EXISTS hotline").await?;
    connection.ensure_migrations_table(MADE).await.map_err(|fault| judged(address, fault))?;
    let mut titles = Vec::new();
    for step in missing {
        let applied = connection.apply(MADE, &step.migration()).await;
        applied.map_err(|fault| judged(address, fault))?;
        titles.push(step.title());
    }
    if life(address, connection).await?.is_none() {
        let now_us = now_us(connection).await.map_err(|error| address.judged(&error))?;
        let begun = driving::change(connection, begin_life(Epoch(now_us.unsigned_abs()), now_us)).await;
        begun.map_err(|error| address.judged(&error))?;
    }
    Ok(titles)
}

/// Says no if this release does not fit the schema, and which life the record is in if it does.
pub(super) async fn fitting(
    address: &Address,
    connection: &mut PgConnection,
) -> Result<Epoch, PostgresFault> {
    let lacks = |missing| PostgresFault::Behind { server: address.name.clone(), missing };
    let missing = missing(address, connection).await?;
    if !missing.is_empty() {
        return Err(lacks(missing.iter().map(|step| step.title()).collect()));
    }
    life(address, connection).await?.ok_or_else(|| lacks(vec!["its first life".to_owned()]))
}

/// The steps of this release that were not made.
async fn missing(
    address: &Address,
    connection: &mut PgConnection,
) -> Result<Vec<&'static Step>, PostgresFault> {
    const TABLES: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS tables, \
         CAST(COUNT(*) FILTER (WHERE c.relname = '_sqlx_migrations') AS BIGINT) AS lists \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'hotline'";
    const LIST: &str = "SELECT version, description, encode(checksum, 'hex') AS checksum \
         FROM hotline._sqlx_migrations ORDER BY version";
    let damaged =
        |stopped: Stopped| PostgresFault::Damaged { server: address.name.clone(), why: stopped.told().1 };
    let not_ours = |why: &str| PostgresFault::NotOurs { server: address.name.clone(), why: why.to_owned() };
    let tables = driving::rows(connection, Statement::of(TABLES)).await;
    let tables = tables.map_err(|error| address.judged(&error))?;
    let counted = |column| tables.first().map_or(Ok(0), |row| row.number(column)).map_err(damaged);
    match (counted("tables")?, counted("lists")?) {
        (0, _) => return Ok(STEPS.iter().collect()),
        (_, 0) => return Err(not_ours("it has tables, and no list of steps")),
        _ => {}
    }
    let rows = driving::rows(connection, Statement::of(LIST)).await;
    let rows = rows.map_err(|error| address.judged(&error))?;
    let mut made = BTreeMap::new();
    for row in &rows {
        let step = (row.text("description").map_err(damaged)?, row.text("checksum").map_err(damaged)?);
        made.insert(row.number("version").map_err(damaged)?, step);
    }
    let mut missing = Vec::new();
    for step in &STEPS {
        let checksum = |text: &str| {
            let bytes = crate::seal::unhex(text).unwrap_or_default();
            bytes == *step.migration().checksum
        };
        match made.remove(&step.version()) {
            None => missing.push(step),
            Some((name, _)) if name != step.name => {
                return Err(not_ours(&format!("its step {} is called {name}", step.version())));
            }
            Some((_, is)) if !checksum(&is) => {
                let why = format!("step {} of its schema is not the one of this release", step.title());
                return Err(damaged(Stopped::Damaged(why)));
            }
            Some(_) => {}
        }
    }
    match made.pop_last() {
        Some((step, _)) => Err(PostgresFault::Newer { server: address.name.clone(), step }),
        None => Ok(missing),
    }
}

async fn life(address: &Address, connection: &mut PgConnection) -> Result<Option<Epoch>, PostgresFault> {
    let rows = driving::rows(connection, epoch()).await.map_err(|error| address.judged(&error))?;
    let life = rows.first().map_or(Ok(None), epoch_of);
    life.map_err(|stopped| PostgresFault::Damaged { server: address.name.clone(), why: stopped.told().1 })
}

async fn ask(
    address: &Address,
    connection: &mut PgConnection,
    text: &'static str,
) -> Result<(), PostgresFault> {
    let done = connection.execute(text).await;
    done.map(drop).map_err(|error| address.judged(&error))
}

fn judged(address: &Address, fault: MigrateError) -> PostgresFault {
    match fault {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => address.judged(&error),
        other => PostgresFault::Failed { server: address.name.clone(), why: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn files(engine: &str) -> BTreeSet<String> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(engine);
        let mut names = BTreeSet::new();
        for group in ["journal", "derived"] {
            for file in fs::read_dir(top.join(group)).expect("a group of steps") {
                let name = file.expect("readable").file_name().into_string().expect("text");
                names.insert(format!("{group}/{}", name.strip_suffix(".sql").expect("SQL")));
            }
        }
        names
    }

    /// A step of one engine without the other's would be met by whoever starts on the other.
    #[test]
    fn steps_come_in_pairs_and_all_of_them_are_known() {
        let ours: BTreeSet<String> = STEPS.iter().map(Step::title).collect();
        assert_eq!(files("postgres"), ours);
        assert_eq!(files("sqlite"), ours);
        let versions: BTreeSet<i64> = STEPS.iter().map(Step::version).collect();
        assert_eq!(versions.len(), STEPS.len());
        let sqlite: BTreeSet<String> = crate::sqlite::steps().into_iter().collect();
        assert_eq!(sqlite, ours);
    }
}
