//! Hands a topic's pending messages to its members.
//!
//! **Invariant:** both ways out of here happen under the topic's lock, so every member gets the messages of a topic in the
//! same order: that of their offsets.

use rookery_contract::{SendStatus, SessionId};

use crate::close::WRITES_LOST;
use crate::counters::Counters;
use crate::hold::Outcome;
use crate::outbox::Writer;
use crate::pace::Turn;
use crate::pending::{Share, around};
use crate::topic::TopicState;
use crate::waking::WakeList;

/// Up to so many pending bytes are copied for a member that must have them before the others.
const COPY_BYTES_MAX: usize = 16 * 1024;
/// Up to so many members cost less than a copy.
const FEW_MEMBERS: usize = 2;

impl TopicState {
    /// Gives every member what is pending: the same buffer to all, slices of it to those with exceptions.
    pub(crate) fn flush(&mut self, counters: &Counters, wakes: &mut WakeList) {
        if self.pending.is_empty() {
            return;
        }
        let writer = match self.pace.turn(self.members.len()) {
            Turn::Now => Writer::Wakes,
            Turn::At(at) => {
                let own = self.own.upgrade();
                wakes.add_later(own.expect("who has its state has the topic"), at);
                Writer::Rests
            }
            Turn::Due => Writer::Rests,
        };
        let mut frozen = self.pending.freeze();
        let (all, all_messages) = (frozen.bytes.clone(), frozen.messages);
        let (holds, marks) = (std::mem::take(&mut frozen.holds), frozen.marks.take());
        let marks = marks.as_ref();
        let (mut deliveries, mut bytes_out, mut slow) = (0, 0, 0);
        for (index, session) in self.members.values().enumerate() {
            let share = frozen.share(index);
            if holds.join(session) == Outcome::Lost {
                // The topic is about to begin a new stream; who leaves it before must not wait for ever.
                session.close_lost(WRITES_LOST, wakes);
                continue;
            }
            let (pushed, bytes, messages) = match share {
                Share::Whole => (
                    session
                        .outbox
                        .push(all.clone(), marks, &holds, writer, wakes),
                    all.len(),
                    all_messages,
                ),
                Share::Around {
                    exceptions,
                    bytes,
                    messages,
                } => {
                    let slices = around(all.len(), exceptions.iter())
                        .map(|range| (range.start, all.slice(range)));
                    (
                        session
                            .outbox
                            .push_all(bytes, slices, marks, &holds, writer, wakes),
                        bytes,
                        messages,
                    )
                }
            };
            counters.shed(pushed.shed);
            match pushed.status {
                SendStatus::Queued => {
                    deliveries += messages;
                    bytes_out += bytes as u64;
                }
                SendStatus::Full => slow += 1,
                SendStatus::Gone => {}
            }
        }
        counters.deliveries.add(deliveries);
        counters.bytes_out.add(bytes_out);
        if slow > 0 {
            counters.slow_closed.add(slow);
        }
    }

    /// Gives one member what is pending for it, because it is about to be sent something that comes after. The others'
    /// share stays together: an app that answers every message and publishes it too must not cost them a buffer each.
    pub(crate) fn settle(&mut self, session: SessionId, counters: &Counters, wakes: &mut WakeList) {
        if self.pending.is_empty() {
            return;
        }
        let Some((index, _, member)) = self.members.get_full(&session) else {
            return;
        };
        if self.members.len() <= FEW_MEMBERS || self.pending.len() > COPY_BYTES_MAX {
            return self.flush(counters, wakes);
        }
        let (copy, marks, messages) = self.pending.copy_for(index);
        let (bytes, holds) = (copy.len(), self.pending.holds.clone());
        if holds.join(member) == Outcome::Lost {
            member.close_lost(WRITES_LOST, wakes);
            return;
        }
        let copy = std::iter::once((0, copy));
        let pushed =
            member
                .outbox
                .push_all(bytes, copy, marks.as_ref(), &holds, Writer::Wakes, wakes);
        counters.shed(pushed.shed);
        match pushed.status {
            SendStatus::Queued => {
                counters.deliveries.add(messages);
                counters.bytes_out.add(bytes as u64);
            }
            SendStatus::Full => counters.slow_closed.incr(),
            SendStatus::Gone => {}
        }
        if self.pending.is_full() {
            self.flush(counters, wakes);
        }
    }

    /// Tells the subscribers who came and went. Without subscribers there is nobody to tell.
    pub(crate) fn tell_news(&mut self, name: &str, counters: &Counters, wakes: &mut WakeList) {
        let Some(presence) = &mut self.presence else {
            return;
        };
        let (news, holds) = presence.take_news(name);
        if !self.members.is_empty() {
            self.pending.append(&news, None, None);
            self.pending.holds.add_all(&holds);
            self.flush(counters, wakes);
        }
    }
}
