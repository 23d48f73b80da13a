//! Where connections come in: HTTP, static files, workers, WebSockets.
//!
//! Read `handle` first: it is the whole way of a request.
//!
//! **Invariant:** status codes and headers of failures are decided in `respond` alone.
//! **Invariant:** the sockets of WebSocket clients stay here; guests only hear of them through the hub.
//! **Absent on purpose:** wasm, databases, child processes. A worker is whatever the pool leases.

mod listener;
mod connection;
mod handle;
mod exchange;
mod site;
mod static_files;
mod worker;
mod body;
mod ws;
mod root;
mod respond;
mod gateway;
mod config;
mod error;

pub use config::{Disclosure, GatewayConfig};
pub use gateway::{Gateway, Internal, Neighbours};
