//! A transaction of several steps: while it is open, the writer hears nobody else.

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{Reply, Writer, answer};
use crate::error::SqlError;
use crate::sql::{Applied, Done, Group, Rows, Statement, Transaction};
use crate::sqlite::run::{Before, MARK, plain};

/// What the holder of a transaction asks.
enum Step {
    Query(Statement, Reply<Rows>),
    Execute(Statement, Reply<Done>),
    Commit(Reply<Applied<()>>),
    Rollback(Reply<()>),
}

/// A transaction in its holder's hands.
pub(in crate::sqlite) struct Open {
    steps: mpsc::Sender<Step>,
}

impl Open {
    async fn ask<T>(&self, step: impl FnOnce(Reply<T>) -> Step) -> Result<T, SqlError> {
        let (reply, answer) = oneshot::channel();
        let ended = || {
            SqlError::Unavailable(
                "the transaction was undone: it was open for too long, or a statement was"
                    .to_owned(),
            )
        };
        self.steps.send(step(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

#[async_trait::async_trait]
impl Transaction for Open {
    async fn query(&mut self, statement: Statement) -> Result<Rows, SqlError> {
        self.ask(|reply| Step::Query(statement, reply)).await
    }

    async fn execute(&mut self, statement: Statement) -> Result<Done, SqlError> {
        self.ask(|reply| Step::Execute(statement, reply)).await
    }

    async fn commit(self: Box<Self>) -> Result<Applied<()>, SqlError> {
        self.ask(Step::Commit).await
    }

    async fn rollback(self: Box<Self>) -> Result<(), SqlError> {
        self.ask(Step::Rollback).await
    }
}

impl Writer {
    /// Serves one transaction until its holder ends it, drops it or lets its time run out.
    pub(super) async fn transaction(&mut self, reply: Reply<Open>, group: &Group) {
        if let Err(error) = plain(&mut self.connection, MARK).await {
            return answer(reply, Err(error));
        }
        let (steps, mut asked) = mpsc::channel(1);
        answer(reply, Ok(Open { steps }));
        let until = Instant::now() + self.limits.transaction_timeout;
        // Both the end of its time and its holder's are the end without a commit.
        while let Ok(Some(step)) = tokio::time::timeout_at(until, asked.recv()).await {
            match step {
                // A step before lost the whole group: there is nothing to go on with.
                _ if self.undone => return,
                Step::Query(statement, reply) => {
                    let rows = self.rows_within_step(&statement).await;
                    answer(reply, rows);
                }
                Step::Execute(statement, reply) => {
                    let done = self.write(Before::Nothing, &statement).await;
                    answer(reply, done);
                }
                Step::Commit(reply) => {
                    // What is not undone is kept.
                    let durable = group.durable();
                    return answer(
                        reply,
                        Ok(Applied {
                            outcome: (),
                            durable,
                        }),
                    );
                }
                Step::Rollback(reply) => {
                    let undone = self.undo().await;
                    return answer(reply, undone);
                }
            }
        }
        if self.undone {
            return;
        }
        if let Err(error) = self.undo().await {
            tracing::error!(%error, "a transaction could not be undone");
        }
    }

    /// Within a transaction a result that is too large undoes its own statement only.
    async fn rows_within_step(&mut self, statement: &Statement) -> Result<Rows, SqlError> {
        if statement.only_reads() {
            return self.rows(Before::Nothing, statement).await;
        }
        plain(&mut self.connection, "SAVEPOINT inner").await?;
        let rows = self.rows(Before::Nothing, statement).await;
        if self.undone {
            return rows;
        }
        if rows.is_err() {
            plain(&mut self.connection, "ROLLBACK TO inner").await?;
        }
        plain(&mut self.connection, "RELEASE inner").await?;
        rows
    }

    async fn undo(&mut self) -> Result<(), SqlError> {
        plain(&mut self.connection, "ROLLBACK TO step").await
    }
}
