//! One invocation's database.
//!
//! **Invariant:** while a transaction of it is open, an invocation speaks to the database through that alone. Anything else
//! would wait for the end of what waits for it.
//! **Invariant:** a transaction ends with its invocation, whoever still has a handle of it.
//! **Invariant:** whatever wrote, or saw what is not durable, is owed to [`Outgoing`] before the guest goes on.
//! **Absent on purpose:** waiting for the disk on the guest's time. It is let go at once; its output waits alone.

use std::sync::{Arc, Weak};

use rookery_storage::{
    Applied, Database, Dialect, Done, KeyTable, Rows, SqlClient, SqlError, Statement, Transaction,
    Value,
};
use tokio::sync::Mutex;

use crate::hub::GuestHub;
use crate::outgoing::Outgoing;

/// The database of an invocation.
pub struct GuestSql {
    pub(crate) client: SqlClient,
    /// Where the manifest has keys kept in the database, these are they.
    pub(crate) keys: Arc<KeyTable>,
    outgoing: Outgoing,
    /// The transaction that is open, if one is.
    open: Weak<Slot>,
}

/// A transaction, until it ends.
type Slot = Mutex<Option<Box<dyn Transaction>>>;

/// A transaction that its invocation knows to be open.
struct Own(Arc<Slot>);

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
            open: Weak::new(),
        }
    }

    /// What the database speaks.
    pub fn dialect(&self) -> Dialect {
        self.client.dialect()
    }

    /// Rows, of a [`statement`](GuestSql::statement).
    ///
    /// # Errors
    /// [`SqlError`], as all of these.
    pub async fn query(
        &mut self,
        hub: &mut GuestHub,
        statement: Statement,
    ) -> Result<Rows, SqlError> {
        self.is_free()?;
        let rows = self.client.ask(statement).await;
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
        self.is_free()?;
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
        self.is_free()?;
        let done = self.client.batch(batch).await;
        self.owe(hub);
        done
    }

    /// Begins a transaction.
    pub async fn begin(&mut self) -> Result<Box<dyn Transaction>, SqlError> {
        self.is_free()?;
        let transaction = self.client.begin().await?;
        let slot = Arc::new(Mutex::new(Some(transaction)));
        self.open = Arc::downgrade(&slot);
        Ok(Box::new(Own(slot)))
    }

    /// A statement for a query, or for one step of a transaction.
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

    pub(crate) fn is_free(&self) -> Result<(), SqlError> {
        if self.open.strong_count() == 0 {
            return Ok(());
        }
        let text = "a transaction is open: speak through it, or end it first";
        Err(SqlError::Unavailable(text.to_owned()))
    }
}

impl Drop for GuestSql {
    fn drop(&mut self) {
        // Nobody is at it: the calls of an invocation end before it does.
        if let Some(open) = self.open.upgrade()
            && let Ok(mut transaction) = open.try_lock()
        {
            *transaction = None;
        }
    }
}

#[async_trait::async_trait]
impl Transaction for Own {
    async fn query(&mut self, statement: Statement) -> Result<Rows, SqlError> {
        match &mut *self.0.lock().await {
            Some(transaction) => transaction.query(statement).await,
            None => Err(ended()),
        }
    }

    async fn execute(&mut self, statement: Statement) -> Result<Done, SqlError> {
        match &mut *self.0.lock().await {
            Some(transaction) => transaction.execute(statement).await,
            None => Err(ended()),
        }
    }

    async fn commit(self: Box<Self>) -> Result<Applied<()>, SqlError> {
        let transaction = self.0.lock().await.take();
        transaction.ok_or_else(ended)?.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<(), SqlError> {
        let transaction = self.0.lock().await.take();
        transaction.ok_or_else(ended)?.rollback().await
    }
}

fn ended() -> SqlError {
    SqlError::Unavailable("the transaction ended with the invocation that began it".to_owned())
}
