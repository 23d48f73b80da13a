//! Chat 1: requests as frames, and frames as what was heard.
//!
//! **Invariant:** what was heard is clean: no text of others comes past this module with a control character in it.
//! **Invariant:** a frame that is not understood is nothing. A newer server may say more.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clean;

/// A text's most, in UTF-16 code units.
pub const TEXT_UNITS_MAX: usize = 2_000;
/// A user name's most, in UTF-16 code units.
pub const NAME_UNITS_MAX: usize = 50;
/// A page of history has so many messages at most.
pub const PAGE_MAX: usize = 100;

/// What one asks a server for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// To be known by this name.
    Login(String),
    /// To be nobody.
    Logout,
    /// A room of this name and description.
    Create(String, Option<String>),
    /// All rooms.
    List,
    /// To be in this room.
    Join {
        /// The room.
        room: String,
        /// Our name.
        name: String,
        /// From where on to tell what was missed. A server that knows no positions takes no notice.
        since: Option<String>,
    },
    /// To be in this room no longer.
    Leave(String),
    /// To say this in a room.
    Say {
        /// The room.
        room: String,
        /// What is said.
        text: String,
    },
    /// What was said in a room.
    History {
        /// The room.
        room: String,
        /// So many messages at most, 1 to 100.
        limit: usize,
        /// Only older ones than this, in epoch milliseconds.
        before: Option<u64>,
    },
    /// What was said in a room from a position on.
    Recover {
        /// The room.
        room: String,
        /// The position.
        since: String,
    },
    /// To be seen typing.
    TypingStart(String),
    /// To be seen typing no longer.
    TypingStop(String),
    /// To be seen as this.
    Presence(Status),
}

/// What a user is seen as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There.
    Online,
    /// Not looking.
    Away,
    /// Not to be disturbed.
    Dnd,
    /// Gone. The first server's own schema has it, though nobody sends it.
    Offline,
}

/// A message of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Unique in a room.
    pub id: String,
    /// What was said.
    pub text: String,
    /// By whom.
    pub username: String,
    /// When, in epoch milliseconds. Strictly increasing in a room.
    pub timestamp: u64,
}

/// A room of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Its name.
    pub id: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many are in it.
    pub user_count: u64,
}

/// What a server said.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// We are known by this name now.
    LoggedIn(String),
    /// An error of the account, or any other.
    Error {
        /// For programs.
        code: String,
        /// For people.
        message: String,
        /// The request that it answers, where the server names them.
        request: Option<String>,
    },
    /// A room was made for us.
    Created(String),
    /// The rooms there are.
    Rooms(Vec<Room>),
    /// We are in a room.
    Joined {
        /// The room.
        room: String,
        /// Who is in it, ourselves too.
        people: Vec<String>,
        /// The last that was said, oldest first.
        recent: Vec<Message>,
        /// What the people are seen as, in their order, as far as it is known.
        statuses: Vec<Option<Status>>,
        /// Where one goes on after this, where the server knows positions.
        position: Option<String>,
    },
    /// A page of what was missed, oldest first.
    Recovered {
        /// The room.
        room: String,
        /// The messages.
        messages: Vec<Message>,
        /// Whether there is another page.
        has_more: bool,
        /// False when the server does not know any more what was said since the position; then there are no messages.
        complete: bool,
        /// Where the next page begins, or where one goes on when there is none.
        position: Option<String>,
    },
    /// Somebody came into a room.
    Came(String, String),
    /// Somebody left a room.
    Went(String, String),
    /// Somebody said something in a room.
    Said {
        /// The room.
        room: String,
        /// What was said.
        message: Message,
        /// The request by which it was said, where the server names them.
        request: Option<String>,
        /// Where one goes on after this, where the server knows positions.
        position: Option<String>,
    },
    /// A page of what was said, oldest first.
    Page {
        /// The room.
        room: String,
        /// The messages.
        messages: Vec<Message>,
        /// Whether there is more before it.
        has_more: bool,
    },
    /// Who is typing in a room.
    Typing(String, Vec<String>),
    /// Somebody is seen as this now.
    Presence(String, Status),
    /// We ask for too much, or soon will.
    Rate {
        /// Requests that are left.
        remaining: u32,
        /// When the count begins anew, by the server's clock.
        reset_ms: u64,
        /// For people.
        message: String,
    },
}

impl Ask {
    /// The frame. The id names the message and, where the server goes beyond the first one, the request.
    pub fn frame(&self, id: &str) -> String {
        let (channel, payload) = self.parts();
        json!({
            "type": "publish", "channel": channel, "payload": payload, "messageId": id,
            "metadata": { "eventName": channel }, "requestId": id,
        })
        .to_string()
    }

    fn parts(&self) -> (&'static str, Value) {
        match self {
            Ask::Login(name) => ("auth.login", json!({ "username": name })),
            Ask::Logout => ("auth.logout", json!({})),
            Ask::Create(room, None) => ("room.create", json!({ "roomId": room })),
            Ask::Create(room, Some(text)) => (
                "room.create",
                json!({ "roomId": room, "description": text }),
            ),
            Ask::List => ("room.list", json!({})),
            Ask::Join {
                room,
                name,
                since: None,
            } => ("room.join", json!({ "roomId": room, "username": name })),
            Ask::Join { room, name, since } => (
                "room.join",
                json!({ "roomId": room, "username": name, "since": since }),
            ),
            Ask::Recover { room, since } => (
                "message.recover",
                json!({ "roomId": room, "since": since, "limit": PAGE_MAX }),
            ),
            Ask::Leave(room) => ("room.leave", json!({ "roomId": room })),
            Ask::Say { room, text } => ("message.send", json!({ "text": text, "roomId": room })),
            Ask::History {
                room,
                limit,
                before: None,
            } => ("message.history", json!({ "roomId": room, "limit": limit })),
            Ask::History {
                room,
                limit,
                before,
            } => (
                "message.history",
                json!({ "roomId": room, "limit": limit, "before": before }),
            ),
            Ask::TypingStart(room) => ("typing.start", json!({ "roomId": room })),
            Ask::TypingStop(room) => ("typing.stop", json!({ "roomId": room })),
            Ask::Presence(status) => ("presence.update", json!({ "status": status })),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    r#type: String,
    channel: String,
    payload: Value,
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    position: Option<String>,
    // What a newer server may say is no reason to understand nothing.
    #[serde(default)]
    statuses: Vec<Value>,
}

/// Any payload: each event has some of these.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Payload {
    room_id: String,
    username: String,
    id: String,
    text: String,
    timestamp: u64,
    code: String,
    message: String,
    users: Vec<String>,
    users_typing: Vec<String>,
    rooms: Vec<Room>,
    recent_messages: Vec<Message>,
    messages: Vec<Message>,
    has_more: bool,
    complete: bool,
    status: Option<Status>,
    remaining: u32,
    reset_time: u64,
}

/// What a frame says, if it says anything.
pub fn parse(frame: &str) -> Option<Heard> {
    let envelope: Envelope = serde_json::from_str(frame).ok()?;
    if envelope.r#type != "message" {
        return None;
    }
    let payload: Payload = serde_json::from_value(envelope.payload).ok()?;
    let room = clean::name(&payload.room_id);
    let name = clean::name(&payload.username);
    Some(match envelope.channel.as_str() {
        "auth.success" => Heard::LoggedIn(name),
        "auth.error" | "error" => Heard::Error {
            code: clean::name(&payload.code),
            message: clean::name(&payload.message),
            request: envelope.request_id,
        },
        "room.created" => Heard::Created(room),
        "room.list" => Heard::Rooms(payload.rooms.into_iter().map(clean_room).collect()),
        "room.joined" => Heard::Joined {
            room,
            people: clean_names(payload.users),
            recent: clean_messages(payload.recent_messages),
            statuses: envelope
                .statuses
                .into_iter()
                .map(|status| serde_json::from_value(status).ok())
                .collect(),
            position: envelope.position,
        },
        "message.recovered" => Heard::Recovered {
            room,
            messages: clean_messages(payload.messages),
            has_more: payload.has_more,
            complete: payload.complete,
            position: envelope.position,
        },
        "room.userJoined" => Heard::Came(room, name),
        "room.userLeft" => Heard::Went(room, name),
        "message.received" => Heard::Said {
            room,
            message: clean_message(Message {
                id: payload.id,
                text: payload.text,
                username: payload.username,
                timestamp: payload.timestamp,
            }),
            request: envelope.request_id,
            position: envelope.position,
        },
        "message.history" => Heard::Page {
            room,
            messages: clean_messages(payload.messages),
            has_more: payload.has_more,
        },
        "typing.update" => Heard::Typing(room, clean_names(payload.users_typing)),
        "presence.update" => Heard::Presence(name, payload.status?),
        "rateLimit.warning" => Heard::Rate {
            remaining: payload.remaining,
            reset_ms: payload.reset_time,
            message: clean::name(&payload.message),
        },
        _ => return None,
    })
}

fn clean_names(names: Vec<String>) -> Vec<String> {
    names.iter().map(|name| clean::name(name)).collect()
}

fn clean_messages(messages: Vec<Message>) -> Vec<Message> {
    messages.into_iter().map(clean_message).collect()
}

fn clean_message(message: Message) -> Message {
    Message {
        id: clean::name(&message.id),
        text: clean::message(&message.text),
        username: clean::name(&message.username),
        timestamp: message.timestamp,
    }
}

fn clean_room(room: Room) -> Room {
    Room {
        id: clean::name(&room.id),
        description: room.description.map(|text| clean::name(&text)),
        user_count: room.user_count,
    }
}

#[cfg(test)]
mod tests;
