//! What SQLite says, in the journal's words.

use sqlx::Error;

use crate::engine::Stopped;
use crate::journal::JournalFault;

/// SQLite's primary result codes that are told apart.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const NOMEM: i32 = 7;
const READONLY: i32 = 8;
const INTERRUPT: i32 = 9;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const PROTOCOL: i32 = 15;
const TOOBIG: i32 = 18;
const NOTADB: i32 = 26;

/// What went wrong, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A row stands at that key.
    KeyTaken,
    /// Somebody else writes; nothing was done.
    Busy,
    /// No room on the disk.
    Full,
    /// The file may be read only.
    ReadOnly,
    /// The file is not what SQLite wrote.
    Damaged,
    /// The file cannot be opened.
    CannotOpen,
    /// The machine failed to read, write or sync, or the connection broke.
    Broken,
}

pub(crate) fn kind(error: &Error) -> Kind {
    match error {
        Error::Database(database) if database.is_unique_violation() => Kind::KeyTaken,
        Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse::<i32>().ok());
            // The extended code says more about the same primary one in its low byte.
            match code.map(|code| code & 0xff) {
                Some(BUSY | LOCKED) => Kind::Busy,
                Some(FULL) => Kind::Full,
                Some(READONLY) => Kind::ReadOnly,
                Some(CANTOPEN) => Kind::CannotOpen,
                Some(CORRUPT | NOTADB) => Kind::Damaged,
                Some(IOERR | NOMEM | INTERRUPT | PROTOCOL | TOOBIG) => Kind::Broken,
                // A constraint, a type or a statement that does not fit: the file is not of this schema.
                _ => Kind::Damaged,
            }
        }
        Error::ColumnDecode { .. } | Error::Decode(_) | Error::ColumnNotFound(_) => Kind::Damaged,
        _ => Kind::Broken,
    }
}

/// Something other than an append that failed.
pub(crate) fn stopped(error: &Error) -> Stopped {
    match kind(error) {
        Kind::KeyTaken => Stopped::KeyTaken(error.to_string()),
        Kind::Damaged => Stopped::Damaged(error.to_string()),
        Kind::Busy | Kind::Full | Kind::ReadOnly | Kind::CannotOpen | Kind::Broken => {
            Stopped::Unavailable(error.to_string())
        }
    }
}

/// A read of the journal that failed: nothing changed.
pub(crate) fn reading(stopped: Stopped) -> JournalFault {
    match stopped {
        Stopped::Damaged(why) => JournalFault::Damaged(restored(why)),
        other => other.into(),
    }
}

/// A write that failed. Only the key and a busy file say for certain that nothing was stored.
pub(crate) fn writing(error: &Error) -> JournalFault {
    match kind(error) {
        Kind::Busy => JournalFault::Unavailable(error.to_string()),
        Kind::Full => {
            JournalFault::OutcomeUnknown(format!("{error}; make room on the disk of the data directory"))
        }
        Kind::ReadOnly => {
            JournalFault::OutcomeUnknown(format!("{error}; make the data directory writable again"))
        }
        Kind::KeyTaken | Kind::Damaged => damaged(error),
        Kind::CannotOpen | Kind::Broken => JournalFault::RestartNeeded(error.to_string()),
    }
}

fn damaged(error: &Error) -> JournalFault {
    JournalFault::Damaged(restored(error))
}

fn restored(why: impl std::fmt::Display) -> String {
    format!("{why}; restore the data directory from a backup")
}
