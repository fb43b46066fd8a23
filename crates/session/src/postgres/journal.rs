//! The journal's rows in Postgres, written by any number of processes at once.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use switchboard::id::{Seq, SiteId};
use tokio::sync::Mutex;

use super::fault::{Failed, Kind};
use super::link::{Durability, Link, Server};
use super::{LANES, PostgresStore, clock};
use crate::crash::{CrashPoint, reached};
use crate::engine::journal::{self as rows, Last};
use crate::engine::{Places, Stopped};
use crate::journal::{Appended, Head, Journal, JournalFault, Row, StoredRow};

/// A connection that appends, and where the journals end that it wrote to.
pub(super) struct Lane {
    pub(super) link: Link,
    ends: BTreeMap<SiteId, Seq>,
    /// On which of the link's connections that was seen. Another may have reached another server.
    seen_on: u64,
}

#[async_trait]
impl Journal for PostgresStore {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        self.lane(site).lock().await.append(site, row).await
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

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        let rows = self.following.lock().await.rows(rows::heads()).await;
        let ends: Result<_, Stopped> = rows.map_err(reading)?.iter().map(rows::end_of).collect();
        Ok(ends?)
    }
}

impl PostgresStore {
    /// A site's appends go one way, so that what is known of its end stays true as long as nobody else writes.
    fn lane(&self, site: SiteId) -> &Mutex<Lane> {
        let mut hasher = DefaultHasher::new();
        site.as_str().hash(&mut hasher);
        let nth = usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        &self.lanes[nth]
    }
}

impl Lane {
    pub(super) fn to(server: &Arc<Server>) -> Lane {
        Lane { link: Link::to(server, Durability::AtOnce), ends: BTreeMap::new(), seen_on: 0 }
    }

    async fn append(&mut self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        self.link.ready().await.map_err(unsent)?;
        if self.seen_on != self.link.made {
            self.ends.clear();
            self.seen_on = self.link.made;
        }
        let known = self.ends.get(&site).copied();
        if known.map(Seq::next) != Some(row.seq)
            && let Some(answer) = self.does_not_follow(site, row.seq).await?
        {
            return answer;
        }
        if row.last_seq < row.seq {
            let last_seq = Seq(row.seq.0.saturating_sub(1));
            return Err(JournalFault::Gap { seq: row.seq, last_seq });
        }
        match self.link.change_at_once(rows::append(site, row)).await {
            Ok(_) => {
                reached(CrashPoint::AfterInsert);
                self.ends.insert(site, row.last_seq);
                Ok(Appended::Stored)
            }
            Err(failed) => {
                // Whatever happened, the database knows better where it ends.
                self.ends.remove(&site);
                failed.appended()
            }
        }
    }

    /// What was last written here may not be the end: somebody else appends as well, or the server lost what it had and
    /// another took its place. Only behind a row that stands there may another follow. None if it does.
    async fn does_not_follow(
        &mut self,
        site: SiteId,
        seq: Seq,
    ) -> Result<Option<Result<Appended, JournalFault>>, JournalFault> {
        let last = self.link.rows(rows::head(site)).await.map_err(reading)?;
        let last_seq = last.first().map_or(Ok(Seq(0)), |row| Last::of(row).map(|last| last.seq))?;
        if seq == last_seq.next() {
            return Ok(None);
        }
        let before = Seq(seq.0.saturating_sub(1));
        let found = self.link.rows(rows::tail(site, before, 1)).await.map_err(reading)?;
        let begins = found.first().map(|row| rows::stored(row).map(|stored| stored.row.seq)).transpose()?;
        if begins == Some(seq) {
            return Ok(Some(Ok(Appended::Lost)));
        }
        Ok(Some(Err(JournalFault::Gap { seq, last_seq })))
    }
}

/// A question that only reads changed nothing, however it ended.
fn reading(failed: Failed) -> JournalFault {
    Stopped::from(failed).into()
}

/// Nothing was sent.
fn unsent(failed: Failed) -> JournalFault {
    match failed.kind {
        Kind::Replaced => JournalFault::RestartNeeded(failed.why),
        _ => JournalFault::Unavailable(failed.why),
    }
}
