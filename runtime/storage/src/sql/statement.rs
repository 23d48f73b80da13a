//! A statement that may be run: looked at once, before any database sees it.
//!
//! **Invariant:** it is one statement, within the limits, of a kind that a guest may use, with a value for each `?`.

use std::sync::Arc;

use crate::error::SqlError;
use crate::sql::{Kind, SqlLimits, Value, inspect};

/// One statement with its values.
#[derive(Clone, Debug)]
pub struct Statement {
    sql: Arc<str>,
    values: Vec<Value>,
    kind: Kind,
    one_row: bool,
}

impl Statement {
    /// Looks at a guest's statement.
    ///
    /// # Errors
    /// [`SqlError::Syntax`] for what no guest may say and for a wrong count of values, [`SqlError::TooLarge`] beyond a
    /// limit.
    pub fn new(sql: &str, values: Vec<Value>, limits: &SqlLimits) -> Result<Statement, SqlError> {
        if sql.len() > limits.statement_bytes_max || values.len() > limits.values_max {
            return Err(SqlError::TooLarge);
        }
        if values
            .iter()
            .any(|value| value.len() > limits.value_bytes_max)
        {
            return Err(SqlError::TooLarge);
        }
        let seen = inspect(sql)?;
        if seen.places != values.len() {
            let wrong = format!(
                "the statement has {} places for values and was given {}",
                seen.places,
                values.len()
            );
            return Err(SqlError::Syntax(wrong));
        }
        Ok(Statement {
            sql: sql.into(),
            values,
            kind: seen.kind,
            one_row: seen.one_row,
        })
    }

    /// The text.
    pub fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// One for each `?`, in order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Whether it writes rows, so that it can be asked how many.
    pub fn writes_rows(&self) -> bool {
        matches!(self.kind, Kind::Insert | Kind::Change)
    }

    /// Whether it may add rows, so that it can be asked for the number of the last one.
    pub fn adds_rows(&self) -> bool {
        self.kind == Kind::Insert
    }

    /// Whether it adds one row at most and gives back no more than what it was given and the columns' defaults.
    pub fn adds_one_row(&self) -> bool {
        self.one_row
    }

    /// Whether it only reads.
    pub fn only_reads(&self) -> bool {
        self.kind == Kind::Read
    }
}
