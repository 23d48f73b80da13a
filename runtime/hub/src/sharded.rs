//! A hash table in parts, each with a lock of its own, for tables that all workers look things up in.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use parking_lot::{Mutex, MutexGuard};

const SHARDS: usize = 16;

/// The table. `S` hashes twice: once for the shard and once inside it.
pub(crate) struct Sharded<K, V, S> {
    hasher: S,
    shards: [Mutex<HashMap<K, V, S>>; SHARDS],
}

impl<K: Hash + Eq, V, S: BuildHasher + Default> Sharded<K, V, S> {
    pub(crate) fn new() -> Self {
        Sharded {
            hasher: S::default(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// The locked part that has, or would have, this key.
    pub(crate) fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> MutexGuard<'_, HashMap<K, V, S>> {
        // The upper bits: the maps inside use the lower ones for their buckets and the top seven as tags.
        let hash = self.hasher.hash_one(key) >> 40;
        self.shards[hash as usize % SHARDS].lock()
    }

    pub(crate) fn shard_count(&self) -> usize {
        SHARDS
    }

    /// One part, for walks through all of them.
    pub(crate) fn nth_shard(&self, index: usize) -> MutexGuard<'_, HashMap<K, V, S>> {
        self.shards[index].lock()
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}
