//! What a database has to do.
//!
//! Every implementer passes `contract` (feature `test-util`).

use std::sync::Arc;

use crate::error::SqlError;
use crate::sql::{Durable, SqlLimits, Statement, Value};

/// Which database answers, for a guest that has to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A result.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rows {
    /// The columns' names.
    pub columns: Arc<[String]>,
    /// As many values a row as there are columns.
    pub rows: Vec<Vec<Value>>,
}

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// How many rows it wrote or deleted.
    pub rows_affected: u64,
    /// The row id that it gave last, where the database has such numbers.
    pub last_insert_id: Option<i64>,
}

/// Something that was applied, and when it will be durable.
#[derive(Clone, Debug)]
pub struct Applied<T> {
    /// What came of it.
    pub outcome: T,
    /// When it may be spoken of.
    pub durable: Durable,
}

/// What a change writes, decided with what it read in sight. It may be asked more than once, by a database that finds out
/// late that somebody else was faster.
pub type Decide = Arc<dyn Fn(&Rows) -> Vec<Statement> + Send + Sync>;

/// One namespace's database. Dropping a future of it stops the statement.
#[async_trait::async_trait]
pub trait Database: Send + Sync {
    /// Reads what is durable, beside the writer.
    async fn read(&self, statement: Statement) -> Result<Rows, SqlError>;

    /// Runs a statement with the writer: it sees all that was applied, and what it returns may be spoken of only when
    /// that is durable.
    async fn query(&self, statement: Statement) -> Result<Applied<Rows>, SqlError>;

    /// Applies a write. When it fails, nothing was changed.
    async fn execute(&self, statement: Statement) -> Result<Applied<Done>, SqlError>;

    /// Applies all, or none.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Applied<Vec<Done>>, SqlError>;

    /// Reads, decides and writes, and nobody writes in between. All, or nothing.
    async fn change(&self, read: Statement, decide: Decide)
    -> Result<Applied<Vec<Done>>, SqlError>;

    /// Applies a script of the operator's or a bundle's: all, or nothing, and with minutes of time for each statement. The
    /// first statement is its lock: when it changes no row, nothing is done, and it is a [`SqlError::Conflict`].
    async fn script(&self, statements: Vec<Statement>) -> Result<Applied<()>, SqlError>;

    /// Begins a transaction. Every other writer waits until it ends, at most
    /// [`transaction_timeout`](SqlLimits::transaction_timeout).
    async fn begin(&self) -> Result<Box<dyn Transaction>, SqlError>;

    /// Commits what was applied, does what was asked before, and refuses what is asked from now on.
    async fn close(&self);

    /// What it is.
    fn dialect(&self) -> Dialect;

    /// What it allows.
    fn limits(&self) -> &SqlLimits;
}

/// A transaction; dropping it undoes it.
#[async_trait::async_trait]
pub trait Transaction: Send {
    /// Runs a statement and gives its rows.
    async fn query(&mut self, statement: Statement) -> Result<Rows, SqlError>;

    /// Runs a statement.
    async fn execute(&mut self, statement: Statement) -> Result<Done, SqlError>;

    /// Ends it, kept.
    async fn commit(self: Box<Self>) -> Result<Applied<()>, SqlError>;

    /// Ends it, undone.
    async fn rollback(self: Box<Self>) -> Result<(), SqlError>;
}
