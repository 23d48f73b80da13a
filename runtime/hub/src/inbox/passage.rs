//! Events on their way from the inbox into a batch, and back out of one.
//!
//! **Invariant:** what comes back is in front of whatever came since, in its order.
//! **Absent on purpose:** whose turn it is to be given something (`ready.rs`), and why something comes back (`batch.rs`).

use std::collections::VecDeque;

use bytestring::ByteString;
use rookery_contract::{Event, EventKind, SessionId};

use super::{Hearing, Inbox, Turn, is_from_client, payload_len};

/// An emptied queue keeps at most so many places, since most sessions are idle at any time.
const PLACES_KEPT: usize = 4;

/// What still fits a batch.
pub(crate) struct BatchRoom {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// How often the event in front may be what a guest dies of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Chance {
    /// No guest died of it yet.
    #[default]
    First,
    /// One did, and nothing came of it; another one was given it.
    Last,
}

/// What a batch took from one session.
pub(crate) struct Taken {
    pub(crate) events: usize,
    /// That of the first of them which is no news of a move.
    pub(crate) chance: Chance,
    /// How many of them, from the first on, had been given to a worker that died before it began with them.
    pub(crate) given_before: usize,
}

impl Inbox {
    /// Moves events into a batch. An `Opened` ends the session's part: what comes after it waits for the next batch, in
    /// which it is missing if the guest refused the client.
    pub(crate) fn take(
        &mut self,
        session: SessionId,
        room: &mut BatchRoom,
        batch: &mut Vec<Event>,
    ) -> Taken {
        let mut events = self.announce_move(session, room, batch);
        let mut chance = Chance::First;
        while let Some(kind) = self.events.front() {
            let bytes = payload_len(kind) + self.attachment.len();
            if room.events == 0 || (room.bytes < bytes && !batch.is_empty()) {
                break;
            }
            room.events -= 1;
            room.bytes = room.bytes.saturating_sub(bytes);
            self.bytes -= payload_len(kind);
            events += 1;
            if self.chance == Chance::Last {
                (chance, self.chance) = (Chance::Last, Chance::First);
            }
            let kind = self.events.pop_front().expect("the front was seen");
            let opened = matches!(kind, EventKind::Opened(_));
            batch.push(Event {
                session,
                attachment: self.attachment.clone(),
                kind,
            });
            if opened {
                break;
            }
        }
        let given_before = self.given_before.min(events);
        self.given_before -= given_before;
        if self.events.is_empty() && self.events.capacity() > PLACES_KEPT {
            self.events = VecDeque::new();
        }
        if events > 0 {
            self.turn_to(Turn::InBatch);
        }
        Taken {
            events,
            chance,
            given_before,
        }
    }

    /// Tells the guest first that another version had the session, unless it never heard of the session at all.
    fn announce_move(
        &mut self,
        session: SessionId,
        room: &mut BatchRoom,
        batch: &mut Vec<Event>,
    ) -> usize {
        if matches!(self.events.front(), Some(EventKind::Opened(_))) {
            self.resumed_from = None;
        }
        if room.events == 0 {
            return 0;
        }
        let Some(from_version) = self.resumed_from.take() else {
            return 0;
        };
        room.events -= 1;
        batch.push(Event {
            session,
            attachment: self.attachment.clone(),
            kind: EventKind::Resumed {
                from_version: ByteString::from(from_version.into_string()),
            },
        });
        1
    }

    /// Puts events back at the front, in their order, `given_before` of them as given to a worker in vain. Of a session
    /// that was moved meanwhile, this says nothing about the revision that has it now. The first that is no news of a move
    /// has this chance.
    pub(crate) fn put_back(
        &mut self,
        kinds: impl DoubleEndedIterator<Item = EventKind>,
        given_before: usize,
        chance: Chance,
    ) {
        let was_moved = self.resumed_from.is_some();
        let mut count = 0;
        for kind in kinds.rev() {
            let is_news = matches!(kind, EventKind::Resumed { .. });
            if self.hearing == Hearing::Deaf && is_from_client(&kind) {
                self.chance = Chance::First;
                continue;
            }
            if !is_news {
                self.chance = chance;
            }
            count += 1;
            if let EventKind::Resumed { from_version } = &kind {
                // It stands before whatever waits, and is made when it is given. Nobody has served the session since.
                self.resumed_from = Some((&**from_version).into());
                continue;
            }
            self.bytes += payload_len(&kind);
            self.events.push_front(kind);
        }
        if !was_moved {
            self.given_before += given_before.min(count);
        }
    }
}
