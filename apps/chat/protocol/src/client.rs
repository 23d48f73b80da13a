//! What the chat knows of one client: its session's attachment.
//!
//! **Invariant:** every field has a default, so that versions of chat@1 read each other's attachments.

use serde::{Deserialize, Serialize};

use crate::command::Status;
use crate::rate::Window;

/// One connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Client {
    pub(crate) user: Option<User>,
    pub(crate) seat: Option<Seat>,
    pub(crate) window: Window,
    pub(crate) status: Status,
    pub(crate) typing: bool,
}

/// Who logged in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) id: String,
}

/// The room that a client is in; at most one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seat {
    /// The room's name.
    pub(crate) room: String,
    /// Which room of that name: see `rooms`.
    pub(crate) key: String,
}
