//! A connection, set up: the only place that says how.
//!
//! **Invariant:** a connection that writes makes its database no larger than the limits say.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};
use std::time::Duration;
use tokio::time::Instant;

use super::Place;
use super::faults::fault;
use crate::error::SqlError;
use crate::sql::SqlLimits;

/// How long a connection waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 2_000 });
/// How long one who opens a file waits for others to let go of it. Longer than for a statement: nothing is lost yet.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time between two attempts to open a file.
const OPEN_PAUSE: Duration = Duration::from_millis(10);
/// How many prepared statements a connection keeps.
const STATEMENTS_KEPT: usize = 200;
/// How much memory all of SQLite may use, in bytes: what a single expression can ask for is far above what a guest may
/// have.
const HEAP_BYTES_MAX: &str = "268435456";
/// The page cache of a connection, in KiB (SQLite takes a negative number so).
const CACHE: &str = "-2048";
/// The most pages that SQLite takes for a limit.
const PAGES_MAX: u64 = u32::MAX as u64 - 1;

/// What a connection may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    Read,
    Write,
}

/// Opens a connection, when others hold the file once they let go of it.
///
/// # Errors
/// [`SqlError::Conflict`] when they did not for [`OPEN_TIMEOUT`].
pub(super) async fn connect(
    place: &Place,
    access: Access,
    limits: &SqlLimits,
) -> Result<SqliteConnection, SqlError> {
    let deadline = Instant::now() + OPEN_TIMEOUT;
    loop {
        match attempt(place, access, limits).await {
            // SQLite's own wait does not cover all of this: of two who change a new file to a write-ahead log, each
            // reads and wants to write, and to spare them a deadlock one is refused at once.
            Err(SqlError::Conflict) if Instant::now() < deadline => {
                tokio::time::sleep(OPEN_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

async fn attempt(
    place: &Place,
    access: Access,
    limits: &SqlLimits,
) -> Result<SqliteConnection, SqlError> {
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
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| fault(&error))?;
    if access == Access::Write {
        bound(&mut connection, limits.database_bytes_max)
            .await
            .map_err(|error| fault(&error))?;
    }
    Ok(connection)
}

/// Keeps the database from growing beyond so many bytes. SQLite counts pages, and how large they are a file says itself.
async fn bound(connection: &mut SqliteConnection, bytes_max: u64) -> Result<(), sqlx::Error> {
    let page: i64 = sqlx::query_scalar("PRAGMA page_size")
        .fetch_one(&mut *connection)
        .await?;
    let page = u64::try_from(page).unwrap_or_default().max(1);
    let pages = (bytes_max / page).clamp(1, PAGES_MAX);
    let limit = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(limit).execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rookery_lifecycle::Tasks;

    use super::*;
    use crate::sql::{SqlClient, Value};
    use crate::sqlite::Sqlite;

    #[tokio::test]
    async fn who_opens_a_file_that_another_holds_waits_until_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        // As it is while another makes the same new file a database with a write-ahead log.
        let holding = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true);
        let mut holder = SqliteConnection::connect_with(&holding).await.unwrap();
        sqlx::query("BEGIN EXCLUSIVE")
            .execute(&mut holder)
            .await
            .unwrap();
        let place = Place::File(path);
        let tasks = Tasks::new();
        let mut opened = std::pin::pin!(Sqlite::open(&place, SqlLimits::default(), &tasks));
        let early = tokio::time::timeout(4 * BUSY_TIMEOUT, &mut opened).await;
        assert!(
            early.is_err(),
            "while another holds it: {:?}",
            early.map(|opened| opened.err())
        );
        sqlx::query("COMMIT").execute(&mut holder).await.unwrap();
        let mut client = SqlClient::new(opened.await.unwrap());
        client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
    }

    #[tokio::test]
    async fn a_database_that_is_as_large_as_it_may_be_takes_no_more_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        let limits = SqlLimits {
            database_bytes_max: 256 * 1024,
            ..SqlLimits::default()
        };
        for place in [Place::Memory, Place::File(path.clone())] {
            let database = Sqlite::open(&place, limits, &Tasks::new()).await.unwrap();
            let mut client = SqlClient::new(database);
            client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
            client.durable().await.unwrap();
            let mut rows = 0;
            let refused = loop {
                assert!(rows < 64, "256 KiB hold no 64 values of 8 KiB");
                let value = vec![Value::Blob(vec![0; 8 * 1024])];
                match client.execute("INSERT INTO t VALUES (?)", value).await {
                    Ok(_) => rows += 1,
                    Err(refused) => break refused,
                }
                client.durable().await.unwrap();
            };
            assert!(refused.to_string().contains("full"), "{refused}");
            let found = client.query("SELECT count(*) FROM t", vec![]).await;
            assert_eq!(found.unwrap().rows, [[Value::Integer(rows)]]);
            // What is deleted makes space again.
            client.execute("DELETE FROM t", vec![]).await.unwrap();
            let again = client.execute("INSERT INTO t VALUES (zeroblob(8192))", vec![]);
            again.await.unwrap();
            client.durable().await.unwrap();
        }
        assert!(path.metadata().unwrap().len() <= limits.database_bytes_max);
    }
}
