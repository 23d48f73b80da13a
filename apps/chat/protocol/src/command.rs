//! What a client asks for, validated as the seed validates it (zod 4).
//!
//! **Invariant:** lengths count UTF-16 code units, nothing is trimmed, and a `null` is not an absent field.

use crate::app::Extras;
use crate::frame::{Fields, Publish, Scalar};

/// What the seed shows at most of a room's history at once.
const PAGE_MAX: f64 = 100.0;
const PAGE_DEFAULT: usize = 50;
const RECOVERY_DEFAULT: usize = 100;
/// In UTF-16 code units. The seed has no bound for the name of a room that is not created but joined, and joining makes it.
const ROOM_MAX: usize = 1_000;
/// In UTF-16 code units; ours are half as long.
const POSITION_MAX: usize = 100;

/// A valid request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Login {
        username: String,
    },
    Logout,
    Create {
        room: String,
        description: Option<String>,
    },
    List,
    Join {
        room: String,
        username: String,
        /// The position from which on to tell what was missed: of the extras.
        since: Option<String>,
    },
    Leave {
        room: String,
    },
    Send {
        room: String,
        text: String,
    },
    History {
        room: String,
        limit: usize,
        before: Option<f64>,
    },
    /// Of the extras.
    Recover {
        room: String,
        since: String,
        limit: usize,
    },
    StartTyping {
        room: String,
    },
    StopTyping {
        room: String,
    },
    SetPresence {
        status: Status,
    },
}

/// What a user wants to be seen as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    #[default]
    Online,
    Away,
    Dnd,
}

impl Command {
    /// None for a channel that is unknown to this edition, or a payload that does not fit it.
    pub(crate) fn validate(publish: Publish, extras: Extras) -> Option<Command> {
        let mut fields = Reader(publish.fields);
        Some(match publish.channel.as_str() {
            "message.recover" if extras == Extras::Offered => Command::Recover {
                room: fields.room()?,
                since: fields.text("since", 1, POSITION_MAX)?,
                limit: fields.limit(RECOVERY_DEFAULT)?,
            },
            "auth.login" => {
                fields.optional_text("password", 1, 100)?;
                Command::Login {
                    username: fields.text("username", 1, 50)?,
                }
            }
            "auth.logout" => Command::Logout,
            "room.create" => Command::Create {
                room: fields.text("roomId", 1, 100)?,
                description: fields.optional_text("description", 0, 500)?,
            },
            "room.list" => Command::List,
            "room.join" => Command::Join {
                room: fields.room()?,
                username: fields.text("username", 1, 50)?,
                since: match extras {
                    Extras::None => None,
                    Extras::Offered => fields.optional_text("since", 1, POSITION_MAX)?,
                },
            },
            "room.leave" => Command::Leave {
                room: fields.room()?,
            },
            "message.send" => Command::Send {
                room: fields.room()?,
                text: fields.text("text", 1, 2000)?,
            },
            "message.history" => Command::History {
                room: fields.room()?,
                limit: fields.limit(PAGE_DEFAULT)?,
                before: fields.optional_number("before")?,
            },
            "typing.start" => Command::StartTyping {
                room: fields.room()?,
            },
            "typing.stop" => Command::StopTyping {
                room: fields.room()?,
            },
            "presence.update" => Command::SetPresence {
                status: match fields.text("status", 1, 10)?.as_str() {
                    "online" => Status::Online,
                    "away" => Status::Away,
                    "dnd" => Status::Dnd,
                    _ => return None,
                },
            },
            _ => return None,
        })
    }
}

/// Takes fields out one by one; what is left is stripped. The outer option is about validity.
struct Reader(Fields);

impl Reader {
    /// The name of a room that may be there.
    fn room(&mut self) -> Option<String> {
        self.text("roomId", 1, ROOM_MAX)
    }

    fn limit(&mut self, default: usize) -> Option<usize> {
        Some(match self.optional_number("limit")? {
            Some(limit) if !(1.0..=PAGE_MAX).contains(&limit) => return None,
            // A fraction passes and is cut off.
            Some(limit) => limit as usize,
            None => default,
        })
    }

    fn text(&mut self, name: &str, min: usize, max: usize) -> Option<String> {
        self.optional_text(name, min, max)?
    }

    fn optional_text(&mut self, name: &str, min: usize, max: usize) -> Option<Option<String>> {
        match self.0.remove(name) {
            None => Some(None),
            Some(Scalar::Text(text)) if (min..=max).contains(&utf16_len(&text)) => Some(Some(text)),
            Some(_) => None,
        }
    }

    fn optional_number(&mut self, name: &str) -> Option<Option<f64>> {
        match self.0.remove(name) {
            None => Some(None),
            Some(Scalar::Number(number)) if number.is_finite() => Some(Some(number)),
            Some(_) => None,
        }
    }
}

fn utf16_len(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}

#[cfg(test)]
mod tests;
