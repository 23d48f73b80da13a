//! Named streams that sessions subscribe to.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Error, Payload, Roster, SessionId, seam};

/// A place in a topic's stream. Positions of different epochs belong to different streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which stream.
    pub epoch: u64,
    /// How many messages the stream had when this one was its newest; the first has 1.
    pub offset: u64,
}

/// Why a topic refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicError {
    /// A name is 1 to 256 bytes without control characters.
    InvalidName,
    /// The message is larger than a topic takes.
    TooLarge,
    /// The namespace, or the session, has as many topics as it may have.
    TooMany,
    /// The session is not attached.
    Gone,
    /// The manifest does not grant this topic.
    Denied,
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TopicError::InvalidName => {
                "a topic's name is 1 to 256 bytes without control characters"
            }
            TopicError::TooLarge => "the message is larger than a topic takes",
            TopicError::TooMany => "too many topics",
            TopicError::Gone => "the session is gone",
            TopicError::Denied => "the manifest does not grant this topic",
        })
    }
}

impl std::error::Error for TopicError {}

/// Why a topic cannot give everything since a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The topic is another stream than the one that the position names.
    Epoch,
    /// Messages after the position were already dropped.
    Dropped,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gap::Epoch => "the topic is another stream than the one that the position names",
            Gap::Dropped => "messages after the position were already dropped",
        })
    }
}

impl std::error::Error for Gap {}

/// A message that a topic kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its place in the stream.
    pub offset: u64,
    /// What it carries.
    pub payload: Payload,
}

/// What a topic kept since a position, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The messages in order.
    pub messages: Vec<Kept>,
    /// Where to go on from.
    pub position: Position,
    /// More waits behind the limit.
    pub more: bool,
}

/// How a message is published, as the host takes it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PublishOptions<'a> {
    pub(crate) except: Option<SessionId>,
    /// Messages and seconds.
    pub(crate) keep: Option<(u32, u32)>,
    pub(crate) key: Option<&'a str>,
    pub(crate) conflate: Option<&'a str>,
}

/// The topic of this name, in the app's namespace.
pub fn topic(name: &str) -> Topic<'_> {
    Topic {
        name,
        options: PublishOptions::default(),
    }
}

/// A topic, and how the next message to it is published.
#[derive(Clone, Copy, Debug)]
pub struct Topic<'a> {
    name: &'a str,
    options: PublishOptions<'a>,
}

impl<'a> Topic<'a> {
    /// Leaves out one subscriber, usually the sender.
    #[must_use]
    pub fn except(mut self, session: SessionId) -> Topic<'a> {
        self.options.except = Some(session);
        self
    }

    /// Keeps the message and those before it for [`Topic::recover`]: at most so many, none older than this.
    #[must_use]
    pub fn keep(mut self, messages: u32, age: Duration) -> Topic<'a> {
        let seconds = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
        self.options.keep = Some((messages, seconds));
        self
    }

    /// Makes a second publication with the same key, within five minutes, answer the first one's position instead.
    #[must_use]
    pub fn once(mut self, key: &'a str) -> Topic<'a> {
        self.options.key = Some(key);
        self
    }

    /// Says what the message tells of, in at most 256 bytes: where a subscriber does not keep up, a later message of this
    /// key takes its place. For what is out of date when there is something newer, such as a price.
    #[must_use]
    pub fn conflate(mut self, key: &'a str) -> Topic<'a> {
        self.options.conflate = Some(key);
        self
    }

    /// Delivers a message to every subscriber.
    pub fn publish(self, payload: &Payload) -> Result<Position, TopicError> {
        seam::hub::publish(self.name, payload, &self.options)
    }

    /// Delivers text to every subscriber.
    pub fn publish_text(self, text: impl Into<String>) -> Result<Position, TopicError> {
        self.publish(&Payload::Text(text.into()))
    }

    /// Delivers JSON to every subscriber, as text.
    pub fn publish_json(self, value: &impl Serialize) -> Result<Position, Error> {
        Ok(self.publish_text(serde_json::to_string(value)?)?)
    }

    /// How many sessions are subscribed.
    pub fn subscribers(self) -> u32 {
        seam::hub::subscribers(self.name)
    }

    /// Who is present, in the order of their ids: those after one of them, at most `sessions_max` (1 to 1,000).
    pub fn present(self, after: Option<SessionId>, sessions_max: u32) -> Roster {
        seam::hub::list(self.name, after, sessions_max)
    }

    /// Every message after a position, up to `messages_max` (at least 1), or the news that some are missing.
    pub fn recover(self, since: Position, messages_max: u32) -> Result<Page, Gap> {
        seam::hub::recover(self.name, since, messages_max)
    }
}
