//! The database's own clock.

use sqlx::{Error, PgConnection, Row as _};

use crate::engine::Statement;
use crate::engine::driving::postgres as driving;

const NOW: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now_us";

/// The question what it shows, in microseconds since 1970 UTC.
pub(super) fn now() -> Statement {
    Statement::of(NOW)
}

pub(super) async fn now_us(connection: &mut PgConnection) -> Result<i64, Error> {
    let rows = driving::rows(connection, now()).await?;
    rows.first().ok_or(Error::RowNotFound)?.try_get("now_us")
}
