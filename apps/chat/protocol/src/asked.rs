//! What was said under which name of a request, so that who asks again because no answer came says it once.
//!
//! A client that loses its connection does not know whether its last message was heard. It looks at what it missed; but the
//! message may still wait with the old session then, and be said after the client looked.
//!
//! **Invariant:** a room has `SLOTS` values of `KEPT_MAX` names at most, and each is forgotten after `AGE_MAX_MS`.
//! **Invariant:** a name is its user's, and stands for one text: that somebody else chose the same silences nobody.

use rookery_sdk::kv::{Bucket, Change, KvError};
use rookery_sdk::now_ms;
use serde::{Deserialize, Serialize};

const SLOTS: u64 = 16;
/// Names in a slot.
const KEPT_MAX: usize = 16;
/// Clients come back within minutes or look at what was said as strangers do.
const AGE_MAX_MS: u64 = 5 * 60 * 1_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Request {
    name: String,
    place: u64,
    at_ms: u64,
}

/// The names of a room.
pub(crate) struct Asked<'a> {
    bucket: &'a Bucket,
    key: &'a str,
}

impl<'a> Asked<'a> {
    /// Those of the room with this key.
    pub(crate) fn of(bucket: &'a Bucket, key: &'a str) -> Asked<'a> {
        Asked { bucket, key }
    }

    /// The places of what was said under this name.
    pub(crate) fn places_of(&self, name: &str) -> Result<Vec<u64>, KvError> {
        let known: Option<Vec<Request>> = self.bucket.get_json(&self.slot(name))?;
        let known = known.unwrap_or_default().into_iter();
        let known = known.filter(|known| known.name == name && known.is_fresh());
        Ok(known.map(|known| known.place).collect())
    }

    /// Remembers where it is said.
    pub(crate) fn note(&self, name: &str, place: u64) -> Result<(), KvError> {
        self.bucket
            .change(&self.slot(name), |old: Option<Vec<Request>>| {
                let mut known = old.unwrap_or_default();
                known.retain(Request::is_fresh);
                if known.len() >= KEPT_MAX {
                    known.remove(0);
                }
                known.push(Request {
                    name: name.to_owned(),
                    place,
                    at_ms: now_ms(),
                });
                Change::Write(known, ())
            })
    }

    /// Forgets a room that ended.
    pub(crate) fn erase(&self) -> Result<(), KvError> {
        for slot in 0..SLOTS {
            self.bucket.delete(&format!("asked:{}:{slot}", self.key))?;
        }
        Ok(())
    }

    /// The same for every isolate of every version: FNV-1a.
    fn slot(&self, name: &str) -> String {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("asked:{}:{}", self.key, hash % SLOTS)
    }
}

impl Request {
    fn is_fresh(&self) -> bool {
        now_ms().saturating_sub(self.at_ms) < AGE_MAX_MS
    }
}
