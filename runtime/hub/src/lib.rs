//! Sessions, topics and fan-out: what lies between the clients' sockets and the guests.
//!
//! The way of a client's message: `Session::push_message` → `inbox` → `ready` → a `batch` → the guest.
//! The way of a published message: `Publisher::publish` → the topic's `pending` buffer → `fanout` → `outbox` → the socket.
//! It is encoded once, and every subscriber is given the same bytes.
//!
//! **Guarantees.**
//! * In: a session's events reach the guest in order, in at most one batch at a time. An event is given again only when
//!   the worker died before it began with it. The event that the guest died of is not, and its session closes with 1011;
//!   but when nothing came of it, and the session is another revision's by then, that one is given it, once.
//! * Out: a session that keeps up gets every message of its topics, each topic's in publish order, from the subscription on.
//!   One that does not loses what its app marked as such, oldest or outdated first, each drop counted; when that is not
//!   enough it is closed with 3001.
//! * Presence: after the news of the last change, whoever applied them since a list knows exactly who is there.
//! * Recovery: everything since a position, or the news that there is a gap.
//!
//! **Lock order**, left before right, none ever held across an await: a session's `subscriptions` → a shard of topics → a
//! topic → an `outbox`, an `inbox`; `subscriptions` → timers → the ready queue → an `inbox`; the wheel of news is locked alone, and that of paces last. No two locks of one kind are held at once.
//!
//! **Invariant:** what waits, waits in something bounded: messages in an inbox, frames in an outbox, pending bytes in a
//! topic, kept messages, keys, timers, topics.
//! **Absent on purpose:** sockets, workers and wasm. Nothing here waits for a guest or for a client.

mod config;
mod error;

mod attach;
mod batch;
mod inbox;
mod ready;
mod session;

mod fanout;
mod history;
mod hold;
mod idempotency;
mod mark;
mod pace;
mod pending;
mod publish;
mod publisher;
mod subscribe;
mod topic;

mod beat;
mod presence;

pub mod close;
pub mod frame;
mod outbox;
mod waking;

mod counters;
mod hub;
mod realm;
mod sharded;
mod snapshot;
mod stock;
mod timer;

pub use crate::attach::{Arrival, Attach, Attached};
pub use crate::batch::{Batch, EventsDone, Toll};
pub use crate::close::{CloseCode, CloseFrame};
pub use crate::config::{HubConfig, SessionLimits};
pub use crate::error::Refusal;
pub use crate::hold::{Hold, Keeper, Outcome};
pub use crate::hub::Hub;
pub use crate::inbox::Received;
pub use crate::publisher::{AUTO_REPLY_BYTES_MAX, Publisher};
pub use crate::ready::{BATCH_BYTES_MAX, ReadyQueue};
pub use crate::session::Session;
pub use crate::snapshot::{HubSnapshot, NamespaceSnapshot, RealmSnapshot};
pub use crate::timer::TIMER_NAME_BYTES_MAX;
pub use crate::topic::TOPIC_NAME_BYTES_MAX;
