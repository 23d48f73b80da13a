//! Clients that do not keep up: what is dropped for them, what is not, and what it costs the others.

#![allow(clippy::unwrap_used)]

mod room;

use proptest::prelude::*;
use rookery_contract::{PublishOptions, WhenSlow};
use rookery_hub::SessionLimits;
use room::{Client, Room, plain, text};

/// Room for ten messages of [`numbered`].
fn small() -> SessionLimits {
    limits(1_000)
}

fn limits(outbox_bytes: usize) -> SessionLimits {
    SessionLimits {
        outbox_bytes,
        ..SessionLimits::default()
    }
}

fn oldest() -> PublishOptions {
    PublishOptions {
        when_slow: WhenSlow::DropOldest,
        ..plain()
    }
}

fn keyed(key: &str) -> PublishOptions {
    PublishOptions {
        when_slow: WhenSlow::Conflate(key.into()),
        ..plain()
    }
}

/// A hundred bytes as a frame.
fn numbered(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:0>width$}", width = 98 - prefix.len())
}

fn number_of(message: &str) -> usize {
    message
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .unwrap()
}

fn numbers(messages: &[String]) -> Vec<usize> {
    messages.iter().map(|message| number_of(message)).collect()
}

fn say(room: &Room, topic: &str, message: &str, options: &PublishOptions) {
    room.publisher()
        .publish(topic, &text(message), options)
        .unwrap();
}

#[tokio::test]
async fn the_oldest_of_what_may_be_dropped_makes_room_and_is_counted() {
    let room = Room::new();
    let slow = room.member_with(small(), &["cursors"]).await;
    let quick = room.member(&["cursors"]).await;
    for number in 0..25 {
        say(&room, "cursors", &numbered("c", number), &oldest());
    }
    let heard = numbers(&rest(&slow));
    assert!(heard.len() >= 7, "a quarter is free at most: {heard:?}");
    assert_eq!(heard, Vec::from_iter(25 - heard.len()..25));
    assert_eq!(numbers(&quick.reads()), Vec::from_iter(0..25));
    let counted = room.hub.snapshot().total;
    assert_eq!(counted.dropped, 25 - heard.len() as u64);
    assert_eq!((counted.conflated, counted.slow_closed), (0, 0));
}

#[tokio::test]
async fn a_later_message_of_a_key_takes_the_place_of_those_before() {
    let room = Room::new();
    let slow = room.member_with(small(), &["prices"]).await;
    let quick = room.member(&["prices"]).await;
    for number in 0..40 {
        let key = ["acme", "bolt", "coil"][number % 3];
        say(&room, "prices", &numbered(key, number), &keyed(key));
    }
    let heard = rest(&slow);
    assert!(numbers(&heard).is_sorted());
    assert_eq!(numbers(&heard)[heard.len() - 3..], [37, 38, 39]);
    assert_eq!(quick.reads().len(), 40);
    let counted = room.hub.snapshot().total;
    assert_eq!(counted.conflated, 40 - heard.len() as u64);
    assert_eq!((counted.dropped, counted.slow_closed), (0, 0));
}

#[tokio::test]
async fn topics_do_not_share_keys() {
    let room = Room::new();
    let slow = room.member_with(limits(1_700), &["one", "two"]).await;
    for number in 0..30 {
        let topic = ["one", "two"][number % 2];
        say(&room, topic, &numbered(topic, number), &keyed("it"));
    }
    let heard = rest(&slow);
    let last = |topic: &str| heard.iter().rfind(|message| message.starts_with(topic));
    assert_eq!(last("one").map(|message| number_of(message)), Some(28));
    assert_eq!(last("two").map(|message| number_of(message)), Some(29));
}

#[tokio::test]
async fn who_has_no_room_for_what_must_not_be_dropped_is_closed_alone() {
    let room = Room::new();
    let slow = room.member_with(small(), &["talk", "prices"]).await;
    let quick = room.member(&["talk", "prices"]).await;
    for number in 0..12 {
        let key = number.to_string();
        say(&room, "prices", &numbered("p", number), &keyed(&key));
    }
    assert_eq!(slow.reads(), ["!3001"], "twelve keys are twelve messages");
    assert_eq!(quick.reads().len(), 12);
    let next = room.member_with(small(), &["talk"]).await;
    for number in 0..12 {
        say(&room, "talk", &numbered("t", number), &plain());
    }
    assert_eq!(next.reads(), ["!3001"]);
    assert_eq!(room.hub.snapshot().total.slow_closed, 2);
}

#[tokio::test]
async fn what_is_sent_to_one_and_what_is_not_marked_stays_in_its_place() {
    let room = Room::new();
    let slow = room.member_with(small(), &["talk", "cursors"]).await;
    let mut publisher = room.publisher();
    for number in 0..30 {
        publisher
            .publish("cursors", &text(&numbered("c", number)), &oldest())
            .unwrap();
        match number {
            8 => drop(publisher.publish("talk", &text("said 8"), &plain())),
            15 => drop(publisher.send(slow.id(), &text("sent 15"))),
            _ => {}
        }
    }
    drop(publisher);
    let heard = rest(&slow);
    assert!(heard.contains(&"said 8".to_owned()) && heard.contains(&"sent 15".to_owned()));
    let cursors: Vec<_> = heard
        .iter()
        .filter(|one| one.starts_with('c'))
        .cloned()
        .collect();
    assert!(numbers(&cursors).is_sorted());
    assert_eq!(number_of(cursors.last().unwrap()), 29);
}

/// What the writer has is on its way, and may be half in the socket.
#[tokio::test]
async fn what_was_taken_is_not_dropped_and_counts_against_the_bound() {
    let room = Room::new();
    let slow = room.member_with(small(), &["cursors"]).await;
    for number in 0..6 {
        say(&room, "cursors", &numbered("c", number), &oldest());
    }
    let taken = slow.reads();
    assert_eq!(numbers(&taken), [0, 1], "a quarter of the room at once");
    for number in 6..30 {
        say(&room, "cursors", &numbered("c", number), &oldest());
    }
    let waiting = rest(&slow);
    let bytes: usize = waiting.iter().map(|message| message.len() + 2).sum();
    assert!(bytes + 200 <= 1_000, "{bytes}");
    assert_eq!(numbers(&waiting), Vec::from_iter(30 - waiting.len()..30));
}

/// The sender is left out of its own messages; they are not among what it loses.
#[tokio::test]
async fn who_is_left_out_of_messages_loses_none_of_them() {
    let room = Room::new();
    let slow = room.member_with(small(), &["cursors"]).await;
    let mut publisher = room.publisher();
    for number in 0..40 {
        let options = PublishOptions {
            except: (number % 2 == 0).then(|| slow.id()),
            ..oldest()
        };
        publisher
            .publish("cursors", &text(&numbered("c", number)), &options)
            .unwrap();
        if number % 7 == 0 {
            publisher.flush();
        }
    }
    drop(publisher);
    let heard = numbers(&rest(&slow));
    assert!(heard.iter().all(|number| number % 2 == 1), "{heard:?}");
    let dropped = room.hub.snapshot().total.dropped;
    assert_eq!(dropped + heard.len() as u64, 20);
}

#[tokio::test]
async fn what_waits_for_a_write_waits_though_others_are_dropped_around_it() {
    let room = Room::new();
    let slow = room.member_with(small(), &["cursors"]).await;
    for number in 0..4 {
        say(&room, "cursors", &numbered("c", number), &oldest());
    }
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.send(slow.id(), &text("written"));
    drop(writes);
    for number in 4..20 {
        say(&room, "cursors", &numbered("c", number), &oldest());
    }
    // All that lay before it was dropped, so nothing comes out.
    assert!(slow.reads().is_empty());
    keeper.keep();
    let heard = rest(&slow);
    assert_eq!(heard[0], "written");
    assert_eq!(number_of(heard.last().unwrap()), 19);
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let room = Room::new();
    let mut publisher = room.publisher();
    let refused = publisher.publish("prices", &text("1"), &keyed(&"k".repeat(257)));
    assert_eq!(refused, Err(rookery_contract::TopicError::TooLarge));
}

/// Messages of a random day: what kind, how long, and when the client reads.
#[derive(Clone, Debug)]
enum Step {
    Say { kind: u8, length: usize },
    Read,
    EndInvocation,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![20 => 10usize..200, 1 => Just(17_000usize)];
    prop_oneof![
        12 => (0u8..6, length).prop_map(|(kind, length)| Step::Say { kind, length }),
        1 => Just(Step::Read),
        3 => Just(Step::EndInvocation),
    ]
}

/// 0 must stay, 1 and 2 may be dropped, the others have keys.
fn options(kind: u8) -> PublishOptions {
    match kind {
        0 => plain(),
        1 | 2 => oldest(),
        key => keyed(&key.to_string()),
    }
}

proptest! {
    /// Whatever is said and read: a part of it in its order, all that must stay, the last of each key, every loss counted.
    #[test]
    fn a_slow_client_loses_only_what_may_be_lost(steps in prop::collection::vec(step(), 1..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(live(steps))?;
    }
}

async fn live(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let room = Room::new();
    let slow = room.member_with(limits(4_000), &["a"]).await;
    let quick = room.member_with(limits(usize::MAX), &["a"]).await;
    let (mut said, mut heard) = (Vec::new(), Vec::new());
    let mut publisher = room.publisher();
    for step in steps {
        match step {
            Step::Say { kind, length } => {
                let message = format!("{kind}{:0>length$}", said.len());
                publisher
                    .publish("a", &text(&message), &options(kind))
                    .unwrap();
                said.push(message);
            }
            Step::Read => heard.extend(slow.reads()),
            Step::EndInvocation => publisher = room.publisher(),
        }
    }
    drop(publisher);
    heard.extend(rest(&slow));
    prop_assert_eq!(&rest(&quick), &said, "the others miss nothing");
    let closed = heard.pop_if(|last| last == "!3001").is_some();
    let mut place = said.iter();
    prop_assert!(
        heard.iter().all(|one| place.any(|other| other == one)),
        "order: {:?}",
        heard
    );
    let counted = room.hub.snapshot().total;
    if closed {
        prop_assert_eq!(counted.slow_closed, 1);
        return Ok(());
    }
    for must in said.iter().filter(|message| message.starts_with('0')) {
        prop_assert!(heard.contains(must), "{} is missing", must);
    }
    for key in ["3", "4", "5"] {
        let last = said.iter().rfind(|message| message.starts_with(key));
        prop_assert!(
            last.is_none_or(|last| heard.contains(last)),
            "the last of {}",
            key
        );
    }
    let lost = (said.len() - heard.len()) as u64;
    prop_assert_eq!(counted.dropped + counted.conflated, lost);
    prop_assert_eq!(counted.slow_closed, 0);
    Ok(())
}

/// Everything that waits for a client, however many turns its writer takes.
fn rest(client: &Client) -> Vec<String> {
    let turns = std::iter::repeat_with(|| client.reads());
    turns
        .take_while(|turn| !turn.is_empty())
        .flatten()
        .collect()
}
