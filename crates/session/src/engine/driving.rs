//! A connection of either engine: bind, run, hand rows back. Written once and made twice, because no bound of sqlx says
//! "one of these two".

use futures_util::stream::BoxStream;
use sqlx::{Connection, Error, PgConnection, Row as _, SqliteConnection};

use super::{Places, Statement, Stopped, Value, Whole, undecoded};
use crate::crash::reached;

/// The same for a database, its connection and its row.
macro_rules! driven {
    ($room:ident, $database:ty, $connection:ty, $row:ty) => {
        pub(crate) mod $room {
            use super::*;

            impl Places for $row {
                fn number(&self, column: &'static str) -> Result<i64, Stopped> {
                    self.try_get(column).map_err(|error| undecoded(&error))
                }

                fn number_or_none(&self, column: &'static str) -> Result<Option<i64>, Stopped> {
                    self.try_get(column).map_err(|error| undecoded(&error))
                }

                fn text(&self, column: &'static str) -> Result<String, Stopped> {
                    self.try_get(column).map_err(|error| undecoded(&error))
                }

                fn text_or_none(&self, column: &'static str) -> Result<Option<String>, Stopped> {
                    self.try_get(column).map_err(|error| undecoded(&error))
                }
            }

            /// The rows that answer a question.
            pub(crate) async fn rows(
                connection: &mut $connection,
                asked: Statement,
            ) -> Result<Vec<$row>, Error> {
                bound(asked).fetch_all(connection).await
            }

            /// The same one after the other, for an answer that is longer than memory.
            pub(crate) fn streamed(
                connection: &mut $connection,
                asked: Statement,
            ) -> BoxStream<'_, Result<$row, Error>> {
                bound(asked).fetch(connection)
            }

            /// Changes rows. Answers how many.
            pub(crate) async fn change(connection: &mut $connection, asked: Statement) -> Result<u64, Error> {
                bound(asked).execute(connection).await.map(|done| done.rows_affected())
            }

            /// Changes rows together or not at all. Answers how many; none if a statement that was to change one row
            /// did not.
            pub(crate) async fn change_all(
                connection: &mut $connection,
                whole: Whole,
            ) -> Result<Option<u64>, Error> {
                let mut transaction = connection.begin().await?;
                match each(&mut transaction, whole.statements).await {
                    Ok(Some(changed)) => {
                        if let Some(point) = whole.before_commit {
                            reached(point);
                        }
                        transaction.commit().await?;
                        Ok(Some(changed))
                    }
                    Ok(None) => transaction.rollback().await.map(|()| None),
                    Err(error) => {
                        // The first fault is the one to tell; an engine may have ended the transaction by itself.
                        let _ended = transaction.rollback().await;
                        Err(error)
                    }
                }
            }

            async fn each(
                connection: &mut $connection,
                statements: Vec<Statement>,
            ) -> Result<Option<u64>, Error> {
                let mut changed = 0;
                for statement in statements {
                    let changes_one = statement.changes_one;
                    let rows = change(connection, statement).await?;
                    if changes_one && rows != 1 {
                        return Ok(None);
                    }
                    changed += rows;
                }
                Ok(Some(changed))
            }

            pub(crate) fn bound(
                asked: Statement,
            ) -> sqlx::query::Query<'static, $database, <$database as sqlx::Database>::Arguments> {
                let query = sqlx::query(asked.text);
                asked.values.into_iter().fold(query, |query, value| match value {
                    Value::Number(number) => query.bind(number),
                    Value::NumberOrNone(number) => query.bind(number),
                    Value::Text(text) => query.bind(text),
                    Value::TextOrNone(text) => query.bind(text),
                })
            }
        }
    };
}

driven!(sqlite, sqlx::Sqlite, SqliteConnection, sqlx::sqlite::SqliteRow);
driven!(postgres, sqlx::Postgres, PgConnection, sqlx::postgres::PgRow);
