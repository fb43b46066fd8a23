//! The audit: who asked for what in the office, why, and how it ended. Rows are only added, and each hash is over the
//! one before and the whole row, so that a row that was changed, taken out or moved is found by whoever walks along.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use switchboard::canonical::{self, Hash};
use switchboard::id::SiteId;

/// What is recorded of one act. Ids and codes, and the words of whoever says why: never a caller's number or a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// What the wall clock showed, in microseconds since 1970 UTC.
    pub wall_us: i64,
    /// As what: `admin`, `supervisor`, or `server` for what it does by itself.
    pub role: String,
    /// Who, by id.
    pub who: String,
    /// What was asked, such as `plan.apply`.
    pub what: String,
    /// Of what: a kind and an id, such as `line:duty`.
    pub object: String,
    /// What it was, as canonical JSON, or empty.
    pub was: String,
    /// What it is to be, as canonical JSON, or empty.
    pub becomes: String,
    /// Why, in the words of whoever asked; empty if nothing was said.
    pub why: String,
    /// The request id under which the journal knows it, or empty.
    pub request: String,
    /// [`AuditEntry::ASKED`], or how what was asked ended.
    pub outcome: String,
    /// Which row's act this is the end of; 0 for an act that is asked.
    pub refers_to: u64,
}

impl AuditEntry {
    /// The outcome of a row that stands before its act.
    pub const ASKED: &str = "asked";
    /// The outcome of what was done.
    pub const DONE: &str = "done";
    /// The outcome of what was refused, where no reason has a code.
    pub const REFUSED: &str = "refused";
    /// The outcome of what nobody waited for to the end: the journal tells it by the request id, where there is one.
    pub const UNKNOWN: &str = "unknown";
}

/// A row of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Which of its site's: 1, 2, 3…
    pub number: u64,
    /// What it says.
    pub entry: AuditEntry,
    /// Over the hash of the row before and everything in this one.
    pub hash: Hash,
}

impl AuditRow {
    /// The row behind another; behind none it is the first.
    pub fn behind(site: SiteId, previous: Option<&AuditRow>, entry: AuditEntry) -> AuditRow {
        let (number, hash) = previous.map_or((0, Hash::default()), |row| (row.number, row.hash));
        let number = number + 1;
        let hash = hash_of(site, hash, number, &entry);
        AuditRow { number, entry, hash }
    }
}

fn hash_of(site: SiteId, previous: Hash, number: u64, entry: &AuditEntry) -> Hash {
    previous.then(&canonical::encode(&(site, number, entry)))
}

/// Which rows; an empty text or none lets every row through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By whom.
    pub who: String,
    /// In which role.
    pub role: String,
    /// What was asked.
    pub what: String,
    /// Of what.
    pub object: String,
    /// Not before, in microseconds since 1970 UTC.
    pub from_us: Option<i64>,
    /// Before, in microseconds since 1970 UTC.
    pub until_us: Option<i64>,
}

impl AuditFilter {
    fn lets_through(&self, entry: &AuditEntry) -> bool {
        let same = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        same(&self.who, &entry.who)
            && same(&self.role, &entry.role)
            && same(&self.what, &entry.what)
            && same(&self.object, &entry.object)
            && self.from_us.is_none_or(|from| entry.wall_us >= from)
            && self.until_us.is_none_or(|until| entry.wall_us < until)
    }
}

/// Why the audit could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// It may answer later. What was to be recorded is perhaps there.
    #[error("the audit does not answer: {0}")]
    Unavailable(String),
    /// It has to be restored.
    #[error("the audit is damaged: {0}; restore it from a backup")]
    Damaged(String),
}

/// The audit of sites. What it acknowledged is durable.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Adds a row behind the last.
    ///
    /// # Errors
    /// [`AuditFault`]: whatever was to be recorded must not be done.
    async fn record(&self, site: SiteId, entry: AuditEntry) -> Result<AuditRow, AuditFault>;

    /// Rows before a number, latest first, at most `rows_max` of them.
    ///
    /// # Errors
    /// [`AuditFault`].
    async fn rows(
        &self,
        site: SiteId,
        filter: &AuditFilter,
        before: u64,
        rows_max: usize,
    ) -> Result<Vec<AuditRow>, AuditFault>;

    /// Rows behind a number, in order, at most `rows_max` of them.
    ///
    /// # Errors
    /// [`AuditFault`].
    async fn chain(&self, site: SiteId, after: u64, rows_max: usize) -> Result<Vec<AuditRow>, AuditFault>;

    /// Every site with an audit, in order, and the number of its last row.
    ///
    /// # Errors
    /// [`AuditFault`].
    async fn ends(&self) -> Result<Vec<(SiteId, u64)>, AuditFault>;

    /// Lets the oldest rows go, up to a number. [`let_audit_go`] says so in a row first; without that the rest does
    /// not verify.
    ///
    /// # Errors
    /// [`AuditFault`].
    async fn drop_through(&self, site: SiteId, number: u64) -> Result<(), AuditFault>;
}

/// What a walk along the chain found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditWalk {
    /// How many rows fit.
    pub rows: u64,
    /// The number of the last row that fits; 0 if there is none.
    pub head: u64,
    /// Its hash. Kept elsewhere, it tells later whether rows were cut off at the end.
    pub hash: Hash,
    /// The row that is known was let go since, and says nothing about what is left.
    pub known_was_let_go: bool,
    /// Where it breaks, and how.
    pub broken: Option<AuditBreak>,
}

/// How a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditBreak {
    /// A row is not what was written behind the row before it.
    #[error("row {0} is not what was written there: it was changed, or stood elsewhere")]
    Changed(u64),
    /// Rows between others are gone.
    #[error("rows {from} to {to} are gone")]
    Gone {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The oldest rows are gone, and no row says that they were let go.
    #[error("rows 1 to {0} are gone, and no row says that they were let go")]
    BegunLate(u64),
    /// The chain ends before a row that is known.
    #[error("the chain ends at row {head}, and row {known} was there")]
    CutShort {
        /// Its last row.
        head: u64,
        /// The row that is known.
        known: u64,
    },
    /// A row that fits into this chain is not the one that is known.
    #[error(
        "row {0} fits, and is not the one that was there: the chain was written anew from there or before"
    )]
    Rewritten(u64),
}

impl AuditBreak {
    /// The first row it is about.
    pub fn at(&self) -> u64 {
        match *self {
            AuditBreak::Changed(row) | AuditBreak::Rewritten(row) => row,
            AuditBreak::Gone { from, .. } => from,
            AuditBreak::BegunLate(_) => 1,
            AuditBreak::CutShort { head, .. } => head + 1,
        }
    }
}

/// Rows of one page of a walk.
const PAGE: usize = 1_000;

/// Rows that are let go in one transaction: an append waits for no more than that.
const DROPPED_AT_ONCE: u64 = 200;

/// What rows are called that say that older ones were let go.
const LET_GO: &str = "audit.let-go";

/// What they say it of: this and the number of the last.
const ROWS: &str = "rows:";

/// Walks along a site's chain. `known` is a row's number and hash from an earlier walk, kept where nobody could change
/// both.
///
/// # Errors
/// [`AuditFault`], if it cannot be read. A broken chain is no fault: it is what was found.
pub async fn walk_audit(
    audit: &dyn Audit,
    site: SiteId,
    known: Option<(u64, Hash)>,
) -> Result<AuditWalk, AuditFault> {
    let mut walk = AuditWalk::default();
    loop {
        let page = audit.chain(site, walk.head, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for row in page {
            if walk.head == 0 && row.number > 1 {
                match let_go_last(audit, site).await? {
                    Some((last, hash)) if last >= row.number - 1 => walk.begin_behind(last, hash, known),
                    _ => walk.broken = Some(AuditBreak::BegunLate(row.number - 1)),
                }
            }
            // They were let go, and not all of them are gone yet.
            if row.number > walk.head {
                walk.step(site, &row, known);
            }
            if walk.broken.is_some() {
                return Ok(walk);
            }
        }
    }
    if let Some((known, _)) = known
        && known > walk.head
    {
        walk.broken = Some(AuditBreak::CutShort { head: walk.head, known });
    }
    Ok(walk)
}

impl AuditWalk {
    fn begin_behind(&mut self, last: u64, hash: Hash, known: Option<(u64, Hash)>) {
        (self.head, self.hash) = (last, hash);
        match known {
            Some((known, is)) if known == last && is != hash => {
                self.broken = Some(AuditBreak::Rewritten(last))
            }
            Some((known, _)) => self.known_was_let_go = known < last,
            None => {}
        }
    }

    fn step(&mut self, site: SiteId, row: &AuditRow, known: Option<(u64, Hash)>) {
        if self.broken.is_some() {
            return;
        }
        if row.number != self.head + 1 {
            self.broken = Some(AuditBreak::Gone { from: self.head + 1, to: row.number.saturating_sub(1) });
        } else if row.hash != hash_of(site, self.hash, row.number, &row.entry) {
            self.broken = Some(AuditBreak::Changed(row.number));
        } else if known.is_some_and(|(number, hash)| number == row.number && hash != row.hash) {
            self.broken = Some(AuditBreak::Rewritten(row.number));
        } else {
            (self.rows, self.head, self.hash) = (self.rows + 1, row.number, row.hash);
        }
    }
}

/// The last row that was let go, if a row says so, and its hash.
async fn let_go_last(audit: &dyn Audit, site: SiteId) -> Result<Option<(u64, Hash)>, AuditFault> {
    let filter = AuditFilter { what: LET_GO.to_owned(), ..AuditFilter::default() };
    let rows = audit.rows(site, &filter, u64::MAX, 1).await?;
    let said = rows.first().map(|row| &row.entry);
    Ok(said.and_then(|said| {
        let last = said.object.strip_prefix(ROWS)?.parse().ok()?;
        Some((last, parse_hash(&said.was)?))
    }))
}

/// Lets rows go that were written before a time, and says so in a row. Answers up to which, if any.
///
/// # Errors
/// [`AuditFault`].
pub async fn let_audit_go(
    audit: &dyn Audit,
    site: SiteId,
    before_us: i64,
    by: AuditEntry,
) -> Result<Option<u64>, AuditFault> {
    let (mut first, mut last): (Option<u64>, Option<AuditRow>) = (None, None);
    loop {
        let page = audit.chain(site, last.as_ref().map_or(0, |row| row.number), PAGE).await?;
        let old = page.iter().take_while(|row| row.entry.wall_us < before_us).count();
        let whole = old == page.len();
        first = first.or(page.first().map(|row| row.number));
        last = page.into_iter().take(old).next_back().or(last);
        if !whole || old == 0 {
            break;
        }
    }
    let Some(last) = last else { return Ok(None) };
    let said = AuditEntry {
        what: LET_GO.to_owned(),
        object: format!("{ROWS}{}", last.number),
        was: last.hash.to_string(),
        outcome: AuditEntry::DONE.to_owned(),
        ..by
    };
    audit.record(site, said).await?;
    // Oldest first: what is left is a chain at every moment.
    let mut gone = first.unwrap_or_default().saturating_sub(1);
    while gone < last.number {
        gone = last.number.min(gone + DROPPED_AT_ONCE);
        audit.drop_through(site, gone).await?;
    }
    Ok(Some(last.number))
}

/// A hash from its hexadecimal digits.
pub fn parse_hash(text: &str) -> Option<Hash> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(Hash(bytes))
}

/// The audit in memory: as durable as the process.
#[derive(Default)]
pub struct MemoryAudit(Mutex<BTreeMap<SiteId, Vec<AuditRow>>>);

impl MemoryAudit {
    /// An empty one.
    pub fn new() -> MemoryAudit {
        MemoryAudit::default()
    }

    fn sites(&self) -> MutexGuard<'_, BTreeMap<SiteId, Vec<AuditRow>>> {
        // Each change is one push or removal: whoever panicked left the rows whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryAudit")
    }
}

#[async_trait]
impl Audit for MemoryAudit {
    async fn record(&self, site: SiteId, entry: AuditEntry) -> Result<AuditRow, AuditFault> {
        let mut sites = self.sites();
        let rows = sites.entry(site).or_default();
        let row = AuditRow::behind(site, rows.last(), entry);
        rows.push(row.clone());
        Ok(row)
    }

    async fn rows(
        &self,
        site: SiteId,
        filter: &AuditFilter,
        before: u64,
        rows_max: usize,
    ) -> Result<Vec<AuditRow>, AuditFault> {
        let sites = self.sites();
        let rows = sites.get(&site).into_iter().flatten().rev();
        let wanted = rows.filter(|row| row.number < before && filter.lets_through(&row.entry));
        Ok(wanted.take(rows_max).cloned().collect())
    }

    async fn chain(&self, site: SiteId, after: u64, rows_max: usize) -> Result<Vec<AuditRow>, AuditFault> {
        let sites = self.sites();
        let rows = sites.get(&site).into_iter().flatten().filter(|row| row.number > after);
        Ok(rows.take(rows_max).cloned().collect())
    }

    async fn ends(&self) -> Result<Vec<(SiteId, u64)>, AuditFault> {
        let sites = self.sites();
        Ok(sites.iter().filter_map(|(site, rows)| rows.last().map(|row| (*site, row.number))).collect())
    }

    async fn drop_through(&self, site: SiteId, number: u64) -> Result<(), AuditFault> {
        self.sites().entry(site).or_default().retain(|row| row.number > number);
        Ok(())
    }
}
