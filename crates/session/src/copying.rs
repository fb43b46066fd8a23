//! A record in a file of its own, whichever engine it came from, and a database begun with one: every row of what must
//! never be lost, as it stands. What follows from the journal is made again, and the roll of the routers is of the moment.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};
use switchboard::id::{Seq, SiteId};
use uuid::Uuid;

use crate::engine::driving::{postgres, sqlite};
use crate::engine::journal::{begin_life, end_of, epoch, epoch_of, heads};
use crate::engine::{Places, Statement, Stopped, Value};
use crate::journal::Epoch;
use crate::postgres::{PostgresFault, Restoring};
use crate::sqlite::{Copied, JOURNAL_FILE, OpenFault, Unfinished, restore_from};

/// Why there is no copy, or nothing was begun with one.
#[derive(Debug, thiserror::Error)]
pub enum CopyFault {
    /// The file.
    #[error(transparent)]
    File(#[from] OpenFault),
    /// The database.
    #[error(transparent)]
    Database(#[from] PostgresFault),
}

/// What a column holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Number,
    NumberOrNone,
    Text,
    TextOrNone,
}

use Kind::{Number, NumberOrNone, Text, TextOrNone};

struct Table {
    name: &'static str,
    columns: &'static [(&'static str, Kind)],
}

/// Everything that must never be lost.
const TABLES: [Table; 9] = [
    Table { name: "life", columns: &[("epoch", Number), ("begun_us", Number)] },
    Table {
        name: "journal",
        columns: &[
            ("site", Text),
            ("seq", Number),
            ("last_seq", Number),
            ("at_us", Number),
            ("wall_us", Number),
            ("store_us", Number),
            ("writer", Text),
            ("format", Number),
            ("body", Text),
        ],
    },
    Table {
        name: "caller",
        columns: &[
            ("site", Text),
            ("caller_ref", Text),
            ("number_mac", Text),
            ("number_sealed", Text),
            ("noticed_us", NumberOrNone),
        ],
    },
    Table {
        name: "erasure",
        columns: &[
            ("site", Text),
            ("erasure_id", Text),
            ("caller_ref", Text),
            ("asked_by", Text),
            ("asked_us", Number),
            ("expires_us", Number),
            ("ended_by", TextOrNone),
            ("ended_us", NumberOrNone),
        ],
    },
    Table {
        name: "token",
        columns: &[
            ("site", Text),
            ("role", Text),
            ("principal", Text),
            ("token_id", Text),
            ("secret_hash", Text),
            ("expires_us", NumberOrNone),
        ],
    },
    Table {
        name: "invite",
        columns: &[
            ("site", Text),
            ("role", Text),
            ("principal", Text),
            ("invite_id", Text),
            ("secret_hash", Text),
            ("expires_us", Number),
        ],
    },
    Table {
        name: "plan_text",
        columns: &[("site", Text), ("revision", Number), ("plan_hash", Text), ("text", Text)],
    },
    Table {
        name: "roster",
        columns: &[("site", Text), ("revision", Number), ("kept_us", Number), ("text", Text)],
    },
    Table {
        name: "audit",
        columns: &[
            ("site", Text),
            ("number", Number),
            ("wall_us", Number),
            ("role", Text),
            ("who", Text),
            ("what", Text),
            ("object", Text),
            ("was", Text),
            ("becomes", Text),
            ("why", Text),
            ("request_id", Text),
            ("outcome", Text),
            ("refers_to", Number),
            ("hash", Text),
        ],
    },
];

/// Tables of the same part that are no part of a copy: of the moment, or of whoever serves.
#[cfg(test)]
const LEFT_OUT: [&str; 2] = ["roll", "seal"];

/// Rows that are written by one statement.
const ROWS_AT_ONCE: usize = 200;

impl Table {
    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    fn all(&self) -> Statement {
        Statement::of_length(format!("SELECT {} FROM {}", self.names(), self.name))
    }

    fn values(&self, row: &impl Places) -> Result<Vec<Value>, Stopped> {
        let value = |(column, kind): &(&'static str, Kind)| match kind {
            Number => row.number(column).map(Value::Number),
            NumberOrNone => row.number_or_none(column).map(Value::NumberOrNone),
            Text => row.text(column).map(Value::Text),
            TextOrNone => row.text_or_none(column).map(Value::TextOrNone),
        };
        self.columns.iter().map(value).collect()
    }

    /// Writes rows, one or more of them.
    fn kept(&self, rows: Vec<Vec<Value>>) -> Statement {
        let width = self.columns.len();
        let places = |row: usize| {
            let places: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
            format!("({})", places.join(", "))
        };
        let places: Vec<String> = (0..rows.len()).map(places).collect();
        let text = format!("INSERT INTO {} ({}) VALUES {}", self.name, self.names(), places.join(", "));
        rows.into_iter().flatten().fold(Statement::of_length(text), Statement::with)
    }
}

/// Copies the record in a database, as of one moment, into a file as [`crate::back_up`] makes of a data directory. Servers
/// may write meanwhile.
///
/// # Errors
/// [`CopyFault`]; there is no file then, or the one that was there before.
pub async fn back_up_postgres(url: &str, to: &Path) -> Result<Copied, CopyFault> {
    let server = Restoring::connect(url).await?;
    let Restoring { mut connection, address } = server;
    let unfinished = Unfinished::begin(to).await?;
    let copied = copied_from(&mut connection, &unfinished).await;
    match copied {
        Ok(()) => {}
        Err(Side::File(stopped)) => return Err(unfinished.given_up(stopped).into()),
        Err(Side::Database(stopped)) => {
            unfinished.clear();
            return Err(address.stopped(stopped).into());
        }
    }
    Ok(unfinished.end().await?)
}
