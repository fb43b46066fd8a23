//! Callers and persons on either engine. Which reference a number gets, and how it is written, is the store's own.

use switchboard::id::{CallerRef, SiteId};
use uuid::Uuid;

use super::{Engine, Part, Places, Statement, Stopped, Whole, most, unreadable};
use crate::caller::CallersFault;
use crate::seal::SealKey;
use crate::sql;
use crate::subject::{Erasure, KeptNumber};

/// Rows that are changed in one transaction: an append waits for no more than that.
pub(crate) const ROWS_AT_ONCE: usize = 200;

pub(crate) fn find(site: SiteId, mac: &str) -> Statement {
    Statement::of(sql::FIND_CALLER).with(site).with(mac)
}

pub(crate) fn reference(row: &impl Places) -> Result<CallerRef, Stopped> {
    row.uuid("caller_ref").map(CallerRef)
}

pub(crate) fn sealed(site: SiteId, caller: CallerRef) -> Statement {
    Statement::of(sql::SEALED_NUMBER).with(site).with(caller)
}

pub(crate) fn any_caller() -> Statement {
    Statement::of(sql::ANY_CALLER)
}

/// Whether this key opens what is there; any key fits where nothing is.
pub(crate) fn fits(row: Option<&impl Places>, key: &SealKey) -> Result<bool, Stopped> {
    let Some(row) = row else { return Ok(true) };
    let sealed = row.text("number_sealed")?;
    Ok(key.open(row.named("site")?, reference(row)?, &sealed).is_some())
}

/// The mark of the key that this record is sealed with, if there is one.
pub(crate) async fn seal_mark(store: &impl Engine) -> Result<Option<String>, Stopped> {
    let row = store.row(Part::Journal, Statement::of(sql::SEAL_MARK)).await?;
    row.map(|row| row.text("mark")).transpose()
}

/// Leaves the mark of a key where there is none, and says which is there.
pub(crate) async fn marked(store: &impl Engine, mark: &str) -> Result<Option<String>, Stopped> {
    match seal_mark(store).await? {
        Some(there) => Ok(Some(there)),
        None => {
            store.change(Part::Journal, Statement::of(sql::KEEP_SEAL_MARK).with(mark)).await?;
            seal_mark(store).await
        }
    }
}

/// The number that was sealed for a caller.
pub(crate) fn opened(
    key: &SealKey,
    site: SiteId,
    caller: CallerRef,
    row: Option<&impl Places>,
) -> Result<Option<String>, Stopped> {
    let Some(row) = row else { return Ok(None) };
    let opened = key.open(site, caller, &row.text("number_sealed")?);
    opened.map(Some).ok_or_else(|| unreadable("number_sealed", format!("of {caller}"), "it cannot be opened"))
}

/// Forgets numbers, all of these or none.
pub(crate) fn erased(site: SiteId, callers: &[CallerRef]) -> Whole {
    let erased = |caller: &CallerRef| {
        Statement::of(sql::ERASE_NUMBER).with(site).with(*caller).with(format!("erased {caller}"))
    };
    Whole::of(callers.iter().map(erased).collect())
}

/// Every reference whose number was forgotten.
pub(crate) fn forgotten() -> Statement {
    Statement::of(sql::ERASED)
}

pub(crate) async fn keep_erasure(
    store: &impl Engine,
    site: SiteId,
    erasure: &Erasure,
) -> Result<(), CallersFault> {
    let asked = Statement::of(sql::KEEP_ERASURE)
        .with(site)
        .with(erasure.id.to_string())
        .with(erasure.caller)
        .with(erasure.asked_by.as_str())
        .with(erasure.asked_us)
        .with(erasure.expires_us);
    store.change(Part::Journal, asked).await?;
    Ok(())
}

pub(crate) async fn erasure(
    store: &impl Engine,
    site: SiteId,
    id: Uuid,
) -> Result<Option<Erasure>, CallersFault> {
    let asked = Statement::of(sql::ERASURE).with(site).with(id.to_string());
    let row = store.row(Part::Journal, asked).await?;
    Ok(row.as_ref().map(stored).transpose()?)
}

pub(crate) async fn erasures(
    store: &impl Engine,
    site: SiteId,
    now_us: i64,
    rows_max: usize,
) -> Result<Vec<Erasure>, CallersFault> {
    let asked = Statement::of(sql::ERASURES).with(site).with(now_us).with(most(rows_max));
    let rows = store.rows(Part::Journal, asked).await?;
    Ok(rows.iter().map(stored).collect::<Result<_, _>>()?)
}

pub(crate) async fn end_erasure(
    store: &impl Engine,
    site: SiteId,
    id: Uuid,
    by: &str,
    at_us: i64,
) -> Result<(), CallersFault> {
    let asked = Statement::of(sql::END_ERASURE).with(site).with(id.to_string()).with(by).with(at_us);
    store.change(Part::Journal, asked).await?;
    Ok(())
}

pub(crate) async fn kept(
    store: &impl Engine,
    site: SiteId,
    after: Option<CallerRef>,
    rows_max: usize,
) -> Result<Vec<KeptNumber>, CallersFault> {
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    let asked = Statement::of(sql::KEPT_NUMBERS).with(site).with(after).with(most(rows_max));
    let rows = store.rows(Part::Journal, asked).await?;
    let mut kept = Vec::with_capacity(rows.len());
    for row in &rows {
        kept.push(KeptNumber { caller: reference(row)?, noticed_us: row.number_or_none("noticed_us")? });
    }
    Ok(kept)
}

pub(crate) async fn notice(
    store: &impl Engine,
    site: SiteId,
    callers: &[CallerRef],
    at_us: i64,
) -> Result<(), CallersFault> {
    let noticed = |caller: &CallerRef| Statement::of(sql::NOTICE_NUMBER).with(site).with(*caller).with(at_us);
    for callers in callers.chunks(ROWS_AT_ONCE) {
        store.change_all(Part::Journal, Whole::of(callers.iter().map(noticed).collect())).await?;
    }
    Ok(())
}

fn stored(row: &impl Places) -> Result<Erasure, Stopped> {
    let ended = match (row.text_or_none("ended_by")?, row.number_or_none("ended_us")?) {
        (Some(by), Some(at)) => Some((by, at)),
        _ => None,
    };
    Ok(Erasure {
        id: row.uuid("erasure_id")?,
        caller: reference(row)?,
        asked_by: row.text("asked_by")?,
        asked_us: row.number("asked_us")?,
        expires_us: row.number("expires_us")?,
        ended,
    })
}

impl From<Stopped> for CallersFault {
    fn from(stopped: Stopped) -> CallersFault {
        let (is_damage, why) = stopped.told();
        if is_damage { CallersFault::Damaged(why) } else { CallersFault::Unavailable(why) }
    }
}
