//! An event that a guest died of and that left nothing: given once more, to another revision, or to nobody.

#![allow(clippy::unwrap_used)]

mod room;

use std::sync::Arc;

use rookery_contract::Event;
use rookery_hub::{Batch, EventsDone, ReadyQueue, Toll};
use room::{Client, Room, shorts};

/// Two revisions, and a session whose batch of these messages is out at the second, which took it over.
struct Canary {
    room: Room,
    next: Arc<ReadyQueue>,
    ann: Client,
    batch: Batch,
}

impl Canary {
    async fn given(messages: &[&str]) -> Canary {
        let room = Room::new();
        let next = ReadyQueue::new();
        let ann = room.member(&[]).await;
        ann.0.move_to(&next, "1.0.0");
        let batch = next.take(64).await.unwrap();
        next.finish(batch, EventsDone::All);
        for message in messages {
            ann.says(message);
        }
        let batch = next.take(64).await.unwrap();
        Canary {
            room,
            next,
            ann,
            batch,
        }
    }

    fn go_back(&self) {
        self.ann.0.move_to(&self.room.ready, "1.1.0");
    }

    /// What came of its batch.
    fn finish(&mut self, done: EventsDone) -> Toll {
        self.next.finish(std::mem::take(&mut self.batch), done)
    }

    fn spared(&self) -> u64 {
        self.room.hub.snapshot().total.spared
    }
}

#[tokio::test(start_paused = true)]
async fn what_left_nothing_is_given_to_the_revision_that_has_the_session_by_then() {
    let mut canary = Canary::given(&["1", "2", "3"]).await;
    canary.go_back();
    canary.ann.says("4");
    assert_eq!(canary.finish(EventsDone::Traceless(1)), Toll::None);
    let events = canary.room.settle_all().await;
    let expected = ["resumed:1.1.0", "again:2", "again:3", "message:4"];
    assert_eq!(shorts(&events), expected, "the first one stands");
    assert!(canary.ann.reads().is_empty(), "nobody closed it");
    assert_eq!(canary.spared(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_where_it_was_is_closed_as_ever() {
    let mut canary = Canary::given(&["1", "2"]).await;
    assert_eq!(canary.finish(EventsDone::Traceless(0)), Toll::Closed);
    assert_eq!(canary.ann.reads(), ["!1011"]);
    assert!(canary.next.is_empty(), "what came after it is dropped");
    assert_eq!(canary.spared(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_left_something_is_never_given_again() {
    let mut canary = Canary::given(&["1"]).await;
    canary.go_back();
    assert_eq!(canary.finish(EventsDone::Culprit(0)), Toll::Closed);
    assert_eq!(canary.ann.reads(), ["!1011"]);
    assert_eq!(shorts(&canary.room.settle_all().await), ["resumed:1.1.0"]);
}

/// The second guest that dies of it has the culprit, whatever it left and wherever the session is by then.
#[tokio::test(start_paused = true)]
async fn an_event_is_spared_once() {
    for is_moved_on in [false, true] {
        let mut canary = Canary::given(&["1"]).await;
        canary.go_back();
        canary.finish(EventsDone::Traceless(0));
        let batch = canary.room.take().await;
        assert_eq!(shorts(batch.events()), ["resumed:1.1.0", "again:1"]);
        let third = ReadyQueue::new();
        if is_moved_on {
            canary.ann.0.move_to(&third, "1.0.0");
        }
        let toll = canary.room.ready.finish(batch, EventsDone::Traceless(1));
        assert_eq!(toll, Toll::Closed);
        assert_eq!(canary.ann.reads(), ["!1011"]);
        assert_eq!(canary.spared(), 1);
    }
}

/// A worker that dies before it begins with it, or of the news before it, has not had it.
#[tokio::test(start_paused = true)]
async fn a_last_chance_is_kept_until_somebody_begins_with_it() {
    let mut canary = Canary::given(&["1", "2"]).await;
    canary.go_back();
    canary.finish(EventsDone::Traceless(0));
    let ready = Arc::clone(&canary.room.ready);
    for done in [
        EventsDone::NotGiven,
        EventsDone::NoneBegan,
        EventsDone::Excused(0),
    ] {
        let batch = canary.room.take().await;
        assert_eq!(shorts(batch.events())[..2], ["resumed:1.1.0", "again:1"]);
        // Moves that were told to nobody are told as one.
        canary.ann.0.move_to(&canary.next, "1.0.0");
        canary.ann.0.move_to(&ready, "1.1.0");
        ready.finish(batch, done);
    }
    let batch = canary.room.take().await;
    canary.ann.0.move_to(&canary.next, "1.0.0");
    assert_eq!(ready.finish(batch, EventsDone::Traceless(1)), Toll::Closed);
    assert_eq!(canary.ann.reads(), ["!1011"]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_a_spared_event_has_a_chance_of_its_own() {
    let mut canary = Canary::given(&["1", "2"]).await;
    canary.go_back();
    canary.finish(EventsDone::Traceless(0));
    let batch = canary.room.take().await;
    let expected = ["resumed:1.1.0", "again:1", "again:2"];
    assert_eq!(shorts(batch.events()), expected);
    canary.ann.0.move_to(&canary.next, "1.0.0");
    let toll = canary.room.ready.finish(batch, EventsDone::Traceless(2));
    assert_eq!(toll, Toll::None);
    let batch = canary.next.take(64).await.unwrap();
    assert_eq!(shorts(batch.events()), ["resumed:1.0.0", "again:2"]);
    canary.next.finish(batch, EventsDone::All);
}

#[tokio::test(start_paused = true)]
async fn a_spared_beginning_of_a_session_is_its_beginning_elsewhere() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.client();
    ann.says("1");
    let batch = room.take().await;
    ann.0.move_to(&next, "1.1.0");
    let toll = room.ready.finish(batch, EventsDone::Traceless(0));
    assert_eq!(toll, Toll::None);
    let mut events: Vec<Event> = Vec::new();
    while !next.is_empty() {
        let batch = next.take(64).await.unwrap();
        events.extend_from_slice(batch.events());
        next.finish(batch, EventsDone::All);
    }
    assert_eq!(shorts(&events), ["opened", "message:1"]);
}

/// The client is gone by the time the guest dies: what it said is still told where the session is now, then its end.
#[tokio::test(start_paused = true)]
async fn what_a_client_said_before_it_left_is_spared_as_well() {
    let mut canary = Canary::given(&["1"]).await;
    canary.go_back();
    canary.ann.0.detach(1000, "");
    assert_eq!(canary.finish(EventsDone::Traceless(0)), Toll::None);
    let events = canary.room.settle_all().await;
    let expected = ["resumed:1.1.0", "again:1", "closed:1000"];
    assert_eq!(shorts(&events), expected);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_whom_the_app_closed_is_not_spared() {
    let mut canary = Canary::given(&["1"]).await;
    canary.go_back();
    canary
        .room
        .publisher()
        .close(canary.ann.id(), 4000, "enough");
    canary.finish(EventsDone::Traceless(0));
    assert_eq!(canary.ann.reads(), ["!4000"]);
    assert_eq!(shorts(&canary.room.settle_all().await), ["resumed:1.1.0"]);
}
