//! The namespace's SQL database.
//!
//! ```
//! use rookery_sdk::{Error, sql, values};
//!
//! fn rename(id: i64, name: &str) -> Result<bool, Error> {
//!     let done = sql::execute("UPDATE users SET name = ? WHERE id = ?", &values![name, id])?;
//!     Ok(done.rows_affected == 1)
//! }
//! ```
//!
//! **Invariant:** what an app says after a write (messages, closes, the answer to a request) reaches nobody before the
//! write is durable, and nobody at all when it is lost. The app need not wait for it.
//! **Absent on purpose:** an ORM. Statements are text with a `?` for each value.

mod row;
mod value;

pub use row::{FromValue, Row, WrongType};
pub use value::Value;

use std::fmt;

use crate::seam;

/// Why a statement did nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SqlError {
    /// A constraint of the schema forbids it; the text names it.
    Constraint(String),
    /// Another writer was in the way: the same again may work.
    Conflict,
    /// The statement is not understood, or not for guests.
    Syntax(String),
    /// The database cannot answer now, or not in time.
    Unavailable(String),
    /// The statement, a value or the result is larger than the limits.
    TooLarge,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlError::Constraint(text) | SqlError::Syntax(text) | SqlError::Unavailable(text) => {
                f.write_str(text)
            }
            SqlError::Conflict => f.write_str("another writer was in the way"),
            SqlError::TooLarge => {
                f.write_str("the statement, one of its values or its result is too large")
            }
        }
    }
}

impl std::error::Error for SqlError {}

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// How many rows it wrote or deleted.
    pub rows_affected: u64,
    /// The row id that was given last, where the database has such numbers.
    pub last_insert_id: Option<i64>,
}

/// Which database answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// Rows of a result. A statement that writes may give rows, too (`RETURNING`).
pub fn query(sql: &str, values: &[Value]) -> Result<Vec<Row>, SqlError> {
    seam::sql::query(sql, values).map(row::rows)
}

/// The first row, if there is one.
pub fn query_one(sql: &str, values: &[Value]) -> Result<Option<Row>, SqlError> {
    Ok(query(sql, values)?.into_iter().next())
}

/// Runs a statement for what it does.
pub fn execute(sql: &str, values: &[Value]) -> Result<Done, SqlError> {
    seam::sql::execute(sql, values)
}

/// Runs all, or none.
pub fn batch(statements: &[(&str, &[Value])]) -> Result<Vec<Done>, SqlError> {
    seam::sql::batch(statements)
}

/// What the database speaks.
pub fn dialect() -> Dialect {
    seam::sql::dialect()
}

/// Several steps that are kept together; see [`transaction`].
pub struct Transaction(seam::sql::Transaction);

impl Transaction {
    /// Rows of a result.
    pub fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, SqlError> {
        seam::sql::step_query(&self.0, sql, values).map(row::rows)
    }

    /// Runs a statement for what it does.
    pub fn execute(&mut self, sql: &str, values: &[Value]) -> Result<Done, SqlError> {
        seam::sql::step_execute(&self.0, sql, values)
    }
}

/// Runs several steps and keeps them, or none of them when `steps` fails. Every other writer waits meanwhile; after five
/// seconds it is undone. Until it ends, everything goes through it: other calls to the database are refused.
pub fn transaction<R, E: From<SqlError>>(
    steps: impl FnOnce(&mut Transaction) -> Result<R, E>,
) -> Result<R, E> {
    let mut transaction = Transaction(seam::sql::begin()?);
    match steps(&mut transaction) {
        Ok(done) => {
            seam::sql::commit(transaction.0)?;
            Ok(done)
        }
        Err(error) => {
            // The steps' own error says more than one of undoing them.
            let _ = seam::sql::rollback(transaction.0);
            Err(error)
        }
    }
}

/// The values of a statement: `values![name, 7, None::<i64>]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        [$($crate::sql::Value::from($value)),*]
    };
}

#[cfg(test)]
mod tests;
