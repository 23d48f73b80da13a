//! Where connections come in: HTTP, static files, workers, WebSockets.
//!
//! Read `handle` first: it is the whole way of a request.
//!
//! **Invariant:** status codes and headers of failures are decided in `respond` alone.
//! **Invariant:** the sockets of WebSocket clients stay here; guests only hear of them through the hub.
//! **Absent on purpose:** wasm, databases, child processes. A worker is whatever the pool leases.

mod body;
mod client;
mod config;
mod connection;
mod error;
mod exchange;
mod gateway;
mod handle;
mod health;
mod listener;
mod members;
mod proxy;
mod respond;
mod rollout;
mod root;
mod side_door;
mod site;
mod sites;
mod static_files;
mod trial;
mod worker;
mod ws;

pub use client::{thread_rests, thread_wakes};
pub use config::{Disclosure, GatewayConfig};
pub use gateway::{Gateway, Internal, Neighbours};
pub use proxy::RuleSnapshot;
pub use side_door::{SIDE_DOOR_CONNECTIONS_MAX, SideDoor};
pub use trial::Moves;
