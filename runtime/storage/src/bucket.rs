//! One namespace's keys and values, in memory.
//!
//! **Invariant:** `bytes` is the sum of the lengths of all keys and values, and never above the limit.
//! **Invariant:** a revision is given to one write only, so a compare-and-swap cannot mistake a value that came back
//! for one that stayed.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use parking_lot::RwLock;

use crate::error::KvError;

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;
/// How many keys one page lists.
pub(crate) const KEYS_PER_PAGE: usize = 1000;

/// How much a namespace may keep.
#[derive(Clone, Copy, Debug)]
pub struct BucketLimits {
    /// The largest value, in bytes. Default 1 MiB.
    pub value_bytes_max: usize,
    /// All keys and values together, in bytes. Default 64 MiB.
    pub total_bytes_max: usize,
}

impl Default for BucketLimits {
    fn default() -> Self {
        BucketLimits {
            value_bytes_max: 1024 * 1024,
            total_bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// Which write made a value; [`Revision::ABSENT`] for a key that has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Revision(u64);

impl Revision {
    /// The revision of a key without a value.
    pub const ABSENT: Revision = Revision(0);

    /// As it was kept.
    pub(crate) fn from_number(number: u64) -> Revision {
        Revision(number)
    }
}

/// What is known of a value without looking at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    /// Which write made it.
    pub revision: Revision,
    /// The lengths of the key and the value.
    pub bytes: usize,
}

/// Some keys, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyPage {
    /// At most a thousand.
    pub keys: Vec<String>,
    /// Where to go on from; `None` after the last page.
    pub cursor: Option<String>,
}

/// One namespace's keys and values.
#[derive(Debug)]
pub struct Bucket {
    limits: BucketLimits,
    // Held for a map operation at a time, never across an await.
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Box<str>, Entry>,
    bytes: usize,
    writes: u64,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    revision: Revision,
}

impl Bucket {
    /// An empty bucket.
    pub fn new(limits: BucketLimits) -> Self {
        Bucket {
            limits,
            state: RwLock::default(),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Result<Option<Bytes>, KvError> {
        check_key(key)?;
        let state = self.state.read();
        Ok(state.entries.get(key).map(|entry| entry.value.clone()))
    }

    /// The value of a key and which write made it, for [`Bucket::swap`].
    pub fn get_with_revision(&self, key: &str) -> Result<(Option<Bytes>, Revision), KvError> {
        check_key(key)?;
        Ok(match self.state.read().entries.get(key) {
            Some(entry) => (Some(entry.value.clone()), entry.revision),
            None => (None, Revision::ABSENT),
        })
    }

    /// Whether a key has a value.
    pub fn exists(&self, key: &str) -> Result<bool, KvError> {
        check_key(key)?;
        Ok(self.state.read().entries.contains_key(key))
    }

    /// Gives a key a value.
    pub fn set(&self, key: &str, value: Bytes) -> Result<(), KvError> {
        check_key(key)?;
        self.state.write().put(&self.limits, key, value)
    }

    /// Takes a key away; it need not be there.
    pub fn delete(&self, key: &str) -> Result<(), KvError> {
        check_key(key)?;
        let mut state = self.state.write();
        if let Some(entry) = state.entries.remove(key) {
            state.bytes -= key.len() + entry.value.len();
        }
        Ok(())
    }

    /// Adds to a decimal number; an absent key counts as 0. Answers the sum.
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64, KvError> {
        check_key(key)?;
        let mut state = self.state.write();
        let current = match state.entries.get(key) {
            Some(entry) => parse_number(&entry.value).ok_or(KvError::NotANumber)?,
            None => 0,
        };
        let sum = current.checked_add(delta).ok_or(KvError::Overflow)?;
        state.put(&self.limits, key, Bytes::from(sum.to_string()))?;
        Ok(sum)
    }

    /// Gives a key a value if nobody did since `seen` was read; else [`KvError::Conflict`].
    pub fn swap(&self, key: &str, seen: Revision, value: Bytes) -> Result<(), KvError> {
        check_key(key)?;
        let mut state = self.state.write();
        let current = state
            .entries
            .get(key)
            .map_or(Revision::ABSENT, |entry| entry.revision);
        if current != seen {
            return Err(KvError::Conflict);
        }
        state.put(&self.limits, key, value)
    }

    /// The keys after `cursor`, in order.
    pub fn list_keys(&self, cursor: Option<&str>) -> KeyPage {
        let state = self.state.read();
        let from = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = state
            .entries
            .range::<str, _>((from, Bound::Unbounded))
            .map(|(key, _)| key.to_string());
        let keys: Vec<String> = rest.by_ref().take(KEYS_PER_PAGE).collect();
        let more = rest.next().is_some();
        KeyPage {
            cursor: keys.last().filter(|_| more).cloned(),
            keys,
        }
    }
}

impl State {
    fn put(&mut self, limits: &BucketLimits, key: &str, value: Bytes) -> Result<(), KvError> {
        let freed = match self.entries.get(key) {
            Some(entry) => key.len() + entry.value.len(),
            None => 0,
        };
        self.bytes = grown(limits, self.bytes, freed, key, &value)?;
        self.writes += 1;
        let entry = Entry {
            value,
            revision: Revision(self.writes),
        };
        match self.entries.get_mut(key) {
            Some(old) => *old = entry,
            None => {
                self.entries.insert(key.into(), entry);
            }
        }
        Ok(())
    }
}

/// The sum of all lengths once a key that held `freed` bytes holds this value.
pub(crate) fn grown(
    limits: &BucketLimits,
    bytes: usize,
    freed: usize,
    key: &str,
    value: &Bytes,
) -> Result<usize, KvError> {
    if value.len() > limits.value_bytes_max {
        return Err(KvError::ValueTooLarge(limits.value_bytes_max));
    }
    let bytes = bytes.saturating_sub(freed) + key.len() + value.len();
    if bytes > limits.total_bytes_max {
        return Err(KvError::Full(limits.total_bytes_max));
    }
    Ok(bytes)
}

pub(crate) fn check_key(key: &str) -> Result<(), KvError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(KvError::InvalidKey);
    }
    Ok(())
}

/// A value as `increment` reads it.
pub(crate) fn parse_number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
