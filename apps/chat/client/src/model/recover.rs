//! What was said while one was away.
//!
//! **Invariant:** before anything is said again, everything that was missed was read: from the position that was reached,
//! where the server knows positions, and else page by page back to the newest message that was known. Where the server
//! does not have that any more, the user is told of the gap.

use super::{Chat, Phase, Told};
use crate::protocol::v1::{Ask, Message, PAGE_MAX};

/// Which way a message of the past came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Since a position: it was not told before.
    Missed,
    /// In a page that may go back beyond what was known.
    ByTime,
}

/// Whether there is another page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// There is.
    There,
    /// This was the last.
    None,
}

impl Chat {
    /// In a room again, with its last messages, the oldest of this time: is there a gap before them?
    pub(super) fn begin_recovery(
        &mut self,
        room: String,
        oldest: Option<u64>,
        position: Option<String>,
    ) {
        self.page_from = oldest;
        self.position_then = None;
        if position.is_some() && self.positions.contains_key(&room) {
            // What was missed comes by itself: the request to join said from where on.
            self.phase = Phase::Recovering(self.clock.now);
        } else {
            self.read_back(room, position);
        }
    }

    /// Goes back by time, if the known does not reach the present. When that is done one is at this position.
    fn read_back(&mut self, room: String, position: Option<String>) {
        self.positions.remove(&room);
        self.position_then = position.map(|position| (room.clone(), position));
        self.reads_back = true;
        match (self.missed_from, self.page_from) {
            (Some(newest), Some(oldest)) if oldest > newest => self.ask_before(room, oldest),
            (Some(1..), None) => self.lost_past(),
            _ => self.recovered(),
        }
    }

    fn ask_before(&mut self, room: String, before: u64) {
        self.phase = Phase::Recovering(self.clock.now);
        self.ask(&Ask::History {
            room,
            limit: PAGE_MAX,
            before: Some(before),
        });
    }

    /// A page of what was missed since the position.
    pub(super) fn caught_up(
        &mut self,
        room: &str,
        messages: Vec<Message>,
        more: More,
        position: Option<String>,
    ) {
        for message in messages {
            self.learn(room, message, Came::Missed);
        }
        let since = position.filter(|_| self.is_recovering(room));
        let Some(since) = since else { return };
        match more {
            // Not the position to keep: before it there may be something that was being said when the page was made.
            More::There => {
                self.phase = Phase::Recovering(self.clock.now);
                self.ask(&Ask::Recover {
                    room: room.to_owned(),
                    since,
                });
            }
            More::None => {
                self.positions.insert(room.to_owned(), since);
                self.recovered();
            }
        }
    }

    /// The server does not know the position any more: it was long ago, or it forgot everything.
    pub(super) fn forgotten(&mut self, room: &str, position: Option<String>) {
        if self.is_recovering(room) {
            self.read_back(room.to_owned(), position);
        }
    }

    /// A page of the history.
    pub(super) fn page(&mut self, room: &str, messages: Vec<Message>, more: More) {
        let oldest = messages.first().map(|message| message.timestamp);
        let is_recovery = self.is_recovering(room) && self.reads_back;
        let is_asked = std::mem::take(&mut self.page_asked) && self.is_here(room);
        for message in messages {
            self.learn(room, message, Came::ByTime);
        }
        if is_recovery {
            match oldest {
                Some(oldest) if self.missed_from.is_none_or(|newest| oldest <= newest) => {
                    self.recovered();
                }
                Some(oldest) if more == More::There => self.ask_before(room.to_owned(), oldest),
                // Nothing was known before, and this is all.
                _ if self.missed_from == Some(0) => self.recovered(),
                _ => self.lost_past(),
            }
        } else if is_asked {
            self.log_here().has_older = more == More::There;
        }
    }

    fn is_recovering(&self, room: &str) -> bool {
        matches!(self.phase, Phase::Recovering(_)) && self.is_here(room)
    }

    fn recovered(&mut self) {
        self.missed_from = None;
        self.reads_back = false;
        self.positions.extend(self.position_then.take());
        if self.phase != Phase::Ready {
            self.ready();
        }
    }

    fn lost_past(&mut self) {
        self.notice("The server does not remember everything that was said meanwhile: messages may be missing");
        self.recovered();
    }

    /// Takes a message of the past in, once.
    pub(super) fn learn(&mut self, room: &str, message: Message, came: Came) {
        let log = self.logs.entry(room.to_owned()).or_default();
        if log.say(message.clone()) {
            // A page of the past that the user asked for may hold the same words.
            let is_since = came == Came::Missed
                || self
                    .missed_from
                    .is_none_or(|newest| message.timestamp > newest);
            if self.phase != Phase::Ready && is_since {
                self.outbox.acknowledge(&self.me, &message, None);
            }
            if self.is_here(room) {
                self.tell_said(room, message);
            }
        }
    }

    /// A page of the past goes before what was said since: both wait until there is no gap between.
    pub(super) fn tell_said(&mut self, room: &str, message: Message) {
        let room = room.to_owned();
        if self.phase == Phase::Ready {
            self.tell(Told::Said { room, message });
        } else {
            self.held.push((room, message));
        }
    }

    pub(super) fn tell_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|(_, message)| message.timestamp);
        for (room, message) in held {
            self.tell(Told::Said { room, message });
        }
    }
}
