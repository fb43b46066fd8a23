//! Every statement of the record, once. The texts keep to what SQLite and Postgres both understand: numbered
//! placeholders, whole numbers and text, no dates, no truth values, no functions of one engine. A test reads them and
//! prepares each one.
//!
//! Each constant is bound in one function only, with one type per place: a text bound with other types elsewhere
//! would be the same prepared statement to the engine. Texts of a length that varies are made by functions.

/// The way into the journal on SQLite; with callers who are new it is in `sqlite/at_once.rs`. A violation of its key is the
/// lost append. On Postgres rows of several sites go in one statement, which stands in `postgres/turns.rs`.
pub(crate) const APPEND: &str = "INSERT INTO journal (site, seq, last_seq, at_us, wall_us, writer, format, body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Rows behind a decision.
pub(crate) const TAIL: &str = "SELECT seq, last_seq, at_us, wall_us, store_us, writer, format, body \
     FROM journal WHERE site = $1 AND seq > $2 ORDER BY seq LIMIT $3";

/// The last row, without its decisions.
pub(crate) const HEAD: &str = "SELECT last_seq, at_us, wall_us, store_us, format FROM journal WHERE site = $1 \
     ORDER BY seq DESC LIMIT 1";

/// Every site with decisions and its last one: from one to the next by the key, however many decisions each has.
pub(crate) const HEADS: &str = "WITH RECURSIVE known (site) AS (SELECT MIN(site) FROM journal UNION ALL \
     SELECT (SELECT MIN(site) FROM journal WHERE journal.site > known.site) FROM known WHERE known.site IS NOT NULL) \
     SELECT site, (SELECT last_seq FROM journal WHERE journal.site = known.site ORDER BY seq DESC LIMIT 1) \
     AS last_seq FROM known WHERE site IS NOT NULL ORDER BY site";

/// The present life of the record.
pub(crate) const EPOCH: &str = "SELECT MAX(epoch) AS epoch FROM life";

/// The last step of a file's schema.
pub(crate) const SCHEMA: &str = "SELECT MAX(version) AS version FROM _sqlx_migrations";

/// A new life of the record.
pub(crate) const BEGIN_LIFE: &str = "INSERT INTO life (epoch, begun_us) VALUES ($1, $2)";

/// The reference of a number.
pub(crate) const FIND_CALLER: &str = "SELECT caller_ref FROM caller WHERE site = $1 AND number_mac = $2";

/// The hashes of the numbers that are known, page by page.
pub(crate) const MET: &str = "SELECT site, number_mac FROM caller WHERE (site, number_mac) > ($1, $2) \
     ORDER BY site, number_mac LIMIT $3";

/// A caller's number.
pub(crate) const SEALED_NUMBER: &str =
    "SELECT number_sealed FROM caller WHERE site = $1 AND caller_ref = $2 AND number_sealed <> ''";

/// Some sealed number: whether the key is the right one is tried on it.
pub(crate) const ANY_CALLER: &str =
    "SELECT site, caller_ref, number_sealed FROM caller WHERE number_sealed <> '' LIMIT 1";

/// The mark of the key that seals.
pub(crate) const SEAL_MARK: &str = "SELECT mark FROM seal";

/// The same, if there is none yet.
pub(crate) const KEEP_SEAL_MARK: &str =
    "INSERT INTO seal (one, mark) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET mark = seal.mark";

/// Forgets a number. Its row stays, so that nobody else is given the reference; no hash of a number reads like the text
/// that takes the place of the hash.
pub(crate) const ERASE_NUMBER: &str = "UPDATE caller SET number_mac = $3, number_sealed = '' \
     WHERE site = $1 AND caller_ref = $2 AND number_sealed <> ''";

/// References whose number was forgotten.
pub(crate) const ERASED: &str = "SELECT caller_ref FROM caller WHERE number_sealed = ''";

/// Numbers that are kept, page by page.
pub(crate) const KEPT_NUMBERS: &str = "SELECT caller_ref, noticed_us FROM caller \
     WHERE site = $1 AND caller_ref > $2 AND number_sealed <> '' ORDER BY caller_ref LIMIT $3";

/// When it was noticed that a number is kept.
pub(crate) const NOTICE_NUMBER: &str =
    "UPDATE caller SET noticed_us = $3 WHERE site = $1 AND caller_ref = $2 AND noticed_us IS NULL";

/// Somebody asks for a caller to be forgotten.
pub(crate) const KEEP_ERASURE: &str = "INSERT INTO erasure (site, erasure_id, caller_ref, asked_by, asked_us, \
     expires_us) VALUES ($1, $2, $3, $4, $5, $6)";

/// One of those.
pub(crate) const ERASURE: &str = "SELECT erasure_id, caller_ref, asked_by, asked_us, expires_us, ended_by, ended_us \
     FROM erasure WHERE site = $1 AND erasure_id = $2";

/// Those that wait for somebody's approval.
pub(crate) const ERASURES: &str = "SELECT erasure_id, caller_ref, asked_by, asked_us, expires_us, ended_by, ended_us \
     FROM erasure WHERE site = $1 AND ended_us IS NULL AND expires_us > $2 ORDER BY asked_us, erasure_id LIMIT $3";

/// One was approved, and the caller is forgotten.
pub(crate) const END_ERASURE: &str = "UPDATE erasure SET ended_by = $3, ended_us = $4 \
     WHERE site = $1 AND erasure_id = $2 AND ended_us IS NULL";

/// The one way into the audit.
pub(crate) const APPEND_AUDIT: &str = "INSERT INTO audit (site, number, wall_us, role, who, what, object, was, \
     becomes, why, request_id, outcome, refers_to, hash) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

/// Where the audit ends.
pub(crate) const LAST_AUDIT: &str = "SELECT number, wall_us, role, who, what, object, was, becomes, why, request_id, \
     outcome, refers_to, hash FROM audit WHERE site = $1 ORDER BY number DESC LIMIT 1";

/// Every site with an audit and the number of its last row: from one to the next by the key, as with the journal.
pub(crate) const AUDIT_ENDS: &str = "WITH RECURSIVE known (site) AS (SELECT MIN(site) FROM audit UNION ALL \
     SELECT (SELECT MIN(site) FROM audit WHERE audit.site > known.site) FROM known WHERE known.site IS NOT NULL) \
     SELECT site, (SELECT number FROM audit WHERE audit.site = known.site ORDER BY number DESC LIMIT 1) \
     AS number FROM known WHERE site IS NOT NULL ORDER BY site";

/// The audit in order.
pub(crate) const AUDIT_CHAIN: &str = "SELECT number, wall_us, role, who, what, object, was, becomes, why, request_id, \
     outcome, refers_to, hash FROM audit WHERE site = $1 AND number > $2 ORDER BY number LIMIT $3";

/// The audit, latest first, as far as somebody asks for it.
pub(crate) const AUDIT_ROWS: &str = "SELECT number, wall_us, role, who, what, object, was, becomes, why, request_id, \
     outcome, refers_to, hash FROM audit WHERE site = $1 AND number < $2 AND wall_us >= $3 AND wall_us < $4 \
     AND ($5 = '' OR who = $5) AND ($6 = '' OR role = $6) AND ($7 = '' OR what = $7) AND ($8 = '' OR object = $8) \
     ORDER BY number DESC LIMIT $9";

/// The oldest rows of the audit are let go.
pub(crate) const DROP_AUDIT: &str = "DELETE FROM audit WHERE site = $1 AND number <= $2";

/// A principal's token, in place of any earlier one.
pub(crate) const KEEP_TOKEN: &str = "INSERT INTO token (site, role, principal, token_id, secret_hash, expires_us) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site, role, principal) DO UPDATE SET \
     token_id = excluded.token_id, secret_hash = excluded.secret_hash, expires_us = excluded.expires_us";

/// The token of a principal who has none.
pub(crate) const KEEP_FIRST_TOKEN: &str = "INSERT INTO token (site, role, principal, token_id, secret_hash, \
     expires_us) VALUES ($1, $2, $3, $4, $5, $6)";

/// A token that is taken away.
pub(crate) const FORGET_TOKEN: &str = "DELETE FROM token WHERE site = $1 AND token_id = $2";

/// Who may ask.
pub(crate) const TOKENS: &str = "SELECT role, principal, token_id, secret_hash, expires_us \
     FROM token WHERE site = $1 ORDER BY role, principal";

/// A principal's invitation, in place of any earlier one.
pub(crate) const KEEP_INVITE: &str = "INSERT INTO invite (site, role, principal, invite_id, secret_hash, expires_us) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site, role, principal) DO UPDATE SET \
     invite_id = excluded.invite_id, secret_hash = excluded.secret_hash, expires_us = excluded.expires_us";

/// An invitation.
pub(crate) const INVITE: &str = "SELECT role, principal, invite_id, secret_hash, expires_us \
     FROM invite WHERE site = $1 AND invite_id = $2";

/// An invitation is redeemed: by whoever takes its row away.
pub(crate) const SPEND_INVITE: &str = "DELETE FROM invite WHERE site = $1 AND invite_id = $2";

/// A principal is invited no more.
pub(crate) const FORGET_INVITE: &str = "DELETE FROM invite WHERE site = $1 AND role = $2 AND principal = $3";

/// A plan as it was written.
pub(crate) const KEEP_PLAN_TEXT: &str = "INSERT INTO plan_text (site, revision, plan_hash, text) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (site, revision, plan_hash) DO UPDATE SET text = excluded.text";

/// The text of a plan.
pub(crate) const PLAN_TEXT: &str =
    "SELECT text FROM plan_text WHERE site = $1 AND revision = $2 AND plan_hash = $3";

/// Texts of a revision that became another.
pub(crate) const SETTLE_PLAN_TEXT: &str =
    "DELETE FROM plan_text WHERE site = $1 AND revision = $2 AND plan_hash <> $3";

/// Which texts there are.
pub(crate) const PLAN_TEXTS: &str =
    "SELECT revision, plan_hash FROM plan_text WHERE site = $1 ORDER BY revision DESC, plan_hash";

/// A roster as it was written. Its key says who was first.
pub(crate) const KEEP_ROSTER: &str =
    "INSERT INTO roster (site, revision, kept_us, text) VALUES ($1, $2, $3, $4)";

/// The last roster.
pub(crate) const ROSTER: &str =
    "SELECT revision, kept_us, text FROM roster WHERE site = $1 ORDER BY revision DESC LIMIT 1";

/// Entries that are much older than a router's.
pub(crate) const SETTLE_ROLL: &str = "DELETE FROM roll WHERE site = $1 AND called_us < \
     (SELECT called_us FROM roll WHERE site = $1 AND router = $2) - $3";

/// A snapshot.
pub(crate) const KEEP_SNAPSHOT: &str = "INSERT INTO snapshot (site, seq, state_version, row_seq, row_hash, hash, body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// The last snapshot at or before a decision.
pub(crate) const SNAPSHOT: &str = "SELECT seq, state_version, row_seq, row_hash, hash, body \
     FROM snapshot WHERE site = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1";

/// Which snapshots there are, newest first.
pub(crate) const SNAPSHOT_SEQS: &str = "SELECT seq FROM snapshot WHERE site = $1 ORDER BY seq DESC";

/// A snapshot that nobody needs.
pub(crate) const DROP_SNAPSHOT: &str = "DELETE FROM snapshot WHERE site = $1 AND seq = $2";

/// How far the records are.
pub(crate) const RECORD_CURSOR: &str = "SELECT seq, row_seq, row_hash FROM record_cursor WHERE site = $1";

/// The first step of the records.
pub(crate) const BEGIN_RECORD_CURSOR: &str =
    "INSERT INTO record_cursor (site, seq, row_seq, row_hash) VALUES ($1, $2, $3, $4)";

/// A further step, if nobody else made one.
pub(crate) const MOVE_RECORD_CURSOR: &str =
    "UPDATE record_cursor SET seq = $3, row_seq = $4, row_hash = $5 WHERE site = $1 AND seq = $2";

/// The records are to be made again.
pub(crate) const FORGET_RECORD_CURSOR: &str = "DELETE FROM record_cursor WHERE site = $1";

/// So many records, in place of what they were.
pub(crate) fn keep_records(records: usize) -> String {
    let record = |n: usize| {
        let first = 2 + n * RECORD_COLUMNS.len();
        let values: Vec<String> = (first..first + RECORD_COLUMNS.len()).map(|n| format!("${n}")).collect();
        format!("($1, {})", values.join(", "))
    };
    let rows: Vec<String> = (0..records).map(record).collect();
    let columns = RECORD_COLUMNS.join(", ");
    format!("INSERT INTO call_record (site, {columns}) VALUES {} {}", rows.join(", "), in_place_of_a_record())
}

/// What an insert of records ends with.
pub(crate) fn in_place_of_a_record() -> String {
    let others = RECORD_COLUMNS.iter().filter(|column| **column != "call_id");
    let anew: Vec<String> = others.map(|column| format!("{column} = excluded.{column}")).collect();
    format!("ON CONFLICT (site, call_id) DO UPDATE SET {}", anew.join(", "))
}

/// The columns of a record beside its site.
pub(crate) static RECORD_COLUMNS: [&str; 18] = [
    "call_id",
    "first_seq",
    "last_seq",
    "gateway",
    "caller_ref",
    "kind",
    "line_called",
    "line",
    "class",
    "wall_us",
    "rang_us",
    "answered_us",
    "answered_by",
    "offers",
    "tiers",
    "closed_us",
    "outcome",
    "asked",
];

/// The records of open calls.
pub(crate) const OPEN_RECORDS: &str = "SELECT call_id, first_seq, last_seq, gateway, caller_ref, kind, line_called, \
     line, class, wall_us, rang_us, answered_us, answered_by, offers, tiers, closed_us, outcome, asked \
     FROM call_record WHERE site = $1 AND outcome IS NULL ORDER BY first_seq";

/// Records in the order of their calls.
pub(crate) const RECORDS: &str = "SELECT call_id, first_seq, last_seq, gateway, caller_ref, kind, line_called, \
     line, class, wall_us, rang_us, answered_us, answered_by, offers, tiers, closed_us, outcome, asked \
     FROM call_record WHERE site = $1 AND first_seq > $2 ORDER BY first_seq LIMIT $3";

/// The record of one call.
pub(crate) const RECORD: &str = "SELECT call_id, first_seq, last_seq, gateway, caller_ref, kind, line_called, \
     line, class, wall_us, rang_us, answered_us, answered_by, offers, tiers, closed_us, outcome, asked \
     FROM call_record WHERE site = $1 AND call_id = $2";

/// Records that are asked for, the latest first, behind one of them. An empty text asks for nothing special.
pub(crate) const LATEST_RECORDS: &str = "SELECT call_id, first_seq, last_seq, gateway, caller_ref, kind, \
     line_called, line, class, wall_us, rang_us, answered_us, answered_by, offers, tiers, closed_us, outcome, asked \
     FROM call_record WHERE site = $1 AND (first_seq < $2 OR (first_seq = $2 AND call_id < $3)) \
     AND ($4 = '' OR line = $4 OR line_called = $4) AND ($5 = '' OR answered_by = $5) \
     AND ($6 = '' OR caller_ref = $6) AND ($7 = '' OR outcome = $7) AND wall_us >= $8 AND wall_us < $9 \
     ORDER BY first_seq DESC, call_id DESC LIMIT $10";

/// The same of calls from one id to another. The zeros keep an engine from going through all calls in their order.
pub(crate) const LATEST_RECORDS_BETWEEN: &str = "SELECT call_id, first_seq, last_seq, gateway, caller_ref, kind, \
     line_called, line, class, wall_us, rang_us, answered_us, answered_by, offers, tiers, closed_us, outcome, asked \
     FROM call_record WHERE site = $1 AND (first_seq + 0 < $2 OR (first_seq = $2 AND call_id < $3)) \
     AND ($4 = '' OR line = $4 OR line_called = $4) AND ($5 = '' OR answered_by = $5) \
     AND ($6 = '' OR caller_ref = $6) AND ($7 = '' OR outcome = $7) AND wall_us + 0 >= $8 AND wall_us + 0 < $9 \
     AND call_id >= $11 AND call_id <= $12 ORDER BY first_seq + 0 DESC, call_id DESC LIMIT $10";

/// Records of one caller, in the order of their calls.
pub(crate) const RECORDS_OF_CALLER: &str = "SELECT call_id, first_seq, last_seq, gateway, caller_ref, kind, \
     line_called, line, class, wall_us, rang_us, answered_us, answered_by, offers, tiers, closed_us, outcome, asked \
     FROM call_record WHERE site = $1 AND caller_ref = $2 AND first_seq > $3 ORDER BY first_seq LIMIT $4";

/// Who made a call.
pub(crate) const CALLER_OF_CALL: &str = "SELECT caller_ref FROM call_record WHERE site = $1 AND call_id = $2";

/// Who called since.
pub(crate) const CALLERS_SINCE: &str =
    "SELECT DISTINCT caller_ref FROM call_record WHERE site = $1 AND wall_us >= $2";

/// Records of closed calls that nobody keeps any longer, so many at once.
pub(crate) const DROP_RECORDS: &str = "DELETE FROM call_record WHERE site = $1 AND call_id IN (SELECT call_id \
     FROM call_record WHERE site = $1 AND outcome IS NOT NULL AND wall_us < $2 ORDER BY first_seq LIMIT $3)";

/// The records are to be made again.
pub(crate) const FORGET_RECORDS: &str = "DELETE FROM call_record WHERE site = $1";

#[cfg(test)]
pub(crate) const IN_JOURNAL: [&str; 42] = [
    SCHEMA,
    APPEND,
    TAIL,
    HEAD,
    HEADS,
    EPOCH,
    BEGIN_LIFE,
    FIND_CALLER,
    MET,
    SEALED_NUMBER,
    ANY_CALLER,
    SEAL_MARK,
    KEEP_SEAL_MARK,
    ERASE_NUMBER,
    ERASED,
    KEPT_NUMBERS,
    NOTICE_NUMBER,
    KEEP_ERASURE,
    ERASURE,
    ERASURES,
    END_ERASURE,
    APPEND_AUDIT,
    LAST_AUDIT,
    AUDIT_ENDS,
    AUDIT_CHAIN,
    AUDIT_ROWS,
    DROP_AUDIT,
    KEEP_TOKEN,
    KEEP_FIRST_TOKEN,
    FORGET_TOKEN,
    TOKENS,
    KEEP_INVITE,
    INVITE,
    SPEND_INVITE,
    FORGET_INVITE,
    KEEP_PLAN_TEXT,
    PLAN_TEXT,
    SETTLE_PLAN_TEXT,
    PLAN_TEXTS,
    KEEP_ROSTER,
    ROSTER,
    SETTLE_ROLL,
];

#[cfg(test)]
pub(crate) const IN_DERIVED: [&str; 18] = [
    KEEP_SNAPSHOT,
    SNAPSHOT,
    SNAPSHOT_SEQS,
    DROP_SNAPSHOT,
    RECORD_CURSOR,
    BEGIN_RECORD_CURSOR,
    MOVE_RECORD_CURSOR,
    FORGET_RECORD_CURSOR,
    OPEN_RECORDS,
    RECORDS,
    RECORD,
    LATEST_RECORDS,
    LATEST_RECORDS_BETWEEN,
    RECORDS_OF_CALLER,
    CALLER_OF_CALL,
    CALLERS_SINCE,
    DROP_RECORDS,
    FORGET_RECORDS,
];

#[cfg(test)]
mod tests;
