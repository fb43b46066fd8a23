//! Every statement is listed, stands here, and is one of both engines.

use std::fs;
use std::path::Path;

use super::*;

/// What one of the two engines does not know, or knows otherwise.
const NOT_PORTABLE: [&str; 22] = [
    "?",
    "AUTOINCREMENT",
    "CONFLICT DO NOTHING",
    "OR IGNORE",
    "OR REPLACE",
    "REPLACE INTO",
    "ROWID",
    "PRAGMA",
    "STRFTIME",
    "UNIXEPOCH",
    "JULIANDAY",
    "DATETIME",
    "NOW(",
    "TRUE",
    "FALSE",
    "JSON",
    "->",
    "::",
    "UNNEST",
    "ILIKE",
    "GLOB",
    "IFNULL",
];

/// Files with statements of their own by right. On Postgres rows of several sites are appended at once, with a look at who waits
/// (`turns.rs`), and on both engines what would be several steps is one (`at_once.rs`): tests of their own run these. The others
/// ask an engine about itself and its schema, or copy each table by the list of its columns.
const OF_THEIR_OWN: [&str; 9] = [
    "postgres/turns.rs",
    "postgres/at_once.rs",
    "postgres/checkup.rs",
    "postgres/clock.rs",
    "postgres/link.rs",
    "postgres/migrating.rs",
    "sqlite/at_once.rs",
    "sqlite/checkup.rs",
    "engine/tables.rs",
];

#[test]
fn statements_keep_to_what_both_engines_understand() {
    for sql in IN_JOURNAL.into_iter().chain(IN_DERIVED) {
        assert_eq!(faults(sql), [""; 0], "{sql}");
    }
    let of_any_length = keep_records(2);
    assert_eq!(faults(&of_any_length), [""; 0], "{of_any_length}");
}

/// A constant that no list has would be neither read nor prepared.
#[test]
fn every_statement_is_listed_and_stands_here() {
    let constants = include_str!("../sql.rs").matches("\npub(crate) const ").count();
    let lists = ["IN_JOURNAL", "IN_DERIVED"].len();
    assert_eq!(constants, IN_JOURNAL.len() + IN_DERIVED.len() + lists);
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in ["engine", "postgres", "sqlite"] {
        for file in fs::read_dir(src.join(room)).expect("a room") {
            let file = file.expect("a file");
            let name = format!("{room}/{}", file.file_name().to_string_lossy());
            let text = fs::read_to_string(file.path()).expect("text");
            let own = ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"WITH "];
            let has_own = own.iter().any(|begins| text.contains(begins));
            assert_eq!(has_own, OF_THEIR_OWN.contains(&name.as_str()), "a statement of its own: {name}");
        }
    }
}

#[test]
fn a_statement_of_one_engine_is_seen() {
    for bad in ["SELECT datetime(1)", "SELECT a FROM b WHERE c = ?1", "INSERT OR REPLACE INTO a VALUES ($1)"]
    {
        assert!(!faults(bad).is_empty(), "{bad}");
    }
}

fn faults(sql: &str) -> Vec<&'static str> {
    let sql = sql.to_uppercase();
    NOT_PORTABLE.into_iter().filter(|word| sql.contains(word)).collect()
}
