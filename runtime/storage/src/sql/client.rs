//! One invocation's use of its database.
//!
//! **Invariant:** an invocation sees what it wrote: while its writes are not durable, it reads with the writer.
//! **Invariant:** [`SqlClient::durable`] covers everything that the invocation wrote or saw.

use std::sync::Arc;

use crate::error::SqlError;
use crate::sql::{
    Applied, CommitError, Database, Decide, Dialect, Done, Durable, Rows, Statement, Transaction,
    Value,
};

/// A database as one invocation uses it.
pub struct SqlClient {
    database: Arc<dyn Database>,
    /// The group of what was written last. Groups are made durable in order, so the last covers the ones before, but
    /// for a failure among them: see `lost`.
    pending: Option<Durable>,
    lost: Option<CommitError>,
}

impl SqlClient {
    /// Nothing was written yet.
    pub fn new(database: Arc<dyn Database>) -> Self {
        SqlClient {
            database,
            pending: None,
            lost: None,
        }
    }

    /// What it speaks.
    pub fn dialect(&self) -> Dialect {
        self.database.dialect()
    }

    /// Rows. A statement that writes and returns rows is a query, too.
    pub async fn query(&mut self, sql: &str, values: Vec<Value>) -> Result<Rows, SqlError> {
        let statement = self.statement(sql, values)?;
        self.ask(statement).await
    }

    /// The same of a statement that was looked at.
    pub async fn ask(&mut self, statement: Statement) -> Result<Rows, SqlError> {
        let alone = self.pending.as_ref().is_none_or(Durable::is_settled);
        if statement.only_reads() && alone {
            return self.database.read(statement).await;
        }
        let applied = self.database.query(statement).await?;
        Ok(self.owe(applied).await)
    }

    /// Writes.
    pub async fn execute(&mut self, sql: &str, values: Vec<Value>) -> Result<Done, SqlError> {
        let statement = self.statement(sql, values)?;
        let applied = self.database.execute(statement).await?;
        Ok(self.owe(applied).await)
    }

    /// Writes all, or none.
    pub async fn batch(&mut self, batch: Vec<(String, Vec<Value>)>) -> Result<Vec<Done>, SqlError> {
        if batch.len() > self.database.limits().batch_max {
            return Err(SqlError::TooLarge);
        }
        let statements: Result<Vec<_>, _> = batch
            .into_iter()
            .map(|(sql, values)| self.statement(&sql, values))
            .collect();
        let applied = self.database.batch(statements?).await?;
        Ok(self.owe(applied).await)
    }

    /// Reads, decides and writes, and nobody writes in between.
    pub async fn change(&mut self, read: Statement, decide: Decide) -> Result<Vec<Done>, SqlError> {
        let applied = self.database.change(read, decide).await?;
        Ok(self.owe(applied).await)
    }

    /// A transaction of several steps.
    pub async fn begin(&self) -> Result<Box<dyn Transaction>, SqlError> {
        self.database.begin().await
    }

    /// Ends a transaction that [`begin`](SqlClient::begin) gave.
    pub async fn commit(&mut self, transaction: Box<dyn Transaction>) -> Result<(), SqlError> {
        let applied = transaction.commit().await?;
        self.owe(applied).await;
        Ok(())
    }

    /// A guest's statement for one of its transactions.
    pub fn statement(&self, sql: &str, values: Vec<Value>) -> Result<Statement, SqlError> {
        Statement::new(sql, values, self.database.limits())
    }

    /// What has to be durable before anybody is told of what was written or seen; `None` when nothing has.
    pub fn owed(&self) -> Option<Owed> {
        let owes = self.pending.is_some() || self.lost.is_some();
        owes.then(|| Owed {
            pending: self.pending.clone(),
            lost: self.lost.clone(),
        })
    }

    /// Waits until all that was written is durable; then its output may go out. At once when nothing was.
    ///
    /// # Errors
    /// [`CommitError`] when a part of it is lost: then the output must not go out.
    pub async fn durable(&mut self) -> Result<(), CommitError> {
        let owed = self.owed();
        self.pending = None;
        match owed {
            Some(owed) => {
                let outcome = owed.wait().await;
                self.settled(outcome.clone());
                outcome
            }
            None => Ok(()),
        }
    }

    /// Remembers what has to be durable first.
    async fn owe<T>(&mut self, applied: Applied<T>) -> T {
        if let Some(before) = self.pending.replace(applied.durable) {
            // Nobody is kept waiting here: a group before the present one has ended.
            if before.is_settled() {
                self.settled(before.wait().await);
            }
        }
        applied.outcome
    }

    fn settled(&mut self, outcome: Result<(), CommitError>) {
        if let Err(error) = outcome {
            self.lost = Some(error);
        }
    }
}

/// What an invocation's output has to wait for.
#[derive(Clone, Debug)]
pub struct Owed {
    pending: Option<Durable>,
    lost: Option<CommitError>,
}

impl Owed {
    /// Whether all of it is durable already.
    pub fn is_kept(&self) -> bool {
        self.lost.is_none() && self.pending.as_ref().is_none_or(Durable::is_kept)
    }

    /// Waits until all of it is durable.
    ///
    /// # Errors
    /// [`CommitError`] when a part of it is lost.
    pub async fn wait(self) -> Result<(), CommitError> {
        if let Some(lost) = self.lost {
            return Err(lost);
        }
        match self.pending {
            Some(pending) => pending.wait().await,
            None => Ok(()),
        }
    }
}
