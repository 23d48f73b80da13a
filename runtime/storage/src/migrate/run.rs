//! Runs what the plan says.

use std::time::{SystemTime, UNIX_EPOCH};

use rookery_bundle::Migration;

use super::history::{self, Ran, TableName};
use super::plan::{self, Direction, MigrateError, Status, Step};
use crate::error::SqlError;
use crate::sql::{Database, SqlLimits, Statement, Value, split};

/// How often a plan that came no further is made anew because somebody else was in the way. Each time a database waits by
/// itself for a while.
const TRIES: usize = 10;

/// Runs all migrations that were not run, in order, each in a transaction of its own with its row in the history. The
/// labels of those that were run.
///
/// # Errors
/// [`MigrateError`]. The migrations before the one that failed stand, and nothing of that one does.
pub async fn up(
    database: &dyn Database,
    have: &[Migration],
    table: &TableName,
) -> Result<Vec<String>, MigrateError> {
    let mut done = Vec::new();
    let mut tries = TRIES;
    let mut fewest = usize::MAX;
    loop {
        let outcome = match read(database, table).await {
            Ok(ran) => {
                let steps = plan::plan_up(have, &ran)?;
                // Whoever is in the way may win the race to each step: as long as there are fewer, all is well.
                if steps.len() < fewest {
                    (fewest, tries) = (steps.len(), TRIES);
                }
                run_all(database, &steps, table, &mut done).await
            }
            Err(error) => Err(error),
        };
        tries -= 1;
        match outcome {
            // Somebody else ran it meanwhile, and its row was there already; or writes at present.
            Err(error) if tries > 0 && (is_busy(&error) || is_done(&error, table)) => {}
            outcome => return outcome.map(|()| done),
        }
    }
}

/// Takes back the last `count` migrations, the latest first. The labels of those that were taken back.
///
/// # Errors
/// [`MigrateError`], before anything was done when one of them has no way back.
pub async fn down(
    database: &dyn Database,
    have: &[Migration],
    table: &TableName,
    count: usize,
) -> Result<Vec<String>, MigrateError> {
    let ran = read(database, table).await?;
    let steps = plan::plan_down(have, &ran, count)?;
    let mut done = Vec::new();
    let mut tries = TRIES;
    // Never a plan made anew: whoever asked for a step back meant this one.
    while let Some(rest) = steps.get(done.len()..).filter(|rest| !rest.is_empty()) {
        let outcome = run_all(database, rest, table, &mut done).await;
        tries -= 1;
        match outcome {
            Err(error) if tries > 0 && is_busy(&error) => {
                let ran = read(database, table).await?;
                let next = steps[done.len()].migration;
                if ran.iter().all(|ran| ran.number != next.number) {
                    let label = next.label();
                    return Err(MigrateError::Raced { label });
                }
            }
            outcome => outcome?,
        }
    }
    Ok(done)
}

/// How each migration stands. Changes nothing.
///
/// # Errors
/// [`MigrateError::History`]
pub async fn status(
    database: &dyn Database,
    have: &[Migration],
    table: &TableName,
) -> Result<Vec<Status>, MigrateError> {
    let ran = history::look(database, table).await;
    Ok(plan::statuses(have, &ran.map_err(MigrateError::History)?))
}

async fn read(database: &dyn Database, table: &TableName) -> Result<Vec<Ran>, MigrateError> {
    let read = history::read(database, table).await;
    read.map_err(MigrateError::History)
}

async fn run_all(
    database: &dyn Database,
    steps: &[Step<'_>],
    table: &TableName,
    done: &mut Vec<String>,
) -> Result<(), MigrateError> {
    for step in steps {
        let label = step.migration.label();
        let failed = |source| MigrateError::Failed {
            label: label.clone(),
            source,
        };
        let script = statements(step, table, database.limits()).map_err(failed)?;
        let applied = database.script(script).await.map_err(failed)?;
        let lost =
            |error: crate::sql::CommitError| failed(SqlError::Unavailable(error.to_string()));
        applied.durable.wait().await.map_err(lost)?;
        tracing::info!(migration = label, direction = ?step.direction, "migrated");
        done.push(label);
    }
    Ok(())
}

/// The script and what it changes in the history.
fn statements(
    step: &Step<'_>,
    table: &TableName,
    limits: &SqlLimits,
) -> Result<Vec<Statement>, SqlError> {
    let migration = step.migration;
    let number = Value::Integer(migration.number.into());
    let (script, row, values) = match step.direction {
        Direction::Up => {
            let values = vec![
                number,
                Value::Text(migration.name.clone()),
                Value::Text(migration.digest()),
                Value::Integer(now_secs()),
            ];
            (Some(&migration.up), table.insert(), values)
        }
        Direction::Down => (migration.down.as_ref(), table.delete(), vec![number]),
    };
    let script = script.map_or("", String::as_str);
    // A script is one file: its statements may be as long as it may be.
    let limits = SqlLimits {
        statement_bytes_max: script.len().max(limits.statement_bytes_max),
        ..*limits
    };
    // The row comes first: whoever lost a race is undone before it did anything.
    let row = Statement::new(&row, values, &limits);
    let script = split(script)?.into_iter();
    let script = script.map(|sql| Statement::new(sql, vec![], &limits));
    std::iter::once(row).chain(script).collect()
}

/// Somebody writes at present, or the step's row is not as it was.
fn is_busy(error: &MigrateError) -> bool {
    matches!(
        error,
        MigrateError::History(SqlError::Conflict)
            | MigrateError::Failed {
                source: SqlError::Conflict,
                ..
            }
    )
}

/// The step's row was there already.
fn is_done(error: &MigrateError, table: &TableName) -> bool {
    let MigrateError::Failed {
        source: SqlError::Constraint(what),
        ..
    } = error
    else {
        return false;
    };
    what.contains(&format!("{}.number", table.as_str()))
}

fn now_secs() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests;
