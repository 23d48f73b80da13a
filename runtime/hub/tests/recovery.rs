//! What a topic keeps: all since a position, or a gap.

#![allow(clippy::unwrap_used)]

mod room;

use std::time::Duration;

use proptest::prelude::*;
use rookery_contract::{Gap, Position, PublishOptions, Retention};
use rookery_hub::HubConfig;
use room::{Room, plain, text};

fn kept(messages: u32, seconds: u32) -> PublishOptions {
    PublishOptions {
        history: Some(Retention { messages, seconds }),
        ..plain()
    }
}

fn keyed(key: &str) -> PublishOptions {
    PublishOptions {
        idempotency_key: Some(key.to_owned()),
        ..plain()
    }
}

#[tokio::test(start_paused = true)]
async fn recovery_goes_in_pages_to_the_newest_message() {
    let room = Room::new();
    let mut publisher = room.publisher();
    let first = publisher.publish("a", &text("1"), &kept(10, 60)).unwrap();
    for number in 2..=5 {
        publisher
            .publish("a", &text(&number.to_string()), &kept(10, 60))
            .unwrap();
    }
    drop(publisher);
    let mut publisher = room.publisher();
    let page = publisher.recover("a", first, 2).unwrap();
    assert_eq!(page.messages, [(2, text("2")), (3, text("3"))]);
    assert!(page.more);
    let page = publisher.recover("a", page.position, 10).unwrap();
    assert_eq!(page.messages, [(4, text("4")), (5, text("5"))]);
    assert!(!page.more);
    let page = publisher.recover("a", page.position, 10).unwrap();
    assert!(page.messages.is_empty() && !page.more);
}

#[tokio::test(start_paused = true)]
async fn a_position_of_another_stream_is_a_gap() {
    let room = Room::new();
    let at = room
        .publisher()
        .publish("a", &text("1"), &kept(10, 60))
        .unwrap();
    let other = Position {
        epoch: at.epoch + 1,
        ..at
    };
    let future = Position { offset: 9, ..at };
    assert_eq!(room.publisher().recover("a", other, 1), Err(Gap::Epoch));
    assert_eq!(room.publisher().recover("a", future, 1), Err(Gap::Epoch));
    assert_eq!(room.publisher().recover("never", at, 1), Err(Gap::Epoch));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_kept_is_a_gap() {
    let room = Room::new();
    let first = room
        .publisher()
        .publish("a", &text("1"), &kept(10, 60))
        .unwrap();
    let second = room.publisher().publish("a", &text("2"), &plain()).unwrap();
    room.publisher()
        .publish("a", &text("3"), &kept(10, 60))
        .unwrap();
    assert_eq!(room.publisher().recover("a", first, 9), Err(Gap::Dropped));
    let page = room.publisher().recover("a", second, 9).unwrap();
    assert_eq!(page.messages, [(3, text("3"))]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_or_too_much_is_dropped_and_the_topic_in_the_end_too() {
    let room = Room::with(HubConfig {
        history_bytes_max: 500,
        ..HubConfig::default()
    });
    let first = room
        .publisher()
        .publish("a", &text("1"), &kept(10, 10))
        .unwrap();
    tokio::time::advance(Duration::from_secs(6)).await;
    let second = room
        .publisher()
        .publish("a", &text("2"), &kept(10, 10))
        .unwrap();
    tokio::time::advance(Duration::from_secs(6)).await;
    let zero = Position { offset: 0, ..first };
    assert_eq!(room.publisher().recover("a", zero, 9), Err(Gap::Dropped));
    assert_eq!(
        room.publisher()
            .recover("a", first, 9)
            .unwrap()
            .messages
            .len(),
        1
    );
    room.publisher()
        .publish("a", &text(&"x".repeat(400)), &kept(10, 10))
        .unwrap();
    assert_eq!(room.publisher().recover("a", first, 9), Err(Gap::Dropped));
    assert_eq!(
        room.publisher()
            .recover("a", second, 9)
            .unwrap()
            .messages
            .len(),
        1
    );
    assert_eq!(room.hub.snapshot().total.topics, 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(room.hub.snapshot().total.topics, 0);
}

#[tokio::test(start_paused = true)]
async fn what_all_topics_of_a_namespace_keep_is_bounded_together() {
    let room = Room::with(HubConfig {
        namespace_history_bytes_max: 1_000,
        ..HubConfig::default()
    });
    let publish = |topic: &str, options: &PublishOptions| {
        let message = text(&"x".repeat(200));
        room.publisher().publish(topic, &message, options).unwrap()
    };
    let kept_since = |at: Position, topic: &str| {
        let page = room.publisher().recover(topic, at, 9);
        page.map(|page| page.messages.len())
    };
    // Each costs 264 bytes, so three have a place.
    let a = publish("a", &kept(10, 60));
    publish("a", &kept(10, 60));
    publish("a", &kept(10, 60));
    let b = publish("b", &kept(10, 60));
    let since_b = Position { offset: 0, ..b };
    assert_eq!(
        kept_since(since_b, "b"),
        Err(Gap::Dropped),
        "the fourth one has none"
    );
    assert_eq!(kept_since(a, "a"), Ok(2), "others lose nothing by it");
    let other = room.hub.publisher(&room::namespace("other@1"));
    let mut other = other;
    let theirs = other
        .publish("b", &text(&"x".repeat(200)), &kept(10, 60))
        .unwrap();
    let since = Position {
        offset: 0,
        ..theirs
    };
    assert_eq!(other.recover("b", since, 9).unwrap().messages.len(), 1);
    // What a topic drops makes place for the next.
    publish("a", &plain());
    publish("b", &kept(10, 60));
    assert_eq!(kept_since(b, "b"), Ok(1));
    // One that is forgotten, too.
    room.publisher().publish("b", &text("y"), &plain()).unwrap();
    for _ in 0..3 {
        publish("c", &kept(10, 60));
    }
    tokio::time::sleep(Duration::from_secs(180)).await;
    let d = publish("d", &kept(10, 60));
    assert_eq!(kept_since(Position { offset: 0, ..d }, "d"), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn what_the_keys_of_a_namespace_take_is_bounded_together() {
    let room = Room::with(HubConfig {
        namespace_keys_bytes_max: 3 * 200,
        ..HubConfig::default()
    });
    let publish = |topic: &str, key: &str| {
        let mut publisher = room.publisher();
        publisher.publish(topic, &text("1"), &keyed(key)).unwrap()
    };
    let first = publish("a", "k");
    publish("a", "l");
    publish("a", "m");
    assert_eq!(publish("a", "k"), first);
    let b = publish("b", "k");
    assert_eq!(publish("b", "k"), b, "the newest is always remembered");
    publish("b", "l");
    assert_ne!(
        publish("b", "k"),
        b,
        "and no other, when there are too many"
    );
    assert_eq!(publish("a", "k"), first, "others lose nothing by it");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_topic_waits_for_a_subscriber_that_lost_its_connection() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    let at = room
        .publisher()
        .publish("a", &text("1"), &kept(10, 100))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    drop(ann);
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert!(
        room.publisher()
            .recover("a", at, 9)
            .unwrap()
            .messages
            .is_empty()
    );
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert_eq!(room.hub.snapshot().total.topics, 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_publishes_once_in_five_minutes() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    let first = room
        .publisher()
        .publish("a", &text("1"), &keyed("k"))
        .unwrap();
    room.publisher().publish("a", &text("2"), &plain()).unwrap();
    assert_eq!(
        room.publisher().publish("a", &text("3"), &keyed("k")),
        Ok(first)
    );
    assert_eq!(ann.reads(), ["1", "2"]);
    tokio::time::advance(Duration::from_secs(300)).await;
    room.publisher()
        .publish("a", &text("4"), &keyed("k"))
        .unwrap();
    assert_eq!(ann.reads(), ["4"]);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_key_goes_when_there_are_too_many() {
    let room = Room::with(HubConfig {
        idempotency_keys_max: 2,
        ..HubConfig::default()
    });
    let mut publisher = room.publisher();
    let offsets = ["a", "b", "c", "b", "a"].map(|key| {
        publisher
            .publish("t", &text(""), &keyed(key))
            .unwrap()
            .offset
    });
    assert_eq!(offsets, [1, 2, 3, 2, 4]);
}

/// What a step of the model does.
#[derive(Clone, Debug)]
enum Step {
    Keep { messages: u32, length: usize },
    Pass { seconds: u64 },
    Plain,
    Recover { since: u64, limit: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u32..8, 0usize..300).prop_map(|(messages, length)| Step::Keep { messages, length }),
        1 => (0u64..40).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Plain),
        4 => (0u64..40, 0u32..6).prop_map(|(since, limit)| Step::Recover { since, limit }),
    ]
}

const BYTES_MAX: usize = 1000;
const SECONDS: u32 = 60;

/// Keeps everything, and looks at the bounds only when it is asked.
#[derive(Default)]
struct Model {
    now: u64,
    /// Payload, time, and whether it is kept.
    all: Vec<(String, u64, bool)>,
    /// The first offset that a bound left.
    from: u64,
}

impl Model {
    fn publish(&mut self, payload: String, retention: Option<u32>) {
        self.all.push((payload, self.now, retention.is_some()));
        let newest = self.all.len() as u64;
        let Some(messages) = retention else {
            self.from = newest + 1;
            return;
        };
        self.from = self.from.max(newest.saturating_sub(messages.into()) + 1);
        while self.cost() > BYTES_MAX {
            self.from += 1;
        }
    }

    fn cost(&self) -> usize {
        let from = (self.from.max(1) - 1) as usize;
        self.all[from..]
            .iter()
            .map(|(payload, ..)| payload.len() + 64)
            .sum()
    }

    fn after(&self, since: u64, limit: u32) -> Result<Vec<(u64, String)>, Gap> {
        let newest = self.all.len() as u64;
        let wanted = (since + 1..=newest).map(|offset| (offset, &self.all[offset as usize - 1]));
        let old = |at: u64| self.now - at >= SECONDS.into();
        if since > newest {
            return Err(Gap::Epoch);
        }
        if wanted
            .clone()
            .any(|(offset, (_, at, kept))| !kept || old(*at) || offset < self.from)
        {
            return Err(Gap::Dropped);
        }
        let page = wanted.take(limit.max(1) as usize);
        Ok(page
            .map(|(offset, (payload, ..))| (offset, payload.clone()))
            .collect())
    }
}

proptest! {
    #[test]
    fn recovery_is_whole_or_a_gap(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(follow(steps))?;
    }
}

async fn follow(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let room = Room::with(HubConfig {
        history_bytes_max: BYTES_MAX,
        ..HubConfig::default()
    });
    // A subscriber, so that the topic and its epoch stay.
    let ann = room.client();
    let epoch = room.publisher().subscribe(ann.id(), "a").unwrap().epoch;
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Pass { seconds } => {
                tokio::time::advance(Duration::from_secs(seconds)).await;
                model.now += seconds;
            }
            Step::Plain => {
                room.publisher()
                    .publish("a", &text("plain"), &plain())
                    .unwrap();
                model.publish("plain".into(), None);
            }
            Step::Keep { messages, length } => {
                let payload = "x".repeat(length);
                room.publisher()
                    .publish("a", &text(&payload), &kept(messages, SECONDS))
                    .unwrap();
                model.publish(payload, Some(messages));
            }
            Step::Recover { since, limit } => {
                let position = Position {
                    epoch,
                    offset: since,
                };
                let page = room.publisher().recover("a", position, limit);
                let messages = page.map(|page| {
                    let text = |payload: &rookery_contract::Payload| {
                        String::from_utf8(payload.as_bytes().to_vec())
                    };
                    page.messages
                        .iter()
                        .map(|(offset, payload)| (*offset, text(payload).unwrap()))
                        .collect::<Vec<_>>()
                });
                prop_assert_eq!(messages, model.after(since, limit));
            }
        }
    }
    Ok(())
}
