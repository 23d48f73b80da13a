//! A session's queue of events, between the socket and the guest.
//!
//! **Invariant:** events come out in the order in which they went in, also after they were put back.
//! **Invariant:** whose turn is not [`Turn::Resting`] is in the ready queue or in a batch, and never in both: that is why
//! a session is in one batch at a time. **Invariant:** `Closed` is the last event that ever goes in.
//! **Absent on purpose:** locks and wakers of the ready queue. `session.rs` and `ready.rs` drive it.

mod passage;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use bytestring::ByteString;
use rookery_contract::{EventKind, Opened, Payload};

pub(crate) use self::passage::{BatchRoom, Chance, Taken};
use crate::config::SessionLimits;
use crate::ready::{Due, ReadyQueue};

/// Timers that ran out and wait for the guest. As many as may be set, so a guest that is served loses none.
const TIMERS_WAITING_MAX: usize = 32;

/// What became of a client's message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// It waits for the guest.
    Queued,
    /// The host answered it; the guest sleeps on.
    Answered,
    /// There is no room. Wait for [`Session::inbox_room`](crate::Session::inbox_room) before every message.
    Full,
    /// The session is closing by the app's will, or detached: nobody wants to hear it.
    Gone,
}

/// Where the session stands with its guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// Nothing waits.
    Resting,
    /// In the ready queue.
    Waiting,
    /// In a batch.
    InBatch,
}

/// What of the client the guest still hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hearing {
    All,
    /// Nothing but its end: the app closed the session, or failed on it. A refused client's messages must never reach
    /// the app as if it had been let in.
    Deaf,
}

/// Answered by the host itself.
pub(crate) struct AutoReply {
    pub(crate) request: ByteString,
    /// The response as a frame.
    pub(crate) response: Bytes,
}

impl AutoReply {
    pub(crate) fn answers(&self, payload: &Payload) -> bool {
        matches!(payload, Payload::Text(text) if *text == self.request)
    }
}

/// The queue with all that the guest side keeps about a session.
pub(crate) struct Inbox {
    events: VecDeque<EventKind>,
    bytes: usize,
    limits: SessionLimits,
    given_before: usize,
    /// That of the first event.
    chance: Chance,
    turn: Turn,
    /// There as long as the turn is not resting.
    due: Option<Due>,
    hearing: Hearing,
    /// `Closed` is in; nothing comes after it.
    ended: bool,
    room_waker: Option<Waker>,
    ready: Arc<ReadyQueue>,
    /// The version that had the session, until the one that has it now is told.
    resumed_from: Option<Box<str>>,
    pub(crate) attachment: Bytes,
    pub(crate) auto_reply: Option<Box<AutoReply>>,
}

impl Inbox {
    pub(crate) fn new(limits: SessionLimits, ready: Arc<ReadyQueue>) -> Inbox {
        Inbox {
            events: VecDeque::new(),
            bytes: 0,
            limits,
            given_before: 0,
            chance: Chance::First,
            turn: Turn::Resting,
            due: None,
            hearing: Hearing::All,
            ended: false,
            room_waker: None,
            ready,
            resumed_from: None,
            attachment: Bytes::new(),
            auto_reply: None,
        }
    }

    pub(crate) fn receive(&mut self, payload: Payload) -> Received {
        if !self.hears_more() {
            return Received::Gone;
        }
        if !self.has_room() {
            return Received::Full;
        }
        self.bytes += payload.len();
        self.events.push_back(EventKind::Message {
            payload,
            redelivered: false,
        });
        Received::Queued
    }

    fn hears_more(&self) -> bool {
        self.hearing == Hearing::All && !self.ended
    }

    /// Whether one more message is taken. A session that takes none any more has room: its reader must not wait.
    pub(crate) fn has_room(&self) -> bool {
        !self.hears_more()
            || (self.events.len() < self.limits.inbox_events.max(1)
                && self.bytes < self.limits.inbox_bytes.max(1))
    }

    pub(crate) fn wait_for_room(&mut self, waker: &Waker) {
        self.room_waker = Some(waker.clone());
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.resumed_from.is_none()
    }

    /// Queues an event of the host's own. It needs no room: there is one of each kind.
    pub(crate) fn push(&mut self, kind: EventKind) {
        if !self.ended {
            self.events.push_back(kind);
        }
    }

    /// Takes back the beginning of a session that waits for nobody yet.
    pub(crate) fn take_back_opened(&mut self) -> Option<Opened> {
        if self.turn != Turn::Resting {
            return None;
        }
        match self
            .events
            .pop_front_if(|kind| matches!(kind, EventKind::Opened(_)))?
        {
            EventKind::Opened(opened) => Some(*opened),
            _ => None,
        }
    }

    /// Queues a timer that ran out. One that already waits under this name is enough.
    pub(crate) fn push_timer(&mut self, name: ByteString) {
        let waiting = || {
            self.events.iter().filter_map(|kind| match kind {
                EventKind::Timer { name } => Some(name),
                _ => None,
            })
        };
        if !self.hears_more() || waiting().any(|other| *other == name) {
            return;
        }
        if waiting().count() >= TIMERS_WAITING_MAX {
            tracing::warn!(timer = %name, "timer dropped: too many wait for the guest");
            return;
        }
        self.events.push_back(EventKind::Timer { name });
    }

    /// Takes back a timer that ran out and was not given to the guest yet.
    pub(crate) fn retract_timer(&mut self, name: &str) {
        let waiting = self
            .events
            .iter()
            .position(|kind| matches!(kind, EventKind::Timer { name: other } if **other == *name));
        if let Some(index) = waiting {
            self.events.remove(index);
            if index == 0 {
                self.chance = Chance::First;
            }
            self.given_before -= usize::from(index < self.given_before);
        }
    }

    /// Queues `Closed`, once. Gives who waits for room, which is no use any more.
    pub(crate) fn end(&mut self, code: u16, reason: ByteString) -> Option<Waker> {
        if !self.ended {
            self.events.push_back(EventKind::Closed { code, reason });
            self.ended = true;
            self.auto_reply = None;
        }
        self.room_waker.take()
    }

    /// From now on the guest hears nothing of this session but its end.
    pub(crate) fn go_deaf(&mut self) -> Option<Waker> {
        self.hearing = Hearing::Deaf;
        self.auto_reply = None;
        if self.events.front().is_some_and(is_from_client) {
            self.chance = Chance::First;
        }
        self.events.retain(|kind| !is_from_client(kind));
        self.bytes = 0;
        self.given_before = self.given_before.min(self.events.len());
        self.room_waker.take()
    }

    /// Lets another revision's queue have the session from now on. What waits goes there, after the news that the
    /// session was moved; a batch that is out is still finished by whoever has it. Gives the queue that the session must
    /// be put into now. A session that ended stays: its end is for those who knew it.
    pub(crate) fn move_to(
        &mut self,
        ready: &Arc<ReadyQueue>,
        from_version: &str,
    ) -> Option<Arc<ReadyQueue>> {
        if self.ended || Arc::ptr_eq(&self.ready, ready) {
            return None;
        }
        self.ready = Arc::clone(ready);
        self.due = None;
        // Of two moves in a row the guest hears the version that last served the session.
        self.resumed_from.get_or_insert_with(|| from_version.into());
        // What killed the workers of one revision says nothing about the next one's.
        self.given_before = 0;
        if self.turn == Turn::InBatch {
            self.turn_to(Turn::InBatch);
            return None;
        }
        // In the old queue a stale place may be left; `is_due_in` passes over it.
        self.turn_to(Turn::Waiting);
        Some(Arc::clone(ready))
    }

    /// Whether a place in this queue is this session's own, and not one that it left behind by moving.
    pub(crate) fn is_due_in(&self, queue: &ReadyQueue) -> bool {
        self.turn == Turn::Waiting && std::ptr::eq(Arc::as_ptr(&self.ready), queue)
    }

    /// Whether its next events go to another queue than this.
    pub(crate) fn has_left(&self, queue: &ReadyQueue) -> bool {
        !std::ptr::eq(Arc::as_ptr(&self.ready), queue)
    }

    /// The queue that the session must be put into now, if it is not there and has events.
    pub(crate) fn call(&mut self) -> Option<Arc<ReadyQueue>> {
        if self.turn != Turn::Resting || self.is_empty() {
            return None;
        }
        self.turn_to(Turn::Waiting);
        Some(Arc::clone(&self.ready))
    }

    fn turn_to(&mut self, turn: Turn) {
        self.turn = turn;
        match turn {
            Turn::Resting => self.due = None,
            Turn::Waiting | Turn::InBatch => {
                self.due.get_or_insert_with(|| Due::new(&self.ready));
            }
        }
    }

    /// Who waits for room, if there is some now.
    pub(crate) fn room_waker(&mut self) -> Option<Waker> {
        if self.has_room() {
            self.room_waker.take()
        } else {
            None
        }
    }

    /// The session is in no queue and no batch any more. What waits must be called again.
    pub(crate) fn rest(&mut self) {
        self.turn_to(Turn::Resting);
    }

    /// Drops everything, since nobody will ever ask for it. True when the session had ended.
    pub(crate) fn give_up(&mut self) -> (bool, Option<Waker>) {
        let waker = self.go_deaf();
        self.events = VecDeque::new();
        (self.given_before, self.chance) = (0, Chance::First);
        self.turn_to(Turn::Resting);
        (self.ended, waker)
    }
}

/// What a guest that is done with a session does not hear any more. A timer is the client's as far as the guest set it
/// for a client that it served.
fn is_from_client(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Message { .. } | EventKind::Timer { .. })
}

fn payload_len(kind: &EventKind) -> usize {
    match kind {
        EventKind::Message { payload, .. } => payload.len(),
        _ => 0,
    }
}
