//! A Postgres server that somebody named, and databases of our own on it.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::{fmt, thread};

use anyhow::{Context, Result};
use session::{drop_postgres_database, make_postgres_database, migrate_postgres};
use tempfile::TempDir;
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::postgres::{Address, address};

/// A server on which databases may be made.
#[derive(Debug, Clone)]
pub(super) struct Postgres(Address);

impl Postgres {
    /// The one whose address is in this file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds none.
    pub(super) fn named(file: &Path) -> Result<Postgres> {
        let address = address(Some(file), None)?;
        Ok(Postgres(address.context("a file was named")?))
    }

    /// An empty database of our own.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not let its user make one.
    pub(super) async fn empty(&self) -> Result<Database> {
        let name = format!("hotline_bench_{}", Uuid::new_v4().simple());
        let dir = tempfile::Builder::new().prefix("hotline-bench-postgres-").tempdir()?;
        let address = make_postgres_database(self.0.reveal(), &name).await?;
        let database = Database { server: self.0.clone(), name, dir };
        private(&database.file(), &address).context("keeping the address of a database")?;
        let key = [Uuid::new_v4(), Uuid::new_v4()].map(|half| half.simple().to_string()).concat();
        private(&database.seal_key(), &key).context("keeping the key of a database")?;
        Ok(database)
    }

    /// The same with the tables of this release.
    ///
    /// # Errors
    /// As [`Postgres::empty`].
    pub(super) async fn database(&self) -> Result<Database> {
        let database = self.empty().await?;
        let address = address(Some(&database.file()), None)?.context("a file was named")?;
        migrate_postgres(address.reveal()).await?;
        Ok(database)
    }
}

/// A database, and beside it the key its callers' numbers are sealed with, for as many services as share it. Dropped with
/// this, whoever is connected.
pub(super) struct Database {
    server: Address,
    name: String,
    dir: TempDir,
}

impl Database {
    /// The file that holds its address.
    pub(super) fn file(&self) -> PathBuf {
        self.dir.path().join("database")
    }

    /// How `hotline serve` is told to keep its decisions there.
    pub(super) fn flags(&self) -> [OsString; 4] {
        ["--postgres".into(), self.file().into(), "--seal-key".into(), self.seal_key().into()]
    }

    fn seal_key(&self) -> PathBuf {
        self.dir.path().join("seal.key")
    }

    fn dropped(&self) -> Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(drop_postgres_database(self.server.reveal(), &self.name))?)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Database {
    /// On a thread of its own: this one may be an async runtime's.
    fn drop(&mut self) {
        let dropped = thread::scope(|scope| scope.spawn(|| self.dropped()).join());
        match dropped {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::warn!("the database {} is there still: {fault:#}", self.name),
            Err(_) => tracing::warn!("the database {} may be there still", self.name),
        }
    }
}

fn private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")
}
