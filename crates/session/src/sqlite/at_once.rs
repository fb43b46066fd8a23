//! A row of the journal and the callers it is the first to name, in one statement: both are kept or neither, and the
//! engine answers once. The connection that appends has a view of its own for that, which nobody reads; what is
//! written to it is taken apart.

use futures_util::StreamExt;
use serde_json::json;
use sqlx::{Error, Executor, SqliteConnection};
use switchboard::id::SiteId;

use super::arriving::NewCaller;
use super::driving::bound;
use crate::engine::Statement;
use crate::engine::journal as rows;
use crate::journal::Row;

const VIEW: &str = "CREATE TEMP VIEW arrival AS \
     SELECT site, seq, last_seq, at_us, wall_us, writer, format, body, '' AS callers FROM journal";

const TAKEN_APART: &str = "CREATE TEMP TRIGGER arrive INSTEAD OF INSERT ON arrival BEGIN \
     INSERT INTO caller (site, caller_ref, number_mac, number_sealed) \
     SELECT NEW.site, value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.callers); \
     INSERT INTO journal (site, seq, last_seq, at_us, wall_us, writer, format, body) VALUES \
     (NEW.site, NEW.seq, NEW.last_seq, NEW.at_us, NEW.wall_us, NEW.writer, NEW.format, NEW.body); END";

const APPEND: &str = "INSERT INTO arrival (site, seq, last_seq, at_us, wall_us, writer, format, body, callers) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Makes a connection one that appends.
pub(super) async fn ready(connection: &mut SqliteConnection) -> Result<(), Error> {
    connection.execute(VIEW).await?;
    connection.execute(TAKEN_APART).await?;
    Ok(())
}

/// One row, and the rows of the callers it is the first to name.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    site: SiteId,
    row: &Row,
    callers: &[NewCaller],
) -> Result<(), Error> {
    let asked = if callers.is_empty() {
        rows::append(site, row)
    } else {
        let of = |new: &NewCaller| json!([new.caller.to_string(), new.mac, new.sealed]);
        let callers: Vec<_> = callers.iter().map(of).collect();
        rows::appending(Statement::of(APPEND), site, row).with(json!(callers).to_string())
    };
    // The statement has one result, and is done when that is there: nobody is woken once more to hear that no other follows.
    let first = connection.fetch_many(bound(asked)).next().await;
    first.unwrap_or(Err(Error::WorkerCrashed)).map(drop)
}
