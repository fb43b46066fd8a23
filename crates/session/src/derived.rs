//! What follows from the journal and is kept so that nobody has to work it out again: snapshots of the state, and the
//! records of calls. All of it may be lost, and is made again.

use async_trait::async_trait;
use switchboard::call::Outcome;
use switchboard::canonical::{self, Hash};
use switchboard::id::{CallId, CallerRef, LineId, OperatorId, Seq, SiteId};
use switchboard::state::State;

use crate::journal::{Journal, JournalFault, StoredRow};
use crate::record::CallRecord;

/// How states are written, and what they mean. A release that changes either counts up, and older snapshots are
/// passed over.
pub const STATE_VERSION: u32 = 1;

/// The state after one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last decision inside.
    pub seq: Seq,
    /// How it is written.
    pub state_version: u32,
    /// The row it stands on: a snapshot of another history is not taken for one of this.
    pub row: RowMark,
    /// Of the body.
    pub hash: Hash,
    /// The canonical state.
    pub body: String,
}

/// Why a snapshot is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotFault {
    /// Written by another release.
    #[error("it is of version {0}, and this release reads {STATE_VERSION}")]
    OtherVersion(u32),
    /// Its text is not what was written.
    #[error("its text does not have its hash")]
    Torn,
    /// Its text is not a state.
    #[error("it is not a state: {0}")]
    Malformed(String),
    /// It is the state after another decision than it says.
    #[error("it is of decision {0}")]
    Misplaced(u64),
}

impl Snapshot {
    /// Of a state that a row ended with.
    pub fn of(state: &State, row: RowMark) -> Snapshot {
        let body = canonical::encode(state);
        Snapshot { seq: state.seq, state_version: STATE_VERSION, row, hash: Hash::of(&body), body }
    }

    /// The state.
    ///
    /// # Errors
    /// [`SnapshotFault`]: replay instead.
    pub fn open(&self) -> Result<State, SnapshotFault> {
        if self.state_version != STATE_VERSION {
            return Err(SnapshotFault::OtherVersion(self.state_version));
        }
        if Hash::of(&self.body) != self.hash {
            return Err(SnapshotFault::Torn);
        }
        let state: State =
            canonical::decode(&self.body).map_err(|fault| SnapshotFault::Malformed(fault.to_string()))?;
        if state.seq == self.seq { Ok(state) } else { Err(SnapshotFault::Misplaced(state.seq.0)) }
    }
}

/// Which row of which history: its first decision, and a hash of everything that was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowMark {
    /// Where the row begins.
    pub seq: Seq,
    /// Of the row.
    pub hash: Hash,
}

impl RowMark {
    /// Of a row as it stands in the journal.
    pub fn of(stored: &StoredRow) -> RowMark {
        let row = &stored.row;
        let head = format!(
            "{} {} {} {} {} {} {}",
            row.seq.0,
            row.last_seq.0,
            row.at.0,
            row.wall_us,
            stored.store_us,
            row.writer.as_str(),
            row.format
        );
        RowMark { seq: row.seq, hash: Hash::of(&head).then(&row.body) }
    }

    /// Whether this row is in a journal to the letter, and ends with that decision.
    ///
    /// # Errors
    /// [`JournalFault`], when the journal cannot be read.
    pub async fn stands(
        &self,
        journal: &dyn Journal,
        site: SiteId,
        last_seq: Seq,
    ) -> Result<bool, JournalFault> {
        let rows = journal.tail(site, Seq(self.seq.0.saturating_sub(1)), 1).await?;
        Ok(rows.first().is_some_and(|row| row.row.last_seq == last_seq && RowMark::of(row) == *self))
    }
}

/// How far the records of a site have followed its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordCursor {
    /// The last decision they know.
    pub seq: Seq,
    /// The row that ends there.
    pub row: RowMark,
}

/// Why the store of what is derived could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DerivedFault {
    /// It may answer later.
    #[error("the store of snapshots and records does not answer: {0}")]
    Unavailable(String),
    /// It has to be made again.
    #[error("the store of snapshots and records is damaged: {0}")]
    Damaged(String),
    /// Somebody else moved the records of this site on.
    #[error("the records of this site were moved on by somebody else")]
    Moved,
}

/// Snapshots and call records.
#[async_trait]
pub trait Derived: Send + Sync {
    /// Keeps a snapshot, and lets go of those that nobody needs: the last three stay, and of older ones the first of
    /// each [`SNAPSHOT_STEP`] decisions.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn keep_snapshot(&self, site: SiteId, snapshot: &Snapshot) -> Result<(), DerivedFault>;

    /// The last snapshot at or before a decision.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn snapshot(&self, site: SiteId, at_most: Seq) -> Result<Option<Snapshot>, DerivedFault>;

    /// How far the records are; none if there are none.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn record_cursor(&self, site: SiteId) -> Result<Option<RecordCursor>, DerivedFault>;

    /// Keeps records as they are at a cursor, if the cursor still stands where `from` says.
    ///
    /// # Errors
    /// [`DerivedFault`]; [`DerivedFault::Moved`] if it stands elsewhere, and nothing was kept.
    async fn keep_records(
        &self,
        site: SiteId,
        records: &[CallRecord],
        from: Option<Seq>,
        to: RecordCursor,
    ) -> Result<(), DerivedFault>;

    /// The records of open calls.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn open_records(&self, site: SiteId) -> Result<Vec<CallRecord>, DerivedFault>;

    /// Records in the order in which their calls first came, behind a decision, at most so many.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn records(
        &self,
        site: SiteId,
        after: Seq,
        records_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault>;

    /// The record of one call.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn record(&self, site: SiteId, call: CallId) -> Result<Option<CallRecord>, DerivedFault>;

    /// The records that were asked for, the latest call first, at most so many, behind a place among them.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn latest_records(
        &self,
        site: SiteId,
        asked: &RecordQuery,
        behind: Option<RecordPlace>,
        records_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault>;

    /// Lets go of the records of a site, so that they are made again.
    ///
    /// # Errors
    /// [`DerivedFault`].
    async fn forget_records(&self, site: SiteId) -> Result<(), DerivedFault>;
}

/// Which records are asked for. What is none does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Called on this line, or was on it last.
    pub line: Option<LineId>,
    /// First answered by this one.
    pub operator: Option<OperatorId>,
    /// Of this caller.
    pub caller: Option<CallerRef>,
    /// Ended so.
    pub outcome: Option<Outcome>,
    /// Rang in at or after this, by the wall clock, in microseconds since 1970 UTC.
    pub from_wall_us: Option<i64>,
    /// Rang in before this, by the wall clock, in microseconds since 1970 UTC.
    pub until_wall_us: Option<i64>,
    /// With an id from the first of these to the second.
    pub calls: Option<(CallId, CallId)>,
}

impl RecordQuery {
    /// Whether this record is asked for.
    pub fn asks_for(&self, record: &CallRecord) -> bool {
        let RecordQuery { line, operator, caller, outcome, from_wall_us, until_wall_us, calls } = *self;
        line.is_none_or(|line| line == record.line || line == record.called)
            && operator.is_none_or(|operator| record.answered.is_some_and(|(_, by)| by == operator))
            && caller.is_none_or(|caller| caller == record.caller)
            && outcome.is_none_or(|outcome| record.closed.is_some_and(|(_, ended)| ended == outcome))
            && from_wall_us.is_none_or(|from| record.wall_us >= from)
            && until_wall_us.is_none_or(|until| record.wall_us < until)
            && calls.is_none_or(|(first, last)| (first..=last).contains(&record.call))
    }
}

/// A record's place: the decision that let its call in, and the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordPlace {
    /// That decision.
    pub first_seq: Seq,
    /// Which call.
    pub call: CallId,
}

impl CallRecord {
    /// Its place among the records.
    pub fn place(&self) -> RecordPlace {
        RecordPlace { first_seq: self.first_seq, call: self.call }
    }
}

/// Of snapshots older than the last three one is kept for so many decisions, to look back from.
pub const SNAPSHOT_STEP: u64 = 50_000;

/// Which of these snapshots, newest first, nobody needs.
pub(crate) fn superfluous(newest_first: &[Seq]) -> Vec<Seq> {
    const LAST: usize = 3;
    let older = newest_first.get(LAST..).unwrap_or_default();
    let step = |seq: &Seq| seq.0 / SNAPSHOT_STEP;
    let has_earlier = |at: usize| older.get(at + 1).is_some_and(|earlier| step(earlier) == step(&older[at]));
    (0..older.len()).filter(|at| has_earlier(*at)).map(|at| older[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_snapshots_stay_and_one_of_each_step() {
        let mut kept: Vec<Seq> = Vec::new();
        for n in 1..=40 {
            kept.insert(0, Seq(n * 10_000));
            for gone in superfluous(&kept) {
                kept.retain(|seq| *seq != gone);
            }
        }
        let kept: Vec<u64> = kept.iter().map(|seq| seq.0 / 10_000).collect();
        assert_eq!(kept, [40, 39, 38, 35, 30, 25, 20, 15, 10, 5, 1]);
    }

    #[test]
    fn a_snapshot_that_is_not_sound_is_not_opened() {
        let state = State { seq: Seq(9), ..State::default() };
        let row = RowMark { seq: Seq(9), hash: Hash::default() };
        let sound = Snapshot::of(&state, row);
        assert_eq!(sound.open(), Ok(state));
        let older = Snapshot { state_version: STATE_VERSION + 1, ..sound.clone() };
        assert_eq!(older.open(), Err(SnapshotFault::OtherVersion(STATE_VERSION + 1)));
        let torn = Snapshot { body: sound.body.replace("9", "8"), ..sound.clone() };
        assert_eq!(torn.open(), Err(SnapshotFault::Torn));
        let misplaced = Snapshot { seq: Seq(8), ..sound.clone() };
        assert_eq!(misplaced.open(), Err(SnapshotFault::Misplaced(9)));
        let strange = Snapshot { body: "{}".to_owned(), hash: Hash::of("{}"), ..sound };
        assert!(matches!(strange.open(), Err(SnapshotFault::Malformed(_))));
    }
}
