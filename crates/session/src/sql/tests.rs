//! Every statement is listed, stands here, and is one of both engines.

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

#[test]
fn statements_keep_to_what_both_engines_understand() {
    for sql in IN_JOURNAL.into_iter().chain(IN_DERIVED) {
        assert_eq!(faults(sql), [""; 0], "{sql}");
    }
    for sql in of_any_length(2) {
        assert_eq!(faults(&sql), [""; 0], "{sql}");
    }
    assert!(APPEND.contains(&format!("${APPEND_VALUES})")), "callers' values come behind an append's");
}

/// A constant that no list has would be neither read nor prepared.
#[test]
fn every_statement_is_listed_and_stands_here() {
    let constants = include_str!("../sql.rs").matches("\npub(crate) const ").count();
    let lists = ["IN_JOURNAL", "IN_DERIVED"].len();
    assert_eq!(constants, IN_JOURNAL.len() + IN_DERIVED.len() + lists);
    for (name, text) in [
        ("engine/audit.rs", include_str!("../engine/audit.rs")),
        ("engine/derived.rs", include_str!("../engine/derived.rs")),
        ("engine/driving.rs", include_str!("../engine/driving.rs")),
        ("engine/journal.rs", include_str!("../engine/journal.rs")),
        ("engine/mod.rs", include_str!("../engine/mod.rs")),
        ("engine/records.rs", include_str!("../engine/records.rs")),
        ("engine/registry.rs", include_str!("../engine/registry.rs")),
        ("engine/roll.rs", include_str!("../engine/roll.rs")),
        ("engine/subjects.rs", include_str!("../engine/subjects.rs")),
        ("sqlite/driver.rs", include_str!("../sqlite/driver.rs")),
        ("postgres/callers.rs", include_str!("../postgres/callers.rs")),
        ("postgres/journal.rs", include_str!("../postgres/journal.rs")),
        ("postgres/roll.rs", include_str!("../postgres/roll.rs")),
        ("postgres/mod.rs", include_str!("../postgres/mod.rs")),
        ("sqlite/callers.rs", include_str!("../sqlite/callers.rs")),
        ("sqlite/journal.rs", include_str!("../sqlite/journal.rs")),
        ("sqlite/mod.rs", include_str!("../sqlite/mod.rs")),
        ("sqlite/subjects.rs", include_str!("../sqlite/subjects.rs")),
    ] {
        let strays = ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE "];
        assert!(!strays.iter().any(|stray| text.contains(stray)), "{name} has a statement of its own");
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
