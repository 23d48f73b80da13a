//! Connections that only read, beside the writer: each sees what was committed when its statement began.

use parking_lot::Mutex;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Semaphore;

use super::connect::{Access, connect};
use super::run::Before;
use super::watch::Watch;
use super::{Place, run};
use crate::error::SqlError;
use crate::sql::{Rows, SqlLimits, Statement};

/// How many statements read at once.
const READERS_MAX: usize = 4;

/// A few connections, opened when they are needed.
pub(super) struct Readers {
    place: Place,
    limits: SqlLimits,
    turns: Semaphore,
    // Held to take or give back a connection.
    idle: Mutex<Vec<Reader>>,
}

struct Reader {
    connection: SqliteConnection,
    watch: Watch,
}

impl Readers {
    pub fn new(place: Place, limits: SqlLimits) -> Self {
        Readers {
            place,
            limits,
            turns: Semaphore::new(READERS_MAX),
            idle: Mutex::default(),
        }
    }

    pub async fn read(&self, statement: &Statement) -> Result<Rows, SqlError> {
        let busy = || SqlError::Unavailable("too many statements read already".to_owned());
        let turn = tokio::time::timeout(self.limits.statement_timeout, self.turns.acquire());
        let _turn = turn.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let idle = self.idle.lock().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => self.open().await?,
        };
        reader.watch.start(self.limits.statement_timeout);
        let rows = run::rows(
            &mut reader.connection,
            Before::Nothing,
            statement,
            &self.limits,
        )
        .await;
        reader.watch.stop();
        // One whose future was dropped before is closed with it: nobody knows where it stands. So is one whose driver ended.
        let failed = matches!(rows, Err(SqlError::Unavailable(_)));
        if !failed || reader.connection.ping().await.is_ok() {
            self.idle.lock().push(reader);
        }
        rows
    }

    async fn open(&self) -> Result<Reader, SqlError> {
        let mut connection = connect(&self.place, Access::Read, &self.limits).await?;
        let watch = Watch::over(&mut connection).await?;
        Ok(Reader { connection, watch })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sqlite::crash::crash;

    #[tokio::test]
    async fn a_reader_whose_driver_ended_is_not_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("data.db"));
        let limits = SqlLimits::default();
        let made = connect(&place, Access::Write, &limits).await.unwrap();
        let readers = Readers::new(place, limits);
        let statement = Statement::new("SELECT 1", vec![], &limits).unwrap();
        readers.read(&statement).await.unwrap();
        let mut reader = readers.idle.lock().pop().unwrap();
        crash(&mut reader.connection).await;
        readers.idle.lock().push(reader);
        assert!(readers.read(&statement).await.is_err());
        readers.read(&statement).await.unwrap();
        drop(made);
    }
}
