//! One invocation's database, and the output that waits for it.
//!
//! **Invariant:** once an invocation wrote, nothing that it says gets out before what it wrote is durable, and nothing
//! of it ever does when that is lost.
//! **Absent on purpose:** waiting for the disk on the guest's time. It is let go at once; its output waits alone.

use std::sync::Arc;

use rookery_hub::{Hold, Keeper, Outcome};
use rookery_lifecycle::Tasks;
use rookery_storage::{Database, Dialect, Done, Rows, SqlClient, SqlError, Transaction, Value};

use crate::hub::GuestHub;

/// The database of an invocation.
pub struct GuestSql {
    client: SqlClient,
    /// What the invocation says waits until this is settled; there from its first write on.
    keeper: Option<Keeper>,
}

impl GuestSql {
    pub(crate) fn new(database: Arc<dyn Database>) -> Self {
        GuestSql {
            client: SqlClient::new(database),
            keeper: None,
        }
    }

    /// What the database speaks.
    pub fn dialect(&self) -> Dialect {
        self.client.dialect()
    }

    /// Rows.
    ///
    /// # Errors
    /// [`SqlError`], as all of these.
    pub async fn query(
        &mut self,
        hub: &mut GuestHub,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Rows, SqlError> {
        let rows = self.client.query(sql, values).await;
        self.hold(hub);
        rows
    }

    /// Writes.
    pub async fn execute(
        &mut self,
        hub: &mut GuestHub,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Done, SqlError> {
        let done = self.client.execute(sql, values).await;
        self.hold(hub);
        done
    }

    /// Writes all, or nothing.
    pub async fn batch(
        &mut self,
        hub: &mut GuestHub,
        batch: Vec<(String, Vec<Value>)>,
    ) -> Result<Vec<Done>, SqlError> {
        let done = self.client.batch(batch).await;
        self.hold(hub);
        done
    }

    /// Begins a transaction.
    pub async fn begin(&mut self) -> Result<Box<dyn Transaction>, SqlError> {
        self.client.begin().await
    }

    /// One step of a transaction that gives rows.
    pub async fn step_query(
        &self,
        transaction: &mut dyn Transaction,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Rows, SqlError> {
        let statement = self.client.statement(sql, values)?;
        transaction.query(statement).await
    }

    /// One step of a transaction.
    pub async fn step_execute(
        &self,
        transaction: &mut dyn Transaction,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Done, SqlError> {
        let statement = self.client.statement(sql, values)?;
        transaction.execute(statement).await
    }

    /// Ends a transaction, kept.
    pub async fn commit(
        &mut self,
        hub: &mut GuestHub,
        transaction: Box<dyn Transaction>,
    ) -> Result<(), SqlError> {
        let kept = self.client.commit(transaction).await;
        self.hold(hub);
        kept
    }

    /// The invocation is over: its output goes as soon as what it wrote is durable.
    pub(crate) fn finish(self, tasks: &Tasks) {
        let (mut client, Some(keeper)) = (self.client, self.keeper) else {
            return;
        };
        tasks.spawn("output commit", async move {
            match client.durable().await {
                Ok(()) => keeper.keep(),
                Err(error) => {
                    tracing::error!(%error, "what a guest said is dropped with what it wrote");
                    keeper.lose();
                }
            }
        });
    }

    fn hold(&mut self, hub: &mut GuestHub) {
        if self.client.owes() && self.keeper.is_none() {
            self.keeper = Some(hub.hold());
        }
    }
}

/// Waits until everything is settled. False when something is lost, and the output must not go.
pub async fn all_kept(holds: &[Arc<Hold>]) -> bool {
    for hold in holds {
        if hold.settled().await == Outcome::Lost {
            return false;
        }
    }
    true
}
