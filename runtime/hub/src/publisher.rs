//! The guest's hands in the hub, for one invocation.
//!
//! **Invariant:** a session sees what one invocation does to it in the order in which it was done: a message of a topic that
//! was published before a `send`, a `close` or a change of subscriptions reaches the outbox before it. Between two
//! topics there is no order.
//! **Invariant:** what was published is handed out when the publisher is flushed or dropped, at the latest. Whoever lets an
//! invocation wait for something flushes first.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use rookery_contract::{
    ATTACHMENT_BYTES_MAX, Gap, Page, Payload, Position, SendStatus, SessionId, TopicError,
};
use smallvec::SmallVec;

use crate::close::{CloseFrame, GUEST_FAULT, WRITES_LOST};
use crate::error::Refusal;
use crate::frame;
use crate::history::recover;
use crate::hold::{Hold, Holds, Keeper, Outcome};
use crate::inbox::AutoReply;
use crate::pending::PENDING_BYTES_MAX;
use crate::realm::Realm;
use crate::session::Session;
use crate::subscribe::{Own, Subscriptions};
use crate::topic::Topic;
use crate::waking::WakeList;

/// The longest request and the longest response of an automatic reply.
pub const AUTO_REPLY_BYTES_MAX: usize = 4 * 1024;
/// Topics with pending messages that a publisher keeps open. One more, and all are handed out, which keeps looking
/// through them short.
const TOUCHED_MAX: usize = 32;

/// What a guest does to the sessions and topics of its namespace.
pub struct Publisher {
    pub(crate) realm: Arc<Realm>,
    /// Topics that have, or may have, pending messages of this invocation.
    pub(crate) touched: SmallVec<[Arc<Topic>; 4]>,
    /// Writers that have something to write. They are woken together, so that each writes once.
    pub(crate) wakes: WakeList,
    /// Sent to single sessions since writers were woken.
    sent_bytes: usize,
    /// What the invocation's output waits for.
    pub(crate) holds: Holds,
}

impl Publisher {
    pub(crate) fn new(realm: Arc<Realm>) -> Publisher {
        Publisher {
            realm,
            touched: SmallVec::new(),
            wakes: WakeList::default(),
            sent_bytes: 0,
            holds: Holds::default(),
        }
    }

    /// From now on the invocation's output waits until the keeper is settled.
    pub fn hold(&mut self) -> Keeper {
        let (hold, keeper) = Hold::open(self.realm.shared());
        self.holds.add(&hold);
        keeper
    }

    /// What the invocation's output waits for: its own [`hold`](Publisher::hold)s, and those of what it read from a
    /// topic's history.
    pub fn holds(&self) -> Vec<Arc<Hold>> {
        self.holds.iter().cloned().collect()
    }

    /// Whether the invocation read what was lost since. Then nothing that it says is true.
    pub(crate) fn is_lost(&self) -> bool {
        self.holds.are_lost()
    }

    /// Lets a session wait for what the invocation waits for. If that is lost, so is what the session was to be told, and
    /// it is closed: nothing may be missing that nobody says is.
    fn is_lost_for(&mut self, session: &Arc<Session>) -> bool {
        let is_lost = self.holds.join(session) == Outcome::Lost;
        if is_lost {
            session.close_lost(WRITES_LOST, &mut self.wakes);
        }
        is_lost
    }

    /// Queues a message to one session.
    pub fn send(&mut self, session: SessionId, payload: &Payload) -> SendStatus {
        let Some(session) = self.realm.session(session) else {
            return SendStatus::Gone;
        };
        self.settle(&session);
        if self.is_lost_for(&session) {
            return SendStatus::Gone;
        }
        if payload.len() > self.realm.config().message_bytes_max {
            // Nothing may be dropped silently, and this is the app's mistake.
            session.close(GUEST_FAULT);
            return SendStatus::Full;
        }
        let status = session.send_frame(frame::message(payload), &self.holds, &mut self.wakes);
        self.sent_bytes += payload.len();
        if self.sent_bytes >= PENDING_BYTES_MAX {
            self.wake();
        }
        status
    }

    /// Closes a session behind what waits for it. The guest hears no more messages of it, only its end.
    pub fn close(&mut self, session: SessionId, code: u16, reason: &str) {
        if let Some(session) = self.realm.session(session) {
            self.settle(&session);
            if !self.is_lost_for(&session) {
                session.close_deaf(CloseFrame::new(code, reason), &self.holds);
            }
        }
    }

    /// Replaces a session's attachment. False when it is too large or the session is gone.
    pub fn attach(&mut self, session: SessionId, attachment: Bytes) -> bool {
        if attachment.len() > ATTACHMENT_BYTES_MAX {
            return false;
        }
        let session = self.realm.session(session);
        session
            .map(|session| session.attach_bytes(attachment))
            .is_some()
    }

    /// Lets a session join a topic. See [`Position`]: every message after it will come.
    pub fn subscribe(&mut self, session: SessionId, topic: &str) -> Result<Position, TopicError> {
        let session = self.realm.session(session).ok_or(TopicError::Gone)?;
        self.settle(&session);
        session.subscribe(topic)
    }

    /// Lets a session leave a topic.
    pub fn unsubscribe(&mut self, session: SessionId, topic: &str) {
        if let Some(session) = self.realm.session(session) {
            self.settle(&session);
            session.unsubscribe(topic);
        }
    }

    /// Sets a session's timer, or replaces the one of that name.
    pub fn set_timer(
        &mut self,
        session: SessionId,
        name: &str,
        after: Duration,
    ) -> Result<(), Refusal> {
        let session = self.realm.session(session).ok_or(Refusal::Gone)?;
        // Held so that a detaching session cannot forget its timers just before it gets one.
        let subscriptions = session.subscriptions.lock();
        if matches!(*subscriptions, Subscriptions::Closed) {
            return Err(Refusal::Gone);
        }
        let timers_max = self.realm.config().session_timers_max;
        self.realm.timers().set(&session, name, after, timers_max)
    }

    /// Cancels a timer, also one that ran out and was not given to the guest yet.
    pub fn cancel_timer(&mut self, session: SessionId, name: &str) {
        if let Some(session) = self.realm.session(session) {
            self.realm.timers().cancel(&session, name);
        }
    }

    /// Lets the host answer a text message by itself. A session has one such reply; a new one takes its place.
    pub fn auto_reply(
        &mut self,
        session: SessionId,
        request: &str,
        response: &str,
    ) -> Result<(), Refusal> {
        if request.len().max(response.len()) > AUTO_REPLY_BYTES_MAX {
            return Err(Refusal::AutoReplySize);
        }
        let session = self.realm.session(session).ok_or(Refusal::Gone)?;
        session.set_auto_reply(AutoReply {
            request: ByteString::from(request),
            response: frame::message(&Payload::Text(ByteString::from(response))),
        });
        Ok(())
    }

    /// How many sessions subscribe to a topic.
    pub fn subscribers(&self, topic: &str) -> u32 {
        let topic = self.realm.find_topic(topic);
        let count = topic.and_then(|topic| topic.lock().map(|state| state.members.len()));
        count.map_or(0, |count| count as u32)
    }

    /// Every message after a position, at most `limit` (at least 1), or that some are missing.
    pub fn recover(&mut self, topic: &str, since: Position, limit: u32) -> Result<Page, Gap> {
        let limit = limit.clamp(1, self.realm.config().page_messages_max.max(1)) as usize;
        let topic = self.realm.find_topic(topic).ok_or(Gap::Epoch)?;
        let mut state = topic.lock().ok_or(Gap::Epoch)?;
        if let Some(history) = &mut state.history {
            history.expire(tokio::time::Instant::now());
        }
        self.holds.add_all(&state.holds);
        recover(state.history.as_deref(), state.position, since, limit)
    }

    /// Hands out all that was published.
    pub fn flush(&mut self) {
        for topic in std::mem::take(&mut self.touched) {
            let vacant = topic.lock().is_some_and(|mut state| {
                state.flush(self.realm.counters(), &mut self.wakes);
                state.is_vacant()
            });
            if vacant {
                self.realm.remove_if_vacant(&topic);
            }
        }
        self.wake();
    }

    /// Lets the writers write now. An invocation that has much to say must not fill outboxes that nobody empties.
    pub(crate) fn wake(&mut self) {
        self.sent_bytes = 0;
        self.wakes.wake_all();
    }

    /// Makes room for one more touched topic.
    pub(crate) fn touch(&mut self, topic: Arc<Topic>) {
        if self.touched.len() >= TOUCHED_MAX {
            self.flush();
        }
        self.touched.push(topic);
    }

    /// Gives a session what was published on its topics until now.
    fn settle(&mut self, session: &Session) {
        if self.touched.is_empty() {
            return;
        }
        let subscriptions = session.subscriptions.lock();
        let Subscriptions::Open(Own { topics, .. }) = &*subscriptions else {
            return;
        };
        for touched in &self.touched {
            if topics.iter().any(|topic| Arc::ptr_eq(topic, touched))
                && let Some(mut state) = touched.lock()
            {
                state.settle(session.id(), self.realm.counters(), &mut self.wakes);
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.flush();
    }
}
