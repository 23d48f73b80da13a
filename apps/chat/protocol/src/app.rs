//! The app that each version is, but for its edition.

use rookery_sdk::{App, Error, IntoResponse, Json, Message, Opened, Request, Session, config};
use serde::Serialize;

use crate::client::Client;
use crate::command::Command;
use crate::frame;
use crate::handle::Chat;

/// The close code for a path where nobody listens: 4000 and the HTTP status.
const NO_SUCH_PATH: u16 = 4404;
/// The one for a page of somebody else's.
const FORBIDDEN: u16 = 4403;
/// The setting with the origins of pages that may connect, separated by commas or blanks. Without it, all may.
const ORIGINS: &str = "CHAT_ORIGINS";

/// A longer frame is not looked at. The longest request is a third of it, with everything in it escaped.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

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
    /// A request that carries a `requestId` has it echoed in its answers, and is told why nothing came of it. Frames have
    /// positions, from which on a client is told what it missed. Origins and the rate of requests are limited.
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
        .on_open(move |session: &mut Session, opened: &Opened| open(edition, session, opened))
        .on_message(move |session: &mut Session, message: &Message| {
            receive(edition, session, message)
        })
        .on_timer(move |session: &mut Session, name: &str| {
            Chat::begin(session, edition.extras)?.timer(name)
        })
        .on_close(move |session: &mut Session, _: &rookery_sdk::Closed| {
            Chat::begin(session, edition.extras)?.disconnect()
        })
}

fn not_upgraded(_: &mut Request) -> impl IntoResponse + use<> {
    Error::bad_request("WebSocket upgrade failed")
}

fn open(edition: Edition, session: &mut Session, opened: &Opened) -> Result<(), Error> {
    if opened.path != "/" && !opened.path.ends_with("/ws") {
        session.close(NO_SUCH_PATH, "Not found");
        return Ok(());
    }
    if edition.extras == Extras::Offered && !may_come(opened.header("origin"))? {
        session.close(FORBIDDEN, "Origin not allowed");
        return Ok(());
    }
    // By every edition: the next one to serve the session limits by it.
    session.set_state(&Client::from(opened.peer.clone()))
}

/// A browser names the page that connects. Who is no browser names none, and could name any.
fn may_come(origin: Option<&str>) -> Result<bool, Error> {
    let (Some(origin), Some(allowed)) = (origin, config::get(ORIGINS)?) else {
        return Ok(true);
    };
    let mut allowed = allowed.split([',', ' ']).filter(|known| !known.is_empty());
    Ok(allowed.any(|known| known.trim_end_matches('/').eq_ignore_ascii_case(origin)))
}

/// Frames that are no commands are dropped without an answer, as the protocol has it, unless they name a request. They cost
/// a token like any other.
fn receive(edition: Edition, session: &mut Session, message: &Message) -> Result<(), Error> {
    let mut chat = Chat::begin(session, edition.extras)?;
    let admitted = chat.admit()?;
    let publish = match message.bytes().len() {
        0..=REQUEST_BYTES_MAX => frame::parse(&message.lossy_text()),
        _ => None,
    };
    let Some(mut publish) = publish else {
        return chat.ignore();
    };
    let request = match edition.extras {
        Extras::None => None,
        Extras::Offered => publish.request_id.take(),
    };
    let chat = chat.of_request(request);
    if let Err(empty) = admitted {
        return chat.refuse_flood(empty);
    }
    let channel = publish.channel.clone();
    match Command::validate(publish, edition.extras) {
        Some(command) => chat.run(command),
        None => chat.refuse_invalid(&channel),
    }
}
