//! Follows the journal a little behind, and keeps what follows from it: snapshots for the next start, and the record
//! of each call. Nothing waits for it, and nothing is lost with it.

use std::sync::Arc;
use std::time::Duration;

use session::crash::{CrashPoint, rarely, reached};
use session::{Derived, DerivedFault, Journal, RecordCursor, RecordFold, RowMark, Snapshot};
use switchboard::Switchboard;
use switchboard::id::{Seq, SiteId};
use tokio::sync::watch;

use crate::published::Head;

/// So many decisions are taken at once while it is busy…
const STEP_DECISIONS: u64 = rarely(512, 64);
/// …and whatever there is, this long after it came.
const STEP_AFTER: Duration = Duration::from_secs(2);
/// Decisions between two snapshots: replaying so many takes a small part of a second.
pub(crate) const SNAPSHOT_DECISIONS: u64 = rarely(10_000, 256);
/// At the end a snapshot is taken if at least so many decisions came since the last.
const LAST_SNAPSHOT_DECISIONS: u64 = 100;
const ROWS_AT_ONCE: usize = 256;

/// Why it cannot go on. The site does.
#[derive(Debug, thiserror::Error)]
enum KeepFault {
    #[error(transparent)]
    Journal(#[from] session::JournalFault),
    #[error(transparent)]
    Body(#[from] session::BodyFault),
    #[error(transparent)]
    Derived(#[from] DerivedFault),
}

pub(crate) struct Keeper {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) derived: Arc<dyn Derived>,
    pub(crate) site: SiteId,
    /// As of its last decision; the records may be behind it at first.
    pub(crate) switchboard: Switchboard,
    pub(crate) last_snapshot: Seq,
    pub(crate) head: watch::Receiver<Head>,
}

/// Where the records are.
struct Records {
    cursor: Option<RecordCursor>,
    fold: RecordFold,
}

impl Keeper {
    pub(crate) async fn run(mut self) {
        loop {
            match self.follow().await {
                Ok(()) => return,
                Err(KeepFault::Derived(DerivedFault::Moved)) => {}
                Err(fault) => {
                    tracing::warn!(site = %self.site, %fault, "snapshots and call records are not kept at present");
                    let ended = self.head.wait_for(|head| head.ended);
                    // Ended or not: it is tried again after a while, or never.
                    if tokio::time::timeout(STEP_AFTER * 5, ended).await.is_ok() {
                        return;
                    }
                }
            }
        }
    }

    /// Follows until the exchange has ended.
    async fn follow(&mut self) -> Result<(), KeepFault> {
        let mut records = self.records().await?;
        loop {
            let head = *self.head.borrow_and_update();
            self.catch_up(&mut records, head.seq).await?;
            if head.ended {
                return self.snapshot(LAST_SNAPSHOT_DECISIONS, &records).await;
            }
            self.wait(head.seq).await;
        }
    }

    /// Waits until there is enough to do, or something and some time has passed.
    async fn wait(&mut self, done: Seq) {
        if self.head.wait_for(|head| head.seq > done || head.ended).await.is_err() {
            return;
        }
        let much = self.head.wait_for(|head| head.seq.0 >= done.0 + STEP_DECISIONS || head.ended);
        // Late or not, it goes on with what there is.
        let _much = tokio::time::timeout(STEP_AFTER, much).await;
    }

    /// Where the records are, if they are of this journal; otherwise they begin again.
    async fn records(&self) -> Result<Records, KeepFault> {
        if let Some(cursor) = self.derived.record_cursor(self.site).await? {
            if cursor.row.stands(&*self.journal, self.site, cursor.seq).await? {
                let open = self.derived.open_records(self.site).await?;
                return Ok(Records { cursor: Some(cursor), fold: RecordFold::resume(open) });
            }
            tracing::warn!(site = %self.site, "call records are of another history and are made again");
            self.derived.forget_records(self.site).await?;
        }
        Ok(Records { cursor: None, fold: RecordFold::default() })
    }

    async fn catch_up(&mut self, records: &mut Records, to: Seq) -> Result<(), KeepFault> {
        while records.cursor.is_none_or(|cursor| cursor.seq < to) {
            let after = records.cursor.map(|cursor| cursor.seq);
            let rows = self.journal.tail(self.site, after.unwrap_or_default(), ROWS_AT_ONCE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            for stored in &rows {
                for decision in session::decode(&stored.row)? {
                    records.fold.fold(&decision, stored.row.wall_us);
                    if decision.seq == self.switchboard.state().seq.next() {
                        self.switchboard.evolve(&decision);
                    }
                }
            }
            let cursor = RecordCursor { seq: last.row.last_seq, row: RowMark::of(last) };
            let changed = records.fold.take_changed();
            reached(CrashPoint::BeforeRecords);
            self.derived.keep_records(self.site, &changed, after, cursor).await?;
            records.cursor = Some(cursor);
            self.snapshot(SNAPSHOT_DECISIONS, records).await?;
        }
        Ok(())
    }

    /// Keeps a snapshot if so many decisions came since the last, and the state is the one behind the records' row.
    async fn snapshot(&mut self, decisions: u64, records: &Records) -> Result<(), KeepFault> {
        let state = self.switchboard.state();
        let passed = state.seq.0.saturating_sub(self.last_snapshot.0);
        let Some(cursor) = records.cursor.filter(|cursor| cursor.seq == state.seq) else { return Ok(()) };
        if passed < decisions {
            return Ok(());
        }
        let snapshot = Snapshot::of(state, cursor.row);
        reached(CrashPoint::BeforeSnapshot);
        self.derived.keep_snapshot(self.site, &snapshot).await?;
        reached(CrashPoint::AfterSnapshot);
        self.last_snapshot = snapshot.seq;
        Ok(())
    }
}
