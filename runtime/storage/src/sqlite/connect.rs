//! A connection, set up: the only place that says how.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _};
use std::time::Duration;

use super::Place;
use super::faults::fault;
use crate::error::SqlError;

/// How long a connection waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 2_000 });
/// How many prepared statements a connection keeps.
const STATEMENTS_KEPT: usize = 200;
/// How much memory all of SQLite may use, in bytes: what a single expression can ask for is far above what a guest may
/// have.
const HEAP_BYTES_MAX: &str = "268435456";
/// The page cache of a connection, in KiB (SQLite takes a negative number so).
const CACHE: &str = "-2048";

/// What a connection may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    Read,
    Write,
}

/// Opens a connection.
pub(super) async fn connect(place: &Place, access: Access) -> Result<SqliteConnection, SqlError> {
    let options = SqliteConnectOptions::new()
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS_KEPT)
        .pragma("trusted_schema", "OFF")
        .pragma("hard_heap_limit", HEAP_BYTES_MAX)
        .pragma("cache_size", CACHE)
        .pragma("temp_store", "MEMORY")
        .thread_name(|nth| format!("sqlite {nth}"))
        .disable_statement_logging();
    let options = match place {
        Place::Memory => options.filename(":memory:"),
        Place::File(path) => options
            .filename(path)
            .create_if_missing(access == Access::Write)
            .read_only(access == Access::Read),
    };
    let options = match (place, access) {
        // Survives the end of the process and of the machine once a commit returned.
        (Place::File(_), Access::Write) => options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full),
        _ => options,
    };
    SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| fault(&error))
}
