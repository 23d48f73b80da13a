//! Numbers that nobody foresees, for waits and for names of requests.
//!
//! **Absent on purpose:** secrets. Nothing here is one, so the standard library's seed is enough.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// Any number.
pub fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Now, in epoch milliseconds.
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}

/// A message's id as every client of the chat makes them: the time, and nine characters of chance.
pub fn id(now_ms: u64, mut chance: u64) -> String {
    let tail: String = (0..9)
        .map(|_| {
            let digit = (chance % 36) as u32;
            chance /= 36;
            char::from_digit(digit, 36).expect("a digit below its base")
        })
        .collect();
    format!("{now_ms:013}-{tail}")
}
