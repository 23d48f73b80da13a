//! WebSockets: the host keeps them, the guests only hear of them.
//!
//! accept (the handshake) → attach (a session in the hub) → wire (reads frames into the inbox, writes the outbox) and,
//! beside it, deliver (events from the inboxes to the guests, in batches).

mod accept;
mod attach;
mod berth;
mod deliver;
mod retire;
mod tap;
mod wire;

pub(crate) use accept::{accept, upgrade};
pub(crate) use berth::{Asked, Berth};
pub(crate) use deliver::start as deliver;
pub(crate) use retire::retire;
