//! A real server on a real port, and clients that speak to it: what the integration tests stand on.
//!
//! **Invariant:** a server and all it wrote are gone when its test ends, however it ends; what it logged is printed when
//! the test failed.
//! **Invariant:** nothing waits for a fixed time. A test waits for what it expects, and gives up after [`PATIENCE`].

// A harness fails by panicking: that is how a test says what was expected and did not come.
#![allow(clippy::unwrap_used)]

mod wait;

mod place;

mod bundle;

mod apps;

mod guests;

mod log;

mod server;

mod http_client;

mod upload;

mod raw;

mod events;

mod ws;

mod frames;

mod idle;

mod upgrades;

pub use apps::Apps;
pub use bundle::Bundle;
pub use events::Events;
pub use frames::{Frame, RawSession};
pub use guests::{build_bundles, foreign, kitchen};
pub use http_client::{Answer, Call, Reading, Versions};
pub use idle::{IdleReport, idle_sessions};
pub use place::{binary, installed, repository, rookery};
pub use raw::Raw;
pub use server::{Options, Server};
pub use upgrades::{Sequence, Upgrades, UpgradesReport};
pub use upload::Upload;
pub use wait::{PATIENCE, until, within};
pub use ws::{Closed, Connect, Ws};
