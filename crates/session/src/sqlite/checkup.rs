//! A look at the files of a data directory, which changes nothing.

use std::path::Path;

use sqlx::{Row as _, SqliteConnection};

use super::open::{DERIVED_FILE, JOURNAL_FILE, OpenFault, Use, connect, judged, look};
use super::{DERIVED_STEPS, JOURNAL_STEPS};
use crate::sql;

/// What one database file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCheckup {
    /// Its name in the directory.
    pub name: &'static str,
    /// The version of SQLite that reads it.
    pub sqlite: String,
    /// How it is written: `wal`.
    pub journal_mode: String,
    /// Its schema.
    pub schema: i64,
    /// The last schema that this release knows.
    pub known: i64,
}

/// Looks at the journal's file and, if it is there, at the one that follows from it; a server may write meanwhile.
///
/// # Errors
/// [`OpenFault`]: the first file that this release cannot use, with what mends it.
pub async fn look_at_files(dir: &Path) -> Result<Vec<FileCheckup>, OpenFault> {
    if !dir.join(JOURNAL_FILE).exists() {
        return Err(OpenFault::NoJournal { dir: dir.to_owned() });
    }
    let mut files = vec![looked_at(dir, JOURNAL_FILE, JOURNAL_STEPS.len()).await?];
    if dir.join(DERIVED_FILE).exists() {
        files.push(looked_at(dir, DERIVED_FILE, DERIVED_STEPS.len()).await?);
    }
    Ok(files)
}

async fn looked_at(dir: &Path, name: &'static str, steps: usize) -> Result<FileCheckup, OpenFault> {
    let path = dir.join(name);
    look(&path)?;
    let mut connection = connect(&path, Use::Read).await?;
    let told = told(&mut connection).await.map_err(|error| judged(&path, &error))?;
    let (sqlite, journal_mode, schema) = told;
    let known = i64::try_from(steps).unwrap_or(i64::MAX);
    if schema > known {
        return Err(OpenFault::Newer { path, schema, known });
    }
    Ok(FileCheckup { name, sqlite, journal_mode, schema, known })
}

async fn told(connection: &mut SqliteConnection) -> Result<(String, String, i64), sqlx::Error> {
    let version = sqlx::query("SELECT sqlite_version()").fetch_one(&mut *connection).await?.try_get(0)?;
    let mode = sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await?.try_get(0)?;
    let schema = sqlx::query(sql::SCHEMA).fetch_one(&mut *connection).await?;
    let schema: Option<i64> = schema.try_get("version")?;
    Ok((version, mode, schema.unwrap_or(0)))
}
