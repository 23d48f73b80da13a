//! SQLite, embedded: a file for each namespace, or memory.
//!
//! **Invariant:** one connection writes and the others only read, so a reader never waits and writes have one order.
//! **Absent on purpose:** every type of the driver in what this module shows.

mod connect;
mod faults;
mod readers;
mod run;
mod watch;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use rookery_lifecycle::Tasks;
use tokio::sync::{mpsc, oneshot};

use crate::error::SqlError;
use crate::sql::{
    Applied, Database, Decide, Dialect, Done, Rows, SqlLimits, Statement, Transaction,
};
use readers::Readers;
use writer::{Job, Open, Reply, Writer};

/// How many jobs may wait for the writer; more wait to be taken in.
const JOBS_MAX: usize = 1024;

/// Where a database lives.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// In this file, which is made when it is missing.
    File(PathBuf),
    /// In memory: gone with the server.
    Memory,
}

/// One SQLite database.
pub struct Sqlite {
    jobs: mpsc::Sender<Job>,
    /// Absent in memory: there the writer reads, too.
    readers: Option<Readers>,
    limits: SqlLimits,
}

impl Sqlite {
    /// Opens a database and starts its writer, which ends when this is dropped.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] when it cannot be opened, [`SqlError::Conflict`] when another process held it for ten seconds.
    pub async fn open(
        place: &Place,
        limits: SqlLimits,
        tasks: &Tasks,
    ) -> Result<Arc<Sqlite>, SqlError> {
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let writer = Writer::open(place.clone(), queue, limits).await?;
        tasks.spawn("database writer", writer.run());
        let readers = match place {
            Place::File(_) => Some(Readers::new(place.clone(), limits)),
            Place::Memory => None,
        };
        Ok(Arc::new(Sqlite {
            jobs,
            readers,
            limits,
        }))
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, SqlError> {
        let (reply, answer) = oneshot::channel();
        let gone = || SqlError::Unavailable("the database is closing".to_owned());
        self.jobs.send(job(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait::async_trait]
impl Database for Sqlite {
    async fn read(&self, statement: Statement) -> Result<Rows, SqlError> {
        match &self.readers {
            Some(readers) => readers.read(&statement).await,
            None => {
                let applied = self.query(statement).await?;
                // In memory nothing is durable, and nothing that was seen can be undone but by the end of all.
                Ok(applied.outcome)
            }
        }
    }

    async fn query(&self, statement: Statement) -> Result<Applied<Rows>, SqlError> {
        self.ask(|reply| Job::Query(statement, reply)).await
    }

    async fn execute(&self, statement: Statement) -> Result<Applied<Done>, SqlError> {
        self.ask(|reply| Job::Execute(statement, reply)).await
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<Applied<Vec<Done>>, SqlError> {
        if statements.len() > self.limits.batch_max {
            return Err(SqlError::TooLarge);
        }
        self.ask(|reply| Job::Batch(statements, reply)).await
    }

    async fn change(
        &self,
        read: Statement,
        decide: Decide,
    ) -> Result<Applied<Vec<Done>>, SqlError> {
        self.ask(|reply| Job::Change(read, decide, reply)).await
    }

    async fn script(&self, statements: Vec<Statement>) -> Result<Applied<()>, SqlError> {
        self.ask(|reply| Job::Script(statements, reply)).await
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, SqlError> {
        let open: Open = self.ask(Job::Begin).await?;
        Ok(Box::new(open))
    }

    async fn close(&self) {
        // Closed already is closed, too.
        let _ = self.jobs.send(Job::Close).await;
    }

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn limits(&self) -> &SqlLimits {
        &self.limits
    }
}

#[cfg(test)]
mod crash;
#[cfg(test)]
mod tests;
