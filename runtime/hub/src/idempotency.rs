//! The keys under which messages were published on a topic lately.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rookery_contract::Position;
use tokio::time::Instant;

use crate::stock::{Part, Stock};

/// How long a key is remembered.
const KEY_AGE_MAX: Duration = Duration::from_secs(5 * 60);
/// The longest key.
pub(crate) const KEY_BYTES_MAX: usize = 256;

/// What a key costs beside its letters: two entries, and the room that their tables have to spare.
const KEY_OVERHEAD_BYTES: usize = 192;

/// A topic's keys, each with the position of the message that was published with it.
pub(crate) struct Keys {
    part: Part,
    positions: HashMap<Arc<str>, Position>,
    oldest_first: VecDeque<(Instant, Arc<str>)>,
}

impl Keys {
    pub(crate) fn new(stock: &Arc<Stock>) -> Keys {
        Keys {
            part: stock.part(),
            positions: HashMap::new(),
            oldest_first: VecDeque::new(),
        }
    }

    /// The first publication's position.
    pub(crate) fn find(&mut self, key: &str, now: Instant) -> Option<Position> {
        self.expire(now);
        self.positions.get(key).copied()
    }

    /// Remembers a key that was not found, and forgets the oldest when there are too many.
    pub(crate) fn remember(
        &mut self,
        key: &str,
        position: Position,
        keys_max: usize,
        now: Instant,
    ) {
        if self.oldest_first.len() >= keys_max.max(1) {
            self.forget_oldest();
        }
        let key: Arc<str> = key.into();
        self.oldest_first.push_back((now, Arc::clone(&key)));
        self.part.add(cost(&key));
        self.positions.insert(key, position);
        // The newest one stays: whoever asks again because no answer came asks at once.
        while self.oldest_first.len() > 1 && self.part.is_too_much() {
            self.forget_oldest();
        }
    }

    /// Forgets what is too old. True when nothing is left.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        while self
            .oldest_first
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) >= KEY_AGE_MAX)
        {
            self.forget_oldest();
        }
        self.oldest_first.is_empty()
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.oldest_first.pop_front() {
            self.positions.remove(&key);
            self.part.take(cost(&key));
        }
    }
}

fn cost(key: &str) -> usize {
    key.len() + KEY_OVERHEAD_BYTES
}
