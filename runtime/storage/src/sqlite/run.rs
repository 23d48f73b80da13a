//! One statement on one connection: values in, rows out, within the limits.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteColumn, SqliteConnection, SqliteQueryResult, SqliteRow, SqliteValueRef,
};
use sqlx::{AssertSqlSafe, Column, Decode, Either, Executor as _, Row, Sqlite, TypeInfo, ValueRef};

use super::faults::fault;
use crate::error::SqlError;
use crate::sql::{Done, Rows, SqlLimits, Statement, Value};

/// What every group of the writer begins with: [`MARK`] needs a savepoint to let go of.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT step";
/// Lets go of the savepoint before and makes one here. It goes to the database with the statement that it is for, since
/// each way there and back costs more than a small write. The last one ends with the group.
pub(super) const MARK: &str = "RELEASE step; SAVEPOINT step; ";

/// What is run in front of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// [`MARK`]: `ROLLBACK TO step` undoes what comes from here on.
    Mark,
}

impl Before {
    /// How many results come, that of the statement itself the last. Whoever has it need not wait for the driver to say
    /// that there are no more: each wait is a way through the scheduler.
    fn results(self) -> usize {
        match self {
            Before::Nothing => 1,
            Before::Mark => 3,
        }
    }
}

/// Runs a statement and collects its rows.
pub(super) async fn rows(
    connection: &mut SqliteConnection,
    before: Before,
    statement: &Statement,
    limits: &SqlLimits,
) -> Result<Rows, SqlError> {
    let mut results = connection.fetch_many(query(before, statement));
    let mut missing = before.results();
    let mut found = Found::default();
    while missing > 0
        && let Some(result) = results.try_next().await.map_err(|error| fault(&error))?
    {
        let Some(row) = result.right() else {
            missing -= 1;
            continue;
        };
        found.take(&row, limits)?;
        if found.too_large && statement.only_reads() {
            break;
        }
    }
    found.whole()
}

/// Runs statements of the same text, one after the other in one way to the database and back, and gives the rows of each
/// that ran: those behind one that failed did not.
pub(super) async fn rows_of_each(
    connection: &mut SqliteConnection,
    statements: &[&Statement],
    limits: &SqlLimits,
) -> Vec<Result<Rows, SqlError>> {
    let texts: Vec<&str> = statements.iter().map(|one| &**one.sql()).collect();
    let text: Arc<str> = texts.join("; ").into();
    let values = statements.iter().flat_map(|one| one.values());
    let mut results = connection.fetch_many(bound(text, values));
    let mut outcomes = Vec::with_capacity(statements.len());
    let mut found = Found::default();
    while outcomes.len() < statements.len() {
        match results.try_next().await {
            Ok(Some(Either::Right(row))) => {
                // Those behind it run whatever became of it, so they are heard, too.
                if let Err(error) = found.take(&row, limits) {
                    found.failed = Some(error);
                }
            }
            Ok(Some(Either::Left(_done))) => outcomes.push(std::mem::take(&mut found).whole()),
            Ok(None) => break,
            Err(error) => {
                outcomes.push(Err(fault(&error)));
                break;
            }
        }
    }
    outcomes
}

/// The rows of one statement so far.
#[derive(Default)]
struct Found {
    rows: Rows,
    bytes: usize,
    too_large: bool,
    /// A row that could not be read.
    failed: Option<SqlError>,
}

impl Found {
    /// One more. A write that returns too many goes on to its end, so that it does not stop half way.
    fn take(&mut self, row: &SqliteRow, limits: &SqlLimits) -> Result<(), SqlError> {
        if self.too_large {
            return Ok(());
        }
        if self.rows.rows.is_empty() {
            self.rows.columns = names(row);
        }
        let values = values(row)?;
        self.bytes += values.iter().map(Value::len).sum::<usize>();
        self.too_large =
            self.rows.rows.len() >= limits.rows_max || self.bytes > limits.result_bytes_max;
        self.rows.rows.push(values);
        Ok(())
    }

    fn whole(self) -> Result<Rows, SqlError> {
        match self.failed {
            Some(failed) => Err(failed),
            None if self.too_large => Err(SqlError::TooLarge),
            None => Ok(self.rows),
        }
    }
}

/// Runs a statement for what it does.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    before: Before,
    statement: &Statement,
) -> Result<Done, SqlError> {
    let mut results = connection.fetch_many(query(before, statement));
    let mut missing = before.results();
    let mut last = None;
    while missing > 0
        && let Some(result) = results.try_next().await.map_err(|error| fault(&error))?
    {
        // Rows are not what was asked for.
        if let Some(done) = result.left() {
            (last, missing) = (Some(done), missing - 1);
        }
    }
    // SQLite tells what was true of the last statement that wrote rows, whosever it was.
    let done = last.filter(|_| statement.writes_rows());
    let rows_affected = done.as_ref().map_or(0, SqliteQueryResult::rows_affected);
    let added = done.filter(|_| statement.adds_rows() && rows_affected > 0);
    Ok(Done {
        rows_affected,
        last_insert_id: added.map(|done| done.last_insert_rowid()),
    })
}

/// Runs a statement of ours, without values.
pub(super) async fn plain(
    connection: &mut SqliteConnection,
    sql: &'static str,
) -> Result<(), SqlError> {
    let done = sqlx::query(sql).execute(connection).await;
    done.map(|_| ()).map_err(|error| fault(&error))
}

fn query(before: Before, statement: &Statement) -> Query<'_, Sqlite, SqliteArguments> {
    let sql = match before {
        Before::Nothing => Arc::clone(statement.sql()),
        Before::Mark => [MARK, statement.sql()].concat().into(),
    };
    bound(sql, statement.values().iter())
}

/// A text with the values of its places, in order.
fn bound<'a>(
    text: Arc<str>,
    values: impl Iterator<Item = &'a Value>,
) -> Query<'a, Sqlite, SqliteArguments> {
    let query = sqlx::query(AssertSqlSafe(text));
    values.fold(query, |query, value| match value {
        Value::Null => query.bind(None::<i64>),
        Value::Boolean(value) => query.bind(*value),
        Value::Integer(value) => query.bind(*value),
        Value::Real(value) => query.bind(*value),
        Value::Text(value) => query.bind(value.clone()),
        Value::Blob(value) => query.bind(value.clone()),
    })
}

fn names(row: &SqliteRow) -> Arc<[String]> {
    let columns = row.columns().iter();
    columns.map(|column| column.name().to_owned()).collect()
}

fn values(row: &SqliteRow) -> Result<Vec<Value>, SqlError> {
    let columns = row.columns().iter();
    let value = |column: &SqliteColumn| {
        let raw = row
            .try_get_raw(column.ordinal())
            .map_err(|error| fault(&error))?;
        decode(raw, column.type_info().name())
            .map_err(|error| SqlError::Unavailable(format!("column {}: {error}", column.name())))
    };
    columns.map(value).collect()
}

/// The value as SQLite keeps it; the column's declared type only tells a boolean from a number.
fn decode(
    raw: SqliteValueRef<'_>,
    declared: &str,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kept = raw.type_info();
    Ok(match kept.name() {
        "REAL" => Value::Real(<f64 as Decode<Sqlite>>::decode(raw)?),
        "TEXT" => Value::Text(<String as Decode<Sqlite>>::decode(raw)?),
        "BLOB" => Value::Blob(<Vec<u8> as Decode<Sqlite>>::decode(raw)?),
        _ => {
            let number = <i64 as Decode<Sqlite>>::decode(raw)?;
            match (declared, number) {
                ("BOOLEAN", 0 | 1) => Value::Boolean(number == 1),
                _ => Value::Integer(number),
            }
        }
    })
}
