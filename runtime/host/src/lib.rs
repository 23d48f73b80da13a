//! The only door between a guest and the machine.
//!
//! Both kinds of worker hand the calls of their guests to a [`Guest`], so that a permission is checked in one place.
//!
//! **Invariant:** a guest reaches the sessions, topics and keys of its own namespace, and of the environment only the
//! names that its manifest was granted.
//! **Absent on purpose:** wasm types, processes, HTTP.

mod effects;
mod guest;
mod hub;
mod keys;
mod log;
mod outgoing;
mod password;
mod sql;

pub use effects::Effects;
pub use guest::{Guest, Services};
pub use hub::GuestHub;
pub use log::{LineSplitter, Stream};
pub use outgoing::{Held, Outgoing};
pub use password::{PASSWORD_BYTES_MAX, PasswordError, Passwords};
pub use sql::GuestSql;
