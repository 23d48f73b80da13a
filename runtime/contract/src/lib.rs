//! The guest contract (`sdk/wit/app.wit`) as Rust types, so that the hub, the pool and both kinds of worker speak of
//! the same events without knowing each other.
//!
//! **Invariant:** plain values. Nothing here owns a socket, a clock or a lock.
//! **Absent on purpose:** wasmtime's bindings; `isolate` translates them.

use bytes::Bytes;
use bytestring::ByteString;

/// The largest attachment that a session keeps, in bytes.
pub const ATTACHMENT_BYTES_MAX: usize = 64 * 1024;
/// The longest text about a session that is present at a topic, in bytes.
pub const ABOUT_BYTES_MAX: usize = 1024;
/// The most events that one batch holds.
pub const BATCH_EVENTS_MAX: usize = 64;

/// One attached client. Never reused within a server's life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionId(pub u64);

/// What a WebSocket message carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// A text message: UTF-8 by construction.
    Text(ByteString),
    /// A binary message.
    Binary(Bytes),
}

impl Payload {
    /// The payload's length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the payload has no bytes; such a message is still a message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes as they go on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Payload::Text(text) => text.as_bytes(),
            Payload::Binary(bytes) => bytes,
        }
    }
}

/// A place in a topic's stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Which stream: drawn anew when a topic is made.
    pub epoch: u64,
    /// How many messages the stream had when this one was its newest; the first has 1.
    pub offset: u64,
}

/// One thing that happened on a session, as a guest is told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Whose event it is.
    pub session: SessionId,
    /// The session's attachment at the start of the batch.
    pub attachment: Bytes,
    /// What happened.
    pub kind: EventKind,
}

/// What happened on a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// The client connected.
    Opened(Box<Opened>),
    /// The client sent a message.
    Message {
        /// What it sent.
        payload: Payload,
        /// A worker was given it before and died before it began with it.
        redelivered: bool,
    },
    /// A timer that the guest set has run out.
    Timer {
        /// The timer's name.
        name: ByteString,
    },
    /// Another version of the app served the session until now.
    Resumed {
        /// That version.
        from_version: ByteString,
    },
    /// The client is gone.
    Closed {
        /// The close code of RFC 6455, 7.4.
        code: u16,
        /// The reason that came with it; often empty.
        reason: ByteString,
    },
}

/// How a client came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Opened {
    /// The path below the app, percent-encoding kept.
    pub path: String,
    /// The query without its `?`.
    pub query: String,
    /// The upgrade request's headers, in order; values that are not UTF-8 are left out.
    pub headers: Vec<(String, String)>,
    /// The client's address.
    pub peer: String,
    /// The subprotocols that it offered.
    pub subprotocols: Vec<String>,
}

/// What became of a message to one session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendStatus {
    /// It waits in the outbox.
    Queued,
    /// The outbox is full; the session is being closed.
    Full,
    /// No such session in the caller's namespace, or it is closing.
    Gone,
}

/// Why a topic refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TopicError {
    /// A name is 1 to 256 bytes without control characters.
    #[error("a topic's name is 1 to 256 bytes without control characters")]
    InvalidName,
    /// The message is larger than a topic takes.
    #[error("the message is larger than a topic takes")]
    TooLarge,
    /// The namespace, or the session, has as many topics as it may have.
    #[error("too many topics")]
    TooMany,
    /// The session is not attached, or not of this namespace.
    #[error("the session is gone")]
    Gone,
    /// The manifest does not grant this topic.
    #[error("the manifest does not grant this topic")]
    Denied,
}

/// How a message is published.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PublishOptions {
    /// A subscriber that is left out.
    pub except: Option<SessionId>,
    /// Keep the message for recovery.
    pub history: Option<Retention>,
    /// A second publication with this key is not made.
    pub idempotency_key: Option<String>,
    /// What becomes of it where a subscriber does not keep up.
    pub when_slow: WhenSlow,
}

/// What becomes of a message that still waits when there is no room for a later one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum WhenSlow {
    /// It stays, and the subscriber is closed and told to come back.
    #[default]
    Close,
    /// It is dropped, the oldest first.
    DropOldest,
    /// It is dropped if a later message of the topic has the same key.
    Conflate(String),
}

/// How much of a topic is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// At most so many messages.
    pub messages: u32,
    /// None older than this.
    pub seconds: u32,
}

/// What a topic kept since a position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Offset and payload, in order and without a gap.
    pub messages: Vec<(u64, Payload)>,
    /// Where to go on from.
    pub position: Position,
    /// More waits behind the limit.
    pub more: bool,
}

/// A session that is present at a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Present {
    /// Which.
    pub session: SessionId,
    /// What the app says about it.
    pub about: ByteString,
}

/// Who is present at a topic, or some of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// In the order of their ids.
    pub sessions: Vec<Present>,
    /// How many are present in all.
    pub count: u32,
    /// Counts the changes.
    pub version: u64,
}

/// Why recovery cannot give everything since a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Gap {
    /// The position names another stream.
    #[error("the topic is another stream than the one that the position names")]
    Epoch,
    /// Messages after the position were already dropped.
    #[error("messages after the position were already dropped")]
    Dropped,
}
