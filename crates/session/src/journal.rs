//! The journal: every decision of a site, in rows, before anybody acts on it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;

/// Which life of a site's record: restoring a backup, or starting a record that nothing keeps, mints a larger one,
/// so that a cursor of another life is recognised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// Who appended a row: one exchange in one process, from its start to its end. Whoever starts again takes another
/// name, because a writer recognises its own append by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Writer(Arc<str>);

impl Writer {
    /// A writer by name. The name stands in the journal: an id, never a person's.
    pub fn new(name: impl Into<Arc<str>>) -> Writer {
        Writer(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One append: the decisions of one group commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Of its first decision: one more than the last of the row before.
    pub seq: Seq,
    /// Of its last decision.
    pub last_seq: Seq,
    /// When its last decision was made.
    pub at: SiteTime,
    /// What the writer's wall clock showed, in microseconds since 1970 UTC: a label, decides nothing.
    pub wall_us: i64,
    /// Who appends.
    pub writer: Writer,
    /// How the body is written.
    pub format: u32,
    /// The decisions, as [`crate::encode_in`] writes them.
    pub body: String,
}

/// A row as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// What was appended.
    pub row: Row,
    /// What the store's own clock showed, in microseconds since 1970 UTC.
    pub store_us: i64,
}

/// How an append ended, when the store answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is durable.
    Stored,
    /// It is durable, and another writer waits for its turn, as far as could be seen: [`Journal::wait_for_turn`].
    Awaited,
    /// Another writer was first at this sequence number: read the tail, decide again.
    Lost,
}

/// Where a site's journal stands, without its decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Which life of the record.
    pub epoch: Epoch,
    /// The last row's last sequence number; 0 for an empty journal.
    pub last_seq: Seq,
    /// The last row's site time; 0 for an empty journal.
    pub at: SiteTime,
    /// The last row's wall label.
    pub wall_us: i64,
    /// How the last row is written: rows behind it are never written in an older format. 0 for an empty journal.
    pub format: u32,
    /// The store's clock when the last row was stored.
    pub store_us: i64,
    /// The store's clock at this moment.
    pub store_now_us: i64,
}

impl Head {
    /// What the site's clock shows at this moment: the last row's time and what has passed on the store's clock
    /// since. A store's clock that went back adds nothing.
    pub fn site_now(&self) -> SiteTime {
        let passed_us = self.store_now_us.saturating_sub(self.store_us).max(0).unsigned_abs();
        if self.last_seq == Seq(0) { self.at } else { SiteTime(self.at.0.saturating_add(passed_us)) }
    }
}

/// Why the journal could not answer. A lost append is not among them: it is an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalFault {
    /// Nothing was stored or read; trying again is safe.
    #[error("the journal cannot be reached: {0}")]
    Unavailable(String),
    /// The append may or may not be there: read the tail and look for one's own row before anything else.
    #[error("the journal did not say whether the append was stored: {0}")]
    OutcomeUnknown(String),
    /// The append may or may not be there, and what this process reads is no proof either way: it has to end, and its
    /// successor finds out from the disk.
    #[error("the journal failed, and only a restart can tell what was stored: {0}")]
    RestartNeeded(String),
    /// The rows do not follow each other. Nothing more may be written; restore from a backup.
    #[error("the journal of this site is damaged: {0}")]
    Damaged(String),
    /// A row that does not begin right behind the last one: a mistake of the writer's.
    #[error("an append at {seq} does not follow the last decision {last_seq}", seq = seq.0, last_seq = last_seq.0)]
    Gap {
        /// Where it should have begun.
        seq: Seq,
        /// The last decision stored.
        last_seq: Seq,
    },
}

/// The append-only record of every site's decisions. Its key (site, seq) is the only lock between writers.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Stores one row at its sequence number, if no row stands there.
    ///
    /// # Errors
    /// [`JournalFault`]; after [`JournalFault::OutcomeUnknown`] the row may be there.
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault>;

    /// The rows behind a decision, in order, at most `rows_max` of them.
    ///
    /// # Errors
    /// [`JournalFault`].
    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault>;

    /// Where the journal stands.
    ///
    /// # Errors
    /// [`JournalFault`].
    async fn head(&self, site: SiteId) -> Result<Head, JournalFault>;

    /// Says, to whoever else appends to this site, that this writer came second again and again and waits for its turn, or
    /// that it does not any more. Nobody is held up by it, and it ends with the writer's connection at the latest: what
    /// others do about it is theirs. What one process alone writes to has nobody to tell.
    async fn wait_for_turn(&self, _site: SiteId, _writer: &Writer, _waits: bool) {}

    /// Whether a writer other than this one waits for its turn, as far as can be seen.
    async fn is_awaited(&self, _site: SiteId, _writer: &Writer) -> bool {
        false
    }

    /// Every site that has decisions, by name, and its last one.
    ///
    /// # Errors
    /// [`JournalFault`].
    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault>;
}
