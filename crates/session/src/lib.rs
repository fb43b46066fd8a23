//! The durable record of a site: the [`Journal`] of its decisions, [`Callers`], which knows a caller's number by a
//! random reference, and [`Subjects`], which forgets it again, the [`Registry`] of tokens and plans' texts, and the
//! [`Audit`] of who asked for what, and the [`Roll`] of the routers that share them. These are traits; this crate holds
//! the stores in memory, on SQLite and on Postgres, and is the only room in which a store on a database may ever stand.
//! Its statements are in `sql.rs`, all of them, and both engines are asked in the same words (`engine`).
//!
//! Not here: deciding anything, the clock, group commit (crate `exchange`), who can be reached (crate `presence`),
//! gRPC. The canonical encoding of a decision is the switchboard's; this crate only says how the decisions of one
//! row stand in one text.

mod audit;
mod body;
mod caller;
pub mod crash;
mod derived;
mod engine;
mod journal;
mod looking_back;
mod memory;
mod memory_derived;
mod postgres;
mod record;
mod registry;
mod restore;
mod retention;
mod roll;
mod seal;
mod sql;
mod sqlite;
mod subject;
mod verify;

pub use audit::{
    Audit, AuditBreak, AuditEntry, AuditFault, AuditFilter, AuditRow, AuditWalk, MemoryAudit, let_audit_go,
    parse_hash, walk_audit,
};
pub use body::{BodyFault, FORMAT, FORMAT_OLDEST, check_format, decode, encode, encode_in, newest_format};
pub use caller::{CALLER_NUMBER_LEN_MAX, CallerNumber, Callers, CallersFault, MemoryCallers};
pub use derived::{
    Derived, DerivedFault, RecordCursor, RecordPlace, RecordQuery, RowMark, SNAPSHOT_STEP, STATE_VERSION,
    Snapshot, SnapshotFault,
};
pub use journal::{Appended, Epoch, Head, Journal, JournalFault, Row, StoredRow, Writer};
pub use looking_back::{last_by_wall, rows_holding};
pub use memory::MemoryJournal;
pub use memory_derived::MemoryDerived;
pub use postgres::{
    CopyFault, PostgresCallers, PostgresCheckup, PostgresFault, PostgresLimits, PostgresStore,
    back_up_postgres, drop_postgres_database, make_postgres_database, migrate_postgres, restore_to_postgres,
};
pub use record::{CallRecord, RecordFold};
pub use registry::{KeptInvite, KeptRoster, KeptToken, MemoryRegistry, Registry, RegistryFault};
pub use restore::{restore, restore_at};
pub use retention::{Retention, Swept, SweptStores, may_have_dropped_records, sweep};
pub use roll::{MemoryRoll, Roll, RollEntry};
pub use seal::{SealKey, SealKeyFault};
pub use sqlite::{Copied, FileCheckup, back_up, look_at_files, restore_from};
pub use sqlite::{OpenFault, SqliteCallers, SqliteStore};
pub use subject::{ERASURE_LASTS_US, Erasure, FoldedRecords, KeptNumber, SubjectRecords, Subjects};
pub use verify::{Progress, Verified, VerifyFault, verify};
