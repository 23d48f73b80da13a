//! Servers behind the proxy: dial, ask, tunnel.
//!
//! `send` is the way of a request: a connection of the target's that rests, or a new one; the head of the answer; a body
//! that streams and gives the connection back at its end. `tunnel` is the way of a WebSocket: a connection of its own,
//! the handshake passed on as it is, and from then on bytes in both directions.
//!
//! **Invariant:** a connection carries one HTTP/1.1 exchange at a time, and is used again only after the exchange before
//! it came to its end on both sides.
//! **Invariant:** dropping the future or the body of an exchange ends it at the upstream, too.
//! **Absent on purpose:** rules, what a request says of its client, status codes of failures: all of that is the
//! gateway's. Redirects, caches, cookies and decompression: an answer passes as it is.

mod target;

mod config;

mod upstreams;

mod send;

mod again;

mod origin;

mod wire;

mod dial;

mod tls;

mod stream;

mod fields;

mod body;

pub mod tunnel;

mod error;

pub use body::{Body, BodyError};
pub use config::{Timeouts, UpstreamConfig};
pub use error::{Unanswered, UpstreamError};
pub use fields::{end_to_end, of_request};
pub use target::{Target, Verify};
pub use tunnel::{Accepted, Dialled};
pub use upstreams::{Upstream, Upstreams};
