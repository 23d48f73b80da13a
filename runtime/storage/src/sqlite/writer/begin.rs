//! How a group begins, whatever became of the one before.
//!
//! **Invariant:** a group that cannot begin leaves nothing in the way of the next one.
//! **Absent on purpose:** a second life for a database in memory. Its tables would be gone, and nobody would have been told.

use sqlx::Connection as _;

use super::Writer;
use crate::error::SqlError;
use crate::sqlite::Place;
use crate::sqlite::connect::{Access, connect};
use crate::sqlite::run::{BEGIN, plain};
use crate::sqlite::watch::Watch;

impl Writer {
    pub(super) async fn begin(&mut self) -> Result<(), SqlError> {
        let Err(error) = plain(&mut self.connection, BEGIN).await else {
            return Ok(());
        };
        // Of the two statements the first may have worked, and would refuse every other one like it. Without it this fails,
        // and that is right.
        let _ = plain(&mut self.connection, "ROLLBACK").await;
        if self.place == Place::Memory || self.connection.ping().await.is_ok() {
            return Err(error);
        }
        tracing::error!("the database's driver ended; the database is opened again");
        self.connection = connect(&self.place, Access::Write, &self.limits).await?;
        self.watch = Watch::over(&mut self.connection).await?;
        plain(&mut self.connection, BEGIN).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use rookery_lifecycle::Tasks;
    use sqlx::sqlite::SqliteConnection;
    use tokio::sync::mpsc;

    use super::*;
    use crate::sql::{SqlClient, SqlLimits};
    use crate::sqlite::Sqlite;
    use crate::sqlite::crash::crash;

    /// A database whose writer's connection was treated so before anybody asked for anything.
    async fn after(place: Place, treat: impl AsyncFnOnce(&mut SqliteConnection)) -> SqlClient {
        let limits = SqlLimits::default();
        let (jobs, queue) = mpsc::channel(8);
        let mut writer = Writer::open(place, queue, limits).await.unwrap();
        treat(&mut writer.connection).await;
        Tasks::new().spawn("database writer", writer.run());
        SqlClient::new(Arc::new(Sqlite {
            jobs,
            readers: None,
            limits,
        }))
    }

    #[tokio::test]
    async fn a_group_that_began_by_half_is_in_nobodys_way() {
        let mut client = after(Place::Memory, async |connection| {
            plain(connection, "BEGIN").await.unwrap();
        })
        .await;
        let refused = client.execute("CREATE TABLE t (a)", vec![]).await;
        assert!(refused.is_err(), "there is a transaction already");
        client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
        client.durable().await.unwrap();
    }

    #[tokio::test]
    async fn a_driver_that_ended_is_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("data.db"));
        let mut client = after(place, crash).await;
        client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
        client.durable().await.unwrap();
    }
}
