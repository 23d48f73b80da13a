//! The way of one message into its topic.

use std::sync::Arc;

use rookery_contract::{Payload, Position, PublishOptions, TopicError, WhenSlow};

use crate::hold::Outcome;
use crate::idempotency::KEY_BYTES_MAX;
use crate::publisher::Publisher;
use crate::topic::{Published, Topic};

impl Publisher {
    /// Publishes a message and gives its place in the topic's stream. Subscribers get it when the publisher is
    /// flushed, or sooner.
    pub fn publish(
        &mut self,
        topic: &str,
        payload: &Payload,
        options: &PublishOptions,
    ) -> Result<Position, TopicError> {
        if self.is_lost() {
            return Err(TopicError::Gone);
        }
        let key_len = options.idempotency_key.as_ref().map_or(0, String::len);
        let keys_len = match &options.when_slow {
            WhenSlow::Conflate(key) => key_len.max(key.len()),
            WhenSlow::Close | WhenSlow::DropOldest => key_len,
        };
        if payload.len() > self.realm.config().message_bytes_max || keys_len > KEY_BYTES_MAX {
            return Err(TopicError::TooLarge);
        }
        // The topic that was published on last is looked at first.
        let known = self
            .touched
            .iter()
            .rev()
            .find(|touched| **touched.name() == *topic);
        if let Some(known) = known.cloned()
            && let Some(published) = self.publish_on(&known, payload, options)
        {
            return published;
        }
        loop {
            let found = self.realm.topic(topic)?;
            if let Some(published) = self.publish_on(&found, payload, options) {
                self.touch(found);
                return published;
            }
        }
    }

    /// `None` when the topic was removed in the meantime; an error when what the invocation waits for is lost.
    fn publish_on(
        &mut self,
        topic: &Arc<Topic>,
        payload: &Payload,
        options: &PublishOptions,
    ) -> Option<Result<Position, TopicError>> {
        let mut state = topic.lock()?;
        // Before it has the message: when what it waits for is lost, the topic is among those that lose it.
        if self.holds.mark(topic) == Outcome::Lost {
            return Some(Err(TopicError::Gone));
        }
        let position = match state.publish(payload, options, &self.realm, &self.holds) {
            Published::Before(position) => {
                self.holds.add_all(&state.holds);
                return Some(Ok(position));
            }
            Published::New(position) => position,
        };
        self.realm.counters().published.incr();
        if state.pending.is_full() {
            state.flush(self.realm.counters(), &mut self.wakes);
            drop(state);
            self.wake();
        }
        Some(Ok(position))
    }
}
