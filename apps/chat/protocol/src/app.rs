//! The app that each version is, but for its edition.

use rookery_sdk::{App, Error, IntoResponse, Json, Message, Opened, Request, Session};
use serde::Serialize;

use crate::command::Command;
use crate::frame;
use crate::handle::Chat;

/// The close code for a path where nobody listens: 4000 and the HTTP status.
const NO_SUCH_PATH: u16 = 4404;

/// What tells the versions apart.
#[derive(Clone, Copy, Debug)]
pub struct Edition {
    /// As it is served.
    pub version: &'static str,
    /// Whether rooms remember.
    pub history: History,
}

/// Whether rooms remember what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Who joins late missed it.
    Forgotten,
    /// The last 1000 messages of a room are kept, and the last 50 are shown to who joins.
    Kept,
}

#[derive(Serialize)]
struct Version {
    app: &'static str,
    version: &'static str,
}

/// Builds an edition of the chat.
pub fn app(edition: Edition) -> App {
    App::new()
        .get("/version", move |_: &mut Request| {
            Json(Version {
                app: "chat",
                version: edition.version,
            })
        })
        .get("/ws", not_upgraded)
        .on_open(open)
        .on_message(move |session: &mut Session, message: &Message| {
            receive(edition, session, message)
        })
        .on_timer(move |session: &mut Session, name: &str| {
            Chat::begin(edition, session)?.timer(name)
        })
        .on_close(move |session: &mut Session, _: &rookery_sdk::Closed| {
            Chat::begin(edition, session)?.disconnect()
        })
}

fn not_upgraded(_: &mut Request) -> impl IntoResponse + use<> {
    Error::bad_request("WebSocket upgrade failed")
}

fn open(session: &mut Session, opened: &Opened) {
    if opened.path != "/" && !opened.path.ends_with("/ws") {
        session.close(NO_SUCH_PATH, "Not found");
    }
}

/// Frames that are no commands are dropped without an answer, as the protocol has it.
fn receive(edition: Edition, session: &mut Session, message: &Message) -> Result<(), Error> {
    let text = message.lossy_text();
    let Some(command) = frame::parse(&text).and_then(Command::validate) else {
        return Ok(());
    };
    Chat::begin(edition, session)?.run(command)
}
