//! What is shown of one room: what was said, and what happened, in the order of time.
//!
//! **Invariant:** a message is in it once, wherever and how often it came from.
//! **Invariant:** it has a bound; the oldest go first.

use std::collections::BTreeSet;

use crate::protocol::v1::Message;

/// A room's most. A server keeps a thousand messages.
const ENTRIES_MAX: usize = 5_000;

/// A line or a few of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, by the server's clock for what was said and by ours for the rest; then the order of arrival.
    pub at: (u64, u64),
    /// What.
    pub what: What,
}

/// What an entry shows.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Somebody said something.
    Said(Message),
    /// Something happened.
    Notice(String),
    /// Something went wrong.
    Problem(String),
}

/// One room's entries.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
    ids: BTreeSet<String>,
    arrivals: u64,
    /// How often it changed.
    changes: u64,
    /// When the newest message was said that was ever in it.
    newest: u64,
    /// Up to this time everything was read.
    read_to: u64,
    /// Whether the server has older messages than the oldest here.
    pub has_older: bool,
}

impl Log {
    /// Oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds a message. False when it was here already.
    pub fn say(&mut self, message: Message) -> bool {
        if !self.ids.insert(message.id.clone()) {
            return false;
        }
        self.newest = self.newest.max(message.timestamp);
        self.insert(message.timestamp, What::Said(message));
        true
    }

    /// Adds what is not a message, at the end.
    pub fn note(&mut self, now_ms: u64, what: What) {
        let newest = self.entries.last().map_or(0, |entry| entry.at.0);
        self.insert(now_ms.max(newest), what);
    }

    /// Forgets everything but what was read.
    pub fn clear(&mut self) {
        self.changes += 1;
        self.entries.clear();
        self.ids.clear();
        self.has_older = true;
    }

    /// How often it changed: as long as that stays, all that is seen of it does.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// When the newest message was said that was ever in it; 0 if there was none.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The messages, oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::Said(message) => Some(message),
            _ => None,
        })
    }

    /// Everything up to now was seen.
    pub fn read(&mut self) {
        self.read_to = self.newest;
    }

    /// The messages of others that were not seen.
    pub fn unread<'a>(&'a self, me: &'a str) -> impl Iterator<Item = &'a Message> {
        let messages = self.messages().rev();
        messages
            .take_while(|message| message.timestamp > self.read_to)
            .filter(move |message| message.username != me)
    }

    fn insert(&mut self, at_ms: u64, what: What) {
        self.changes += 1;
        self.arrivals += 1;
        let at = (at_ms, self.arrivals);
        let place = self.entries.partition_point(|entry| entry.at < at);
        self.entries.insert(place, Entry { at, what });
        if self.entries.len() > ENTRIES_MAX
            && let What::Said(message) = self.entries.remove(0).what
        {
            self.ids.remove(&message.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64) -> Message {
        Message {
            id: id.to_string(),
            text: format!("text {id}"),
            username: "Ada".into(),
            timestamp: id,
        }
    }

    fn ids(log: &Log) -> Vec<u64> {
        log.messages().map(|message| message.timestamp).collect()
    }

    #[test]
    fn messages_stand_in_the_order_of_time_and_once() {
        let mut log = Log::default();
        for id in [5, 3, 9, 3, 5, 1] {
            log.say(message(id));
        }
        assert_eq!(ids(&log), [1, 3, 5, 9]);
        assert!(!log.say(message(9)));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_and_may_come_again() {
        let mut log = Log::default();
        let many = ENTRIES_MAX as u64 + 3;
        for id in 0..many {
            log.say(message(id));
        }
        assert_eq!(log.entries().len(), ENTRIES_MAX);
        assert_eq!(log.messages().next().map(|m| m.timestamp), Some(3));
        // It is not known any more, and older than all that are.
        assert!(log.say(message(2)));
        assert!(!log.say(message(4)));
    }

    #[test]
    fn what_others_said_since_one_looked_is_unread() {
        let mut log = Log::default();
        log.say(message(1));
        log.read();
        log.say(message(2));
        log.say(message(3));
        assert_eq!(log.unread("Bob").count(), 2);
        assert_eq!(log.unread("Ada").count(), 0);
        log.read();
        assert_eq!(log.unread("Bob").count(), 0);
        // A page of the past is not news.
        log.say(message(0));
        assert_eq!(log.unread("Bob").count(), 0);
    }

    #[test]
    fn what_was_known_stays_known_when_the_screen_is_cleared() {
        let mut log = Log::default();
        assert_eq!(log.newest(), 0);
        log.say(message(7));
        log.say(message(5));
        let changes = log.changes();
        log.clear();
        assert_eq!((log.newest(), log.entries().len()), (7, 0));
        assert_ne!(log.changes(), changes);
    }

    #[test]
    fn a_notice_stands_at_the_end_whatever_the_clocks_say() {
        let mut log = Log::default();
        log.say(message(100));
        log.note(50, What::Notice("n".into()));
        assert_eq!(log.entries()[1].what, What::Notice("n".into()));
    }
}
