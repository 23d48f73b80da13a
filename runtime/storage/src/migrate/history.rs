//! The table that remembers what was run.

use crate::error::SqlError;
use crate::migrate::MigrateError;
use crate::sql::{Database, Dialect, Rows, Statement, Value};

/// The name of the history's table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableName(String);

/// A migration that was run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The SHA-256 of its script, in hexadecimal.
    pub digest: String,
    /// When, in seconds since 1970.
    pub at_secs: i64,
}

impl Default for TableName {
    fn default() -> Self {
        TableName("rookery_migrations".to_owned())
    }
}

impl TableName {
    /// Takes a name that needs no quotes in any database.
    ///
    /// # Errors
    /// [`MigrateError::Table`]
    pub fn parse(name: &str) -> Result<TableName, MigrateError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if begins_well && name.len() <= 63 && name.chars().all(plain) {
            Ok(TableName(name.to_owned()))
        } else {
            Err(MigrateError::Table(name.to_owned()))
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn create(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (number BIGINT PRIMARY KEY, name TEXT NOT NULL, \
             digest TEXT NOT NULL, at_secs BIGINT NOT NULL)",
            self.0
        )
    }

    pub(super) fn insert(&self) -> String {
        format!(
            "INSERT INTO {} (number, name, digest, at_secs) VALUES (?, ?, ?, ?)",
            self.0
        )
    }

    pub(super) fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE number = ?", self.0)
    }

    /// Whether there is such a table: a row for each, so one or none.
    fn exists(&self, dialect: Dialect) -> String {
        let tables = match dialect {
            Dialect::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name",
            Dialect::Postgres => {
                "SELECT table_name FROM information_schema.tables \
                 WHERE table_schema = current_schema() AND table_name"
            }
        };
        format!("{tables} = '{}'", self.0)
    }

    fn select(&self) -> String {
        format!(
            "SELECT number, name, digest, at_secs FROM {} ORDER BY number",
            self.0
        )
    }
}

impl Ran {
    /// `0001_name`
    pub fn label(&self) -> String {
        format!("{:04}_{}", self.number, self.name)
    }
}

/// What was run, in order.
pub(super) async fn read(database: &dyn Database, table: &TableName) -> Result<Vec<Ran>, SqlError> {
    let limits = database.limits();
    let create = Statement::new(&table.create(), vec![], limits)?;
    let created = database.execute(create).await?;
    let select = Statement::new(&table.select(), vec![], limits)?;
    let rows = database.query(select).await?;
    let lost = |error: crate::sql::CommitError| SqlError::Unavailable(error.to_string());
    created.durable.wait().await.map_err(lost)?;
    rows_of(rows.outcome)
}

/// What was run, in order, without making the table when it is not there.
pub(super) async fn look(database: &dyn Database, table: &TableName) -> Result<Vec<Ran>, SqlError> {
    let limits = database.limits();
    let exists = Statement::new(&table.exists(database.dialect()), vec![], limits)?;
    if database.read(exists).await?.rows.is_empty() {
        return Ok(Vec::new());
    }
    let select = Statement::new(&table.select(), vec![], limits)?;
    rows_of(database.read(select).await?)
}

fn rows_of(rows: Rows) -> Result<Vec<Ran>, SqlError> {
    let read = |row: Vec<Value>| match <[Value; 4]>::try_from(row) {
        Ok(
            [
                Value::Integer(number),
                Value::Text(name),
                Value::Text(digest),
                Value::Integer(at_secs),
            ],
        ) => {
            let number = u32::try_from(number).ok()?;
            Some(Ran {
                number,
                name,
                digest,
                at_secs,
            })
        }
        _ => None,
    };
    let all: Option<Vec<Ran>> = rows.rows.into_iter().map(read).collect();
    all.ok_or_else(|| SqlError::Unavailable("its rows are not ours".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_plain_name() {
        for name in ["a", "_a9", "rookery_migrations"] {
            assert!(TableName::parse(name).is_ok(), "{name}");
        }
        let long = "x".repeat(64);
        for name in ["", "9a", "a b", "a;drop", "a\"", "ä", long.as_str()] {
            assert!(TableName::parse(name).is_err(), "{name}");
        }
    }
}
