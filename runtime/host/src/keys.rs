//! One invocation's keys and values, where the manifest has them kept in the database.
//!
//! **Invariant:** they are written with the invocation's own statements, in one order, and owed as those are.

use bytes::Bytes;
use rookery_storage::{KeyPage, KvError, Revision};

use crate::hub::GuestHub;
use crate::sql::GuestSql;

impl GuestSql {
    /// The value of a key.
    ///
    /// # Errors
    /// [`KvError`], as all of these.
    pub async fn get_key(
        &mut self,
        hub: &mut GuestHub,
        key: &str,
    ) -> Result<Option<Bytes>, KvError> {
        self.is_free()?;
        let found = self.keys.get(&mut self.client, key).await;
        self.owe(hub);
        found
    }

    /// The value of a key and which write made it, for [`swap_key`](GuestSql::swap_key).
    pub async fn see_key(
        &mut self,
        hub: &mut GuestHub,
        key: &str,
    ) -> Result<(Option<Bytes>, Revision), KvError> {
        self.is_free()?;
        let found = self.keys.get_with_revision(&mut self.client, key).await;
        self.owe(hub);
        found
    }

    /// Whether a key has a value.
    pub async fn has_key(&mut self, hub: &mut GuestHub, key: &str) -> Result<bool, KvError> {
        self.is_free()?;
        let found = self.keys.exists(&mut self.client, key).await;
        self.owe(hub);
        found
    }

    /// Gives a key a value.
    pub async fn set_key(
        &mut self,
        hub: &mut GuestHub,
        key: &str,
        value: Bytes,
    ) -> Result<(), KvError> {
        self.is_free()?;
        let set = self.keys.set(&mut self.client, key, value).await;
        self.owe(hub);
        set
    }

    /// Takes a key away; it need not be there.
    pub async fn delete_key(&mut self, hub: &mut GuestHub, key: &str) -> Result<(), KvError> {
        self.is_free()?;
        let deleted = self.keys.delete(&mut self.client, key).await;
        self.owe(hub);
        deleted
    }

    /// Adds to a decimal number, and answers the sum.
    pub async fn increment_key(
        &mut self,
        hub: &mut GuestHub,
        key: &str,
        delta: i64,
    ) -> Result<i64, KvError> {
        self.is_free()?;
        let sum = self.keys.increment(&mut self.client, key, delta).await;
        self.owe(hub);
        sum
    }

    /// Gives a key a value if nobody did since `seen` was read.
    pub async fn swap_key(
        &mut self,
        hub: &mut GuestHub,
        key: &str,
        seen: Revision,
        value: Bytes,
    ) -> Result<(), KvError> {
        self.is_free()?;
        let swapped = self.keys.swap(&mut self.client, key, seen, value).await;
        self.owe(hub);
        swapped
    }

    /// The keys after `cursor`, in order.
    pub async fn list_keys(
        &mut self,
        hub: &mut GuestHub,
        cursor: Option<&str>,
    ) -> Result<KeyPage, KvError> {
        self.is_free()?;
        let page = self.keys.list_keys(&mut self.client, cursor).await;
        self.owe(hub);
        page
    }
}
