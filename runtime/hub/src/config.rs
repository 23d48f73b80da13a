//! The hub's bounds. Every queue and every table has one.

use std::time::Duration;

/// What the operator bounds for all namespaces. Sizes are bytes.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Topics that one namespace may have at a time.
    pub topics_max: usize,
    /// Topics that one session may subscribe to.
    pub session_topics_max: usize,
    /// The largest message that a guest sends or publishes.
    pub message_bytes_max: usize,
    /// Timers that one session may have waiting.
    pub session_timers_max: usize,
    /// What one topic keeps for recovery.
    pub history_bytes_max: usize,
    /// What all topics of a namespace keep for recovery, together. Beyond it a topic that keeps one more drops its own oldest.
    pub namespace_history_bytes_max: usize,
    /// Messages that one topic keeps for recovery.
    pub history_messages_max: u32,
    /// How long a topic keeps a message for recovery.
    pub history_age_max: Duration,
    /// Messages that one page of a recovery holds.
    pub page_messages_max: u32,
    /// Idempotency keys that one topic remembers; the oldest goes first.
    pub idempotency_keys_max: usize,
    /// What the keys of all topics of a namespace take. Beyond it a topic remembers its newest key and no other.
    pub namespace_keys_bytes_max: usize,
    /// How long a topic's members are not woken again after they were, for each of them beyond sixteen: what a busy room
    /// saves by fewer and larger writes, and its messages wait for at most. Zero wakes them for each message.
    pub rest_per_member: Duration,
    /// How long changes of who is present at a topic are gathered before its subscribers are told.
    pub presence_interval: Duration,
}

impl Default for HubConfig {
    fn default() -> HubConfig {
        HubConfig {
            topics_max: 100_000,
            session_topics_max: 1_000,
            message_bytes_max: 16 * 1024 * 1024,
            session_timers_max: 32,
            history_bytes_max: 4 * 1024 * 1024,
            namespace_history_bytes_max: 256 * 1024 * 1024,
            history_messages_max: 10_000,
            history_age_max: Duration::from_secs(24 * 60 * 60),
            page_messages_max: 1_000,
            idempotency_keys_max: 1_024,
            namespace_keys_bytes_max: 64 * 1024 * 1024,
            rest_per_member: Duration::from_micros(32),
            presence_interval: Duration::from_millis(500),
        }
    }
}

/// What the manifest bounds for each session of an app. Sizes are bytes.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Encoded frames that may wait for the client. A single frame is taken by an empty outbox whatever its size.
    pub outbox_bytes: usize,
    /// Messages of the client that may wait for the guest.
    pub inbox_events: usize,
    /// Bytes of messages that may wait for the guest. A single message is taken by an empty inbox whatever its size.
    pub inbox_bytes: usize,
}

impl Default for SessionLimits {
    fn default() -> SessionLimits {
        SessionLimits {
            outbox_bytes: 1024 * 1024,
            inbox_events: 64,
            inbox_bytes: 1024 * 1024,
        }
    }
}
