//! What a user who reads lines is shown: as text, or as JSON.
//!
//! **Invariant:** an event is one line of JSON. In text, only the first line of a message begins at the margin, so that
//! nobody forges another's.

use serde_json::{Value, json};

use crate::clock::Zone;
use crate::model::Told;
use crate::protocol::v1::Status;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Plain,
    /// For programs.
    Json,
}

/// An event as a line, or several.
pub fn line(form: Form, told: &Told, zone: Zone) -> String {
    match form {
        Form::Plain => plain(told, zone),
        Form::Json => json_of(told).to_string(),
    }
}

fn plain(told: &Told, zone: Zone) -> String {
    match told {
        Told::Said { message, .. } => format!(
            "[{}] {}: {}",
            zone.time(message.timestamp),
            message.username,
            message.text.replace('\n', "\n    ")
        ),
        Told::Entered { room, people } => format!("* in {room} with {}", people.join(", ")),
        Told::Came(_, name) => format!("* {name} came"),
        Told::Went(_, name) => format!("* {name} left"),
        Told::Presence(name, status) => format!("* {name} is {}", word(*status)),
        Told::Rooms(rooms) => {
            let lines = rooms.iter().map(|room| {
                let what = room.description.as_deref().unwrap_or_default();
                format!("* {} ({}) {what}", room.id, room.user_count)
                    .trim_end()
                    .to_owned()
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Told::Notice(text) => format!("* {text}"),
        Told::Problem(text) => format!("! {text}"),
    }
}

fn json_of(told: &Told) -> Value {
    match told {
        Told::Said { room, message } => json!({
            "event": "message", "room": room, "id": message.id, "username": message.username,
            "text": message.text, "timestamp": message.timestamp,
        }),
        Told::Entered { room, people } => {
            json!({ "event": "joined", "room": room, "users": people })
        }
        Told::Came(room, name) => json!({ "event": "came", "room": room, "username": name }),
        Told::Went(room, name) => json!({ "event": "left", "room": room, "username": name }),
        Told::Presence(name, status) => {
            json!({ "event": "presence", "username": name, "status": status })
        }
        Told::Rooms(rooms) => json!({ "event": "rooms", "rooms": rooms }),
        Told::Notice(text) => json!({ "event": "notice", "text": text }),
        Told::Problem(text) => json!({ "event": "problem", "text": text }),
    }
}

/// A status in words.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Online => "online",
        Status::Away => "away",
        Status::Dnd => "not to be disturbed",
        Status::Offline => "offline",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::v1::Message;

    fn said(text: &str) -> Told {
        Told::Said {
            room: "r".into(),
            message: Message {
                id: "1-a".into(),
                text: text.into(),
                username: "Ada".into(),
                timestamp: 3_600_000,
            },
        }
    }

    #[test]
    fn a_message_of_two_lines_forges_no_other() {
        let line = line(Form::Plain, &said("hi\n[09:00] Bob: no"), Zone::default());
        assert_eq!(line, "[01:00] Ada: hi\n    [09:00] Bob: no");
    }

    #[test]
    fn json_is_one_line() {
        let line = line(Form::Json, &said("hi\nthere"), Zone::default());
        assert_eq!(
            line,
            r#"{"event":"message","room":"r","id":"1-a","username":"Ada","text":"hi\nthere","timestamp":3600000}"#
        );
    }
}
