//! The suites over Postgres, and what several processes do to one database.

mod contest;
mod copies;
mod faults;
mod opening;
mod partitions;
mod private;
mod proxy;
mod suites;

use std::sync::Arc;

use session::{PostgresLimits, PostgresStore, Row, migrate_postgres};
use sqlx::{Connection, PgConnection, Row as _};
use switchboard::id::SiteId;

/// A database with the tables of this release.
async fn opened(url: &str) -> Arc<PostgresStore> {
    migrate_postgres(url).await.expect("a database for tests");
    again(url).await
}

/// The same, opened by one more process.
async fn again(url: &str) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(url).await.expect("its tables"))
}

async fn within(url: &str, limits: PostgresLimits) -> PostgresStore {
    migrate_postgres(url).await.expect("a database for tests");
    PostgresStore::open_within(url, limits).await.expect("its tables")
}

/// A number that the database answers with.
async fn number(url: &str, question: &'static str) -> i64 {
    let mut connection = PgConnection::connect(url).await.expect("it answers");
    let row = sqlx::query(question).fetch_one(&mut connection).await.expect(question);
    connection.close().await.expect("closed");
    row.try_get(0).expect("a number")
}

/// Ends every connection of ours to a database.
const END_ALL: &str = "SELECT COUNT(pg_terminate_backend(pid, 20000)) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// How many connections of ours there are.
const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

fn main() -> SiteId {
    crate::journal::site("main")
}

fn row(seq: u64, last_seq: u64, writer: &str) -> Row {
    crate::journal::row(seq, last_seq, writer)
}
