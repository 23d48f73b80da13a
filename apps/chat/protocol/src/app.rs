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
    /// What it offers beyond the seed.
    pub extras: Extras,
}

/// What an edition offers beyond the seed. A client of the seed notices nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extras {
    /// Exactly the seed's features.
    None,
    /// A request that carries a `requestId` has it echoed in its answers, and is told when it is not valid.
    Offered,
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
        .on_timer(|session: &mut Session, name: &str| Chat::begin(session)?.timer(name))
        .on_close(|session: &mut Session, _: &rookery_sdk::Closed| {
            Chat::begin(session)?.disconnect()
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

/// Frames that are no commands are dropped without an answer, as the protocol has it, unless they name a request.
fn receive(edition: Edition, session: &mut Session, message: &Message) -> Result<(), Error> {
    let text = message.lossy_text();
    let Some(mut publish) = frame::parse(&text) else {
        return Ok(());
    };
    let request = match edition.extras {
        Extras::None => None,
        Extras::Offered => publish.request_id.take(),
    };
    let channel = publish.channel.clone();
    match Command::validate(publish) {
        Some(command) => Chat::begin(session)?.of_request(request).run(command),
        // Silence is what clients of the seed expect. Who names a request asks to be told.
        None if request.is_some() => Chat::begin(session)?
            .of_request(request)
            .refuse_invalid(&channel),
        None => Ok(()),
    }
}
