//! What happens on a session, as the app is told of it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::Query;

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

impl From<&str> for Payload {
    fn from(text: &str) -> Payload {
        Payload::Text(text.to_owned())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Payload {
        Payload::Text(text)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Payload {
        Payload::Binary(bytes)
    }
}

/// How a client came.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// The path below the app, percent-encoding kept.
    pub path: String,
    /// The query without its `?`; [`Opened::query`] has its pairs.
    pub raw_query: String,
    /// The headers of the upgrade request.
    pub headers: Vec<(String, String)>,
    /// The client's address.
    pub peer: String,
    /// The subprotocols that the client offered; the first one was accepted.
    pub subprotocols: Vec<String>,
}

impl Opened {
    /// The query's pairs.
    pub fn query(&self) -> Query {
        Query::parse_str(&self.raw_query)
    }

    /// The first value of a header of the upgrade request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A message from the client.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it carries.
    pub payload: Payload,
    /// An isolate was given it before and died before it began with it.
    pub redelivered: bool,
}

impl Message {
    /// The text, if it is a text message.
    pub fn text(&self) -> Option<&str> {
        match &self.payload {
            Payload::Text(text) => Some(text),
            Payload::Binary(_) => None,
        }
    }

    /// The bytes of either kind.
    pub fn bytes(&self) -> &[u8] {
        match &self.payload {
            Payload::Text(text) => text.as_bytes(),
            Payload::Binary(bytes) => bytes,
        }
    }

    /// Either kind as text, bytes that are not UTF-8 replaced.
    pub fn lossy_text(&self) -> Cow<'_, str> {
        match &self.payload {
            Payload::Text(text) => Cow::Borrowed(text),
            Payload::Binary(bytes) => String::from_utf8_lossy(bytes),
        }
    }

    /// Either kind as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(self.bytes())
    }
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The close code (RFC 6455, 7.4).
    pub code: u16,
    /// The reason that came with it; often empty.
    pub reason: String,
}
