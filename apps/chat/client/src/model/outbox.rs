//! What the user said and the server did not repeat yet.
//!
//! **Invariant:** one message is under way at a time, so that what comes back is known to be it and the order stays.
//! **Invariant:** what was under way when a connection ended is asked for again only after the room's history was read and
//! did not have it.

use std::collections::VecDeque;

use crate::clean;
use crate::protocol::v1::Message;

/// What waits at most. Who pipes more in has to wait as well.
pub const WAITING_MAX: usize = 1_000;

/// One thing to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Where.
    pub room: String,
    /// What.
    pub text: String,
    /// How often it was sent.
    pub tries: u32,
    /// The name of the request for it, whenever it was sent: the server says once what it is asked for twice.
    pub id: Option<String>,
    /// The request's name, while it is under way.
    pub sent: Option<Sent>,
}

/// A wish under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The request's name.
    pub id: String,
    /// When it was sent, in epoch milliseconds.
    pub at_ms: u64,
}

/// The wishes in their order.
#[derive(Debug, Default)]
pub struct Outbox {
    wishes: VecDeque<Wish>,
    /// Nothing is sent before: the server asked for patience.
    hold_until_ms: u64,
}

impl Outbox {
    /// Adds a wish; false when there are too many.
    pub fn push(&mut self, room: &str, text: &str) -> bool {
        if self.wishes.len() >= WAITING_MAX {
            return false;
        }
        self.wishes.push_back(Wish {
            room: room.to_owned(),
            text: text.to_owned(),
            tries: 0,
            id: None,
            sent: None,
        });
        true
    }

    /// How many wait, with the one under way.
    pub fn len(&self) -> usize {
        self.wishes.len()
    }

    /// The wish that is next, if none is under way and nothing forbids it.
    pub fn next(&mut self, room: &str, now_ms: u64) -> Option<&mut Wish> {
        if now_ms < self.hold_until_ms {
            return None;
        }
        let first = self.wishes.front_mut()?;
        (first.sent.is_none() && first.room == room).then_some(first)
    }

    /// The wish under way.
    pub fn under_way(&self) -> Option<&Wish> {
        self.wishes.front().filter(|wish| wish.sent.is_some())
    }

    /// Takes the wish under way off, if this message is it.
    pub fn acknowledge(&mut self, me: &str, message: &Message, request: Option<&str>) -> bool {
        let Some(wish) = self.under_way() else {
            return false;
        };
        let sent = wish.sent.as_ref().map(|sent| sent.id.as_str());
        // A server that names requests is believed; any other repeats the words.
        let is_it = match request {
            Some(request) => sent == Some(request),
            None => message.username == me && message.text == clean::message(&wish.text),
        };
        if is_it {
            self.wishes.pop_front();
        }
        is_it
    }

    /// The wish under way was not granted, or nobody knows: it is the next one again.
    pub fn take_back(&mut self) {
        if let Some(first) = self.wishes.front_mut() {
            first.sent = None;
        }
    }

    /// Gives the first wish up.
    pub fn give_up(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// Sends nothing until then.
    pub fn hold(&mut self, until_ms: u64) {
        self.hold_until_ms = until_ms;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(username: &str, text: &str) -> Message {
        Message {
            id: "1-a".into(),
            text: text.into(),
            username: username.into(),
            timestamp: 1,
        }
    }

    fn with_one_under_way() -> Outbox {
        let mut outbox = Outbox::default();
        outbox.push("r", "hi");
        outbox.push("r", "there");
        outbox.next("r", 0).unwrap().sent = Some(Sent {
            id: "q".into(),
            at_ms: 0,
        });
        outbox
    }

    #[test]
    fn one_is_under_way_at_a_time() {
        let mut outbox = with_one_under_way();
        assert_eq!(outbox.next("r", 0), None);
        assert!(outbox.acknowledge("Ada", &said("Ada", "hi"), None));
        assert_eq!(outbox.next("r", 0).unwrap().text, "there");
        assert_eq!(outbox.next("elsewhere", 0), None);
    }

    #[test]
    fn the_words_of_others_acknowledge_nothing() {
        let mut outbox = with_one_under_way();
        assert!(!outbox.acknowledge("Ada", &said("Bob", "hi"), None));
        assert!(!outbox.acknowledge("Ada", &said("Ada", "there"), None));
        // Another of our name, at a server that names requests.
        assert!(!outbox.acknowledge("Ada", &said("Ada", "hi"), Some("other")));
        assert!(outbox.acknowledge("Ada", &said("Ada", "hi"), Some("q")));
    }

    #[test]
    fn patience_is_kept_and_what_is_taken_back_is_next_again() {
        let mut outbox = with_one_under_way();
        outbox.take_back();
        outbox.hold(100);
        assert_eq!(outbox.next("r", 99), None);
        assert_eq!(outbox.next("r", 100).unwrap().text, "hi");
    }

    #[test]
    fn it_has_a_bound() {
        let mut outbox = Outbox::default();
        for _ in 0..WAITING_MAX {
            assert!(outbox.push("r", "x"));
        }
        assert!(!outbox.push("r", "x"));
    }
}
