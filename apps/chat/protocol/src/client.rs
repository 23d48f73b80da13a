//! What the chat knows of one client: its session's attachment.
//!
//! **Invariant:** every field has a default, so that versions of chat@1 read each other's attachments.

use serde::{Deserialize, Serialize};

use crate::command::Status;
use crate::rate::Window;
use crate::tokens::Tokens;

/// One connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Client {
    pub(crate) user: Option<User>,
    pub(crate) seat: Option<Seat>,
    pub(crate) window: Window,
    pub(crate) status: Status,
    pub(crate) typing: bool,
    /// Whence it came; absent for what was opened before this was noted.
    pub(crate) address: Option<String>,
    /// What it may ask for, and how much of that its address has granted already.
    pub(crate) tokens: Tokens,
    pub(crate) granted: u32,
}

impl Client {
    /// One that came from this address, and did nothing yet.
    pub(crate) fn from(address: String) -> Client {
        Client {
            address: Some(address),
            ..Client::default()
        }
    }
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
