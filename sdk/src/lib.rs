//! What the author of a Rust app holds: routes, sessions, topics, a key-value bucket, SQL, granted settings
//! and the log.
//!
//! ```
//! use rookery_sdk::{App, Error, Message, Request, Response, Session, topic};
//!
//! fn app() -> App {
//!     App::new()
//!         .get("/hello/:name", hello)
//!         .on_open(|session: &mut Session, _: &rookery_sdk::Opened| session.subscribe("room"))
//!         .on_message(|_: &mut Session, message: &Message| topic("room").publish(&message.payload))
//! }
//!
//! fn hello(request: &mut Request) -> Result<Response, Error> {
//!     Ok(Response::text(format!("Hello, {}!", request.param("name"))))
//! }
//!
//! rookery_sdk::export!(app, sessions);
//!
//! let mut host = rookery_sdk::testing::Host::new(app());
//! assert_eq!(host.request(rookery_sdk::testing::Request::get("/hello/ada")).text(), "Hello, ada!");
//! ```
//!
//! An app is built twice from the same code: for `wasm32-wasip2`, where [`export!`] turns it into a component, and
//! natively, where [`testing::Host`] stands in for the server so that `cargo test` needs neither.
//!
//! **Invariant:** only `bindings` contains unsafe code, all of it generated from `wit/`.
//! **Absent on purpose:** an async runtime. The host enters an isolate with one call at a time, and what waits in there
//! (a slow reader, a sleep) suspends that isolate alone.
//!
//! # How an app is built
//!
//! `rookery build` compiles a bundle with `-C link-arg=-zstack-size=65536`. A fresh isolate costs as much as the memory
//! that has to be cleared for it, and Rust's default stack of 1 MiB more than halves the rate of requests. An app that is
//! built by hand wants the same in its `RUSTFLAGS`. 64 KiB is ample unless a function recurses or keeps large arrays in
//! its frame.

// What an app is.
mod app;
mod error;
mod life;

// What comes in.
mod headers;
mod percent;
mod query;
mod request;
mod route;

// What goes out.
mod respond;
mod response;
mod sse;
mod stream;

// Conversations.
mod deliver;
mod event;
mod presence;
mod session;
mod topic;

// What else the host offers.
mod clock;
pub mod config;
pub mod kv;
pub mod log;
pub mod password;
pub mod random;
pub mod sql;

// The two sides that an app is built for.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
mod export;
mod seam;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use app::App;
pub use clock::{now_ms, sleep};
pub use error::Error;
pub use event::{Closed, Message, Opened, Payload};
pub use headers::Headers;
pub use presence::{Present, Roster};
pub use query::Query;
pub use request::{Method, Request};
pub use respond::{IntoResponse, Json};
pub use response::Response;
pub use session::{AttachError, Outcome, SendStatus, Session, SessionId};
pub use sse::{SseEvent, SseWriter};
pub use stream::{BodyReader, BodyWriter};
pub use topic::{Gap, Kept, Page, Position, Topic, TopicError, topic};
