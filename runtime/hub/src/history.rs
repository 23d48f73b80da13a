//! What a topic keeps, so that a client that was away can be told what it missed.
//!
//! **Invariant:** the kept messages have consecutive offsets and the last of them is the topic's newest, or nothing is kept.
//! So an answer is always the whole of what came after a position. A message that is published without history
//! therefore empties it: an app that wants both uses two topics.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rookery_contract::{Gap, Page, Payload, Position, Retention};
use tokio::time::Instant;

use crate::config::HubConfig;
use crate::stock::{Part, Stock};

/// What a kept message costs beside its payload, so that empty messages are not free.
const MESSAGE_OVERHEAD_BYTES: usize = 64;

/// A topic's kept messages.
pub(crate) struct History {
    kept: VecDeque<Kept>,
    part: Part,
    age_max: Duration,
    /// When the topic was last of use to anybody who may come back.
    used: Instant,
}

struct Kept {
    offset: u64,
    at: Instant,
    payload: Payload,
}

impl History {
    pub(crate) fn new(now: Instant, stock: &Arc<Stock>) -> History {
        History {
            kept: VecDeque::new(),
            part: stock.part(),
            age_max: Duration::ZERO,
            used: now,
        }
    }

    /// Keeps the topic's newest message and those before it within the bounds.
    pub(crate) fn keep(
        &mut self,
        offset: u64,
        payload: Payload,
        retention: Retention,
        config: &HubConfig,
        now: Instant,
    ) {
        self.age_max = Duration::from_secs(retention.seconds.into()).min(config.history_age_max);
        self.part.add(cost(&payload));
        self.kept.push_back(Kept {
            offset,
            at: now,
            payload,
        });
        let messages_max = retention.messages.min(config.history_messages_max) as usize;
        while self.kept.len() > messages_max
            || self.part.bytes() > config.history_bytes_max
            || (self.part.is_too_much() && !self.kept.is_empty())
        {
            self.drop_oldest();
        }
        self.used = now;
        self.expire(now);
    }

    /// A message was published that is not kept.
    pub(crate) fn interrupt(&mut self) {
        self.kept = VecDeque::new();
        self.part.take(self.part.bytes());
    }

    /// The last subscriber left and may want to come back.
    pub(crate) fn linger(&mut self, now: Instant) {
        self.used = now;
    }

    /// Drops what is too old. True when nothing is left and nobody is expected any more.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        while self
            .kept
            .front()
            .is_some_and(|oldest| now.duration_since(oldest.at) >= self.age_max)
        {
            self.drop_oldest();
        }
        if self.kept.len() * 4 < self.kept.capacity() {
            self.kept.shrink_to(self.kept.len() * 2);
        }
        self.kept.is_empty() && now.duration_since(self.used) >= self.age_max
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.part.take(cost(&oldest.payload));
        }
    }

    /// Every message after `since`, the first `limit` of them.
    fn after(&self, since: u64, limit: usize) -> Result<Vec<(u64, Payload)>, Gap> {
        let first = self.kept.front().ok_or(Gap::Dropped)?.offset;
        // The first one that is wanted is since + 1.
        let skip = (since + 1).checked_sub(first).ok_or(Gap::Dropped)?;
        let wanted = self.kept.iter().skip(skip as usize).take(limit);
        Ok(wanted
            .map(|kept| (kept.offset, kept.payload.clone()))
            .collect())
    }
}

/// Answers a recovery on a stream that is at `newest`.
pub(crate) fn recover(
    history: Option<&History>,
    newest: Position,
    since: Position,
    limit: usize,
) -> Result<Page, Gap> {
    // A position that was never reached is another stream's as well, whatever its epoch says.
    if since.epoch != newest.epoch || since.offset > newest.offset {
        return Err(Gap::Epoch);
    }
    let messages = if since.offset == newest.offset {
        Vec::new()
    } else {
        history.ok_or(Gap::Dropped)?.after(since.offset, limit)?
    };
    let offset = messages.last().map_or(since.offset, |(offset, _)| *offset);
    Ok(Page {
        messages,
        position: Position {
            epoch: newest.epoch,
            offset,
        },
        more: offset < newest.offset,
    })
}

fn cost(payload: &Payload) -> usize {
    payload.len() + MESSAGE_OVERHEAD_BYTES
}
