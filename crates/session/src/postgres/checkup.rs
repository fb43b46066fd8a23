//! A look at a database, which changes nothing.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::PostgresStore;
use super::fault::PostgresFault;
use crate::engine::{Engine, Part, Places, Statement, Stopped};

/// What a database that fits says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresCheckup {
    /// Host, port and database.
    pub server: String,
    /// The server's version.
    pub version: String,
    /// Settings without which what is acknowledged may be lost, and that are off.
    pub unsafe_settings: Vec<String>,
    /// Whether what is acknowledged is on a standby's disk, too.
    pub has_standby: bool,
    /// How far its clock is before ours, in microseconds; behind it if negative.
    pub clock_ahead_us: i64,
    /// From a question to its answer.
    pub answers_within: Duration,
}

const SETTINGS: &str = "SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync, \
     current_setting('full_page_writes') AS full_page_writes, \
     current_setting('synchronous_standby_names') AS standbys, \
     CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now_us";

impl PostgresStore {
    /// What the database says of itself.
    ///
    /// # Errors
    /// [`PostgresFault`], if it does not answer.
    pub async fn check_up(&self) -> Result<PostgresCheckup, PostgresFault> {
        self.checked_up().await.map_err(|stopped| self.told(stopped))
    }

    async fn checked_up(&self) -> Result<PostgresCheckup, Stopped> {
        // The first question may have to connect.
        self.row(Part::Journal, Statement::of(SETTINGS)).await?;
        let asked = Instant::now();
        let row = self.row(Part::Journal, Statement::of(SETTINGS)).await?;
        let answers_within = asked.elapsed();
        let row = row.ok_or_else(|| Stopped::Damaged("no settings".to_owned()))?;
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ours = i64::try_from((since_1970 - answers_within / 2).as_micros()).unwrap_or(i64::MAX);
        let mut unsafe_settings = Vec::new();
        for setting in ["fsync", "full_page_writes"] {
            if row.text(setting)? != "on" {
                unsafe_settings.push(setting.to_owned());
            }
        }
        Ok(PostgresCheckup {
            server: self.server().to_owned(),
            version: row.text("version")?,
            unsafe_settings,
            has_standby: !row.text("standbys")?.is_empty(),
            clock_ahead_us: row.number("now_us")?.saturating_sub(ours),
            answers_within,
        })
    }
}
