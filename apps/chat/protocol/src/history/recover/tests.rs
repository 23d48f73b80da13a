//! Claims about reading what was missed.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rookery_sdk::testing::Host;
use rookery_sdk::{App, kv};

use super::*;

/// A room's log at a host whose clock is moved by hand.
struct Room(Host);

impl Room {
    fn new() -> Room {
        Room(Host::new(App::new()))
    }

    fn log<R>(&self, run: impl FnOnce(&Log<'_>) -> R) -> R {
        self.0.run(|| run(&Log::of(&kv::bucket().unwrap(), "k")))
    }

    /// Says so many things, each a minute after the other: where one goes on who has heard them.
    fn say(&self, count: usize) -> String {
        let mut position = self.log(|log| log.position().unwrap());
        for _ in 0..count {
            self.0.advance(Duration::from_secs(60));
            position = self.write(self.log(|log| log.reserve("", "").unwrap()));
        }
        position
    }

    fn write(&self, reserved: crate::history::Reserved) -> String {
        let said = Said {
            id: reserved.place.to_string(),
            text: String::new(),
            username: String::new(),
            timestamp: reserved.timestamp,
        };
        self.log(|log| log.keep(&reserved, &said).unwrap());
        reserved.position
    }

    /// Reads to the last page: the messages' places, and where to go on the next time. None for a gap.
    fn recover(&self, since: &str, limit: usize) -> Option<(Vec<u64>, String)> {
        let (mut places, mut since) = (Vec::new(), since.to_owned());
        loop {
            let page = self.log(|log| log.recover(&since, limit).unwrap());
            if !page.complete {
                assert!(page.messages.is_empty() && !page.has_more);
                return None;
            }
            assert!(page.messages.len() <= limit);
            places.extend(
                page.messages
                    .iter()
                    .map(|said| said.id.parse::<u64>().unwrap()),
            );
            since = page.position;
            if !page.has_more {
                return Some((places, since));
            }
        }
    }
}

/// What is read since a position: always what was said shortly before it as well.
fn missed(room: &Room, since: &str, limit: usize) -> Vec<u64> {
    let (places, _) = room.recover(since, limit).unwrap();
    places
}

#[test]
fn everything_since_a_position_is_read_in_order() {
    let room = Room::new();
    let early = room.say(3);
    let late = room.say(300);
    for limit in [1, 7, 100, 1_000] {
        assert_eq!(missed(&room, &early, limit), (2..303).collect::<Vec<_>>());
        assert_eq!(missed(&room, &late, limit), [302]);
    }
}

#[test]
fn who_was_there_before_anything_was_said_is_given_all() {
    let room = Room::new();
    let empty = room.say(0);
    assert!(missed(&room, &empty, 10).is_empty());
    room.say(2);
    assert_eq!(missed(&room, &empty, 10), [0, 1]);
}

#[test]
fn what_was_told_late_is_not_missed() {
    let room = Room::new();
    room.say(5);
    room.0.advance(Duration::from_secs(60));
    let slow = room.log(|log| log.reserve("", "").unwrap());
    let quick = room.log(|log| log.reserve("", "").unwrap());
    // The quicker isolate tells first, and who was told goes away before the slower one does.
    let heard = room.write(quick);
    room.write(slow);
    assert_eq!(missed(&room, &heard, 10), [5, 6]);
}

#[test]
fn what_an_invocation_left_behind_when_it_died_stops_nobody() {
    let room = Room::new();
    let heard = room.say(1);
    let _died = room.log(|log| log.reserve("", "").unwrap());
    room.say(1);
    assert_eq!(missed(&room, &heard, 1), [0, 2]);
}

#[test]
fn the_place_after_the_last_page_leads_to_what_comes_next() {
    let room = Room::new();
    let heard = room.say(1);
    room.say(4);
    let (_, next) = room.recover(&heard, 2).unwrap();
    assert_eq!(missed(&room, &next, 2), [4]);
    room.say(2);
    assert_eq!(missed(&room, &next, 2), [4, 5, 6]);
}

#[test]
fn a_log_that_has_forgotten_says_so() {
    let room = Room::new();
    let early = room.say(5);
    room.say(1_000);
    assert_eq!(
        room.recover(&early, 100),
        None,
        "place 4 may not have been told"
    );
    let room = Room::new();
    let early = room.say(7);
    room.say(998);
    assert_eq!(missed(&room, &early, 100), (6..1_005).collect::<Vec<_>>());
    room.say(1);
    assert_eq!(room.recover(&early, 100), None);
}

#[test]
fn a_position_of_elsewhere_is_a_gap() {
    let room = Room::new();
    let position = room.say(3);
    let (epoch, _) = position.split_once(':').unwrap();
    let wrong = [
        format!("{epoch}:4"),
        "1795219689027-clsmy7yj0:1".to_owned(),
        "nonsense".to_owned(),
    ];
    for since in wrong {
        assert_eq!(room.recover(&since, 10), None, "{since}");
    }
    room.log(|log| log.erase().unwrap());
    room.say(3);
    assert_eq!(
        room.recover(&position, 10),
        None,
        "a room of the same name, made anew"
    );
}
