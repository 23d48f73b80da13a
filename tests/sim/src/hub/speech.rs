//! What guests and clients say to each other, as text, and how a client takes it off the wire.
//!
//! **Invariant:** a client only believes bytes: frames are found again in the stream, wherever it was cut.

use rookery_contract::{Payload, Roster as Present};
use serde_json::Value;

use super::event::{Heard, Place, Roster, Said, Sid, TOPICS, Topic};

/// A topic's name.
pub fn name(topic: Topic) -> &'static str {
    match topic {
        Topic::Talk => "talk",
        Topic::Kept => "kept",
        Topic::Cursor => "cursor",
        Topic::Price => "price",
    }
}

/// A text with so many bytes behind it.
fn padded(head: String, bytes: usize) -> Payload {
    Payload::Text(format!("{head} {}", ".".repeat(bytes)).into())
}

/// What is published.
pub fn message(said: Said, bytes: usize) -> Payload {
    padded(format!("M {said}"), bytes)
}

/// The answer to something.
pub fn answer(said: Said, bytes: usize) -> Payload {
    padded(format!("A {said}"), bytes)
}

/// That a session joined.
pub fn joined(topic: Topic, (epoch, offset): Place) -> Payload {
    Payload::Text(format!("J {} {epoch} {offset}", name(topic)).into())
}

/// What was missed.
pub fn page(since: Place, found: Option<&(Vec<Said>, Place)>) -> Payload {
    let (epoch, offset) = since;
    let text = match found {
        None => format!("G {epoch} {offset}"),
        Some((ids, (to_epoch, to))) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            format!("P {epoch} {offset} {to_epoch} {to} {}", ids.join(","))
        }
    };
    Payload::Text(text.into())
}

/// Who is present.
pub fn list(roster: &Present) -> Payload {
    let here = roster.sessions.iter();
    let here: Vec<String> = here
        .map(|one| format!("{}={}", one.session.0, one.about))
        .collect();
    let (version, count) = (roster.version, roster.count);
    Payload::Text(format!("L {version} {count} {}", here.join(",")).into())
}

/// What was said in a message that somebody published.
pub fn said_in(payload: &Payload) -> Said {
    let text = String::from_utf8_lossy(payload.as_bytes());
    let number = text
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse().ok());
    number.expect("messages have numbers")
}

/// What a client reads out of a text.
fn heard(text: &str) -> Heard {
    if text.starts_with('{') {
        return news(text);
    }
    let words: Vec<&str> = text.split(' ').collect();
    let number = |at: usize| -> u64 { words[at].parse().expect("guests count") };
    let said = |text: &str| -> Said { text.parse().expect("what was said has a number") };
    match words[0] {
        "M" => Heard::Message(said(words[1])),
        "A" => Heard::Answer(said(words[1])),
        "J" => {
            let topic = TOPICS.into_iter().find(|topic| name(*topic) == words[1]);
            let topic = topic.expect("there are four topics");
            Heard::Joined(topic, (number(2), number(3)))
        }
        "G" => Heard::Gap((number(1), number(2))),
        "P" => {
            let ids = words[5].split(',').filter(|id| !id.is_empty());
            let to = (number(3), number(4));
            Heard::Page((number(1), number(2)), ids.map(said).collect(), to)
        }
        "L" => {
            let here = words[3].split(',').filter_map(|one| one.split_once('='));
            let here = here.map(|(id, about)| (id.parse().expect("an id"), about.to_owned()));
            Heard::List(Roster {
                version: number(1),
                count: number(2),
                here: here.collect(),
            })
        }
        other => panic!("nobody says {other}"),
    }
}

fn news(text: &str) -> Heard {
    let news: Value = serde_json::from_str(text).expect("the host's news are JSON");
    let joined = news["joined"].as_array().expect("there are few clients");
    let here = joined.iter().map(|one| {
        let about = one["about"].as_str().expect("it is text").to_owned();
        (one["session"].as_u64().expect("it is a number"), about)
    });
    let left = news["left"].as_array().expect("there are few clients");
    let left: Vec<Sid> = left.iter().filter_map(Value::as_u64).collect();
    let roster = Roster {
        version: news["version"].as_u64().expect("it is a number"),
        count: news["count"].as_u64().expect("it is a number"),
        here: here.collect(),
    };
    Heard::News(roster, left)
}

/// What is in a stream of frames.
#[derive(Debug)]
pub enum Frame {
    /// A text.
    Text(Heard),
    /// A close frame.
    Close(u16),
}

/// The bytes that a client has and did not understand yet.
#[derive(Default)]
pub struct Ear(Vec<u8>);

impl Ear {
    /// Takes more of the stream.
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub fn next(&mut self) -> Option<Frame> {
        let [first, length, ..] = self.0[..] else {
            return None;
        };
        let extended = match length {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let bytes = self.0.get(2..2 + extended)?;
        let length = match extended {
            0 => usize::from(length),
            _ => bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte)),
        };
        let end = 2 + extended + length;
        let payload = self.0.get(2 + extended..end)?;
        let frame = match first {
            0x88 => Frame::Close(u16::from_be_bytes([payload[0], payload[1]])),
            0x81 => Frame::Text(heard(&String::from_utf8_lossy(payload))),
            other => panic!("a frame begins with {other:#x}"),
        };
        self.0.drain(..end);
        Some(frame)
    }
}
