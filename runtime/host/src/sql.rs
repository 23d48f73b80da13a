//! One invocation's database.
//!
//! **Invariant:** whatever wrote, or saw what is not durable, is owed to [`Outgoing`] before the guest goes on.
//! **Absent on purpose:** waiting for the disk on the guest's time. It is let go at once; its output waits alone.

use std::sync::Arc;

use rookery_storage::{
    Database, Dialect, Done, KeyTable, Rows, SqlClient, SqlError, Statement, Transaction, Value,
};

use crate::hub::GuestHub;
use crate::outgoing::Outgoing;

/// The database of an invocation.
pub struct GuestSql {
    pub(crate) client: SqlClient,
    /// Where the manifest has keys kept in the database, these are they.
    pub(crate) keys: Arc<KeyTable>,
    outgoing: Outgoing,
}

impl GuestSql {
    pub(crate) fn new(
        database: Arc<dyn Database>,
        keys: Arc<KeyTable>,
        outgoing: Outgoing,
    ) -> Self {
        GuestSql {
            client: SqlClient::new(database),
            keys,
            outgoing,
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
        self.owe(hub);
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
        self.owe(hub);
        done
    }

    /// Writes all, or nothing.
    pub async fn batch(
        &mut self,
        hub: &mut GuestHub,
        batch: Vec<(String, Vec<Value>)>,
    ) -> Result<Vec<Done>, SqlError> {
        let done = self.client.batch(batch).await;
        self.owe(hub);
        done
    }

    /// Begins a transaction.
    pub async fn begin(&mut self) -> Result<Box<dyn Transaction>, SqlError> {
        self.client.begin().await
    }

    /// A statement for one step of a transaction.
    pub fn statement(&self, sql: &str, values: Vec<Value>) -> Result<Statement, SqlError> {
        self.client.statement(sql, values)
    }

    /// Ends a transaction, kept.
    pub async fn commit(
        &mut self,
        hub: &mut GuestHub,
        transaction: Box<dyn Transaction>,
    ) -> Result<(), SqlError> {
        let kept = self.client.commit(transaction).await;
        self.owe(hub);
        kept
    }

    pub(crate) fn owe(&self, hub: &mut GuestHub) {
        let owed = self.client.owed();
        if let Some(owed) = owed.filter(|owed| !owed.is_kept()) {
            self.outgoing.owe(owed, hub);
        }
    }
}
