//! A client's conversation, as the app's handlers see it.
//!
//! **Invariant:** what an app knows of a session between two events is its attachment. An isolate may be gone by then.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::topic::{Position, TopicError};
use crate::{Closed, Error, Message, Opened, Payload, seam};

/// The largest attachment, in bytes.
const ATTACHMENT_BYTES_MAX: usize = 64 * 1024;

/// Names a session for as long as it is attached, and is never used again within a server's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub(crate) u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of a message to one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendStatus {
    /// It waits for the client.
    Queued,
    /// The client does not keep up and is being closed.
    Full,
    /// There is no such session, or it is closing.
    Gone,
}

/// Why an attachment was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachError {
    /// It has more than 64 KiB.
    TooLarge,
    /// The client left meanwhile.
    Gone,
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AttachError::TooLarge => "an attachment has at most 64 KiB",
            AttachError::Gone => "the session is gone",
        })
    }
}

impl std::error::Error for AttachError {}

/// What a handler of events returns: nothing, or a result. An error is logged and closes the session with 1011;
/// that the client left while its event was handled is none.
pub trait Outcome {
    /// The result.
    fn into_outcome(self) -> Result<(), Error>;
}

impl Outcome for () {
    fn into_outcome(self) -> Result<(), Error> {
        Ok(())
    }
}

/// The value of a success is dropped, so that a handler may end in `session.subscribe(…)` or `topic(…).publish(…)`.
impl<T, E: Into<Error>> Outcome for Result<T, E> {
    fn into_outcome(self) -> Result<(), Error> {
        self.map(drop).map_err(Into::into)
    }
}

/// What the app does about one kind of event, if anything.
pub(crate) type On<E> = Option<Box<dyn Fn(&mut Session, &E) -> Result<(), Error>>>;

/// The app's handlers of events.
#[derive(Default)]
pub(crate) struct Handlers {
    pub(crate) open: On<Opened>,
    pub(crate) message: On<Message>,
    pub(crate) timer: On<str>,
    pub(crate) resume: On<str>,
    pub(crate) close: On<Closed>,
}

/// The session that an event happened on.
///
/// Nothing here waits: what is sent is queued, and a client that does not keep up is closed by the host.
pub struct Session {
    id: SessionId,
    attachment: Vec<u8>,
    pub(crate) changed: bool,
}

impl Session {
    pub(crate) fn new(id: SessionId, attachment: Vec<u8>) -> Session {
        Session {
            id,
            attachment,
            changed: false,
        }
    }

    pub(crate) fn into_attachment(self) -> Vec<u8> {
        self.attachment
    }

    /// Which session this is.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// What the app keeps with the session; empty at first.
    pub fn attachment(&self) -> &[u8] {
        &self.attachment
    }

    /// Keeps these bytes with the session, at most 64 KiB.
    ///
    /// After [`AttachError::Gone`] the event that closes the session brings the attachment as it was before: what was
    /// to be cleaned up then is to be cleaned up now.
    pub fn attach(&mut self, attachment: Vec<u8>) -> Result<(), AttachError> {
        if attachment.len() > ATTACHMENT_BYTES_MAX {
            return Err(AttachError::TooLarge);
        }
        if !seam::hub::attach(self.id, &attachment) {
            return Err(AttachError::Gone);
        }
        self.attachment = attachment;
        self.changed = true;
        Ok(())
    }

    /// The attachment as JSON; None when nothing was kept yet.
    pub fn state<T: DeserializeOwned>(&self) -> serde_json::Result<Option<T>> {
        if self.attachment.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&self.attachment).map(Some)
    }

    /// Keeps a value with the session, as JSON.
    pub fn set_state(&mut self, state: &impl Serialize) -> Result<(), Error> {
        Ok(self.attach(serde_json::to_vec(state)?)?)
    }

    /// Sends to this client.
    pub fn send(&self, payload: impl Into<Payload>) -> SendStatus {
        seam::hub::send(self.id, &payload.into())
    }

    /// Sends JSON to this client, as text.
    pub fn send_json(&self, value: &impl Serialize) -> serde_json::Result<SendStatus> {
        serde_json::to_string(value).map(|text| self.send(text))
    }

    /// Closes the session once what was sent is written. An app's own codes are 4000 to 4999.
    pub fn close(&self, code: u16, reason: &str) {
        seam::hub::close(self.id, code, reason);
    }

    /// Delivers every later message of a topic to this client.
    pub fn subscribe(&self, topic: &str) -> Result<Position, TopicError> {
        seam::hub::subscribe(self.id, topic)
    }

    /// Ends a subscription.
    pub fn unsubscribe(&self, topic: &str) {
        seam::hub::unsubscribe(self.id, topic);
    }

    /// Makes this client present at a topic (of 32 at most), or replaces what is said about it (at most 1 KiB). It need not
    /// be subscribed, and is no longer present when its session ends.
    pub fn track(&self, topic: &str, about: &str) -> Result<(), TopicError> {
        seam::hub::track(self.id, topic, about)
    }

    /// Ends its presence at a topic.
    pub fn untrack(&self, topic: &str) {
        seam::hub::untrack(self.id, topic);
    }

    /// Wakes this session after a while, in place of an earlier timer of the same name.
    pub fn set_timer(&self, name: &str, after: Duration) {
        let after_ms = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
        seam::hub::set_timer(self.id, name, after_ms);
    }

    /// Takes a timer back.
    pub fn cancel_timer(&self, name: &str) {
        seam::hub::cancel_timer(self.id, name);
    }

    /// Lets the host answer a text message that is exactly `request` with `response`, without waking the app.
    pub fn auto_reply(&self, request: &str, response: &str) {
        seam::hub::auto_reply(self.id, request, response);
    }
}
