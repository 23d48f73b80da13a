//! A bucket in memory. Every key counts its writes, so that a swap knows whether somebody was faster.
//!
//! **Invariant:** it takes no more than the server's does, and says so in the same words.

use std::collections::BTreeMap;

use crate::kv::KvError;

/// The server's limits.
const KEY_BYTES_MAX: usize = 1024;
const VALUE_BYTES_MAX: usize = 1024 * 1024;
const BUCKET_BYTES_MAX: usize = 64 * 1024 * 1024;

/// So few that a test with a handful of keys reads more than one page.
const KEYS_A_PAGE: usize = 4;

#[derive(Default)]
pub(crate) struct Store {
    values: BTreeMap<String, (u64, Vec<u8>)>,
    writes: u64,
    /// Of all keys and values.
    bytes: usize,
    /// How many swaps lose to a made-up rival.
    pub(crate) rivals: u32,
}

impl Store {
    pub(crate) fn get(&self, key: &str) -> Option<&Vec<u8>> {
        self.values.get(key).map(|(_, value)| value)
    }

    /// Which write made the value; 0 when there is none.
    pub(crate) fn version(&self, key: &str) -> u64 {
        self.values.get(key).map_or(0, |(version, _)| *version)
    }

    pub(crate) fn set(&mut self, key: &str, value: &[u8]) -> Result<(), KvError> {
        if !(1..=KEY_BYTES_MAX).contains(&key.len()) {
            let text = format!("a key is 1 to {KEY_BYTES_MAX} bytes long");
            return Err(KvError::of_text(text));
        }
        if value.len() > VALUE_BYTES_MAX {
            let text = format!("a value is at most {VALUE_BYTES_MAX} bytes long");
            return Err(KvError::of_text(text));
        }
        let bytes = self.bytes - self.held_by(key) + key.len() + value.len();
        if bytes > BUCKET_BYTES_MAX {
            let text = format!("full: the namespace holds its {BUCKET_BYTES_MAX} bytes already");
            return Err(KvError::of_text(text));
        }
        self.bytes = bytes;
        self.writes += 1;
        self.values
            .insert(key.to_owned(), (self.writes, value.to_vec()));
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: &str) {
        self.bytes -= self.held_by(key);
        self.values.remove(key);
    }

    fn held_by(&self, key: &str) -> usize {
        self.get(key).map_or(0, |value| key.len() + value.len())
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A page of keys after the cursor, and the next cursor.
    pub(crate) fn list(&self, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
        let mut keys = self
            .keys()
            .filter(|key| cursor.is_none_or(|cursor| *key > cursor))
            .map(str::to_owned);
        let page: Vec<String> = keys.by_ref().take(KEYS_A_PAGE).collect();
        let next = keys.next().and_then(|_| page.last().cloned());
        (page, next)
    }

    /// Whether the value was still the one seen.
    pub(crate) fn swap(&mut self, key: &str, seen: u64, value: &[u8]) -> Result<bool, KvError> {
        if self.rivals > 0 {
            self.rivals -= 1;
            return Ok(false);
        }
        let unchanged = self.version(key) == seen;
        if unchanged {
            self.set(key, value)?;
        }
        Ok(unchanged)
    }
}
