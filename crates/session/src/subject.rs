//! What is kept of a caller as a person: the number behind a reference, and the records of the calls. Everything here is
//! for whoever may see it; each look is recorded in the audit by whoever looks.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use async_trait::async_trait;
use switchboard::id::{CallId, CallerRef, Seq, SiteId};
use uuid::Uuid;

use crate::body::decode;
use crate::caller::{CallerNumber, CallersFault, MemoryCallers, Noted};
use crate::derived::DerivedFault;
use crate::journal::Journal;
use crate::record::{CallRecord, RecordFold};

/// How long somebody else has time to approve that a caller is forgotten, in microseconds: a week.
pub const ERASURE_LASTS_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// A caller is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Which request.
    pub id: Uuid,
    /// Who is to be forgotten.
    pub caller: CallerRef,
    /// Who asked for it, by id.
    pub asked_by: String,
    /// When, in microseconds since 1970 UTC.
    pub asked_us: i64,
    /// From when on nobody can approve it.
    pub expires_us: i64,
    /// Who approved it, and when: then the caller is forgotten.
    pub ended: Option<(String, i64)>,
}

/// A number that is kept, without the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptNumber {
    /// Whose.
    pub caller: CallerRef,
    /// When it was first noticed that it is kept, in microseconds since 1970 UTC.
    pub noticed_us: Option<i64>,
}

/// The persons behind references.
#[async_trait]
pub trait Subjects: Send + Sync {
    /// The number behind a reference; none of a caller who withheld it, who was forgotten, or who never called.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn number(&self, site: SiteId, caller: CallerRef) -> Result<Option<CallerNumber>, CallersFault>;

    /// The reference of a number that is kept; makes none.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn known(&self, site: SiteId, number: &CallerNumber) -> Result<Option<CallerRef>, CallersFault>;

    /// Forgets numbers, so that no file of a data directory holds them any more, not even sealed; a database server lets
    /// go of what it overwrote in its own time. Their references stay, and are nobody's; a number that rings in again
    /// is another caller. Answers how many were kept.
    ///
    /// # Errors
    /// [`CallersFault`]; some may be forgotten, and asking again goes on from there.
    async fn forget(&self, site: SiteId, callers: &[CallerRef]) -> Result<u64, CallersFault>;

    /// Keeps a request that a caller be forgotten.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn keep_erasure(&self, site: SiteId, erasure: &Erasure) -> Result<(), CallersFault>;

    /// A request by its id.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn erasure(&self, site: SiteId, id: Uuid) -> Result<Option<Erasure>, CallersFault>;

    /// Requests that wait for approval at a time, oldest first, at most `most` of them.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn erasures(&self, site: SiteId, now_us: i64, most: usize) -> Result<Vec<Erasure>, CallersFault>;

    /// A request was approved, and its caller is forgotten.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn end_erasure(&self, site: SiteId, id: Uuid, by: &str, at_us: i64) -> Result<(), CallersFault>;

    /// Numbers that are kept, by reference, behind one, at most `most` of them.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn kept(
        &self,
        site: SiteId,
        after: Option<CallerRef>,
        most: usize,
    ) -> Result<Vec<KeptNumber>, CallersFault>;

    /// Notes for numbers when it was first noticed that they are kept.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn notice(&self, site: SiteId, callers: &[CallerRef], at_us: i64) -> Result<(), CallersFault>;
}

/// The records of calls by who called.
#[async_trait]
pub trait SubjectRecords: Send + Sync {
    /// A caller's, in the order of the calls, behind a decision, at most `most` of them.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn of_caller(
        &self,
        site: SiteId,
        caller: CallerRef,
        after: Seq,
        most: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault>;

    /// Who made a call.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn caller_of(&self, site: SiteId, call: CallId) -> Result<Option<CallerRef>, DerivedFault>;

    /// Everybody whose call rang in at or after a time of the wall clock.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn callers_since(&self, site: SiteId, from_us: i64) -> Result<Vec<CallerRef>, DerivedFault>;

    /// Lets go of records of closed calls that rang in before a time. Answers how many.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn drop_records(&self, site: SiteId, before_us: i64) -> Result<u64, DerivedFault>;
}

/// Records that nobody keeps: made from the journal whenever somebody asks.
pub struct FoldedRecords(Arc<dyn Journal>);

impl FoldedRecords {
    /// Of this journal.
    pub fn of(journal: Arc<dyn Journal>) -> FoldedRecords {
        FoldedRecords(journal)
    }

    async fn all(&self, site: SiteId) -> Result<Vec<CallRecord>, DerivedFault> {
        const ROWS: usize = 1_000;
        let (mut fold, mut seq) = (RecordFold::default(), Seq(0));
        loop {
            let unavailable = |fault: String| DerivedFault::Unavailable(fault);
            let rows = self.0.tail(site, seq, ROWS).await.map_err(|fault| unavailable(fault.to_string()))?;
            let Some(last) = rows.last() else { break };
            seq = last.row.last_seq;
            for stored in &rows {
                let decisions = decode(&stored.row).map_err(|fault| unavailable(fault.to_string()))?;
                decisions.iter().for_each(|decision| fold.fold(decision, stored.row.wall_us));
            }
        }
        let mut records = fold.take_changed();
        records.sort_unstable_by_key(|record| record.first_seq);
        Ok(records)
    }
}

impl std::fmt::Debug for FoldedRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FoldedRecords")
    }
}

#[async_trait]
impl SubjectRecords for FoldedRecords {
    async fn of_caller(
        &self,
        site: SiteId,
        caller: CallerRef,
        after: Seq,
        most: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let all = self.all(site).await?.into_iter();
        Ok(all.filter(|record| record.caller == caller && record.first_seq > after).take(most).collect())
    }

    async fn caller_of(&self, site: SiteId, call: CallId) -> Result<Option<CallerRef>, DerivedFault> {
        Ok(self.all(site).await?.iter().find(|record| record.call == call).map(|record| record.caller))
    }

    async fn callers_since(&self, site: SiteId, from_us: i64) -> Result<Vec<CallerRef>, DerivedFault> {
        let all = self.all(site).await?;
        Ok(all.iter().filter(|record| record.wall_us >= from_us).map(|record| record.caller).collect())
    }

    async fn drop_records(&self, _site: SiteId, _before_us: i64) -> Result<u64, DerivedFault> {
        Ok(0)
    }
}

impl MemoryCallers {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        // Each change is one insert or removal: whoever panicked left the maps whole.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_numbers(&self, site: SiteId) -> Vec<(String, CallerRef)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_site = known.get(&site).into_iter().flatten();
        of_site.map(|(number, caller)| (number.clone(), *caller)).collect()
    }
}

#[async_trait]
impl Subjects for MemoryCallers {
    async fn number(&self, site: SiteId, caller: CallerRef) -> Result<Option<CallerNumber>, CallersFault> {
        let mut kept = self.kept_numbers(site).into_iter();
        Ok(kept.find(|(_, of)| *of == caller).map(|(number, _)| CallerNumber::received(&number)))
    }

    async fn known(&self, site: SiteId, number: &CallerNumber) -> Result<Option<CallerRef>, CallersFault> {
        let mut kept = self.kept_numbers(site).into_iter();
        Ok(kept.find(|(of, _)| Some(of.as_str()) == number.reveal()).map(|(_, caller)| caller))
    }

    async fn forget(&self, site: SiteId, callers: &[CallerRef]) -> Result<u64, CallersFault> {
        let gone: BTreeSet<CallerRef> = callers.iter().copied().collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.chance.forget(&gone);
        let Some(of_site) = known.get_mut(&site) else { return Ok(0) };
        let before = of_site.len();
        of_site.retain(|_, caller| !gone.contains(caller));
        Ok((before - of_site.len()) as u64)
    }

    async fn keep_erasure(&self, site: SiteId, erasure: &Erasure) -> Result<(), CallersFault> {
        self.noted().erasures.insert((site, erasure.id), erasure.clone());
        Ok(())
    }

    async fn erasure(&self, site: SiteId, id: Uuid) -> Result<Option<Erasure>, CallersFault> {
        Ok(self.noted().erasures.get(&(site, id)).cloned())
    }

    async fn erasures(&self, site: SiteId, now_us: i64, most: usize) -> Result<Vec<Erasure>, CallersFault> {
        let noted = self.noted();
        let of_site = noted.erasures.iter().filter(|((of, _), _)| *of == site).map(|(_, erasure)| erasure);
        let waits = |erasure: &&Erasure| erasure.ended.is_none() && erasure.expires_us > now_us;
        let mut waiting: Vec<Erasure> = of_site.filter(waits).cloned().collect();
        waiting.sort_by_key(|erasure| (erasure.asked_us, erasure.id));
        waiting.truncate(most);
        Ok(waiting)
    }

    async fn end_erasure(&self, site: SiteId, id: Uuid, by: &str, at_us: i64) -> Result<(), CallersFault> {
        if let Some(erasure) = self.noted().erasures.get_mut(&(site, id))
            && erasure.ended.is_none()
        {
            erasure.ended = Some((by.to_owned(), at_us));
        }
        Ok(())
    }

    async fn kept(
        &self,
        site: SiteId,
        after: Option<CallerRef>,
        most: usize,
    ) -> Result<Vec<KeptNumber>, CallersFault> {
        let kept = self.kept_numbers(site).into_iter().map(|(_, caller)| caller);
        let mut kept: Vec<CallerRef> =
            kept.filter(|caller| after.is_none_or(|after| *caller > after)).collect();
        kept.sort_unstable();
        kept.truncate(most);
        let noted = self.noted();
        let numbers = kept
            .into_iter()
            .map(|caller| KeptNumber { caller, noticed_us: noted.noticed_us.get(&(site, caller)).copied() });
        Ok(numbers.collect())
    }

    async fn notice(&self, site: SiteId, callers: &[CallerRef], at_us: i64) -> Result<(), CallersFault> {
        let mut noted = self.noted();
        for caller in callers {
            noted.noticed_us.entry((site, *caller)).or_insert(at_us);
        }
        Ok(())
    }
}
