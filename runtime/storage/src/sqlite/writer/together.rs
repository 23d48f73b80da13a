//! Rows that several guests add at the same time, in one way to the database and back.
//!
//! A way there and back is two switches between threads, and they cost more than adding a row. A guest waits for its own row
//! before it goes on, so only rows of different guests can go together, and they do when they wait at the same time and have
//! the same text, as those of one app have.
//!
//! **Invariant:** jobs are done in the order in which they came. Those behind one that failed were not begun, or were undone with
//! the group, and are in front of all that waits then.

use super::{Job, Reply, Writer, answer, applied};
use crate::error::SqlError;
use crate::sql::{Applied, Group, Rows, Statement};
use crate::sqlite::run::{self, plain};

/// How many rows go together at most. The connection keeps a prepared text for each number of them.
const ROWS_MAX: usize = 8;

/// Somebody's row.
type Adding = (Statement, Reply<Applied<Rows>>);

impl Writer {
    /// Takes those that wait behind this one and can go along with it.
    pub(super) fn alike(&mut self, first: Adding) -> Vec<Adding> {
        let mut alike = vec![first];
        while alike.len() < ROWS_MAX && goes_together(&alike[0].0) {
            let Some(job) = self.waiting() else {
                break;
            };
            match job {
                Job::Query(statement, reply) if statement.sql() == alike[0].0.sql() => {
                    // One whose asker went away is not begun.
                    if !reply.is_closed() {
                        alike.push((statement, reply));
                    }
                }
                other => {
                    self.ahead.push_front(other);
                    break;
                }
            }
        }
        alike
    }

    /// Adds the rows of all of them.
    pub(super) async fn together(&mut self, alike: Vec<Adding>, group: &Group) {
        let statements: Vec<&Statement> = alike.iter().map(|(statement, _)| statement).collect();
        self.watch.start(self.limits.statement_timeout);
        let outcomes = run::rows_of_each(&mut self.connection, &statements, &self.limits).await;
        self.watch.stop();
        let mut outcomes = outcomes.into_iter();
        let mut alike = alike.into_iter();
        while !self.undone
            && let Some(outcome) = outcomes.next()
            && let Some((_, reply)) = alike.next()
        {
            let outcome = self.settle(outcome).await;
            answer(reply, applied(group, outcome));
        }
        for (statement, reply) in alike.rev() {
            self.ahead.push_front(Job::Query(statement, reply));
        }
    }

    /// One row's outcome. The row's text has no mark: where something has to be undone, it is the group.
    pub(super) async fn settle(&mut self, rows: Result<Rows, SqlError>) -> Result<Rows, SqlError> {
        let rows = self.look_after(rows).await;
        if rows == Err(SqlError::TooLarge) && !self.undone {
            // The columns' defaults made it so.
            self.undone = true;
            plain(&mut self.connection, "ROLLBACK").await?;
        }
        rows
    }
}

/// Whether the text can stand in front of itself: it adds a row and ends where it seems to.
fn goes_together(statement: &Statement) -> bool {
    let sql = statement.sql();
    let is_plain = !sql.contains("--") && !sql.contains("/*") && !sql.trim_end().ends_with(';');
    statement.adds_one_row() && is_plain
}
