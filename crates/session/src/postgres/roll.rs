//! The roll in Postgres. It has a connection of its own, whose commits do not wait for the disk: an append that is synced
//! brings them with it, and what a crash of the server takes away is written again with the next call.

use async_trait::async_trait;
use switchboard::id::SiteId;

use super::{PostgresStore, at_once};
use crate::engine::{Stopped, roll as entries};
use crate::journal::JournalFault;
use crate::roll::{Roll, RollEntry};

/// One call in so many lets go of routers that are long gone; the first of a router's life is one of them.
const SETTLES_EVERY: u64 = 1_000;

#[async_trait]
impl Roll for PostgresStore {
    async fn call(&self, site: SiteId, own: &RollEntry) -> Result<Vec<RollEntry>, JournalFault> {
        let called = at_once::roll(site, own).keepable()?;
        let mut roll = self.roll.lock().await;
        let told = roll.rows(called).await.map_err(Stopped::from)?;
        if own.beat % SETTLES_EVERY == 1 {
            roll.change(entries::settled(site, own)).await.map_err(Stopped::from)?;
        }
        // Then the others' may be gone as well, and nobody is to be taken for dead by that.
        if own.beat > 1 && told.iter().map(at_once::is_new).collect::<Result<Vec<_>, _>>()?.contains(&true) {
            let why = "the entry that was written before is not there any more: the server lost what it had";
            return Err(JournalFault::Unavailable(why.to_owned()));
        }
        let told: Vec<RollEntry> = told.iter().map(entries::entry).collect::<Result<_, _>>()?;
        Ok(told.into_iter().filter(|entry| entry.router != own.router).collect())
    }
}
