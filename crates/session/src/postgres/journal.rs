//! The journal's rows in Postgres, written by any number of processes at once.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use switchboard::id::{Seq, SiteId};
use tokio::sync::Mutex;

use super::fault::{Failed, Kind};
use super::link::{Durability, Link, Server};
use super::{LANES, PostgresStore, clock, turns};
use crate::crash::{CrashPoint, reached};
use crate::engine::journal::{self as rows, Last};
use crate::engine::{Places, Stopped};
use crate::journal::{Appended, Head, Journal, JournalFault, Row, StoredRow, Writer};

/// A connection that appends, and the sites for which its hand is up.
pub(super) struct Lane {
    pub(super) link: Link,
    hands: BTreeSet<SiteId>,
    /// On which of the link's connections they are: a hand goes with its connection.
    raised_on: u64,
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

    async fn wait_for_turn(&self, site: SiteId, _writer: &Writer, waits: bool) {
        if let Err(failed) = self.lane(site).lock().await.raise(site, waits).await {
            tracing::debug!(%site, why = failed.why, "nobody could be told who waits to append");
        }
    }

    async fn is_awaited(&self, site: SiteId, _writer: &Writer) -> bool {
        let looked = self.lane(site).lock().await.link.rows(turns::look(site)).await;
        looked.is_ok_and(|rows| rows.first().is_some_and(turns::is_awaited))
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        let rows = self.following.lock().await.rows(rows::heads()).await;
        let ends: Result<_, Stopped> = rows.map_err(reading)?.iter().map(rows::end_of).collect();
        Ok(ends?)
    }
}

impl PostgresStore {
    /// A site's appends go one way, its hand with them: the one is no hindrance to the other.
    fn lane(&self, site: SiteId) -> &Mutex<Lane> {
        let mut hasher = DefaultHasher::new();
        site.as_str().hash(&mut hasher);
        let nth = usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        &self.lanes[nth]
    }
}

impl Lane {
    pub(super) fn to(server: &Arc<Server>) -> Lane {
        Lane { link: Link::to(server, Durability::AtOnce), hands: BTreeSet::new(), raised_on: 0 }
    }

    async fn append(&mut self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        self.link.ready().await.map_err(unsent)?;
        if row.last_seq < row.seq {
            return Err(JournalFault::Gap { seq: row.seq, last_seq: before(row.seq) });
        }
        match self.link.rows_at_once(turns::append(site, row)).await {
            Ok(added) => match added.first() {
                None => self.does_not_follow(site, row.seq).await,
                Some(added) => {
                    reached(CrashPoint::AfterInsert);
                    let is_awaited = turns::is_awaited(added);
                    Ok(if is_awaited { Appended::Awaited } else { Appended::Stored })
                }
            },
            Err(failed) => failed.appended(),
        }
    }

    /// Somebody else appends as well, or the server lost what it had and another took its place: only behind a row that
    /// stands there may another follow.
    async fn does_not_follow(&mut self, site: SiteId, seq: Seq) -> Result<Appended, JournalFault> {
        let found = self.link.rows(rows::tail(site, before(seq), 1)).await.map_err(reading)?;
        let begins = found.first().map(|row| rows::stored(row).map(|stored| stored.row.seq)).transpose()?;
        if begins == Some(seq) {
            return Ok(Appended::Lost);
        }
        let last = self.link.rows(rows::head(site)).await.map_err(reading)?;
        let last_seq = last.first().map_or(Ok(Seq(0)), |row| Last::of(row).map(|last| last.seq))?;
        Err(JournalFault::Gap { seq, last_seq })
    }

    async fn raise(&mut self, site: SiteId, up: bool) -> Result<(), Failed> {
        self.link.ready().await?;
        self.forget_what_is_gone();
        if self.hands.contains(&site) == up {
            return Ok(());
        }
        let raised = self.link.rows(turns::raise(site, up)).await?;
        self.forget_what_is_gone();
        match turns::is_raised(&raised) {
            true => self.hands.insert(site),
            false => self.hands.remove(&site),
        };
        Ok(())
    }

    fn forget_what_is_gone(&mut self) {
        if self.raised_on != self.link.made {
            self.hands.clear();
            self.raised_on = self.link.made;
        }
    }
}

fn before(seq: Seq) -> Seq {
    Seq(seq.0.saturating_sub(1))
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
