//! The journal's rows in Postgres, written by any number of processes at once.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use async_trait::async_trait;
use switchboard::id::{Seq, SiteId};

use super::lane::{Lane, reading};
use super::{LANES, PostgresStore, clock};
use crate::engine::journal::{self as rows, Last};
use crate::engine::{Places, Stopped};
use crate::journal::{Appended, Head, Journal, JournalFault, Row, StoredRow, Writer};

#[async_trait]
impl Journal for PostgresStore {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        self.lane(site).append(site, row).await
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        let rows = self.following.lock().await.rows(rows::tail(site, after, rows_max)).await;
        let stored: Result<_, Stopped> = rows.map_err(reading)?.iter().map(rows::stored).collect();
        Ok(stored?)
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        let mut following = self.following.lock().await;
        let last = following.rows(rows::head(site)).await.map_err(reading)?;
        let now = following.rows(clock::now()).await.map_err(reading)?;
        let last = last.first().map(Last::of).transpose()?;
        let now_us = now.first().map_or(Ok(0), |row| row.number("now_us"))?;
        Ok(Last::head(last, self.epoch, now_us))
    }

    async fn wait_for_turn(&self, site: SiteId, _writer: &Writer, waits: bool) {
        if let Err(failed) = self.lane(site).raise(site, waits).await {
            tracing::debug!(%site, why = failed.why, "nobody could be told who waits to append");
        }
    }

    async fn is_awaited(&self, site: SiteId, _writer: &Writer) -> bool {
        self.lane(site).is_awaited(site).await.unwrap_or(false)
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        let rows = self.following.lock().await.rows(rows::heads()).await;
        let ends: Result<_, Stopped> = rows.map_err(reading)?.iter().map(rows::end_of).collect();
        Ok(ends?)
    }
}

impl PostgresStore {
    /// A site's appends go one way, its hand with them: the one is no hindrance to the other.
    fn lane(&self, site: SiteId) -> &Lane {
        let mut hasher = DefaultHasher::new();
        site.as_str().hash(&mut hasher);
        let nth = usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        &self.lanes[nth]
    }
}
