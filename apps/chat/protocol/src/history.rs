//! What was said in a room, and when.
//!
//! **Invariant:** the timestamps of a room strictly increase, in every version, so that a page boundary loses nothing.
//! **Invariant:** places are given out before messages are written. A reader meets holes (an isolate died in between, or is
//! about to write) and walks over them.
//! **Invariant:** a room keeps `KEPT_MAX` messages and about half a mebibyte. A few rooms cannot take all that the namespace may
//! keep: everybody else's messages would not be kept then.
//! **Absent on purpose:** one value with all messages. Saying something would then cost as much as all that was said.

mod position;
mod recover;

use std::ops::Range;

use rookery_sdk::kv::{Bucket, Change, KvError};
use rookery_sdk::now_ms;
use serde::{Deserialize, Serialize};

use crate::id;
use crate::rooms::written_bytes;
use position::{Position, Reading};

/// How many messages a room keeps.
const KEPT_MAX: u64 = 1_000;
/// Bytes are counted, and dropped, in blocks of so many.
const BLOCK_BYTES: u64 = 64 * 1024;
/// How many blocks a room keeps behind the one that it is filling.
const BLOCKS_MAX: usize = 8;
/// What a message has beside its texts: an id, a time, and the names of the fields.
const MESSAGE_BYTES: usize = 128;
/// How many of them a client is shown when it joins.
pub(crate) const RECENT: usize = 50;

/// A message as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) username: String,
    pub(crate) timestamp: u64,
}

/// A page of messages, oldest first.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Said>,
    pub(crate) has_more: bool,
}

/// What a message is given before it is written.
#[derive(Debug, PartialEq)]
pub(crate) struct Reserved {
    pub(crate) timestamp: u64,
    pub(crate) place: u64,
    /// The places that are dropped for it.
    expired: Range<u64>,
    /// Where somebody goes on who has heard the message.
    pub(crate) position: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Clock {
    /// The newest timestamp.
    last_ms: u64,
    /// How many places were given out.
    places: u64,
    /// Which log this is: the room's next log, or the one after the server lost its memory, has another.
    epoch: String,
    /// How many bytes were ever said.
    bytes: u64,
    /// The places that blocks begin at, the oldest first.
    blocks: Vec<u64>,
    /// The first place that was not dropped to make space.
    first: u64,
}

/// A room's clock and messages.
pub(crate) struct Log<'a> {
    bucket: &'a Bucket,
    key: &'a str,
}

impl<'a> Log<'a> {
    /// The log of the room with this key.
    pub(crate) fn of(bucket: &'a Bucket, key: &'a str) -> Log<'a> {
        Log { bucket, key }
    }

    /// A timestamp and a place for a message of this text and author.
    pub(crate) fn reserve(&self, text: &str, username: &str) -> Result<Reserved, KvError> {
        let bytes = written_bytes(text) + written_bytes(username) + MESSAGE_BYTES;
        let (clock, expired) = self.advance(bytes as u64)?;
        Ok(Reserved {
            timestamp: clock.last_ms,
            place: clock.places - 1,
            expired,
            position: clock.position(Reading::FromHeard).to_string(),
        })
    }

    /// Keeps a message at its place, where those were that are too old now.
    pub(crate) fn keep(&self, reserved: &Reserved, said: &Said) -> Result<(), KvError> {
        for place in reserved.expired.clone() {
            self.bucket.delete(&self.message_key(place))?;
        }
        let key = self.message_key(reserved.place);
        self.bucket.set_json(&key, said)
    }

    /// The newest messages before a time, at most `limit`.
    pub(crate) fn page(&self, limit: usize, before: Option<f64>) -> Result<Page, KvError> {
        let clock = self.clock()?;
        let (oldest, places) = (clock.oldest(), clock.places);
        let end = match before {
            Some(before) => self.first_from(before, oldest, places)?,
            None => places,
        };
        let mut messages = Vec::with_capacity(limit.min(64));
        let mut has_more = false;
        for place in (oldest..end).rev() {
            let Some(said) = self.at(place)? else {
                continue;
            };
            if messages.len() == limit {
                has_more = true;
                break;
            }
            messages.push(said);
        }
        messages.reverse();
        Ok(Page { messages, has_more })
    }

    /// Forgets a room that ended.
    pub(crate) fn erase(&self) -> Result<(), KvError> {
        let clock = self.clock()?;
        for place in clock.oldest()..clock.places {
            self.bucket.delete(&self.message_key(place))?;
        }
        self.bucket.delete(&self.clock_key())
    }

    /// The first place whose message is not older than `before`, by halving: whoever pages far back asks for no more
    /// than who pages nearby.
    fn first_from(&self, before: f64, oldest: u64, end: u64) -> Result<u64, KvError> {
        let (mut low, mut high) = (oldest, end);
        while low < high {
            let middle = low + (high - low) / 2;
            // Over a hole, the nearest older message decides; without one, the hole is older than anything.
            let mut nearest = None;
            for place in (low..=middle).rev() {
                nearest = self.at(place)?;
                if nearest.is_some() {
                    break;
                }
            }
            if nearest.is_some_and(|said| said.timestamp as f64 >= before) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    fn advance(&self, bytes: u64) -> Result<(Clock, Range<u64>), KvError> {
        self.bucket.change(&self.clock_key(), |old: Option<Clock>| {
            let mut clock = old.unwrap_or_default().begun();
            let oldest = clock.oldest();
            clock.last_ms = now_ms().max(clock.last_ms + 1);
            clock.places += 1;
            clock.fill(bytes);
            let expired = oldest..clock.oldest();
            Change::Write(clock.clone(), (clock, expired))
        })
    }

    fn clock(&self) -> Result<Clock, KvError> {
        Ok(self.bucket.get_json(&self.clock_key())?.unwrap_or_default())
    }

    /// What was said at a place, if it is kept.
    pub(crate) fn at(&self, place: u64) -> Result<Option<Said>, KvError> {
        self.bucket.get_json(&self.message_key(place))
    }

    fn clock_key(&self) -> String {
        format!("clock:{}", self.key)
    }

    fn message_key(&self, place: u64) -> String {
        format!("message:{}:{place}", self.key)
    }
}

impl Clock {
    /// With an epoch, if it had none.
    fn begun(mut self) -> Clock {
        if self.epoch.is_empty() {
            self.epoch = id::now();
        }
        self
    }

    /// The first place whose message is kept.
    fn oldest(&self) -> u64 {
        self.places.saturating_sub(KEPT_MAX).max(self.first)
    }

    /// Counts the newest message's bytes, and gives up the oldest block when there is one too many.
    fn fill(&mut self, bytes: u64) {
        let before = self.bytes / BLOCK_BYTES;
        self.bytes += bytes;
        if self.bytes / BLOCK_BYTES > before {
            self.blocks.push(self.places);
        }
        if self.blocks.len() > BLOCKS_MAX {
            self.first = self.blocks.remove(0);
        }
    }

    fn position(&self, reading: Reading) -> Position<'_> {
        Position {
            epoch: &self.epoch,
            offset: self.places,
            reading,
        }
    }
}

#[cfg(test)]
mod tests;
