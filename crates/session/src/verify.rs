//! Whether a journal is whole and means what it says: gapless, the same when replayed, when restored from a snapshot
//! and when every input is decided again; and whether the call records are its fold. Reads only.

use std::collections::BTreeMap;

use switchboard::canonical::Hash;
use switchboard::decision::Decision;
use switchboard::id::{CallId, Seq, SiteId};
use switchboard::time::SiteTime;
use switchboard::{Switchboard, canonical};

use crate::body::{BodyFault, decode};
use crate::derived::{Derived, DerivedFault, RecordCursor, RowMark, Snapshot};
use crate::journal::{Journal, JournalFault, StoredRow};
use crate::record::{CallRecord, RecordFold};

const ROWS_AT_ONCE: usize = 256;
const RECORDS_AT_ONCE: usize = 4_096;

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Rows.
    pub rows: u64,
    /// Decisions in them.
    pub decisions: u64,
    /// Snapshots that are the state they say.
    pub snapshots: u64,
    /// Snapshots that nobody will use, and so were not compared: of another version or another history.
    pub passed_over: u64,
    /// Call records that are the fold of the decisions.
    pub records: u64,
    /// Calls that are over and have no record: it was let go.
    pub let_go: u64,
    /// Of the state at the end.
    pub state: Hash,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last decision verified.
    pub seq: Seq,
    /// The last decision there was when it began.
    pub of: Seq,
}

/// The first thing that is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFault {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// A row cannot be read.
    #[error(transparent)]
    Body(#[from] BodyFault),
    /// Snapshots or records cannot be read.
    #[error(transparent)]
    Derived(#[from] DerivedFault),
    /// A row does not begin behind the one before.
    #[error("there is a gap: behind decision {after} comes {found}", after = after.0, found = found.0)]
    Gap {
        /// The last decision before it.
        after: Seq,
        /// The next one found.
        found: Seq,
    },
    /// Time went back.
    #[error("decision {seq} was made at {at} us, before the one ahead of it", seq = seq.0, at = at.0)]
    TimeWentBack {
        /// Which decision.
        seq: Seq,
        /// When.
        at: SiteTime,
    },
    /// A stored input, decided again, gives something else.
    #[error("decision {seq}, decided again, comes out otherwise: stored {stored}; decided {decided}", seq = seq.0)]
    DecidedOtherwise {
        /// Which decision.
        seq: Seq,
        /// Its canonical text.
        stored: String,
        /// The canonical text of the other, or the refusal.
        decided: String,
    },
    /// Applying the stored events gives another state than deciding.
    #[error("at decision {seq} the replayed state is not the decided one", seq = seq.0)]
    ReplayedOtherwise {
        /// Which decision.
        seq: Seq,
    },
    /// A snapshot is not the state it says.
    #[error("the snapshot at decision {seq} is not the state there; delete derived.db, and it is made again", seq = seq.0)]
    Snapshot {
        /// Which.
        seq: Seq,
    },
    /// A call record is not what the decisions say.
    #[error(
        "the record of call {call} is not what the decisions say; delete derived.db, and it is made again"
    )]
    Record {
        /// Which call.
        call: CallId,
    },
    /// The records follow another history, or are ahead of this one.
    #[error("the call records are of another history at decision {seq}; delete derived.db, and they are made again", seq = seq.0)]
    RecordsElsewhere {
        /// Where they are.
        seq: Seq,
    },
}

/// Verifies a site's journal up to where it is at the beginning, and what is derived from it if that is given.
///
/// # Errors
/// [`VerifyFault`], the first met.
pub async fn verify(
    journal: &dyn Journal,
    derived: Option<&dyn Derived>,
    site: SiteId,
    mut progress: impl FnMut(Progress),
) -> Result<Verified, VerifyFault> {
    // The records first: the journal may go on growing meanwhile, and never falls behind them.
    let (records, cursor) = match derived {
        Some(derived) => stored_records(derived, site).await?,
        None => Default::default(),
    };
    let of = journal.head(site).await?.last_seq;
    let snapshots = match derived {
        Some(derived) => stored_snapshots(derived, site, of).await?,
        None => BTreeMap::new(),
    };
    let mut check = Check::new(snapshots, records, cursor);
    while check.seq() < of {
        let rows = journal.tail(site, check.seq(), ROWS_AT_ONCE).await?;
        if rows.is_empty() {
            break;
        }
        for stored in &rows {
            check.row(stored)?;
        }
        progress(Progress { seq: check.seq(), of });
    }
    check.end()
}

struct Check {
    decided: Switchboard,
    replayed: Switchboard,
    fold: RecordFold,
    folded: BTreeMap<CallId, CallRecord>,
    snapshots: BTreeMap<Seq, Snapshot>,
    records: BTreeMap<CallId, CallRecord>,
    cursor: Option<RecordCursor>,
    so_far: Verified,
}

impl Check {
    fn new(
        snapshots: BTreeMap<Seq, Snapshot>,
        records: BTreeMap<CallId, CallRecord>,
        cursor: Option<RecordCursor>,
    ) -> Check {
        Check {
            decided: Switchboard::new(),
            replayed: Switchboard::new(),
            fold: RecordFold::default(),
            folded: BTreeMap::new(),
            snapshots,
            records,
            cursor,
            so_far: Verified {
                rows: 0,
                decisions: 0,
                snapshots: 0,
                passed_over: 0,
                records: 0,
                let_go: 0,
                state: Hash::default(),
            },
        }
    }

    fn seq(&self) -> Seq {
        self.decided.state().seq
    }

    fn row(&mut self, stored: &StoredRow) -> Result<(), VerifyFault> {
        let after = self.seq();
        if stored.row.seq != after.next() {
            return Err(VerifyFault::Gap { after, found: stored.row.seq });
        }
        for decision in decode(&stored.row)? {
            self.decision(&decision)?;
            if self.cursor.is_some_and(|cursor| decision.seq <= cursor.seq) {
                self.fold.fold(&decision, stored.row.wall_us);
            }
        }
        self.so_far.rows += 1;
        self.folded.extend(self.fold.take_changed().into_iter().map(|record| (record.call, record)));
        if let Some(snapshot) = self.snapshots.remove(&self.seq()) {
            self.snapshot(stored, &snapshot)?;
        }
        match self.cursor {
            Some(cursor) if cursor.seq == self.seq() => self.compare_records(stored, cursor),
            _ => Ok(()),
        }
    }

    fn decision(&mut self, decision: &Decision) -> Result<(), VerifyFault> {
        let seq = decision.seq;
        if decision.at < self.decided.state().now {
            return Err(VerifyFault::TimeWentBack { seq, at: decision.at });
        }
        let decided = self.decided.handle(decision.at, decision.input.clone());
        if decided.as_ref() != Ok(decision) {
            let decided = match decided {
                Ok(other) => other.to_canonical(),
                Err(rejection) => format!("refused: {rejection}"),
            };
            return Err(VerifyFault::DecidedOtherwise { seq, stored: decision.to_canonical(), decided });
        }
        self.replayed.evolve(decision);
        self.so_far.decisions += 1;
        Ok(())
    }

    fn snapshot(&mut self, stored: &StoredRow, snapshot: &Snapshot) -> Result<(), VerifyFault> {
        let seq = snapshot.seq;
        if snapshot.row != RowMark::of(stored) || snapshot.state_version != crate::STATE_VERSION {
            self.so_far.passed_over += 1;
            return Ok(());
        }
        let state = snapshot.open().map_err(|_| VerifyFault::Snapshot { seq })?;
        if state != *self.replayed.state() || Hash::of(&canonical::encode(&state)) != snapshot.hash {
            return Err(VerifyFault::Snapshot { seq });
        }
        self.same_states()?;
        self.so_far.snapshots += 1;
        Ok(())
    }

    fn same_states(&self) -> Result<(), VerifyFault> {
        let same = self.replayed.state() == self.decided.state();
        if same { Ok(()) } else { Err(VerifyFault::ReplayedOtherwise { seq: self.seq() }) }
    }

    fn compare_records(&mut self, stored: &StoredRow, cursor: RecordCursor) -> Result<(), VerifyFault> {
        if cursor.row != RowMark::of(stored) {
            return Err(VerifyFault::RecordsElsewhere { seq: cursor.seq });
        }
        // A record of a call that is over may have been kept long enough. Whether it was is for the audit to say.
        let before = self.folded.len();
        let stored = &self.records;
        self.folded.retain(|call, folded| folded.closed.is_none() || stored.contains_key(call));
        self.so_far.let_go = (before - self.folded.len()) as u64;
        let calls = self.folded.keys().chain(self.records.keys());
        if let Some(call) = calls.copied().find(|call| self.folded.get(call) != self.records.get(call)) {
            return Err(VerifyFault::Record { call });
        }
        self.so_far.records = self.records.len() as u64;
        self.cursor = None;
        self.folded.clear();
        Ok(())
    }

    fn end(mut self) -> Result<Verified, VerifyFault> {
        self.same_states()?;
        if let Some(cursor) = self.cursor {
            return Err(VerifyFault::RecordsElsewhere { seq: cursor.seq });
        }
        self.so_far.passed_over += self.snapshots.len() as u64;
        self.so_far.state = self.replayed.state_hash();
        Ok(self.so_far)
    }
}

type Records = (BTreeMap<CallId, CallRecord>, Option<RecordCursor>);

/// The records of one moment, and the cursor they stand at.
async fn stored_records(derived: &dyn Derived, site: SiteId) -> Result<Records, DerivedFault> {
    loop {
        let cursor = derived.record_cursor(site).await?;
        let mut records = BTreeMap::new();
        let mut after = Seq(0);
        loop {
            let page = derived.records(site, after, RECORDS_AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after = last.first_seq;
            records.extend(page.into_iter().map(|record| (record.call, record)));
        }
        // A server that is running may have moved them on in between.
        if derived.record_cursor(site).await? == cursor {
            return Ok((records, cursor));
        }
    }
}

async fn stored_snapshots(
    derived: &dyn Derived,
    site: SiteId,
    of: Seq,
) -> Result<BTreeMap<Seq, Snapshot>, DerivedFault> {
    let mut snapshots = BTreeMap::new();
    let mut at_most = of;
    while let Some(snapshot) = derived.snapshot(site, at_most).await? {
        let seq = snapshot.seq;
        snapshots.insert(seq, snapshot);
        let Some(earlier) = seq.0.checked_sub(1) else { break };
        at_most = Seq(earlier);
    }
    Ok(snapshots)
}
