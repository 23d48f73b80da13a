//! How a session comes from one revision to another.

#![allow(clippy::unwrap_used)]

mod room;

use std::sync::Arc;

use rookery_contract::Event;
use rookery_hub::{EventsDone, ReadyQueue};
use room::{Client, Room, shorts};

/// Lets the guest behind this queue go through all that waits there.
async fn settle(ready: &Arc<ReadyQueue>) -> Vec<Event> {
    let mut events = Vec::new();
    while !ready.is_empty() {
        // A queue may hold nothing but places that were left.
        let Ok(batch) =
            tokio::time::timeout(std::time::Duration::from_secs(1), ready.take(64)).await
        else {
            break;
        };
        let batch = batch.unwrap();
        events.extend_from_slice(batch.events());
        ready.finish(batch, EventsDone::All);
    }
    events
}

fn move_to(client: &Client, ready: &Arc<ReadyQueue>, from: &str) {
    client.0.move_to(ready, from);
}

#[tokio::test(start_paused = true)]
async fn a_moved_session_is_announced_before_what_waited() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    ann.says("2");
    move_to(&ann, &next, "1.0.0");
    ann.says("3");
    assert!(settle(&room.ready).await.is_empty());
    let events = settle(&next).await;
    assert_eq!(
        shorts(&events),
        ["resumed:1.0.0", "message:1", "message:2", "message:3"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_resting_session_is_announced_at_once() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    move_to(&ann, &next, "1.0.0");
    assert_eq!(shorts(&settle(&next).await), ["resumed:1.0.0"]);
    ann.says("1");
    ann.0.detach(1000, "");
    assert_eq!(shorts(&settle(&next).await), ["message:1", "closed:1000"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_out_is_finished_where_it_is() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    let batch = room.take().await;
    move_to(&ann, &next, "1.0.0");
    ann.says("2");
    assert!(next.is_empty(), "it is in one batch at a time");
    room.ready.finish(batch, EventsDone::All);
    assert_eq!(shorts(&settle(&next).await), ["resumed:1.0.0", "message:2"]);
}

#[tokio::test(start_paused = true)]
async fn events_that_come_back_follow_the_session() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    let batch = room.take().await;
    move_to(&ann, &next, "1.0.0");
    ann.says("2");
    room.ready.finish(batch, EventsDone::NoneBegan);
    let events = settle(&next).await;
    assert_eq!(shorts(&events), ["resumed:1.0.0", "again:1", "message:2"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_heard_of_is_not_announced() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.client();
    move_to(&ann, &next, "1.0.0");
    ann.says("1");
    assert_eq!(shorts(&settle(&next).await), ["opened", "message:1"]);
}

#[tokio::test(start_paused = true)]
async fn there_and_back_again_loses_and_doubles_nothing() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    let mut heard = Vec::new();
    for number in 0..20 {
        ann.says(&number.to_string());
        let (there, from) = if number % 2 == 0 {
            (&next, "1")
        } else {
            (&room.ready, "2")
        };
        move_to(&ann, there, from);
        if number % 5 == 0 {
            heard.extend(settle(&room.ready).await);
            heard.extend(settle(&next).await);
        }
    }
    heard.extend(settle(&room.ready).await);
    heard.extend(settle(&next).await);
    let said: Vec<String> = shorts(&heard)
        .into_iter()
        .filter(|event| event.starts_with("message"))
        .collect();
    let expected: Vec<String> = (0..20).map(|number| format!("message:{number}")).collect();
    assert_eq!(said, expected);
}

#[tokio::test(start_paused = true)]
async fn the_queue_that_was_left_may_close() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    move_to(&ann, &next, "1.0.0");
    room.ready.close();
    assert!(ann.reads().is_empty(), "nobody closed it");
    assert_eq!(shorts(&settle(&next).await), ["resumed:1.0.0", "message:1"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_stays_with_those_who_knew_it() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    ann.0.detach(1000, "");
    move_to(&ann, &next, "1.0.0");
    assert!(next.is_empty());
    assert_eq!(shorts(&settle(&room.ready).await), ["closed:1000"]);
}

/// The revision that had it has not begun: for whoever has it next, it comes from the one before.
#[tokio::test(start_paused = true)]
async fn news_of_a_move_that_nobody_took_are_told_once() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    move_to(&ann, &next, "1.0.0");
    let batch = next.take(64).await.unwrap();
    move_to(&ann, &room.ready, "1.1.0");
    next.finish(batch, EventsDone::NoneBegan);
    let events = settle(&room.ready).await;
    assert_eq!(shorts(&events), ["resumed:1.0.0", "again:1"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_news_of_a_move_killed_goes_on_where_it_was_put() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let (ann, bob) = (room.member(&[]).await, room.member(&[]).await);
    for (client, text) in [(&ann, "1"), (&bob, "2")] {
        client.says(text);
        move_to(client, &next, "1.0.0");
    }
    let batch = next.take(64).await.unwrap();
    for client in [&ann, &bob] {
        move_to(client, &room.ready, "1.1.0");
    }
    next.finish(batch, EventsDone::Excused(0));
    assert!(ann.reads().is_empty(), "nobody closed it");
    let events = settle(&room.ready).await;
    let expected = ["resumed:1.1.0", "again:1", "resumed:1.0.0", "again:2"];
    assert_eq!(shorts(&events), expected);
}

/// What killed one revision's workers is not held against events that another revision has now.
#[tokio::test(start_paused = true)]
async fn a_moved_session_is_no_suspect_where_it_is_new() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    let batch = room.take().await;
    move_to(&ann, &next, "1.0.0");
    room.ready.finish(batch, EventsDone::NoneBegan);
    let batch = next.take(64).await.unwrap();
    next.finish(batch, EventsDone::NoneBegan);
    assert!(ann.reads().is_empty(), "nobody closed it");
    assert_eq!(shorts(&settle(&next).await), ["resumed:1.0.0", "again:1"]);
}

/// A revision that dies before it begins with anything is not given the news of a move for ever.
#[tokio::test(start_paused = true)]
async fn news_of_a_move_are_given_twice_at_most() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    move_to(&ann, &next, "1.0.0");
    for _ in 0..2 {
        let batch = next.take(64).await.unwrap();
        next.finish(batch, EventsDone::NoneBegan);
    }
    assert_eq!(ann.reads(), ["!1011"]);
}

#[tokio::test(start_paused = true)]
async fn only_who_comes_to_an_empty_queue_wakes_somebody() {
    let room = Room::new();
    let (ann, bob) = (room.member(&[]).await, room.member(&[]).await);
    ann.says("1");
    bob.says("2");
    let first = room.ready.take(1).await.unwrap();
    let second = room.ready.take(1).await.unwrap();
    assert!(first.woken().is_some());
    assert!(second.woken().is_none());
}

/// It was in a batch of the first queue when it was moved to the second, and had ended when the others moved on.
#[tokio::test(start_paused = true)]
async fn a_queue_is_not_done_while_somebody_will_come_back_to_it() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let ann = room.member(&[]).await;
    assert!(room.ready.is_done());
    ann.says("1");
    assert!(!room.ready.is_done());
    let batch = room.take().await;
    assert!(!room.ready.is_done());
    move_to(&ann, &next, "1.0.0");
    assert!(room.ready.is_done(), "it is the next one's now");
    ann.says("2");
    drop(ann);
    assert!(next.is_empty() && !next.is_done());
    room.ready.finish(batch, EventsDone::All);
    let events = settle(&next).await;
    let expected = ["resumed:1.0.0", "message:2", "closed:1006"];
    assert_eq!(shorts(&events), expected);
    assert!(next.is_done());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_arrives_is_told_to_nobody_before_it_begins() {
    let room = Room::new();
    let next = ReadyQueue::new();
    let arrival = room.arrival();
    room.publisher()
        .subscribe(arrival.session().id(), "a")
        .expect("it can be named");
    assert!(room.ready.is_empty());
    let ann = Client(arrival.begin());
    assert_eq!(shorts(&room.settle_all().await), ["opened"]);
    drop(ann);
    assert_eq!(shorts(&room.settle_all().await), ["closed:1006"]);
    // One that was moved before waits where it was moved to, once.
    let arrival = room.arrival();
    arrival.session().move_to(&next, "1.0.0");
    let ann = Client(arrival.begin());
    ann.says("1");
    assert!(settle(&room.ready).await.is_empty());
    assert_eq!(shorts(&settle(&next).await), ["opened", "message:1"]);
}

#[tokio::test(start_paused = true)]
async fn an_arrival_that_is_withdrawn_was_never_there() {
    let room = Room::new();
    let next = ReadyQueue::new();
    assert!(room.arrival().withdraw().is_some());
    drop(room.arrival());
    assert!(room.ready.is_empty() && room.ready.is_done());
    assert_eq!(room.hub.snapshot().total.sessions, 0);
    // One that was moved may have been told.
    let arrival = room.arrival();
    arrival.session().move_to(&next, "1.0.0");
    assert!(arrival.withdraw().is_none());
    let events = shorts(&settle(&next).await);
    assert_eq!(events, ["opened", "closed:1006"]);
    assert_eq!(room.hub.snapshot().total.sessions, 0);
}
