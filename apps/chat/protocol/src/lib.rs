//! What the versions of chat@1 share: the PubSub chat's frames, their validation, and the rooms.
//!
//! A client sends `{"type":"publish","channel":<event>,"payload":{…}}` and receives `{"type":"message",…}`. An answer
//! does not name its request; clients match by event.
//!
//! **Invariant:** nothing that matters lives in an isolate. A client's own state is its session's attachment, what it
//! shares with others is in the namespace's bucket, and a room's broadcasts go through the room's topic.
//! **Invariant:** versions read each other's state. A field is added with a default and never changes its meaning.
//! **Invariant:** a payload is the seed's, in every version. What a version adds stands beside it in the frame, or in frames
//! that only those get who ask for them.
//! **Absent on purpose:** the seed's relay of raw frames, which let anyone read passwords and forge messages.

// From a frame to what it asks for.
mod app;
mod command;
mod frame;
mod handle;

// What is kept.
mod addresses;
mod asked;
mod client;
mod history;
mod members;
mod rate;
mod rooms;
mod tokens;
mod typing;

// What is answered.
mod id;
mod reply;

#[cfg(test)]
mod transcript;

pub use app::{Edition, Extras, app};
