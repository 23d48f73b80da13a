//! Output that waits until what was written is durable: in its place, or not at all.

#![allow(clippy::unwrap_used)]

mod room;

use std::future::poll_fn;

use rookery_contract::{Gap, PublishOptions, Retention, SendStatus};
use rookery_hub::{Outcome, SessionLimits};
use room::{Client, Room, plain, text};

fn kept() -> PublishOptions {
    PublishOptions {
        history: Some(Retention {
            messages: 10,
            seconds: 60,
        }),
        ..plain()
    }
}

fn long() -> rookery_contract::Payload {
    rookery_contract::Payload::Text("x".repeat(900).into())
}

/// Whether the client's writer would wait.
async fn has_nothing_to_write(client: &Client) -> bool {
    let polled = poll_fn(|cx| std::task::Poll::Ready(client.0.poll_outbox(cx))).await;
    polled.is_pending()
}

#[tokio::test]
async fn what_was_said_after_a_write_goes_out_in_its_place_once_it_is_durable() {
    let room = Room::new();
    let (ann, bob) = (room.member(&["a"]).await, room.member(&["a", "b"]).await);
    let mut writes = room.publisher();
    writes.send(ann.id(), &text("before"));
    let keeper = writes.hold();
    writes.publish("a", &text("one"), &plain()).unwrap();
    assert_eq!(writes.send(ann.id(), &text("answer")), SendStatus::Queued);
    writes.publish("a", &text("two"), &plain()).unwrap();
    drop(writes);
    // Somebody else speaks meanwhile: behind it on the same topic, past it on another.
    let mut other = room.publisher();
    other.publish("b", &text("past"), &plain()).unwrap();
    drop(other);
    assert_eq!(ann.reads(), ["before"]);
    assert!(bob.reads().is_empty(), "a socket has one order");
    room.publisher()
        .publish("a", &text("behind"), &plain())
        .unwrap();
    assert!(ann.reads().is_empty());
    assert!(has_nothing_to_write(&ann).await);
    keeper.keep();
    assert_eq!(ann.reads(), ["one", "answer", "two", "behind"]);
    assert_eq!(bob.reads(), ["one", "two", "past", "behind"]);
}

#[tokio::test]
async fn a_writer_that_waits_is_woken_when_it_is_durable() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.send(ann.id(), &text("answer"));
    drop(writes);
    let session = std::sync::Arc::clone(ann.0.session());
    let waits = tokio::spawn(async move { poll_fn(|cx| session.poll_outbox(cx)).await });
    tokio::task::yield_now().await;
    assert!(!waits.is_finished());
    keeper.keep();
    waits.await.unwrap();
    assert_eq!(ann.reads(), ["answer"]);
}

#[tokio::test]
async fn what_was_lost_is_never_told_and_everyone_it_was_for_comes_back() {
    let room = Room::new();
    let (ann, bob) = (room.member(&["a"]).await, room.member(&["a"]).await);
    let (cat, stranger) = (room.member(&[]).await, room.member(&["b"]).await);
    let before = room
        .publisher()
        .publish("a", &text("before"), &kept())
        .unwrap();
    assert_eq!(
        (ann.reads(), bob.reads()),
        (vec!["before".into()], vec!["before".into()])
    );
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.publish("a", &text("lost"), &kept()).unwrap();
    writes.send(cat.id(), &text("lost, too"));
    drop(writes);
    keeper.lose();
    assert_eq!(
        [ann.reads(), bob.reads(), cat.reads()],
        [["!3003"], ["!3003"], ["!3003"]]
    );
    assert!(stranger.reads().is_empty());
    let mut reader = room.publisher();
    assert_eq!(reader.recover("a", before, 10), Err(Gap::Epoch));
    assert_eq!(
        reader.send(stranger.id(), &text("hello")),
        SendStatus::Queued
    );
    // The topic goes on as a new stream.
    let after = reader.publish("a", &text("after"), &kept()).unwrap();
    assert_ne!(after.epoch, before.epoch);
    assert_eq!(after.offset, 1);
}

#[tokio::test]
async fn a_keeper_that_is_dropped_lost_it() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.publish("a", &text("lost"), &plain()).unwrap();
    let holds = writes.holds();
    // Not even handed out yet.
    drop(keeper);
    assert_eq!(holds[0].settled().await, Outcome::Lost);
    drop(writes);
    assert_eq!(ann.reads(), ["!3003"]);
}

#[tokio::test]
async fn a_close_waits_like_a_message() {
    let room = Room::new();
    let (ann, bob) = (room.member(&[]).await, room.member(&[]).await);
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.close(ann.id(), 4000, "kicked");
    drop(writes);
    assert!(ann.reads().is_empty());
    assert!(has_nothing_to_write(&ann).await);
    keeper.keep();
    assert_eq!(ann.reads(), ["!4000"]);
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.close(bob.id(), 4000, "kicked");
    drop(writes);
    keeper.lose();
    assert_eq!(bob.reads(), ["!3003"]);
}

#[tokio::test]
async fn who_reads_what_is_not_durable_waits_for_it_and_is_lost_with_it() {
    let room = Room::new();
    let (ann, bob) = (room.member(&[]).await, room.member(&[]).await);
    let start = room
        .publisher()
        .publish("a", &text("zero"), &kept())
        .unwrap();
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.publish("a", &text("one"), &kept()).unwrap();
    drop(writes);
    let mut reads = room.publisher();
    reads.send(ann.id(), &text("not concerned"));
    let page = reads.recover("a", start, 10).unwrap();
    assert_eq!(page.messages.len(), 1);
    reads.send(ann.id(), &text("there was one"));
    reads
        .publish("c", &text("there was one"), &plain())
        .unwrap();
    assert_eq!(ann.reads(), ["not concerned"]);
    keeper.lose();
    assert_eq!(ann.reads(), ["!3003"]);
    assert_eq!(reads.send(bob.id(), &text("it goes on")), SendStatus::Gone);
    assert!(reads.publish("c", &text("it goes on"), &plain()).is_err());
    drop(reads);
    assert_eq!(bob.reads(), ["!3003"], "it would have been told");
}

#[tokio::test]
async fn what_is_durable_already_holds_nothing_back() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    let start = room
        .publisher()
        .publish("a", &text("zero"), &kept())
        .unwrap();
    let mut writes = room.publisher();
    writes.hold().keep();
    writes.publish("a", &text("one"), &kept()).unwrap();
    writes.send(ann.id(), &text("two"));
    drop(writes);
    assert_eq!(ann.reads(), ["zero", "one", "two"]);
    let mut reads = room.publisher();
    reads.recover("a", start, 10).unwrap();
    assert!(reads.holds().is_empty());
}

#[tokio::test]
async fn what_is_held_counts_against_the_outbox() {
    let room = Room::new();
    let limits = SessionLimits {
        outbox_bytes: 1000,
        ..SessionLimits::default()
    };
    let ann = room.member_with(limits, &[]).await;
    let mut writes = room.publisher();
    let keeper = writes.hold();
    assert_eq!(writes.send(ann.id(), &long()), SendStatus::Queued);
    assert_eq!(writes.send(ann.id(), &long()), SendStatus::Full);
    assert_eq!(
        ann.reads(),
        ["!3001"],
        "a client that is too slow need not wait for its end"
    );
    keeper.keep();
}

#[tokio::test]
async fn what_somebody_said_who_left_before_a_write_was_lost_is_still_told() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.publish("a", &text("lost"), &plain()).unwrap();
    drop(writes);
    ann.says("goodbye");
    drop(ann);
    keeper.lose();
    let told = room::shorts(&room.settle_all().await);
    assert_eq!(told, ["message:goodbye", "closed:1006"]);
}

/// An invocation read what was lost since: neither an answer nor a close may come out, and nobody waits for them for ever.
#[tokio::test]
async fn who_was_to_be_told_by_what_is_lost_already_is_closed() {
    let room = Room::new();
    let (ann, bob) = (room.member(&["a"]).await, room.member(&[]).await);
    let cat = room.member(&[]).await;
    let mut writes = room.publisher();
    let keeper = writes.hold();
    let position = writes.publish("a", &text("1"), &kept()).unwrap();
    let mut reads = room.publisher();
    let since = rookery_contract::Position {
        offset: 0,
        ..position
    };
    assert_eq!(reads.recover("a", since, 10).unwrap().messages.len(), 1);
    drop(writes);
    keeper.lose();
    assert_eq!(reads.send(bob.id(), &text("1")), SendStatus::Gone);
    reads.close(cat.id(), 4000, "");
    drop(reads);
    for client in [ann, bob, cat] {
        assert_eq!(client.reads(), ["!3003"]);
    }
}
