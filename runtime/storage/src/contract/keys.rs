//! What every bucket has to do, in memory or in a database.
//!
//! **Invariant:** nothing here knows where the keys are.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use crate::bucket::KEY_BYTES_MAX;
use crate::error::KvError;
use crate::sql::{Database, SqlClient};
use crate::{Bucket, BucketLimits, KeyPage, KeyTable, Revision};

/// A bucket as the suite uses it.
#[async_trait::async_trait]
pub trait Keys: Send {
    /// The same bucket for another invocation.
    fn another(&self) -> Box<dyn Keys>;
    /// Once what was written is durable.
    async fn settled(&mut self);
    /// As [`Bucket::get`].
    async fn get(&mut self, key: &str) -> Result<Option<Bytes>, KvError>;
    /// As [`Bucket::get_with_revision`].
    async fn seen(&mut self, key: &str) -> Result<(Option<Bytes>, Revision), KvError>;
    /// As [`Bucket::exists`].
    async fn exists(&mut self, key: &str) -> Result<bool, KvError>;
    /// As [`Bucket::set`].
    async fn set(&mut self, key: &str, value: Bytes) -> Result<(), KvError>;
    /// As [`Bucket::delete`].
    async fn delete(&mut self, key: &str) -> Result<(), KvError>;
    /// As [`Bucket::increment`].
    async fn increment(&mut self, key: &str, delta: i64) -> Result<i64, KvError>;
    /// As [`Bucket::swap`].
    async fn swap(&mut self, key: &str, seen: Revision, value: Bytes) -> Result<(), KvError>;
    /// As [`Bucket::list_keys`].
    async fn list(&mut self, cursor: Option<&str>) -> KeyPage;
}

/// Keys in memory.
pub fn in_memory(limits: BucketLimits) -> Box<dyn Keys> {
    Box::new(Arc::new(Bucket::new(limits)))
}

/// Keys in a database.
pub fn in_database(database: Arc<dyn Database>, limits: BucketLimits) -> Box<dyn Keys> {
    let table = Arc::new(KeyTable::new(Arc::clone(&database), limits));
    Box::new(InTable {
        client: SqlClient::new(Arc::clone(&database)),
        database,
        table,
    })
}

/// Runs all checks, each against an empty bucket.
pub async fn check<F: Future<Output = Box<dyn Keys>>>(make: impl Fn(BucketLimits) -> F) {
    let small = BucketLimits {
        value_bytes_max: 16,
        total_bytes_max: 64,
    };
    what_is_set_is_read_until_it_is_deleted(make(small).await).await;
    a_swap_fails_when_another_write_came_between(make(small).await).await;
    a_value_that_came_back_is_not_the_one_that_was_read(make(small).await).await;
    increments_at_once_add_up(make(small).await).await;
    limits_refuse_and_change_nothing(make(small).await).await;
    increment_refuses_what_is_no_number(make(small).await).await;
    a_key_may_have_any_character(make(small).await).await;
    keys_come_in_pages_without_a_gap(make(BucketLimits::default()).await).await;
}

async fn what_is_set_is_read_until_it_is_deleted(mut keys: Box<dyn Keys>) {
    keys.set("a", "1".into()).await.unwrap();
    assert_eq!(keys.get("a").await, Ok(Some("1".into())));
    assert_eq!(keys.exists("a").await, Ok(true));
    assert_eq!(keys.exists("b").await, Ok(false));
    keys.settled().await;
    assert_eq!(keys.another().get("a").await, Ok(Some("1".into())));
    keys.set("a", "".into()).await.unwrap();
    assert_eq!(keys.get("a").await, Ok(Some("".into())), "empty is a value");
    keys.delete("a").await.unwrap();
    assert_eq!(keys.get("a").await, Ok(None));
    keys.delete("a").await.unwrap();
    keys.settled().await;
    assert_eq!(keys.another().get("a").await, Ok(None));
}

async fn a_swap_fails_when_another_write_came_between(mut keys: Box<dyn Keys>) {
    let (_, absent) = keys.seen("a").await.unwrap();
    assert_eq!(absent, Revision::ABSENT);
    keys.set("a", "1".into()).await.unwrap();
    let late = keys.swap("a", absent, "2".into()).await;
    assert_eq!(late, Err(KvError::Conflict));
    let (value, seen) = keys.seen("a").await.unwrap();
    assert_eq!(value, Some("1".into()));
    keys.swap("a", seen, "2".into()).await.unwrap();
    let late = keys.swap("a", seen, "3".into()).await;
    assert_eq!(late, Err(KvError::Conflict));
    assert_eq!(keys.get("a").await, Ok(Some("2".into())));
}

async fn a_value_that_came_back_is_not_the_one_that_was_read(mut keys: Box<dyn Keys>) {
    keys.set("a", "1".into()).await.unwrap();
    let (_, seen) = keys.seen("a").await.unwrap();
    keys.delete("a").await.unwrap();
    keys.set("a", "1".into()).await.unwrap();
    let late = keys.swap("a", seen, "2".into()).await;
    assert_eq!(late, Err(KvError::Conflict));
}

async fn increments_at_once_add_up(mut keys: Box<dyn Keys>) {
    let all = (0..4).map(|_| {
        let mut keys = keys.another();
        tokio::spawn(async move {
            for _ in 0..50 {
                keys.increment("n", 1).await.unwrap();
            }
            keys.settled().await;
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(keys.increment("n", -1).await, Ok(199));
    assert_eq!(keys.get("n").await, Ok(Some("199".into())));
}

async fn limits_refuse_and_change_nothing(mut keys: Box<dyn Keys>) {
    assert_eq!(keys.set("", "x".into()).await, Err(KvError::InvalidKey));
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    assert_eq!(keys.get(&long).await, Err(KvError::InvalidKey));
    let large = Bytes::from(vec![0; 17]);
    assert_eq!(keys.set("a", large).await, Err(KvError::ValueTooLarge(16)));
    for key in ["a", "b", "c"] {
        keys.set(key, Bytes::from(vec![0; 16])).await.unwrap();
    }
    let value = Bytes::from(vec![0; 13]);
    let full = keys.set("d", value.clone()).await;
    assert_eq!(full, Err(KvError::Full(64)));
    assert_eq!(keys.get("d").await, Ok(None));
    keys.set("a", "".into()).await.unwrap();
    keys.set("d", value.clone()).await.unwrap();
    keys.delete("b").await.unwrap();
    keys.set("e", value).await.unwrap();
}

async fn increment_refuses_what_is_no_number(mut keys: Box<dyn Keys>) {
    keys.set("a", "x".into()).await.unwrap();
    assert_eq!(keys.increment("a", 1).await, Err(KvError::NotANumber));
    assert_eq!(keys.get("a").await, Ok(Some("x".into())));
    keys.increment("b", i64::MAX / 100_000).await.unwrap();
    let over = keys.increment("b", i64::MAX).await;
    assert_eq!(over, Err(KvError::Overflow));
}

async fn a_key_may_have_any_character(mut keys: Box<dyn Keys>) {
    let all = ["'", "\0", "ä", "😀", "\u{10ffff}"];
    for key in all {
        keys.set(key, key.into()).await.unwrap();
    }
    for key in all {
        assert_eq!(keys.get(key).await, Ok(Some(key.into())), "{key:?}");
    }
    // By their bytes, as Rust compares them.
    assert_eq!(
        keys.list(None).await.keys,
        ["\0", "'", "ä", "😀", "\u{10ffff}"]
    );
}

async fn keys_come_in_pages_without_a_gap(mut keys: Box<dyn Keys>) {
    for n in 0..2500 {
        keys.set(&format!("{n:05}"), "".into()).await.unwrap();
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = keys.list(cursor.as_deref()).await;
        seen.extend(page.keys);
        pages += 1;
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (2500, 3));
    assert!(seen.is_sorted());
}

#[async_trait::async_trait]
impl Keys for Arc<Bucket> {
    fn another(&self) -> Box<dyn Keys> {
        Box::new(Arc::clone(self))
    }

    async fn settled(&mut self) {}

    async fn get(&mut self, key: &str) -> Result<Option<Bytes>, KvError> {
        Bucket::get(self, key)
    }

    async fn seen(&mut self, key: &str) -> Result<(Option<Bytes>, Revision), KvError> {
        self.get_with_revision(key)
    }

    async fn exists(&mut self, key: &str) -> Result<bool, KvError> {
        Bucket::exists(self, key)
    }

    async fn set(&mut self, key: &str, value: Bytes) -> Result<(), KvError> {
        Bucket::set(self, key, value)
    }

    async fn delete(&mut self, key: &str) -> Result<(), KvError> {
        Bucket::delete(self, key)
    }

    async fn increment(&mut self, key: &str, delta: i64) -> Result<i64, KvError> {
        Bucket::increment(self, key, delta)
    }

    async fn swap(&mut self, key: &str, seen: Revision, value: Bytes) -> Result<(), KvError> {
        Bucket::swap(self, key, seen, value)
    }

    async fn list(&mut self, cursor: Option<&str>) -> KeyPage {
        self.list_keys(cursor)
    }
}

struct InTable {
    table: Arc<KeyTable>,
    database: Arc<dyn Database>,
    client: SqlClient,
}

#[async_trait::async_trait]
impl Keys for InTable {
    fn another(&self) -> Box<dyn Keys> {
        Box::new(InTable {
            table: Arc::clone(&self.table),
            database: Arc::clone(&self.database),
            client: SqlClient::new(Arc::clone(&self.database)),
        })
    }

    async fn settled(&mut self) {
        self.client.durable().await.unwrap();
    }

    async fn get(&mut self, key: &str) -> Result<Option<Bytes>, KvError> {
        self.table.get(&mut self.client, key).await
    }

    async fn seen(&mut self, key: &str) -> Result<(Option<Bytes>, Revision), KvError> {
        self.table.get_with_revision(&mut self.client, key).await
    }

    async fn exists(&mut self, key: &str) -> Result<bool, KvError> {
        self.table.exists(&mut self.client, key).await
    }

    async fn set(&mut self, key: &str, value: Bytes) -> Result<(), KvError> {
        self.table.set(&mut self.client, key, value).await
    }

    async fn delete(&mut self, key: &str) -> Result<(), KvError> {
        self.table.delete(&mut self.client, key).await
    }

    async fn increment(&mut self, key: &str, delta: i64) -> Result<i64, KvError> {
        self.table.increment(&mut self.client, key, delta).await
    }

    async fn swap(&mut self, key: &str, seen: Revision, value: Bytes) -> Result<(), KvError> {
        self.table.swap(&mut self.client, key, seen, value).await
    }

    async fn list(&mut self, cursor: Option<&str>) -> KeyPage {
        self.table
            .list_keys(&mut self.client, cursor)
            .await
            .unwrap()
    }
}
