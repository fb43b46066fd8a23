//! The tables of what must never be lost, column by column: what a copy of a record is made of.

use super::{Places, Statement, Stopped, Value};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    NumberOrNone,
    Text,
    TextOrNone,
}

use Kind::{Number, NumberOrNone, Text, TextOrNone};

/// A table and its columns.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    columns: &'static [(&'static str, Kind)],
}

/// All of them but those that are of the moment, or of whoever serves.
pub(crate) static TABLES: [Table; 9] = [
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

impl Table {
    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// Every row of it.
    pub(crate) fn all(&self) -> Statement {
        Statement::of_length(format!("SELECT {} FROM {}", self.names(), self.name))
    }

    /// One row, if there is any.
    pub(crate) fn any(&self) -> Statement {
        Statement::of_length(format!("SELECT {} FROM {} LIMIT 1", self.names(), self.name))
    }

    /// The values of a row, in the order of the columns.
    pub(crate) fn values(&self, row: &impl Places) -> Result<Vec<Value>, Stopped> {
        let value = |(column, kind): &(&'static str, Kind)| match kind {
            Number => row.number(column).map(Value::Number),
            NumberOrNone => row.number_or_none(column).map(Value::NumberOrNone),
            Text => row.text(column).map(Value::Text),
            TextOrNone => row.text_or_none(column).map(Value::TextOrNone),
        };
        self.columns.iter().map(value).collect()
    }

    /// Writes rows, one at least.
    pub(crate) fn keep(&self, rows: Vec<Vec<Value>>) -> Statement {
        let width = self.columns.len();
        let places = |row: usize| {
            let places: Vec<String> =
                (1..=width).map(|column| format!("${}", row * width + column)).collect();
            format!("({})", places.join(", "))
        };
        let places: Vec<String> = (0..rows.len()).map(places).collect();
        let text = format!("INSERT INTO {} ({}) VALUES {}", self.name, self.names(), places.join(", "));
        rows.into_iter().flatten().fold(Statement::of_length(text), Statement::with)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions as _, Row as _};

    use super::*;

    /// What no copy has: who serves at the moment, and under which key.
    const LEFT_OUT: [&str; 3] = ["roll", "seal", "_sqlx_migrations"];

    /// A column that a later step adds would otherwise be lost with the first backup.
    #[tokio::test]
    async fn every_column_of_every_table_is_copied() {
        let dir = tempfile::tempdir().expect("a directory");
        crate::SqliteStore::open(dir.path()).await.expect("a fresh directory").close().await;
        let path = dir.path().join("journal.db");
        let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.expect("its file");
        let columns = "SELECT m.name AS name, c.name AS column, c.type AS type, c.\"notnull\" AS needed \
                       FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'";
        let rows = sqlx::query(columns).fetch_all(&mut connection).await.expect("told");
        let mut there: BTreeMap<String, Vec<(String, Kind)>> = BTreeMap::new();
        for row in rows {
            let text = |column: &str| row.get::<String, _>(column);
            let kind = match (text("type").as_str(), row.get::<i64, _>("needed")) {
                ("INTEGER", 1) => Number,
                ("INTEGER", _) => NumberOrNone,
                (_, 1) => Text,
                (_, _) => TextOrNone,
            };
            there.entry(text("name")).or_default().push((text("column"), kind));
        }
        there.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
        let copied = TABLES.each_ref().map(|table| {
            let columns = table.columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind));
            (table.name.to_owned(), columns.collect::<Vec<_>>())
        });
        assert_eq!(there, BTreeMap::from(copied));
    }
}
