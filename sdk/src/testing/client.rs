//! A client of an app under test.

use serde::de::DeserializeOwned;

use super::Host;
use crate::deliver::Event;
use crate::event::{Closed, Message, Payload};
use crate::session::SessionId;

/// A session as its client sees it.
#[derive(Clone)]
pub struct Client {
    host: Host,
    id: SessionId,
}

impl Client {
    pub(super) fn new(host: Host, id: SessionId) -> Client {
        Client { host, id }
    }

    /// Which session this is.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Sends a text message.
    pub fn text(&self, text: &str) {
        self.message(Payload::from(text));
    }

    /// Sends a binary message.
    pub fn binary(&self, bytes: &[u8]) {
        self.message(Payload::from(bytes.to_vec()));
    }

    fn message(&self, payload: Payload) {
        if self.closed().is_some() || self.auto_replied(&payload) {
            return;
        }
        let message = Message {
            payload,
            redelivered: false,
        };
        self.host.deliver(vec![(self.id, Event::Message(message))]);
    }

    /// The host answers without the app where the app asked for that.
    fn auto_replied(&self, payload: &Payload) -> bool {
        let mut world = self.host.world.borrow_mut();
        let Some(session) = world.live(self.id) else {
            return false;
        };
        let reply = session
            .auto_replies
            .iter()
            .find(|(request, _)| matches!(payload, Payload::Text(text) if text == request))
            .map(|(_, reply)| reply.clone());
        let replied = reply.is_some();
        session.outbox.extend(reply.map(Payload::Text));
        replied
    }

    /// Goes away with this code.
    pub fn close(&self, code: u16, reason: &str) {
        self.host.world.borrow_mut().close(self.id, code, reason);
        let ended = self.host.world.borrow_mut().take_ended();
        let events = ended
            .into_iter()
            .map(|(id, closed)| (id, Event::Closed(closed)));
        self.host.deliver(events.collect());
    }

    /// Hands the session to another version of the app, as a rollout does.
    #[must_use]
    pub fn resume_on(&self, host: &Host, from_version: &str) -> Client {
        host.deliver(vec![(self.id, Event::Resumed(from_version.to_owned()))]);
        Client::new(host.clone(), self.id)
    }

    /// Every message that came since the last look.
    pub fn messages(&self) -> Vec<Payload> {
        let mut world = self.host.world.borrow_mut();
        let session = world.sessions.get_mut(&self.id);
        session.map_or_else(Vec::new, |session| std::mem::take(&mut session.outbox))
    }

    /// Every message that came since the last look, as text.
    pub fn frames(&self) -> Vec<String> {
        self.messages()
            .into_iter()
            .map(|payload| match payload {
                Payload::Text(text) => text,
                Payload::Binary(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            })
            .collect()
    }

    /// Every message that came since the last look, as JSON.
    ///
    /// # Panics
    ///
    /// When one is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Vec<T> {
        self.frames()
            .iter()
            .map(|text| serde_json::from_str(text).expect("the message is JSON of this shape"))
            .collect()
    }

    /// How the session ended, if it did.
    pub fn closed(&self) -> Option<Closed> {
        let world = self.host.world.borrow();
        world.sessions.get(&self.id)?.closing.clone()
    }

    /// What the app keeps with the session.
    pub fn attachment(&self) -> Vec<u8> {
        let world = self.host.world.borrow();
        let session = world.sessions.get(&self.id);
        session.map_or_else(Vec::new, |session| session.attachment.clone())
    }
}
