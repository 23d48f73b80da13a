//! A scripted host: an app runs in a unit test as it does in the server, minus the server.
//!
//! ```
//! use rookery_sdk::{App, Message, Session, testing};
//!
//! let app = App::new().on_message(|session: &mut Session, message: &Message| {
//!     session.send(message.payload.clone());
//! });
//! let host = testing::Host::new(app);
//! let ada = host.open("/ws?name=ada");
//! ada.text("hello");
//! assert_eq!(ada.frames(), ["hello"]);
//! ```
//!
//! **Invariant:** nothing happens by itself. Time stands still until [`Host::advance`], randomness comes from a fixed
//! seed, and an event is delivered by the call that causes it.
//! **Absent on purpose:** limits that depend on speed. An outbox never fills up here.

mod answer;
mod client;
mod host;
mod rosters;
pub(crate) mod seam;
mod store;
mod topics;
mod world;

pub use answer::{Answer, Request};
pub use client::Client;
pub use host::Host;
