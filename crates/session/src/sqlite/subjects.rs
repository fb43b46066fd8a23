//! Persons behind references, in SQLite. What is forgotten is overwritten in the file, and the write-ahead log, which
//! holds pages as they were, is emptied behind it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use switchboard::id::{CallerRef, SiteId};
use uuid::Uuid;

use super::callers::SqliteCallers;
use super::{driving, read};
use crate::caller::{CallerNumber, CallersFault};
use crate::engine::subjects;
use crate::subject::{Erasure, KeptNumber, Subjects};

#[async_trait]
impl Subjects for SqliteCallers {
    async fn number(&self, site: SiteId, caller: CallerRef) -> Result<Option<CallerNumber>, CallersFault> {
        if let Some(sealed) = self.store.arriving.sealed(site, caller) {
            return Ok(self.key.open(site, caller, &sealed).map(|number| CallerNumber::received(&number)));
        }
        self.kept_number(site, caller).await
    }

    async fn known(&self, site: SiteId, number: &CallerNumber) -> Result<Option<CallerRef>, CallersFault> {
        let Some(number) = number.reveal() else { return Ok(None) };
        let mac = self.key.mac(site, number);
        if let Some(caller) = self.store.arriving.known(site, &mac) {
            return Ok(Some(caller));
        }
        let mut reader = self.looking().await;
        let found = read(&mut reader, subjects::find(site, &mac)).await?;
        Ok(found.first().map(subjects::reference).transpose()?)
    }

    async fn forget(&self, site: SiteId, callers: &[CallerRef]) -> Result<u64, CallersFault> {
        let mut forgotten = Ok(0);
        for callers in callers.chunks(subjects::ROWS_AT_ONCE) {
            match (forgotten, self.forget_some(site, callers).await) {
                (Ok(before), Ok(more)) => forgotten = Ok(before + more),
                (_, fault) => {
                    forgotten = fault;
                    break;
                }
            }
        }
        // Also when not all were: those that were are to be in no file.
        let (writer, writing) = self.store.writer().await?;
        drop(writer);
        let emptied = writing.sweep.emptied(&writing.writer).await;
        let emptied = writing.judged(emptied.map(|emptied| Some(u64::from(emptied))));
        let forgotten = forgotten?;
        if emptied? > 0 {
            return Ok(forgotten);
        }
        let why = "forgotten, but somebody reads the journal's log, which is emptied as soon as it can be; ask again";
        Err(CallersFault::Unavailable(why.to_owned()))
    }

    async fn keep_erasure(&self, site: SiteId, erasure: &Erasure) -> Result<(), CallersFault> {
        subjects::keep_erasure(&*self.store, site, erasure).await
    }

    async fn erasure(&self, site: SiteId, id: Uuid) -> Result<Option<Erasure>, CallersFault> {
        subjects::erasure(&*self.store, site, id).await
    }

    async fn erasures(&self, site: SiteId, now_us: i64, most: usize) -> Result<Vec<Erasure>, CallersFault> {
        subjects::erasures(&*self.store, site, now_us, most).await
    }

    async fn end_erasure(&self, site: SiteId, id: Uuid, by: &str, at_us: i64) -> Result<(), CallersFault> {
        subjects::end_erasure(&*self.store, site, id, by, at_us).await
    }

    async fn kept(
        &self,
        site: SiteId,
        after: Option<CallerRef>,
        most: usize,
    ) -> Result<Vec<KeptNumber>, CallersFault> {
        subjects::kept(&*self.store, site, after, most).await
    }

    async fn notice(&self, site: SiteId, callers: &[CallerRef], at_us: i64) -> Result<(), CallersFault> {
        subjects::notice(&*self.store, site, callers, at_us).await
    }
}

impl SqliteCallers {
    /// Appends wait for no more than these. A row that is on its way is either written before them and found here, or
    /// never written.
    async fn forget_some(&self, site: SiteId, callers: &[CallerRef]) -> Result<u64, CallersFault> {
        let (mut writer, writing) = self.store.writer().await?;
        let erased = driving::change_all(&mut writer.connection, subjects::erased(site, callers)).await;
        let erased = writing.judged(erased)?;
        // Whoever looks a number up holds this until it is known whose it is: nobody remembers afterwards what is
        // forgotten here.
        let looking = self.looking().await;
        let gone: BTreeSet<CallerRef> = callers.iter().copied().collect();
        let waited = self.store.arriving.forget(site, &gone);
        self.chance.forget(&gone);
        drop((looking, writer));
        Ok(erased + waited)
    }
}
