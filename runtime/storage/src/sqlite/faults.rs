//! The driver's errors in our words.
//!
//! The numbers are SQLite's primary result codes (<https://www.sqlite.org/rescode.html>).

use crate::error::SqlError;

const ERROR: u32 = 1;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const NO_MEMORY: u32 = 7;
const READ_ONLY: u32 = 8;
const INTERRUPT: u32 = 9;
const FULL: u32 = 13;
const TOO_BIG: u32 = 18;
const CONSTRAINT: u32 = 19;
const MISMATCH: u32 = 20;
const RANGE: u32 = 25;

/// What an error of the driver means to a guest.
pub(super) fn fault(error: &sqlx::Error) -> SqlError {
    let unavailable = |text: &str| SqlError::Unavailable(text.to_owned());
    let Some(database) = error.as_database_error() else {
        // The driver's own words may name files.
        tracing::warn!(%error, "the database failed");
        return unavailable("the database failed");
    };
    let code = database.code().and_then(|code| code.parse::<u32>().ok());
    // An extended code keeps its primary one in the low byte.
    match code.map(|code| code & 0xff) {
        Some(CONSTRAINT | MISMATCH) => SqlError::Constraint(database.message().to_owned()),
        Some(BUSY | LOCKED) => SqlError::Conflict,
        Some(ERROR | RANGE) => SqlError::Syntax(database.message().to_owned()),
        Some(TOO_BIG | NO_MEMORY) => SqlError::TooLarge,
        Some(READ_ONLY) => {
            SqlError::Syntax("a query that writes needs to be run as a write".to_owned())
        }
        Some(INTERRUPT) => unavailable("the statement took too long"),
        Some(FULL) => unavailable("full: the database, or the disk it is on, has no more space"),
        _ => {
            tracing::warn!(%error, "the database failed");
            unavailable("the database failed")
        }
    }
}
