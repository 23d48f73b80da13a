//! The buckets of all namespaces.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::bucket::{Bucket, BucketLimits};

/// Hands out each namespace's bucket; the same one for every worker of every version that shares the namespace.
#[derive(Debug, Default)]
pub struct Stores {
    limits: BucketLimits,
    buckets: Mutex<HashMap<Box<str>, Arc<Bucket>>>,
}

impl Stores {
    /// Buckets with these limits each.
    pub fn new(limits: BucketLimits) -> Self {
        Stores {
            limits,
            buckets: Mutex::default(),
        }
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
