//! WebSockets: the host keeps them, the guests only hear of them.
//!
//! A worker that speaks WebSocket itself, and an upstream behind a proxy rule, is joined to the client by a tunnel, and
//! nothing below happens. Else:
//!
//! accept (the handshake) → attach (a session in the hub) → wire (reads frames into the inbox, writes the outbox) and,
//! beside it, deliver (events from the inboxes to the guests, in batches).

mod accept;
mod attach;
mod berth;
mod deliver;
mod foresight;
mod parting;
mod retire;
mod tap;
mod tunnel;
mod wire;

pub(crate) use accept::{accept, check, upgrade};
use attach::client;
pub(crate) use berth::{Asked, Berth};
pub(crate) use deliver::start as deliver;
pub(crate) use retire::{linger, outlive, retire};
pub(crate) use tunnel::{Tunnel, to_worker};
