//! A database of its own for each test, on the server that is there for tests.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// The address of a server on which tests may make databases.
const SERVER: &str = "HOTLINE_TEST_POSTGRES";

/// Makes an empty database, runs a test with its address, and lets go of the database whatever became of the test.
pub(crate) async fn with_database<T>(test: impl FnOnce(String) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("hotline_test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let server = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!(
            "{SERVER} names no Postgres server for tests; run: \
             tests/tools/postgres.sh run cargo nextest run -p session"
        )
    });
    let address = server.split('?').next().unwrap_or_default();
    let (host, _) = address.rsplit_once('/').expect("the server's address names a database");
    ask(&server, &format!("CREATE DATABASE {name}")).await;
    let ended = tokio::spawn(test(format!("{host}/{name}"))).await;
    ask(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(panicked) = ended {
        std::panic::resume_unwind(panicked.into_panic());
    }
}

/// Asks a server something that is no statement of ours.
pub(crate) async fn ask(url: &str, text: &str) {
    let mut connection = PgConnection::connect(url).await.expect("the server for tests answers");
    let done = connection.execute(AssertSqlSafe(text.to_owned())).await;
    done.unwrap_or_else(|error| panic!("{text}: {error}"));
    connection.close().await.expect("closed");
}
