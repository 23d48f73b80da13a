//! `rookery:app/sql` and `rookery:app/password`.

use super::generated::rookery::app::{password as wit_password, sql as wit};
use crate::password::PasswordError;
use crate::sql::{Dialect, Done, SqlError, Value};

pub(crate) use wit::Transaction;

/// Columns and rows.
type Found = (Vec<String>, Vec<Vec<Value>>);

pub(crate) fn query(sql: &str, values: &[Value]) -> Result<Found, SqlError> {
    let values = lower(values);
    wit::query(statement(sql, &values)).map(lift).map_err(error)
}

pub(crate) fn execute(sql: &str, values: &[Value]) -> Result<Done, SqlError> {
    let values = lower(values);
    wit::execute(statement(sql, &values))
        .map(done)
        .map_err(error)
}

pub(crate) fn batch(statements: &[(&str, &[Value])]) -> Result<Vec<Done>, SqlError> {
    let values: Vec<_> = statements.iter().map(|(_, values)| lower(values)).collect();
    let all: Vec<_> = statements
        .iter()
        .zip(&values)
        .map(|((sql, _), values)| statement(sql, values))
        .collect();
    let all = wit::batch(&all).map_err(error)?;
    Ok(all.into_iter().map(done).collect())
}

pub(crate) fn dialect() -> Dialect {
    match wit::dialect() {
        wit::SqlDialect::Sqlite => Dialect::Sqlite,
        wit::SqlDialect::Postgres => Dialect::Postgres,
    }
}

pub(crate) fn begin() -> Result<Transaction, SqlError> {
    Transaction::begin().map_err(error)
}

pub(crate) fn step_query(
    transaction: &Transaction,
    sql: &str,
    values: &[Value],
) -> Result<Found, SqlError> {
    let values = lower(values);
    transaction
        .query(statement(sql, &values))
        .map(lift)
        .map_err(error)
}

pub(crate) fn step_execute(
    transaction: &Transaction,
    sql: &str,
    values: &[Value],
) -> Result<Done, SqlError> {
    let values = lower(values);
    transaction
        .execute(statement(sql, &values))
        .map(done)
        .map_err(error)
}

pub(crate) fn commit(transaction: Transaction) -> Result<(), SqlError> {
    Transaction::commit(transaction).map_err(error)
}

pub(crate) fn rollback(transaction: Transaction) -> Result<(), SqlError> {
    Transaction::rollback(transaction).map_err(error)
}

pub(crate) fn hash(password: &str) -> Result<String, PasswordError> {
    wit_password::hash(password).map_err(password_error)
}

pub(crate) fn verify(password: &str, hash: &str) -> Result<bool, PasswordError> {
    wit_password::verify(password, hash).map_err(password_error)
}

fn statement<'a>(sql: &'a str, values: &'a [wit::ValueParam<'a>]) -> wit::Statement<'a> {
    wit::Statement { sql, values }
}

fn lower(values: &[Value]) -> Vec<wit::ValueParam<'_>> {
    let value = |value| match value {
        &Value::Null => wit::ValueParam::Null,
        &Value::Boolean(value) => wit::ValueParam::Boolean(value),
        &Value::Integer(value) => wit::ValueParam::Integer(value),
        &Value::Real(value) => wit::ValueParam::Real(value),
        Value::Text(value) => wit::ValueParam::Text(value),
        Value::Blob(value) => wit::ValueParam::Blob(value),
    };
    values.iter().map(value).collect()
}

fn lift(rows: wit::Rows) -> Found {
    let value = |value| match value {
        wit::ValueResult::Null => Value::Null,
        wit::ValueResult::Boolean(value) => Value::Boolean(value),
        wit::ValueResult::Integer(value) => Value::Integer(value),
        wit::ValueResult::Real(value) => Value::Real(value),
        wit::ValueResult::Text(value) => Value::Text(value),
        wit::ValueResult::Blob(value) => Value::Blob(value),
    };
    let row = |row: Vec<wit::ValueResult>| row.into_iter().map(value).collect();
    (rows.columns, rows.rows.into_iter().map(row).collect())
}

fn done(done: wit::Done) -> Done {
    Done {
        rows_affected: done.rows_affected,
        last_insert_id: done.last_insert_id,
    }
}

fn error(error: wit::Error) -> SqlError {
    match error {
        wit::Error::Constraint(text) => SqlError::Constraint(text),
        wit::Error::Conflict => SqlError::Conflict,
        wit::Error::Syntax(text) => SqlError::Syntax(text),
        wit::Error::Unavailable(text) => SqlError::Unavailable(text),
        wit::Error::TooLarge => SqlError::TooLarge,
    }
}

fn password_error(error: wit_password::Error) -> PasswordError {
    match error {
        wit_password::Error::TooLong => PasswordError::TooLong,
        wit_password::Error::Unavailable => PasswordError::Unavailable,
    }
}
