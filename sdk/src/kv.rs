//! The namespace's key-value bucket, shared by every isolate of every version with the same major number.
//!
//! It is in the server's memory, and gone with it, unless the manifest says `"database": {"keys": "database"}`. Then it
//! lasts, and what an app says after a write waits for the write, as with [`sql`](crate::sql).
//!
//! **Invariant:** `increment`, [`Bucket::update`] and [`Bucket::change`] are atomic; two isolates cannot lose each
//! other's writes. `get` followed by `set` is not.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::seam;

/// How often a change is tried anew because somebody else was faster.
const ATTEMPTS_MAX: usize = 1_000;

/// Why the bucket refused.
#[derive(Debug)]
pub enum KvError {
    /// There is no bucket of this name.
    NoSuchStore,
    /// The manifest does not grant it.
    AccessDenied,
    /// Somebody else was faster, a thousand times.
    Contended,
    /// What is kept there has another shape, or what should be kept has none.
    Json(serde_json::Error),
    /// The namespace keeps as much as it may; nothing was changed.
    Full,
    /// What the host said.
    Other(String),
}

impl fmt::Display for KvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KvError::NoSuchStore => f.write_str("there is no such bucket"),
            KvError::AccessDenied => f.write_str("the manifest does not grant the bucket"),
            KvError::Contended => f.write_str("the key changes too fast"),
            KvError::Full => f.write_str("the namespace keeps as much as it may"),
            KvError::Json(_) => f.write_str("the value has an unexpected shape"),
            KvError::Other(text) => f.write_str(text),
        }
    }
}

impl KvError {
    /// What the host said in words of its own. That there is no more space is said in the first of them.
    pub(crate) fn of_text(text: String) -> KvError {
        match text.starts_with("full: ") {
            true => KvError::Full,
            false => KvError::Other(text),
        }
    }
}

impl std::error::Error for KvError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            KvError::Json(error) => Some(error),
            _ => None,
        }
    }
}

impl From<serde_json::Error> for KvError {
    fn from(error: serde_json::Error) -> KvError {
        KvError::Json(error)
    }
}

/// What a change decided after it saw the value.
pub enum Change<T, R> {
    /// Write this, and answer that.
    Write(T, R),
    /// Leave the value as it is, and answer that.
    Keep(R),
}

/// A bucket of keys and values.
pub struct Bucket(seam::kv::Bucket);

/// The namespace's own bucket.
pub fn bucket() -> Result<Bucket, KvError> {
    open("default")
}

/// The bucket of this name; at present there is one, `default`.
pub fn open(name: &str) -> Result<Bucket, KvError> {
    seam::kv::open(name).map(Bucket)
}

impl Bucket {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        seam::kv::get(&self.0, key)
    }

    /// The value of a key, as JSON.
    pub fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, KvError> {
        decode(self.get(key)?)
    }

    /// Sets a key, whatever it was.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        seam::kv::set(&self.0, key, value)
    }

    /// Sets a key to JSON, whatever it was.
    pub fn set_json(&self, key: &str, value: &impl Serialize) -> Result<(), KvError> {
        self.set(key, &serde_json::to_vec(value)?)
    }

    /// Removes a key; it may be absent.
    pub fn delete(&self, key: &str) -> Result<(), KvError> {
        seam::kv::delete(&self.0, key)
    }

    /// Whether a key is there.
    pub fn exists(&self, key: &str) -> Result<bool, KvError> {
        seam::kv::exists(&self.0, key)
    }

    /// Every key, in the order of their bytes.
    pub fn keys(&self) -> Result<Vec<String>, KvError> {
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let (page, next) = seam::kv::list_keys(&self.0, cursor.as_deref())?;
            keys.extend(page);
            if next.is_none() {
                return Ok(keys);
            }
            cursor = next;
        }
    }

    /// Adds to a number, which starts at 0, and answers the sum.
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64, KvError> {
        seam::kv::increment(&self.0, key, delta)
    }

    /// Replaces a value by what `new` makes of it, and answers the new one. `new` may run more than once.
    pub fn update(
        &self,
        key: &str,
        mut new: impl FnMut(Option<&[u8]>) -> Vec<u8>,
    ) -> Result<Vec<u8>, KvError> {
        self.swap(key, |old| {
            let value = new(old.as_deref());
            Ok(Change::Write(value.clone(), value))
        })
    }

    /// Decides about a JSON value with the value in sight. `decide` may run more than once.
    pub fn change<T: DeserializeOwned + Serialize, R>(
        &self,
        key: &str,
        mut decide: impl FnMut(Option<T>) -> Change<T, R>,
    ) -> Result<R, KvError> {
        self.swap(key, |old| {
            Ok(match decide(decode(old)?) {
                Change::Write(value, answer) => Change::Write(serde_json::to_vec(&value)?, answer),
                Change::Keep(answer) => Change::Keep(answer),
            })
        })
    }

    fn swap<R>(
        &self,
        key: &str,
        mut decide: impl FnMut(Option<Vec<u8>>) -> Result<Change<Vec<u8>, R>, KvError>,
    ) -> Result<R, KvError> {
        let mut cas = seam::kv::watch(&self.0, key)?;
        for _ in 0..ATTEMPTS_MAX {
            match decide(seam::kv::current(&cas)?)? {
                Change::Keep(answer) => return Ok(answer),
                Change::Write(value, answer) => match seam::kv::swap(cas, &value)? {
                    None => return Ok(answer),
                    Some(newer) => cas = newer,
                },
            }
        }
        Err(KvError::Contended)
    }
}

fn decode<T: DeserializeOwned>(value: Option<Vec<u8>>) -> Result<Option<T>, KvError> {
    value
        .map(|bytes| serde_json::from_slice(&bytes))
        .transpose()
        .map_err(KvError::Json)
}

#[cfg(test)]
mod tests;
