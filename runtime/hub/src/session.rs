//! One attached client as the gateway and the guest's side see it.
//!
//! **Invariant:** no lock of a session is held while another session's is taken.
//! **Absent on purpose:** the socket. The gateway reads into the inbox and writes what the outbox gives.
//!
//! The gateway's writer, in one task: when it has nothing left to write, `poll_outbox`, then `take_chunks` and one
//! vectored write. While the socket takes nothing, `poll_closing`, so that a client that does not read can be cut off.
//! `poll_outbox` ready and nothing to take means that the close frame was taken and the writing is over.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use bytestring::ByteString;
use parking_lot::Mutex;
use rookery_bundle::Namespace;
use rookery_contract::{Event, EventKind, Opened, Payload, SendStatus, SessionId};

use crate::batch::Toll;
use crate::close::{CloseFrame, GUEST_FAULT, RESTART};
use crate::config::SessionLimits;
use crate::hold::Holds;
use crate::inbox::{AutoReply, BatchRoom, Chance, Inbox, Received, Taken};
use crate::outbox::{Outbox, Writer};
use crate::ready::{Place, ReadyQueue};
use crate::realm::Realm;
use crate::subscribe::Subscriptions;
use crate::waking::WakeList;

/// One attached client.
pub struct Session {
    id: SessionId,
    pub(crate) realm: Arc<Realm>,
    pub(crate) subscriptions: Mutex<Subscriptions>,
    pub(crate) outbox: Outbox,
    inbox: Mutex<Inbox>,
}

/// What a session has for a batch.
pub(crate) enum Offer {
    Took(Taken),
    /// What it waited with was taken back.
    Nothing,
    NoRoom,
}

impl Session {
    pub(crate) fn new(
        id: SessionId,
        realm: Arc<Realm>,
        ready: Arc<ReadyQueue>,
        limits: SessionLimits,
    ) -> Arc<Session> {
        Arc::new(Session {
            id,
            realm,
            subscriptions: Mutex::default(),
            outbox: Outbox::new(limits.outbox_bytes),
            inbox: Mutex::new(Inbox::new(limits, ready)),
        })
    }

    /// Its id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it is.
    pub fn namespace(&self) -> &Namespace {
        self.realm.namespace()
    }

    /// Waits until the inbox takes a message. One task a session may wait.
    pub async fn inbox_room(&self) {
        poll_fn(|cx| self.poll_inbox_room(cx)).await;
    }

    /// As [`Session::inbox_room`].
    pub fn poll_inbox_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inbox = self.inbox.lock();
        if inbox.has_room() {
            return Poll::Ready(());
        }
        inbox.wait_for_room(cx.waker());
        Poll::Pending
    }

    /// Takes a message of the client.
    pub fn push_message(self: &Arc<Self>, payload: Payload) -> Received {
        let (received, ready) = {
            let mut inbox = self.inbox.lock();
            if let Some(reply) = &inbox.auto_reply
                && reply.answers(&payload)
            {
                let response = reply.response.clone();
                drop(inbox);
                self.send_frame(response, &Holds::default(), &mut WakeList::default());
                return Received::Answered;
            }
            (inbox.receive(payload), inbox.call())
        };
        self.wait_in(ready, Place::Back);
        received
    }

    /// Ready when there is something to write, or nothing will ever be again.
    pub fn poll_outbox(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.outbox.poll_chunks(cx)
    }

    /// Ready when the session is closing or gone. Shares the outbox's waker: for the same task as `poll_outbox`, and
    /// only while that task still has chunks to write.
    pub fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.outbox.poll_closing(cx)
    }

    /// Moves up to `chunks_max` chunks of whole frames behind what `into` holds and gives their number. Says at the
    /// same time that all chunks taken before are written: until then they count against the outbox's bound.
    pub fn take_chunks(&self, into: &mut VecDeque<Bytes>, chunks_max: usize) -> usize {
        self.outbox.take(into, chunks_max)
    }

    /// The close frame, once there is one.
    pub fn closing(&self) -> Option<CloseFrame> {
        self.outbox.closing()
    }

    /// Queues a control frame, as `frame::pong` makes it, behind what waits.
    pub fn push_control(&self, frame: Bytes) -> SendStatus {
        self.send_frame(frame, &Holds::default(), &mut WakeList::default())
    }

    /// Queues a close frame behind what waits. Nothing is queued after it; a second close changes nothing. What the
    /// client sent before still reaches the guest.
    pub fn close(&self, frame: impl Into<CloseFrame>) {
        let holds = Holds::default();
        self.outbox
            .close(frame.into(), &holds, &mut WakeList::default());
    }

    /// Closes by the guest's will: what the client sent and the guest has not seen is dropped.
    pub(crate) fn close_deaf(&self, frame: impl Into<CloseFrame>, holds: &Holds) {
        let mut wakes = WakeList::default();
        wakes.add(self.inbox.lock().go_deaf());
        self.outbox.close(frame.into(), holds, &mut wakes);
    }

    /// Closes because something that waits here must not come out. Whom it does not reach any more has heard nothing
    /// wrong, and what it said before it left is still told.
    pub(crate) fn close_lost(&self, frame: impl Into<CloseFrame>, wakes: &mut WakeList) {
        if self.outbox.fail(frame.into(), wakes) {
            wakes.add(self.inbox.lock().go_deaf());
        }
    }

    /// Queues one chunk of whole frames.
    pub(crate) fn send_frame(
        &self,
        frame: Bytes,
        holds: &Holds,
        wakes: &mut WakeList,
    ) -> SendStatus {
        let bytes = frame.len() as u64;
        let pushed = self.outbox.push(frame, None, holds, Writer::Wakes, wakes);
        self.realm.counters().sent(pushed, bytes);
        pushed.status
    }

    /// What the guest is told first, once the session waits for it.
    pub(crate) fn expect(&self, opened: Opened) {
        self.inbox.lock().push(EventKind::Opened(Box::new(opened)));
    }

    /// Waits for the guest from now on, if anything is there for it and it does not wait already.
    pub(crate) fn call(self: &Arc<Self>) {
        let ready = self.inbox.lock().call();
        self.wait_in(ready, Place::Back);
    }

    /// Takes its beginning back, if it does not wait for a guest yet. Nobody knows it after that.
    pub(crate) fn withdraw(&self) -> Option<Opened> {
        let opened = self.inbox.lock().take_back_opened()?;
        self.realm.forget_session(self.id);
        Some(opened)
    }

    pub(crate) fn push_timer(self: &Arc<Self>, name: ByteString) {
        let ready = {
            let mut inbox = self.inbox.lock();
            inbox.push_timer(name);
            inbox.call()
        };
        self.wait_in(ready, Place::Back);
    }

    pub(crate) fn retract_timer(&self, name: &str) {
        self.inbox.lock().retract_timer(name);
    }

    /// Queues `Closed`, once.
    pub(crate) fn end(self: &Arc<Self>, code: u16, reason: ByteString) {
        let mut wakes = WakeList::default();
        let ready = {
            let mut inbox = self.inbox.lock();
            wakes.add(inbox.end(code, reason));
            inbox.call()
        };
        self.wait_in(ready, Place::Back);
    }

    pub(crate) fn attach_bytes(&self, attachment: Bytes) {
        self.inbox.lock().attachment = attachment;
    }

    pub(crate) fn set_auto_reply(&self, reply: AutoReply) {
        self.inbox.lock().auto_reply = Some(Box::new(reply));
    }

    /// Lets another revision of the namespace serve the session from now on, without the client noticing: the guest there
    /// hears `Resumed` first, then what waited, in order. A batch that is out is finished by the revision that has it,
    /// before. To move a session to the queue where it is, or one that ended, changes nothing.
    pub fn move_to(self: &Arc<Self>, ready: &Arc<ReadyQueue>, from_version: &str) {
        let moved = self.inbox.lock().move_to(ready, from_version);
        self.wait_in(moved, Place::Back);
    }

    /// Moves events into a batch.
    pub(crate) fn offer(
        &self,
        queue: &ReadyQueue,
        room: &mut BatchRoom,
        batch: &mut Vec<Event>,
        wakes: &mut WakeList,
    ) -> Offer {
        let mut inbox = self.inbox.lock();
        if !inbox.is_due_in(queue) {
            return Offer::Nothing;
        }
        if inbox.is_empty() {
            inbox.rest();
            return Offer::Nothing;
        }
        let taken = inbox.take(self.id, room, batch);
        wakes.add(inbox.room_waker());
        if taken.events == 0 {
            Offer::NoRoom
        } else {
            Offer::Took(taken)
        }
    }

    /// The events of a batch are done with; the last of them was this one.
    pub(crate) fn stand(self: &Arc<Self>, last: &EventKind) {
        if matches!(last, EventKind::Closed { .. }) {
            return self.forget();
        }
        let ready = {
            let mut inbox = self.inbox.lock();
            inbox.rest();
            inbox.call()
        };
        self.wait_in(ready, Place::Back);
    }

    /// The guest knows of its end.
    fn forget(&self) {
        self.inbox.lock().rest();
        self.realm.forget_session(self.id);
    }

    /// The events of a batch come back; the first that is no news of a move has this chance.
    pub(crate) fn return_events(
        self: &Arc<Self>,
        kinds: impl DoubleEndedIterator<Item = EventKind>,
        given_before: usize,
        chance: Chance,
    ) {
        let ready = {
            let mut inbox = self.inbox.lock();
            inbox.put_back(kinds, given_before, chance);
            inbox.rest();
            inbox.call()
        };
        self.wait_in(ready, Place::Front);
    }

    /// The guest died of the first of these events. The others are what came after it in the batch.
    pub(crate) fn blame(self: &Arc<Self>, kinds: Vec<EventKind>) {
        self.realm.counters().guest_faults.incr();
        let mut kinds = kinds.into_iter();
        if matches!(kinds.next(), Some(EventKind::Closed { .. })) {
            return self.forget();
        }
        self.close_deaf(GUEST_FAULT, &Holds::default());
        self.return_events(kinds, 0, Chance::First);
    }

    /// A guest died of the first of these events, and nothing came of it: whoever has the session now is given them, and
    /// that first one for the last time. If it is still the one behind this queue, the event is to blame.
    pub(crate) fn spare(self: &Arc<Self>, queue: &ReadyQueue, kinds: Vec<EventKind>) -> Toll {
        // The end of a session is never moved.
        let is_end = matches!(kinds.first(), Some(EventKind::Closed { .. }));
        let ready = {
            let mut inbox = self.inbox.lock();
            if is_end || !inbox.has_left(queue) {
                drop(inbox);
                self.blame(kinds);
                return Toll::Closed;
            }
            inbox.put_back(kinds.into_iter(), 0, Chance::Last);
            inbox.rest();
            inbox.call()
        };
        self.realm.counters().spared.incr();
        self.wait_in(ready, Place::Front);
        Toll::None
    }

    /// The ready queue that it came to wait in is closed, so no guest will ever hear of it again; unless it was moved.
    pub(crate) fn strand(&self, queue: &ReadyQueue) {
        let mut wakes = WakeList::default();
        let (ended, waker) = {
            let mut inbox = self.inbox.lock();
            if !inbox.is_due_in(queue) {
                return;
            }
            inbox.give_up()
        };
        wakes.add(waker);
        if ended {
            self.realm.forget_session(self.id);
        } else {
            self.close(RESTART);
        }
    }

    fn wait_in(self: &Arc<Self>, ready: Option<Arc<ReadyQueue>>, place: Place) {
        if let Some(ready) = ready {
            ready.enqueue(Arc::clone(self), place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_small() {
        assert!(size_of::<Session>() <= 384, "{}", size_of::<Session>());
    }
}
