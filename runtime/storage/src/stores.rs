//! What all namespaces keep: a bucket and a database each.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_lifecycle::Tasks;

use crate::bucket::{Bucket, BucketLimits};
use crate::databases::Databases;
use crate::sql::SqlLimits;

/// Hands out each namespace's bucket and database; the same ones for every worker of every version that shares the
/// namespace.
pub struct Stores {
    limits: BucketLimits,
    buckets: Mutex<HashMap<Box<str>, Arc<Bucket>>>,
    databases: Arc<Databases>,
}

impl Default for Stores {
    /// Everything in memory.
    fn default() -> Self {
        let limits = SqlLimits::default();
        Stores::new(
            BucketLimits::default(),
            Databases::in_memory(limits, &Tasks::new()),
        )
    }
}

impl Stores {
    /// Buckets with these limits each, and these databases.
    pub fn new(limits: BucketLimits, databases: Arc<Databases>) -> Self {
        Stores {
            limits,
            buckets: Mutex::default(),
            databases,
        }
    }

    /// How much a namespace may keep by keys.
    pub fn bucket_limits(&self) -> BucketLimits {
        self.limits
    }

    /// The databases.
    pub fn databases(&self) -> &Arc<Databases> {
        &self.databases
    }

    /// The bucket of a namespace, made when it is first asked for.
    pub fn bucket(&self, namespace: &str) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock();
        if let Some(bucket) = buckets.get(namespace) {
            return Arc::clone(bucket);
        }
        let bucket = Arc::new(Bucket::new(self.limits));
        buckets.insert(namespace.into(), Arc::clone(&bucket));
        bucket
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn two_namespaces_do_not_see_each_other() {
        let stores = Stores::default();
        stores.bucket("chat@1").set("k", "one".into()).unwrap();
        assert_eq!(stores.bucket("chat@2").get("k"), Ok(None));
        assert_eq!(stores.bucket("chat@1").get("k"), Ok(Some("one".into())));
    }
}
