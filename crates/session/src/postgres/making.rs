//! A whole database that is made for a while, for whoever measures or tries something and leaves nothing behind.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use super::address::Address;
use super::fault::PostgresFault;

/// Longest name of a database: Postgres would cut a longer one.
const NAME_MAX: usize = 63;

/// Makes an empty database on the server at an address, whose user may do so, and answers the address of it.
///
/// # Errors
/// [`PostgresFault`]; it was not made then, as far as anybody can tell.
pub async fn make_postgres_database(url: &str, name: &str) -> Result<String, PostgresFault> {
    let text = format!("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0", checked(name)?);
    tell(url, text).await?;
    // What stands last is what holds.
    let sign = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{sign}dbname={name}"))
}

/// Drops a database on the server at an address, which names another one. Whoever is connected is sent away.
///
/// # Errors
/// [`PostgresFault`]; it may be there still.
pub async fn drop_postgres_database(url: &str, name: &str) -> Result<(), PostgresFault> {
    tell(url, format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", checked(name)?)).await
}

/// A name that means the same with and without quotation marks.
fn checked(name: &str) -> Result<&str, PostgresFault> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase();
    let begins = name.bytes().next().is_some_and(is_letter);
    let goes_on = name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit() || byte == b'_');
    if begins && goes_on && name.len() <= NAME_MAX {
        return Ok(name);
    }
    Err(PostgresFault::BadAddress { why: format!("{name:?} is no name of a database to make") })
}

/// The server writes down what everybody changed before it drops a database: that takes its time, and is no slow
/// statement.
async fn tell(url: &str, text: String) -> Result<(), PostgresFault> {
    let address = Address::parse(url)?;
    let told = async {
        let mut connection = address.options.clone().disable_statement_logging().connect().await?;
        connection.execute("SET statement_timeout = 0").await?;
        connection.execute(AssertSqlSafe(text)).await?;
        connection.close().await
    };
    told.await.map_err(|error| address.judged(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{PostgresStore, migrate_postgres, server};

    #[tokio::test]
    async fn a_database_for_a_while_is_one_and_is_gone_at_the_end() {
        server::with_database(|url| async move {
            let name = format!("hotline_while_{}", std::process::id());
            let made = make_postgres_database(&url, &name).await.expect("made");
            migrate_postgres(&made).await.expect("empty");
            let store = PostgresStore::open(&made).await.expect("its tables");
            assert!(store.server().ends_with(&format!("/{name}")), "{}", store.server());
            drop_postgres_database(&url, &name).await.expect("dropped, whoever is connected");
            let gone = PostgresStore::open(&made).await.expect_err("gone");
            assert!(matches!(gone, PostgresFault::NoDatabase { .. }), "{gone}");
            drop_postgres_database(&url, &name).await.expect("there is nothing to do");
        })
        .await;
    }

    #[test]
    fn no_name_is_anything_but_a_name() {
        for bad in ["", "9a", "a b", "a\"b", "a;b", "A", &"a".repeat(64)] {
            assert!(matches!(checked(bad), Err(PostgresFault::BadAddress { .. })), "{bad}");
        }
        assert_eq!(checked("hotline_bench_1").expect("a name"), "hotline_bench_1");
    }
}
