//! Sessions and topics as one invocation may use them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rookery_bundle::Bundle;
use rookery_contract::{
    Gap, Page, Payload, Position, PublishOptions, Retention, Roster, SendStatus, SessionId,
    TopicError, WhenSlow,
};
use rookery_hub::{Hold, Keeper, Publisher, Refusal};

/// The hub, within the guest's namespace and its grants. Nothing here waits.
pub struct GuestHub {
    publisher: Publisher,
    bundle: Arc<Bundle>,
}

impl GuestHub {
    pub(crate) fn new(publisher: Publisher, bundle: Arc<Bundle>) -> Self {
        GuestHub { publisher, bundle }
    }

    /// Sends to one session.
    pub fn send(&mut self, session: SessionId, payload: &Payload) -> SendStatus {
        self.publisher.send(session, payload)
    }

    /// Closes a session, with a code that a server may send (RFC 6455, 7.4); others become 1000.
    pub fn close(&mut self, session: SessionId, code: u16, reason: &str) {
        self.publisher.close(session, code, reason);
    }

    /// Replaces a session's attachment. False when it is too large or the session is gone.
    pub fn attach(&mut self, session: SessionId, attachment: Bytes) -> bool {
        self.publisher.attach(session, attachment)
    }

    /// Subscribes a session to a topic.
    pub fn subscribe(&mut self, session: SessionId, topic: &str) -> Result<Position, TopicError> {
        self.allowed(topic)?;
        self.publisher.subscribe(session, topic)
    }

    /// Ends a subscription; it need not be there.
    pub fn unsubscribe(&mut self, session: SessionId, topic: &str) {
        self.publisher.unsubscribe(session, topic);
    }

    /// Publishes to a topic, and keeps no more of it than the manifest says.
    pub fn publish(
        &mut self,
        topic: &str,
        payload: &Payload,
        mut options: PublishOptions,
    ) -> Result<Position, TopicError> {
        self.allowed(topic)?;
        let sessions = &self.bundle.manifest.sessions;
        if options.when_slow == WhenSlow::Close && sessions.drop_oldest.has(topic) {
            options.when_slow = WhenSlow::DropOldest;
        }
        if let Some(kept) = &mut options.history {
            *kept = Retention {
                messages: kept.messages.min(sessions.history.messages),
                seconds: whole_secs(sessions.history.age).min(kept.seconds),
            };
        }
        self.publisher.publish(topic, payload, &options)
    }

    /// Makes a session present at a topic, or replaces what is said about it.
    pub fn track(
        &mut self,
        session: SessionId,
        topic: &str,
        about: &str,
    ) -> Result<(), TopicError> {
        self.allowed(topic)?;
        self.publisher.track(session, topic, about)
    }

    /// Ends a presence; it need not be there.
    pub fn untrack(&mut self, session: SessionId, topic: &str) {
        self.publisher.untrack(session, topic);
    }

    /// Who is present at a topic. At one that is not granted nobody is.
    pub fn list(&mut self, topic: &str, after: Option<SessionId>, limit: u32) -> Roster {
        match self.allowed(topic) {
            Ok(()) => self.publisher.list(topic, after, limit),
            Err(_) => Roster::default(),
        }
    }

    /// Sets a timer, or replaces the one of that name.
    pub fn set_timer(&mut self, session: SessionId, name: &str, after: Duration) {
        let set = self.publisher.set_timer(session, name, after);
        self.tell(session, "a timer", set);
    }

    /// Takes a timer back; it need not be there.
    pub fn cancel_timer(&mut self, session: SessionId, name: &str) {
        self.publisher.cancel_timer(session, name);
    }

    /// Lets the host answer a message.
    pub fn auto_reply(&mut self, session: SessionId, request: &str, response: &str) {
        let set = self.publisher.auto_reply(session, request, response);
        self.tell(session, "an automatic reply", set);
    }

    /// How many sessions subscribe to a topic.
    pub fn subscribers(&self, topic: &str) -> u32 {
        match self.allowed(topic) {
            Ok(()) => self.publisher.subscribers(topic),
            Err(_) => 0,
        }
    }

    /// Every message since a position, or the gap. A topic that is not granted is another stream than any position's.
    pub fn recover(&mut self, topic: &str, since: Position, limit: u32) -> Result<Page, Gap> {
        self.allowed(topic).map_err(|_| Gap::Epoch)?;
        self.publisher.recover(topic, since, limit)
    }

    /// From now on what the invocation says waits until the keeper is settled: it wrote something that is not durable
    /// yet.
    pub fn hold(&mut self) -> Keeper {
        self.publisher.hold()
    }

    /// What the invocation's output waits for.
    pub fn holds(&self) -> Vec<Arc<Hold>> {
        self.publisher.holds()
    }

    /// Hands what was published to the subscribers now.
    pub fn flush(&mut self) {
        self.publisher.flush();
    }

    /// The contract has no answer for these calls, so the author reads in the log that nothing was set.
    fn tell(&self, session: SessionId, what: &str, set: Result<(), Refusal>) {
        if let Err(reason) = set {
            let app = self.bundle.label();
            tracing::warn!(target: "guest", %app, session = session.0, %reason, "{what} was not set");
        }
    }

    fn allowed(&self, topic: &str) -> Result<(), TopicError> {
        if self.bundle.manifest.grants.allows_topic(topic) {
            Ok(())
        } else {
            Err(TopicError::Denied)
        }
    }
}

fn whole_secs(age: Duration) -> u32 {
    u32::try_from(age.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
