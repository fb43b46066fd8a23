//! What is asked of either engine, and how its rows are read: once for both. A statement is a text of `sql.rs` with its
//! values. An engine opens, binds, runs and hands rows back, and knows nothing of what they mean.

pub(crate) mod audit;
pub(crate) mod derived;
pub(crate) mod driving;
pub(crate) mod journal;
pub(crate) mod records;
pub(crate) mod registry;
pub(crate) mod roll;
pub(crate) mod subjects;
pub(crate) mod tables;

use std::fmt;
use std::future::Future;

use sqlx::{AssertSqlSafe, Error, SqlSafeStr, SqlStr};
use switchboard::canonical::Hash;
use switchboard::id::{CallId, CallerRef, Seq, SiteId};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::crash::CrashPoint;
use crate::derived::RecordCursor;
use crate::record::CallRecord;
use crate::seal::unhex;

/// A value of the two types there are, which may be none where a column lets it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Number(i64),
    NumberOrNone(Option<i64>),
    Text(String),
    TextOrNone(Option<String>),
}

/// A text of `sql.rs` and the values of its places.
#[derive(Clone)]
pub(crate) struct Statement {
    pub(crate) text: SqlStr,
    pub(crate) values: Vec<Value>,
    /// In a transaction: that another number of rows changes undoes everything.
    pub(crate) changes_one: bool,
}

impl Statement {
    /// A constant.
    pub(crate) fn of(text: &'static str) -> Statement {
        Statement { text: SqlStr::from_static(text), values: Vec::new(), changes_one: false }
    }

    /// A text whose length varies with its values.
    pub(crate) fn of_length(text: String) -> Statement {
        let text = AssertSqlSafe(text).into_sql_str();
        Statement { text, values: Vec::new(), changes_one: false }
    }

    /// The value of the next place.
    pub(crate) fn with(mut self, value: impl Into<Value>) -> Statement {
        self.values.push(value.into());
        self
    }

    /// Has to change exactly one row, or its transaction is undone.
    pub(crate) fn changing_one(self) -> Statement {
        Statement { changes_one: true, ..self }
    }

    /// How much text it carries, in bytes.
    pub(crate) fn text_len(&self) -> usize {
        let len = |value: &Value| match value {
            Value::Text(text) | Value::TextOrNone(Some(text)) => text.len(),
            Value::Number(_) | Value::NumberOrNone(_) | Value::TextOrNone(None) => 0,
        };
        self.values.iter().map(len).sum()
    }

    /// One engine takes a text with NUL in it and the other does not, so neither is given one.
    pub(crate) fn keepable(self) -> Result<Statement, Stopped> {
        let has_nul = |value: &Value| matches!(value, Value::Text(text) | Value::TextOrNone(Some(text)) if text.contains('\0'));
        if self.values.iter().any(has_nul) { Err(Stopped::Unkeepable) } else { Ok(self) }
    }
}

/// Statements that are made true together or not at all.
pub(crate) struct Whole {
    pub(crate) statements: Vec<Statement>,
    pub(crate) before_commit: Option<CrashPoint>,
}

impl Whole {
    pub(crate) fn of(statements: Vec<Statement>) -> Whole {
        Whole { statements, before_commit: None }
    }

    pub(crate) fn keepable(self) -> Result<Whole, Stopped> {
        let statements = self.statements.into_iter().map(Statement::keepable).collect::<Result<_, _>>()?;
        Ok(Whole { statements, ..self })
    }
}

/// What the rows asked for are part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What must never be lost.
    Journal,
    /// What follows from it.
    Derived,
}

/// Why an engine did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// A row stands at that key; nothing was changed.
    KeyTaken(String),
    /// A statement that was to change one row did not; nothing was changed.
    NotOne,
    /// A text with NUL in it; nothing was changed.
    Unkeepable,
    /// What is stored is not what was written, or not of this schema.
    Damaged(String),
    /// It may answer later. What was to be changed perhaps is.
    Unavailable(String),
    /// Nothing that this process knows of the record is worth anything.
    RestartNeeded(String),
}

impl Stopped {
    pub(crate) fn is_key_taken(&self) -> bool {
        matches!(self, Stopped::KeyTaken(_))
    }

    /// What was met, and whether it is damage.
    pub(crate) fn told(self) -> (bool, String) {
        match self {
            Stopped::KeyTaken(why) | Stopped::Damaged(why) => (true, why),
            Stopped::NotOne => (true, "a row that should be there is not".to_owned()),
            Stopped::Unkeepable => (false, UNKEEPABLE.to_owned()),
            Stopped::Unavailable(why) | Stopped::RestartNeeded(why) => (false, why),
        }
    }
}

const UNKEEPABLE: &str = "a text with the character NUL in it cannot be kept; leave that character out";

/// A store of rows on an engine.
pub(crate) trait Engine: Send + Sync {
    /// How its rows are read.
    type Row: Places;

    /// The rows that answer a question.
    fn rows(
        &self,
        of: Part,
        asked: Statement,
    ) -> impl Future<Output = Result<Vec<Self::Row>, Stopped>> + Send;

    /// Changes rows, durably before it answers. Answers how many.
    fn change(&self, of: Part, asked: Statement) -> impl Future<Output = Result<u64, Stopped>> + Send;

    /// Changes rows together or not at all. Answers how many.
    fn change_all(&self, of: Part, whole: Whole) -> impl Future<Output = Result<u64, Stopped>> + Send;

    /// A further step of a site's records in one statement, where the engine knows one: it answers with a row if it was made,
    /// and with none if they were moved from elsewhere.
    fn step(_site: SiteId, _from: Seq, _to: RecordCursor, _records: &[CallRecord]) -> Option<Statement> {
        None
    }

    /// Who holds this writes the next row of the audit, as far as this process is concerned.
    fn audit_turn(&self) -> &Mutex<()>;

    /// The first row that answers a question.
    fn row(
        &self,
        of: Part,
        asked: Statement,
    ) -> impl Future<Output = Result<Option<Self::Row>, Stopped>> + Send {
        async move { Ok(self.rows(of, asked).await?.into_iter().next()) }
    }
}

/// A row by its columns.
pub(crate) trait Places: Send + Sync {
    fn number(&self, column: &'static str) -> Result<i64, Stopped>;
    fn number_or_none(&self, column: &'static str) -> Result<Option<i64>, Stopped>;
    fn text(&self, column: &'static str) -> Result<String, Stopped>;
    fn text_or_none(&self, column: &'static str) -> Result<Option<String>, Stopped>;

    /// A number that is never negative.
    fn count(&self, column: &'static str) -> Result<u64, Stopped> {
        let number = self.number(column)?;
        u64::try_from(number).map_err(|fault| unreadable(column, number, fault))
    }

    fn uuid(&self, column: &'static str) -> Result<Uuid, Stopped> {
        let text = self.text(column)?;
        Uuid::parse_str(&text).map_err(|fault| unreadable(column, text, fault))
    }

    fn hash(&self, column: &'static str) -> Result<Hash, Stopped> {
        let text = self.text(column)?;
        let bytes = unhex(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Hash).ok_or_else(|| unreadable(column, text, "not a hash"))
    }

    /// A name that follows the rules for names.
    fn named<T: std::str::FromStr>(&self, column: &'static str) -> Result<T, Stopped> {
        let text = self.text(column)?;
        text.parse().map_err(|_| unreadable(column, text, "not a name"))
    }
}

pub(crate) fn unreadable(column: &str, value: impl fmt::Display, why: impl fmt::Display) -> Stopped {
    Stopped::Damaged(format!("{column} is {value}: {why}"))
}

/// A column that is not there or not of its type.
pub(crate) fn undecoded(error: &Error) -> Stopped {
    Stopped::Damaged(error.to_string())
}

/// Sequence numbers and site times stay far below what a column holds: 2^63 microseconds are 292,000 years.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// At most so many.
pub(crate) fn most(rows_max: usize) -> i64 {
    i64::try_from(rows_max).unwrap_or(i64::MAX)
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Value {
        Value::NumberOrNone(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Value {
        Value::TextOrNone(text)
    }
}

impl From<SiteId> for Value {
    fn from(site: SiteId) -> Value {
        Value::Text(site.as_str().to_owned())
    }
}

impl From<Seq> for Value {
    fn from(seq: Seq) -> Value {
        Value::Number(number(seq.0))
    }
}

impl From<CallerRef> for Value {
    fn from(caller: CallerRef) -> Value {
        Value::Text(caller.to_string())
    }
}

impl From<CallId> for Value {
    fn from(call: CallId) -> Value {
        Value::Text(call.to_string())
    }
}

impl From<Hash> for Value {
    fn from(hash: Hash) -> Value {
        Value::Text(hash.to_string())
    }
}
