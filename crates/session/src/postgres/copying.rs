//! A copy of the record in a database, in a file as a data directory's backup is; and a database begun with such a file,
//! whichever engine it was made of. What follows from the journal is made again.

use std::path::Path;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::{Connection, Executor, PgConnection};

use super::address::Address;
use super::clock::now_us;
use super::fault::PostgresFault;
use super::link::{Durability, PostgresLimits, Server};
use super::migrating::fitting;
use crate::engine::driving::{postgres, sqlite};
use crate::engine::journal::{begin_life, epoch, epoch_of};
use crate::engine::tables::{TABLES, Table};
use crate::engine::{Places, Statement, Stopped};
use crate::journal::Epoch;
use crate::sqlite::{Copied, OpenFault, Staged, Unfinished};

/// Rows that are written by one statement.
const ROWS_AT_ONCE: usize = 200;

/// Why there is no copy, or nothing was begun with one.
#[derive(Debug, thiserror::Error)]
pub enum CopyFault {
    /// It is the file.
    #[error(transparent)]
    File(#[from] OpenFault),
    /// It is the database.
    #[error(transparent)]
    Database(#[from] PostgresFault),
}

/// Copies the record in a database, as of one moment, into a file like [`crate::back_up`]'s. Servers may write meanwhile.
///
/// # Errors
/// [`CopyFault`]; there is no file then, or the one that was there before.
pub async fn back_up_postgres(url: &str, to: &Path) -> Result<Copied, CopyFault> {
    let (address, mut database) = patient(url).await?;
    let unfinished = Unfinished::begin(to)?;
    let mut copy = unfinished.tables().await?;
    ask(&address, &mut database, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    for table in &TABLES {
        let mut some = written(table, postgres::streamed(&mut database, table.all()));
        while let Some(read) = some.next().await {
            let statement = read.map_err(|unread| unread.of_database(&address))?;
            sqlite::change(&mut copy, statement).await.map_err(|error| unfinished.judged(&error))?;
        }
    }
    copy.close().await.map_err(|error| unfinished.judged(&error))?;
    Ok(unfinished.kept().await?)
}

/// Begins an empty database with a copy, in a new life: clients see that the history they know may have gone on
/// elsewhere.
///
/// # Errors
/// [`CopyFault`]; the database is as it was then.
pub async fn restore_to_postgres(copy: &Path, url: &str) -> Result<(Copied, Epoch), CopyFault> {
    let (address, mut database) = patient(url).await?;
    let staged = Staged::begin(copy).await?;
    let mut from = staged.connect().await?;
    let judged = |error: sqlx::Error| CopyFault::from(address.judged(&error));
    let mut transaction = database.begin().await.map_err(judged)?;
    // Whoever begins at the same moment waits for the end, and finds that something is there.
    ask(&address, &mut transaction, "LOCK TABLE life IN EXCLUSIVE MODE").await?;
    let lives = |table: &&Table| table.name != "life";
    for table in TABLES.iter().filter(lives) {
        if !postgres::rows(&mut transaction, table.any()).await.map_err(judged)?.is_empty() {
            return Err(PostgresFault::NotEmpty { server: address.name.clone() }.into());
        }
    }
    for table in TABLES.iter().filter(lives) {
        let mut some = written(table, sqlite::streamed(&mut from, table.all()));
        while let Some(read) = some.next().await {
            let statement = read.map_err(|unread| match unread {
                Unread::Error(error) => staged.judged(&error),
                Unread::Stopped(stopped) => staged.told(stopped),
            })?;
            postgres::change(&mut transaction, statement).await.map_err(judged)?;
        }
    }
    let now_us = now_us(&mut transaction).await.map_err(judged)?;
    let before = postgres::rows(&mut transaction, epoch()).await.map_err(judged)?;
    let before = before.first().map_or(Ok(None), epoch_of).map_err(|stopped| damaged(&address, stopped))?;
    let life = staged.life.max(before.unwrap_or_default());
    let life = Epoch(life.0.saturating_add(1).max(now_us.unsigned_abs()));
    postgres::change(&mut transaction, begin_life(life, now_us)).await.map_err(judged)?;
    transaction.commit().await.map_err(judged)?;
    Ok((staged.copied.clone(), life))
}

/// Why a row was not read.
enum Unread {
    Error(sqlx::Error),
    Stopped(Stopped),
}

impl Unread {
    fn of_database(self, address: &Address) -> PostgresFault {
        match self {
            Unread::Error(error) => address.judged(&error),
            Unread::Stopped(stopped) => damaged(address, stopped),
        }
    }
}

/// The statements that write the rows of a table elsewhere.
fn written<'r, R: Places + 'r>(
    table: &'static Table,
    rows: BoxStream<'r, Result<R, sqlx::Error>>,
) -> BoxStream<'r, Result<Statement, Unread>> {
    let values = rows.map(|row| table.values(&row.map_err(Unread::Error)?).map_err(Unread::Stopped));
    let some = values.try_chunks(ROWS_AT_ONCE).map(|some| match some {
        Ok(some) => Ok(table.keep(some)),
        Err(fault) => Err(fault.1),
    });
    some.boxed()
}

/// A connection of its own to a database that fits, for statements that take their time.
async fn patient(url: &str) -> Result<(Address, PgConnection), PostgresFault> {
    let server = Server::new(url, PostgresLimits::default())?;
    let mut connection = server.connect(Durability::AtOnce).await?;
    let address = server.address;
    fitting(&address, &mut connection).await?;
    ask(&address, &mut connection, "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
        .await?;
    Ok((address, connection))
}

async fn ask(
    address: &Address,
    connection: &mut PgConnection,
    text: &'static str,
) -> Result<(), PostgresFault> {
    let done = connection.execute(text).await;
    done.map(drop).map_err(|error| address.judged(&error))
}

fn damaged(address: &Address, stopped: Stopped) -> PostgresFault {
    PostgresFault::Damaged { server: address.name.clone(), why: stopped.told().1 }
}
