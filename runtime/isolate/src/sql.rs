//! `rookery:app/sql` and `rookery:app/password` for a guest. These calls wait, and only their isolate does.

use rookery_host::PasswordError;
use rookery_storage as storage;
use rookery_storage::{SqlError, Transaction};
use wasmtime::component::Resource;

use crate::bindings::rookery::app::{password, sql};
use crate::state::State;

/// A transaction in a guest's hands. Absent once it was ended.
pub struct OpenTransaction(Box<dyn Transaction>);

type Answer<T> = wasmtime::Result<Result<T, sql::Error>>;

impl sql::Host for State {
    async fn query(&mut self, statement: sql::Statement) -> Answer<sql::Rows> {
        let (text, values) = inward(statement);
        let looked_at = match self.database().await {
            Ok((database, _)) => database.statement(&text, values),
            Err(error) => Err(error),
        };
        let statement = match looked_at {
            Ok(statement) => statement,
            Err(error) => return Ok(Err(sql_error(error))),
        };
        if !statement.only_reads() {
            self.effects.note();
        }
        let found = match self.database().await {
            Ok((database, hub)) => database.query(hub, statement).await,
            Err(error) => Err(error),
        };
        Ok(found.map(rows).map_err(sql_error))
    }

    async fn execute(&mut self, statement: sql::Statement) -> Answer<sql::Done> {
        let (text, values) = inward(statement);
        self.effects.note();
        let (database, hub) = match self.database().await {
            Ok(database) => database,
            Err(error) => return Ok(Err(sql_error(error))),
        };
        let did = database.execute(hub, &text, values).await;
        Ok(did.map(done).map_err(sql_error))
    }

    async fn batch(&mut self, statements: Vec<sql::Statement>) -> Answer<Vec<sql::Done>> {
        let statements = statements.into_iter().map(inward).collect();
        self.effects.note();
        let (database, hub) = match self.database().await {
            Ok(database) => database,
            Err(error) => return Ok(Err(sql_error(error))),
        };
        let all = database.batch(hub, statements).await;
        Ok(all
            .map(|all| all.into_iter().map(done).collect())
            .map_err(sql_error))
    }

    async fn dialect(&mut self) -> wasmtime::Result<sql::SqlDialect> {
        let dialect = match self.database().await {
            Ok((database, _)) => database.dialect(),
            // Whatever it would speak: SQLite needs nobody to be there.
            Err(_) => storage::Dialect::Sqlite,
        };
        Ok(match dialect {
            storage::Dialect::Sqlite => sql::SqlDialect::Sqlite,
            storage::Dialect::Postgres => sql::SqlDialect::Postgres,
        })
    }
}

impl sql::HostTransaction for State {
    async fn begin(&mut self) -> Answer<Resource<OpenTransaction>> {
        // All of it, also what is done in its steps: it keeps other writers waiting from here on.
        self.effects.note();
        let begun = match self.database().await {
            Ok((database, _)) => database.begin().await,
            Err(error) => Err(error),
        };
        Ok(match begun {
            Ok(transaction) => Ok(self.table.push(OpenTransaction(transaction))?),
            Err(error) => Err(sql_error(error)),
        })
    }

    async fn query(
        &mut self,
        transaction: Resource<OpenTransaction>,
        statement: sql::Statement,
    ) -> Answer<sql::Rows> {
        let (text, values) = inward(statement);
        self.effects.note();
        let statement = match self.database().await {
            Ok((database, _)) => database.statement(&text, values),
            Err(error) => Err(error),
        };
        let found = match statement {
            Ok(statement) => self.table.get_mut(&transaction)?.0.query(statement).await,
            Err(error) => Err(error),
        };
        Ok(found.map(rows).map_err(sql_error))
    }

    async fn execute(
        &mut self,
        transaction: Resource<OpenTransaction>,
        statement: sql::Statement,
    ) -> Answer<sql::Done> {
        let (text, values) = inward(statement);
        self.effects.note();
        let statement = match self.database().await {
            Ok((database, _)) => database.statement(&text, values),
            Err(error) => Err(error),
        };
        let did = match statement {
            Ok(statement) => self.table.get_mut(&transaction)?.0.execute(statement).await,
            Err(error) => Err(error),
        };
        Ok(did.map(done).map_err(sql_error))
    }

    async fn commit(&mut self, transaction: Resource<OpenTransaction>) -> Answer<()> {
        self.effects.note();
        let OpenTransaction(transaction) = self.table.delete(transaction)?;
        let kept = match self.database().await {
            Ok((database, hub)) => database.commit(hub, transaction).await,
            Err(error) => Err(error),
        };
        Ok(kept.map_err(sql_error))
    }

    async fn rollback(&mut self, transaction: Resource<OpenTransaction>) -> Answer<()> {
        let OpenTransaction(transaction) = self.table.delete(transaction)?;
        Ok(transaction.rollback().await.map_err(sql_error))
    }

    async fn drop(&mut self, transaction: Resource<OpenTransaction>) -> wasmtime::Result<()> {
        self.table.delete(transaction)?;
        Ok(())
    }
}

impl password::Host for State {
    async fn hash(&mut self, text: String) -> wasmtime::Result<Result<String, password::Error>> {
        let hashed = self.guest.passwords().hash(text).await;
        Ok(hashed.map_err(password_error))
    }

    async fn verify(
        &mut self,
        text: String,
        hash: String,
    ) -> wasmtime::Result<Result<bool, password::Error>> {
        let verified = self.guest.passwords().verify(text, hash).await;
        Ok(verified.map_err(password_error))
    }
}

fn inward(statement: sql::Statement) -> (String, Vec<storage::Value>) {
    let values = statement.values.into_iter().map(|value| match value {
        sql::Value::Null => storage::Value::Null,
        sql::Value::Boolean(value) => storage::Value::Boolean(value),
        sql::Value::Integer(value) => storage::Value::Integer(value),
        sql::Value::Real(value) => storage::Value::Real(value),
        sql::Value::Text(value) => storage::Value::Text(value),
        sql::Value::Blob(value) => storage::Value::Blob(value),
    });
    (statement.sql, values.collect())
}

fn rows(rows: storage::Rows) -> sql::Rows {
    let value = |value| match value {
        storage::Value::Null => sql::Value::Null,
        storage::Value::Boolean(value) => sql::Value::Boolean(value),
        storage::Value::Integer(value) => sql::Value::Integer(value),
        storage::Value::Real(value) => sql::Value::Real(value),
        storage::Value::Text(value) => sql::Value::Text(value),
        storage::Value::Blob(value) => sql::Value::Blob(value),
    };
    let row = |row: Vec<storage::Value>| row.into_iter().map(value).collect();
    sql::Rows {
        columns: rows.columns.to_vec(),
        rows: rows.rows.into_iter().map(row).collect(),
    }
}

fn done(done: storage::Done) -> sql::Done {
    sql::Done {
        rows_affected: done.rows_affected,
        last_insert_id: done.last_insert_id,
    }
}

fn sql_error(error: SqlError) -> sql::Error {
    match error {
        SqlError::Constraint(text) => sql::Error::Constraint(text),
        SqlError::Conflict => sql::Error::Conflict,
        SqlError::Syntax(text) => sql::Error::Syntax(text),
        SqlError::Unavailable(text) => sql::Error::Unavailable(text),
        SqlError::TooLarge => sql::Error::TooLarge,
    }
}

fn password_error(error: PasswordError) -> password::Error {
    match error {
        PasswordError::TooLong => password::Error::TooLong,
        PasswordError::Unavailable => password::Error::Unavailable,
    }
}
