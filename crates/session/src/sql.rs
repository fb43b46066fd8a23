//! Every statement of the record, once. The texts keep to what SQLite and Postgres both understand: numbered
//! placeholders, whole numbers and text, no dates, no truth values, no functions of one engine. A test reads them and
//! prepares each one.
//!
//! Each constant is bound in one function only, with one type per place: a text bound with other types elsewhere
//! would be the same prepared statement to the engine.

/// The one way into the journal. A violation of its key is the lost append.
pub(crate) const APPEND: &str = "INSERT INTO journal (site, seq, last_seq, at_us, wall_us, writer, format, body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Rows behind a decision.
pub(crate) const TAIL: &str = "SELECT seq, last_seq, at_us, wall_us, store_us, writer, format, body \
     FROM journal WHERE site = $1 AND seq > $2 ORDER BY seq LIMIT $3";

/// The last row, without its decisions.
pub(crate) const HEAD: &str =
    "SELECT last_seq, at_us, wall_us, store_us FROM journal WHERE site = $1 ORDER BY seq DESC LIMIT 1";

/// Which sites have decisions.
pub(crate) const SITES: &str = "SELECT DISTINCT site FROM journal ORDER BY site";

/// The present life of the record.
pub(crate) const EPOCH: &str = "SELECT MAX(epoch) AS epoch FROM life";

/// A new life of the record.
pub(crate) const BEGIN_LIFE: &str = "INSERT INTO life (epoch, begun_us) VALUES ($1, $2)";

/// The reference of a number.
pub(crate) const FIND_CALLER: &str = "SELECT caller_ref FROM caller WHERE site = $1 AND number_mac = $2";

/// A number that calls for the first time.
pub(crate) const KEEP_CALLER: &str =
    "INSERT INTO caller (site, caller_ref, number_mac, number_sealed) VALUES ($1, $2, $3, $4)";

/// A caller's number.
pub(crate) const SEALED_NUMBER: &str = "SELECT number_sealed FROM caller WHERE site = $1 AND caller_ref = $2";

/// Some sealed number: whether the key is the right one is tried on it.
pub(crate) const ANY_CALLER: &str = "SELECT site, caller_ref, number_sealed FROM caller LIMIT 1";

#[cfg(test)]
pub(crate) const IN_JOURNAL: [&str; 10] =
    [APPEND, TAIL, HEAD, SITES, EPOCH, BEGIN_LIFE, FIND_CALLER, KEEP_CALLER, SEALED_NUMBER, ANY_CALLER];

#[cfg(test)]
mod tests {
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
        for sql in IN_JOURNAL {
            assert_eq!(faults(sql), [""; 0], "{sql}");
        }
    }

    #[test]
    fn a_statement_of_one_engine_is_seen() {
        for bad in
            ["SELECT datetime(1)", "SELECT a FROM b WHERE c = ?1", "INSERT OR REPLACE INTO a VALUES ($1)"]
        {
            assert!(!faults(bad).is_empty(), "{bad}");
        }
    }

    fn faults(sql: &str) -> Vec<&'static str> {
        let sql = sql.to_uppercase();
        NOT_PORTABLE.into_iter().filter(|word| sql.contains(word)).collect()
    }
}
