//! What Postgres says, in our words: why a database cannot be used, and what became of something it was asked.

use sqlx::Error;

use crate::engine::Stopped;
use crate::journal::{Appended, JournalFault};

/// Why a database cannot be used. Each says what would mend it. A password is in none of them.
#[derive(Debug, thiserror::Error)]
pub enum PostgresFault {
    /// The address is none.
    #[error(
        "that is no address of a database: {why}; write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full"
    )]
    BadAddress {
        /// What is wrong with it.
        why: String,
    },
    /// Nobody answers there.
    #[error("nobody answers at {server}: {why}; start Postgres there, or name another address")]
    Unreachable {
        /// Host, port and database.
        server: String,
        /// What was met.
        why: String,
    },
    /// It does not speak TLS as it was asked to.
    #[error("no TLS with {server}: {why}; give it a certificate that sslrootcert knows, or another sslmode")]
    NoTls {
        /// Host, port and database.
        server: String,
        /// What was met.
        why: String,
    },
    /// The password is not that user's.
    #[error("{server} refuses the password of {user}; correct the user or the password in the address")]
    WrongPassword {
        /// Host, port and database.
        server: String,
        /// Who asked.
        user: String,
    },
    /// It lets this user in nowhere, or not to where the tables are.
    #[error("{server} does not let {user} do this: {why}; grant it, as docs/postgres.md shows")]
    NotAllowed {
        /// Host, port and database.
        server: String,
        /// Who asked.
        user: String,
        /// What the server said.
        why: String,
    },
    /// There is no such database.
    #[error("there is no database at {server}; make it with createdb, or name another in the address")]
    NoDatabase {
        /// Host, port and database.
        server: String,
    },
    /// It follows another server.
    #[error("{server} is a replica and takes no writes; name the primary in the address")]
    Replica {
        /// Host, port and database.
        server: String,
    },
    /// It takes no writes.
    #[error(
        "{server} takes no writes: its transactions are read only; set default_transaction_read_only to off there"
    )]
    ReadOnly {
        /// Host, port and database.
        server: String,
    },
    /// Too old.
    #[error("{server} runs Postgres {version}, and 15 or later is needed; upgrade it")]
    TooOld {
        /// Host, port and database.
        server: String,
        /// Its version.
        version: i64,
    },
    /// It does not hold every character.
    #[error(
        "the database at {server} is encoded in {encoding}; make one with createdb --encoding=UTF8 --template=template0"
    )]
    NotUtf8 {
        /// Host, port and database.
        server: String,
        /// Its encoding.
        encoding: String,
    },
    /// Its schema is older than this release.
    #[error("the schema at {server} lacks {}; run hotline migrate", missing.join(", "))]
    Behind {
        /// Host, port and database.
        server: String,
        /// The steps that were not made.
        missing: Vec<String>,
    },
    /// Its schema is newer than this release.
    #[error(
        "the schema at {server} has step {step}, which this release does not know; start the release that made it, or a later one"
    )]
    Newer {
        /// Host, port and database.
        server: String,
        /// The last step that is unknown here.
        step: i64,
    },
    /// Something else stands where our tables would.
    #[error("the schema hotline at {server} is another program's: {why}; name another database")]
    NotOurs {
        /// Host, port and database.
        server: String,
        /// What was met.
        why: String,
    },
    /// Somebody else changes the schema.
    #[error(
        "somebody else changes the schema at {server}, or holds its tables; wait for that to end, and ask again"
    )]
    Busy {
        /// Host, port and database.
        server: String,
    },
    /// It holds something, and nothing is replaced.
    #[error("the database at {server} holds a record already, and it is not replaced; name an empty one")]
    NotEmpty {
        /// Host, port and database.
        server: String,
    },
    /// Callers' numbers are there that another key sealed.
    #[error("callers' numbers in this journal were sealed with another key; give the key it was begun with")]
    WrongKey,
    /// It is not what was written.
    #[error("the record at {server} is damaged: {why}; restore it from a backup")]
    Damaged {
        /// Host, port and database.
        server: String,
        /// What was met.
        why: String,
    },
    /// Anything else.
    #[error("the database at {server} cannot be used: {why}")]
    Failed {
        /// Host, port and database.
        server: String,
        /// What was met.
        why: String,
    },
}

/// What became of something that was asked, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody was asked.
    Unreached,
    /// The database is of another life than the one this process knows.
    Replaced,
    /// A row stands at that key; nothing was changed.
    KeyTaken,
    /// Refused for certain: nothing was changed.
    Refused,
    /// What is stored is not what was written, or not of this schema; nothing was changed.
    Misfit,
    /// Nobody can say.
    Unknown,
}

/// Why something was not answered as it should be.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) kind: Kind,
    /// The connection is of no use any more.
    pub(super) lost: bool,
    pub(super) why: String,
}

/// No room on the server's disk.
const DISK_FULL: &str = "53100";
/// A lock was waited for too long: the statement ended before it changed anything.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// What only reads was asked to write.
const READ_ONLY: &str = "25006";
/// Somebody, or the time limit, ended the statement.
const CANCELED: &str = "57014";
const NOT_ALLOWED: &str = "42501";
/// A page, or an index, is not what was written.
const CORRUPTED: [&str; 2] = ["XX001", "XX002"];

impl Failed {
    pub(super) fn of(error: &Error) -> Failed {
        let (kind, lost) = match error {
            Error::Database(database) if database.is_unique_violation() => (Kind::KeyTaken, false),
            Error::Database(database) => coded(database.code().as_deref().unwrap_or_default()),
            Error::ColumnDecode { .. } | Error::Decode(_) | Error::ColumnNotFound(_) => (Kind::Misfit, false),
            Error::Encode(_) => (Kind::Refused, false),
            _ => (Kind::Unknown, true),
        };
        let code = error.as_database_error().and_then(|database| database.code());
        let mend = match code.as_deref() {
            Some(DISK_FULL) => "; make room on the disk of the database",
            Some(READ_ONLY) => "; the server is a replica or read only: name the primary in the address",
            _ => "",
        };
        Failed { kind, lost, why: format!("{error}{mend}") }
    }

    pub(super) fn unreached(fault: &PostgresFault) -> Failed {
        Failed { kind: Kind::Unreached, lost: true, why: fault.to_string() }
    }

    /// Nothing came back for longer than the server was given.
    pub(super) fn silent() -> Failed {
        Failed { kind: Kind::Unknown, lost: true, why: "the database does not answer in time".to_owned() }
    }

    /// While a connection was made: whatever happened to that, nothing else was asked.
    pub(super) fn before_it_was_asked(self) -> Failed {
        let kind = if self.kind == Kind::Replaced { Kind::Replaced } else { Kind::Unreached };
        Failed { kind, ..self }
    }

    /// For certain nothing was changed, by a fault of what was asked.
    pub(super) fn is_certain(&self) -> bool {
        matches!(self.kind, Kind::KeyTaken | Kind::Refused | Kind::Misfit) && !self.lost
    }

    /// Of an append.
    pub(super) fn appended(self) -> Result<Appended, JournalFault> {
        match self.kind {
            Kind::KeyTaken => Ok(Appended::Lost),
            Kind::Unreached | Kind::Refused => Err(JournalFault::Unavailable(self.why)),
            Kind::Replaced => Err(JournalFault::RestartNeeded(self.why)),
            Kind::Misfit => Err(JournalFault::Damaged(restored(&self.why))),
            Kind::Unknown => Err(JournalFault::OutcomeUnknown(self.why)),
        }
    }
}

/// By the class of an answer's code, and whether the connection outlives it.
fn coded(code: &str) -> (Kind, bool) {
    if CORRUPTED.contains(&code) {
        return (Kind::Misfit, true);
    }
    match (code, code.get(..2).unwrap_or_default()) {
        (LOCK_NOT_AVAILABLE | NOT_ALLOWED, _) => (Kind::Refused, false),
        (READ_ONLY, _) => (Kind::Refused, true),
        (CANCELED, _) => (Kind::Unknown, false),
        (_, "23" | "40") => (Kind::Refused, false),
        (_, "22" | "42") => (Kind::Misfit, false),
        (_, "53") => (Kind::Unknown, false),
        // 08, 57, 58, XX, and whatever a later server may say.
        _ => (Kind::Unknown, true),
    }
}

impl From<Failed> for Stopped {
    fn from(Failed { kind, why, .. }: Failed) -> Stopped {
        match kind {
            Kind::KeyTaken => Stopped::KeyTaken(why),
            Kind::Misfit => Stopped::Damaged(restored(&why)),
            Kind::Replaced => Stopped::RestartNeeded(why),
            Kind::Unreached | Kind::Refused | Kind::Unknown => Stopped::Unavailable(why),
        }
    }
}

fn restored(why: &str) -> String {
    format!("{why}; restore the database from a backup")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is not known to be definite is unknown: a decision that may be there is looked for.
    #[test]
    fn only_few_answers_are_definite() {
        for definite in ["23502", "23514", "40001", "40P01", "55P03", "42501", "25006"] {
            assert_eq!(coded(definite).0, Kind::Refused, "{definite}");
        }
        for unknown in ["08006", "57P01", "57P02", "57014", "53100", "53200", "58030", "XX000", "0A000", ""] {
            assert_eq!(coded(unknown).0, Kind::Unknown, "{unknown}");
        }
        for misfit in ["42P01", "42703", "22021", "XX001", "XX002"] {
            assert_eq!(coded(misfit).0, Kind::Misfit, "{misfit}");
        }
        for kept in ["23505", "40001", "55P03", "57014", "53100"] {
            assert!(!coded(kept).1, "{kept}");
        }
        for lost in ["08006", "57P01", "XX000", "25006"] {
            assert!(coded(lost).1, "{lost}");
        }
    }
}
