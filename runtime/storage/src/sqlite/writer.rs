//! The one connection that writes: takes jobs in order and commits them in groups.
//!
//! A group is one transaction of SQLite. It stays open while nobody waits for it to be durable, for a few milliseconds
//! at most, so that the writes of a whole batch of events, and of all guests that write meanwhile, share one sync of the
//! disk.
//!
//! **Invariant:** a job that fails leaves no trace in its group, and every job before and after it stands. But when a
//! write is stopped for its time, or the disk fails under it, SQLite undoes the whole transaction; then the group is
//! lost, and everyone who waits for it is told.
//! **Invariant:** while a group is open, so is the savepoint `step`: whatever may have to be undone moves it to where it
//! begins (`run::Before::Mark`).
//! **Invariant:** when a commit fails, everything in the group is undone and everyone who waits for it is told.

mod begin;
mod open;
mod together;

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Sleep;

use super::Place;
use super::connect::{Access, connect};
use super::run::{self, Before, plain};
use super::watch::Watch;
use crate::error::SqlError;
use crate::sql::{Applied, CommitError, Decide, Done, Group, Rows, SqlLimits, Statement};

pub(super) use open::Open;

/// How many ways to the database and back one group takes at most.
const GROUP_JOBS_MAX: usize = 512;
/// How long a group stays open when nobody asks for its end.
const LINGER: Duration = Duration::from_millis(5);

/// How long one statement of a script may take: a migration may have a large table to go through.
const SCRIPT_TIMEOUT: Duration = Duration::from_mins(5);

/// Where the answer to a job goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, SqlError>>;

/// What the writer is asked.
pub(super) enum Job {
    Query(Statement, Reply<Applied<Rows>>),
    Execute(Statement, Reply<Applied<Done>>),
    Batch(Vec<Statement>, Reply<Applied<Vec<Done>>>),
    Change(Statement, Decide, Reply<Applied<Vec<Done>>>),
    Script(Vec<Statement>, Reply<Applied<()>>),
    Begin(Reply<Open>),
    /// The server ends: what was applied is committed, and nobody is heard any more.
    Close,
}

/// The connection and what waits for it.
pub(super) struct Writer {
    place: Place,
    connection: SqliteConnection,
    watch: Watch,
    queue: mpsc::Receiver<Job>,
    /// What was taken from the queue and has to be done first.
    ahead: VecDeque<Job>,
    limits: SqlLimits,
    /// Told when somebody waits for the group to be durable.
    wanted: Arc<Notify>,
    /// Whether SQLite undid the whole transaction because of a statement that failed.
    undone: bool,
}

/// What comes next within a group.
enum Next {
    Job(Job),
    Commit,
}

impl Writer {
    pub async fn open(
        place: Place,
        queue: mpsc::Receiver<Job>,
        limits: SqlLimits,
    ) -> Result<Writer, SqlError> {
        let mut connection = connect(&place, Access::Write, &limits).await?;
        Ok(Writer {
            place,
            watch: Watch::over(&mut connection).await?,
            connection,
            queue,
            ahead: VecDeque::new(),
            limits,
            wanted: Arc::default(),
            undone: false,
        })
    }

    /// Works until nobody can ask any more.
    pub async fn run(mut self) {
        loop {
            let job = match self.ahead.pop_front() {
                Some(job) => job,
                None => match self.queue.recv().await {
                    Some(job) => job,
                    None => return,
                },
            };
            if matches!(job, Job::Close) {
                self.queue.close();
                continue;
            }
            self.group(job).await;
        }
    }

    /// One group, from its first job to its commit.
    async fn group(&mut self, first: Job) {
        let group = Group::open(&self.wanted);
        if let Err(error) = self.begin().await {
            refuse(first, error);
            return;
        }
        let mut until = pin!(tokio::time::sleep(LINGER));
        let mut jobs = 0;
        let mut next = Next::Job(first);
        while let Next::Job(job) = next {
            self.job(job, &group).await;
            jobs += 1;
            next = if self.undone {
                Next::Commit
            } else if jobs < GROUP_JOBS_MAX {
                self.next(until.as_mut()).await
            } else {
                Next::Commit
            };
        }
        let outcome = self.commit().await;
        group.settle(outcome);
    }

    /// A job that waits already, else whatever comes first: a job, somebody who waits for the group, or its time.
    async fn next(&mut self, until: Pin<&mut Sleep>) -> Next {
        if let Some(job) = self.waiting() {
            return Next::Job(job);
        }
        tokio::select! {
            biased;
            job = self.queue.recv() => job.map_or(Next::Commit, Next::Job),
            () = self.wanted.notified() => Next::Commit,
            () = until => Next::Commit,
        }
    }

    fn waiting(&mut self) -> Option<Job> {
        self.ahead
            .pop_front()
            .or_else(|| self.queue.try_recv().ok())
    }

    async fn commit(&mut self) -> Result<(), CommitError> {
        if std::mem::take(&mut self.undone) {
            return Err(CommitError(
                "a statement of the same group failed".to_owned(),
            ));
        }
        let committed = plain(&mut self.connection, "COMMIT").await;
        if let Err(error) = &committed {
            tracing::error!(%error, "a group of writes was lost");
            // After some failures SQLite has ended the transaction by itself; then this fails, and that is right.
            let _ = plain(&mut self.connection, "ROLLBACK").await;
        }
        committed.map_err(|error| CommitError(error.to_string()))
    }

    /// A job whose asker went away while it waited is not begun.
    async fn job(&mut self, job: Job, group: &Group) {
        match job {
            Job::Query(statement, reply) if !reply.is_closed() => {
                let alike = self.alike((statement, reply));
                match <[_; 1]>::try_from(alike) {
                    Ok([(statement, reply)]) => {
                        let rows = self.query(&statement).await;
                        answer(reply, applied(group, rows));
                    }
                    Err(alike) => self.together(alike, group).await,
                }
            }
            Job::Execute(statement, reply) if !reply.is_closed() => {
                // A single statement that fails undoes itself.
                let done = self.write(Before::Nothing, &statement).await;
                answer(reply, applied(group, done));
            }
            Job::Batch(statements, reply) if !reply.is_closed() => {
                let done = self.batch(Before::Mark, &statements).await;
                let done = self.kept(done).await;
                answer(reply, applied(group, done));
            }
            Job::Change(read, decide, reply) if !reply.is_closed() => {
                let done = self.change(&read, &decide).await;
                let done = self.kept(done).await;
                answer(reply, applied(group, done));
            }
            Job::Script(statements, reply) if !reply.is_closed() => {
                let allowed = std::mem::replace(&mut self.limits.statement_timeout, SCRIPT_TIMEOUT);
                let done = self.script(&statements).await;
                let done = self.kept(done).await;
                self.limits.statement_timeout = allowed;
                answer(reply, applied(group, done));
            }
            Job::Begin(reply) if !reply.is_closed() => self.transaction(reply, group).await,
            // What was asked before is still done.
            Job::Close => self.queue.close(),
            _ => {}
        }
    }

    async fn query(&mut self, statement: &Statement) -> Result<Rows, SqlError> {
        if statement.only_reads() {
            return self.rows(Before::Nothing, statement).await;
        }
        if statement.adds_one_row() {
            self.watch.start(self.limits.statement_timeout);
            let before = Before::Nothing;
            let rows = run::rows(&mut self.connection, before, statement, &self.limits).await;
            self.watch.stop();
            return self.settle(rows).await;
        }
        // One that returns more rows than it may has written them, and has to be undone.
        let rows = self.rows(Before::Mark, statement).await;
        self.kept(rows).await
    }

    async fn rows(&mut self, before: Before, statement: &Statement) -> Result<Rows, SqlError> {
        self.watch.start(self.limits.statement_timeout);
        let rows = run::rows(&mut self.connection, before, statement, &self.limits).await;
        self.watch.stop();
        self.look_after(rows).await
    }

    async fn write(&mut self, before: Before, statement: &Statement) -> Result<Done, SqlError> {
        self.watch.start(self.limits.statement_timeout);
        let done = run::write(&mut self.connection, before, statement).await;
        self.watch.stop();
        self.look_after(done).await
    }

    async fn batch(
        &mut self,
        mut before: Before,
        statements: &[Statement],
    ) -> Result<Vec<Done>, SqlError> {
        let mut all = Vec::with_capacity(statements.len());
        for statement in statements {
            all.push(self.write(before, statement).await?);
            before = Before::Nothing;
        }
        Ok(all)
    }

    async fn change(&mut self, read: &Statement, decide: &Decide) -> Result<Vec<Done>, SqlError> {
        let rows = self.rows(Before::Mark, read).await?;
        self.batch(Before::Nothing, &decide(&rows)).await
    }

    async fn script(&mut self, statements: &[Statement]) -> Result<(), SqlError> {
        let (first, rest) = match statements.split_first() {
            Some(all) => all,
            None => return Ok(()),
        };
        if self.write(Before::Mark, first).await?.rows_affected == 0 {
            return Err(SqlError::Conflict);
        }
        self.batch(Before::Nothing, rest).await.map(drop)
    }

    /// Undoes what was done since the mark, if it failed.
    async fn kept<T>(&mut self, outcome: Result<T, SqlError>) -> Result<T, SqlError> {
        if outcome.is_err() && !self.undone {
            plain(&mut self.connection, "ROLLBACK TO step").await?;
        }
        outcome
    }

    /// Finds out whether a failure took the transaction with it. SQLite tells nobody but who begins one.
    async fn look_after<T>(&mut self, outcome: Result<T, SqlError>) -> Result<T, SqlError> {
        let harmless = matches!(
            outcome,
            Ok(_) | Err(SqlError::Constraint(_) | SqlError::Syntax(_))
        );
        if !harmless && plain(&mut self.connection, "BEGIN").await.is_ok() {
            self.undone = true;
            plain(&mut self.connection, "ROLLBACK").await?;
        }
        outcome
    }
}

fn applied<T>(group: &Group, outcome: Result<T, SqlError>) -> Result<Applied<T>, SqlError> {
    let durable = group.durable();
    outcome.map(|outcome| Applied { outcome, durable })
}

fn answer<T>(reply: Reply<T>, outcome: Result<T, SqlError>) {
    // Who asked may have gone; what was applied stands all the same.
    let _ = reply.send(outcome);
}

fn refuse(job: Job, error: SqlError) {
    match job {
        Job::Query(_, reply) => answer(reply, Err(error)),
        Job::Execute(_, reply) => answer(reply, Err(error)),
        Job::Batch(_, reply) | Job::Change(_, _, reply) => answer(reply, Err(error)),
        Job::Script(_, reply) => answer(reply, Err(error)),
        Job::Begin(reply) => answer(reply, Err(error)),
        Job::Close => {}
    }
}
