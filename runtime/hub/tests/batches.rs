//! How events reach a guest, and what becomes of them when it fails.

#![allow(clippy::unwrap_used)]

mod room;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rookery_contract::SendStatus;
use rookery_hub::{EventsDone, Received, SessionLimits};
use room::{Client, Room, short, shorts, text};

#[tokio::test]
async fn a_sessions_events_come_together_and_in_order() {
    let room = Room::new();
    let (ann, bob) = (room.member(&[]).await, room.member(&[]).await);
    ann.says("1");
    bob.says("2");
    ann.says("3");
    let batch = room.take().await;
    assert_eq!(
        shorts(batch.events()),
        ["message:1", "message:3", "message:2"]
    );
    assert_eq!(batch.sessions(), 2);
    assert_eq!(batch.events()[2].session, bob.id());
}

#[tokio::test]
async fn opened_is_first_and_alone_and_closed_is_last() {
    let room = Room::new();
    let ann = room.client();
    ann.says("hello");
    ann.0.detach(1001, "");
    ann.says("too late");
    assert_eq!(shorts(room.take().await.events()), ["opened"]);
    let events = room.settle_all().await;
    assert_eq!(shorts(&events), ["opened", "message:hello", "closed:1001"]);
}

#[tokio::test]
async fn a_refused_clients_messages_never_reach_the_guest() {
    let room = Room::new();
    let ann = room.client();
    ann.says("let me in");
    let batch = room.take().await;
    room.publisher().close(ann.id(), 4003, "no");
    room.ready.finish(batch, EventsDone::All);
    assert_eq!(ann.says("hello?"), Received::Gone);
    assert!(room.settle_all().await.is_empty());
    assert_eq!(ann.reads(), ["!4003"]);
    ann.0.detach(4003, "no");
    assert_eq!(shorts(&room.settle_all().await), ["closed:4003"]);
}

#[tokio::test]
async fn a_session_is_in_one_batch_at_a_time() {
    let room = Room::new();
    let (ann, bob) = (room.member(&[]).await, room.member(&[]).await);
    ann.says("1");
    let first = room.take().await;
    ann.says("2");
    bob.says("3");
    let second = room.take().await;
    assert_eq!(shorts(second.events()), ["message:3"]);
    assert!(room.ready.is_empty());
    room.ready.finish(first, EventsDone::All);
    assert_eq!(shorts(room.take().await.events()), ["message:2"]);
}

#[tokio::test]
async fn a_batch_is_bounded_and_the_rest_waits_behind_the_others() {
    let room = Room::new();
    let (ann, bob) = (room.member(&[]).await, room.member(&[]).await);
    for number in 0..5 {
        ann.says(&number.to_string());
    }
    bob.says("bob");
    let first = room.ready.take(3).await.unwrap();
    assert_eq!(
        shorts(first.events()),
        ["message:0", "message:1", "message:2"]
    );
    room.ready.finish(first, EventsDone::All);
    let second = room.ready.take(3).await.unwrap();
    assert_eq!(
        shorts(second.events()),
        ["message:bob", "message:3", "message:4"]
    );
}

#[tokio::test]
async fn a_batch_has_a_megabyte_or_one_message() {
    let room = Room::new();
    let roomy = SessionLimits {
        inbox_bytes: 16 << 20,
        ..SessionLimits::default()
    };
    let ann = room.member_with(roomy, &[]).await;
    for length in [3 << 20, 600 << 10, 400 << 10, 100 << 10] {
        assert_eq!(ann.says(&"x".repeat(length)), Received::Queued);
    }
    let mut sizes = Vec::new();
    while !room.ready.is_empty() {
        let batch = room.take().await;
        sizes.push(batch.events().len());
        room.ready.finish(batch, EventsDone::All);
    }
    assert_eq!(sizes, [1, 2, 1]);
}

/// Four sessions with two messages each, named by session and number.
async fn four_twos(room: &Room) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(room.member(&[]).await);
    }
    for (index, client) in clients.iter().enumerate() {
        client.says(&format!("{index}a"));
        client.says(&format!("{index}b"));
    }
    clients
}

#[tokio::test]
async fn of_a_failed_batch_the_culprit_is_closed_and_what_came_after_is_given_again() {
    let room = Room::new();
    let clients = four_twos(&room).await;
    let batch = room.take().await;
    clients[2].says("2c");
    clients[1].says("1c");
    // The guest dies of "1a".
    room.ready.finish(batch, EventsDone::Culprit(2));
    assert_eq!(clients[1].reads(), ["!1011"]);
    assert_eq!(clients[1].says("more"), Received::Gone);
    assert_eq!(room.hub.snapshot().total.guest_faults, 1);
    let batch = room.take().await;
    assert_eq!(
        shorts(batch.events()),
        ["again:2a", "again:2b", "message:2c", "again:3a", "again:3b"]
    );
    room.ready.finish(batch, EventsDone::All);
    for innocent in [0, 2, 3] {
        assert!(clients[innocent].0.closing().is_none());
    }
    clients[1].0.detach(1011, "");
    assert_eq!(shorts(&room.settle_all().await), ["closed:1011"]);
}

#[tokio::test]
async fn a_culprits_end_is_still_told_and_a_fatal_end_is_not_told_twice() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    ann.says("poison");
    ann.0.detach(1000, "");
    let batch = room.take().await;
    assert_eq!(shorts(batch.events()), ["message:poison", "closed:1000"]);
    room.ready.finish(batch, EventsDone::Culprit(0));
    let batch = room.take().await;
    assert_eq!(shorts(batch.events()), ["closed:1000"]);
    room.ready.finish(batch, EventsDone::Culprit(0));
    assert!(room.ready.is_empty());
    assert_eq!(room.hub.session_count(&room.namespace), 0);
}

#[tokio::test]
async fn a_batch_that_none_began_is_given_again_once_and_then_costs_its_first_session() {
    let room = Room::new();
    let clients = four_twos(&room).await;
    let batch = room.take().await;
    room.ready.finish(batch, EventsDone::NoneBegan);
    assert!(clients.iter().all(|client| client.0.closing().is_none()));
    let batch = room.take().await;
    assert_eq!(batch.events().len(), 8);
    assert_eq!(short(&batch.events()[0]), "again:0a");
    room.ready.finish(batch, EventsDone::NoneBegan);
    assert_eq!(clients[0].reads(), ["!1011"]);
    let batch = room.take().await;
    assert_eq!(short(&batch.events()[0]), "again:1a");
    assert_eq!(batch.events().len(), 6);
    room.ready.finish(batch, EventsDone::All);
    assert!(
        clients[1..]
            .iter()
            .all(|client| client.0.closing().is_none())
    );
}

#[tokio::test]
async fn a_batch_that_no_worker_got_is_not_held_against_anybody() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    for _ in 0..5 {
        let batch = room.take().await;
        assert_eq!(shorts(batch.events()), ["message:1"]);
        room.ready.finish(batch, EventsDone::NotGiven);
    }
    assert!(ann.0.closing().is_none());
}

#[tokio::test]
async fn a_dropped_batch_goes_back_like_one_that_none_began() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    drop(room.take().await);
    assert_eq!(shorts(room.take().await.events()), ["again:1"]);
    assert_eq!(ann.reads(), ["!1011"], "dropped twice");
}

#[tokio::test]
async fn a_full_inbox_holds_the_reader_until_a_batch_was_taken() {
    let room = Room::new();
    let limits = SessionLimits {
        inbox_events: 2,
        ..SessionLimits::default()
    };
    let ann = room.member_with(limits, &[]).await;
    assert_eq!(ann.says("1"), Received::Queued);
    assert_eq!(ann.says("2"), Received::Queued);
    assert_eq!(ann.says("3"), Received::Full);
    let mut room_again = pin!(ann.0.inbox_room());
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(room_again.as_mut().poll(&mut cx), Poll::Pending);
    drop(room.take().await);
    let batch = room.take().await;
    assert_eq!(room_again.as_mut().poll(&mut cx), Poll::Ready(()));
    drop(batch);
}

#[tokio::test]
async fn a_waiting_taker_gets_what_comes_and_a_dropped_one_takes_nothing_away() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    {
        let mut given_up = pin!(room.ready.take(64));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(given_up.as_mut().poll(&mut cx).is_pending());
        ann.says("1");
    }
    let batch = room.ready.take(64).await.unwrap();
    assert_eq!(shorts(batch.events()), ["message:1"]);
}

#[tokio::test]
async fn an_attachment_is_there_from_the_next_batch_on() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    assert!(room.publisher().attach(ann.id(), "first".into()));
    ann.says("1");
    let batch = room.take().await;
    assert!(room.publisher().attach(ann.id(), "second".into()));
    assert!(
        !room
            .publisher()
            .attach(ann.id(), vec![0; (64 << 10) + 1].into())
    );
    assert_eq!(batch.events()[0].attachment, "first");
    room.ready.finish(batch, EventsDone::All);
    ann.says("2");
    assert_eq!(room.take().await.events()[0].attachment, "second");
}

#[tokio::test]
async fn the_host_answers_an_automatic_reply_while_the_guest_sleeps() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    room.publisher()
        .auto_reply(ann.id(), "ping", "pong")
        .unwrap();
    assert_eq!(ann.says("ping"), Received::Answered);
    assert!(room.ready.is_empty());
    assert_eq!(ann.reads(), ["pong"]);
    assert_eq!(ann.says("pin"), Received::Queued);
    assert!(
        room.publisher()
            .auto_reply(ann.id(), "x", &"x".repeat(5000))
            .is_err()
    );
}

#[tokio::test]
async fn a_closed_queue_closes_its_sessions_and_forgets_the_detached() {
    let room = Room::new();
    let (ann, bob, eve) = (
        room.member(&[]).await,
        room.member(&[]).await,
        room.member(&[]).await,
    );
    ann.says("1");
    bob.0.detach(1000, "");
    eve.says("2");
    let in_flight = room.ready.take(1).await.unwrap();
    room.ready.close();
    assert!(room.ready.take(64).await.is_none());
    assert!(room.ready.take(64).await.is_none());
    assert_eq!(eve.reads(), ["!1012"]);
    assert!(ann.0.closing().is_none());
    ann.says("3");
    room.ready.finish(in_flight, EventsDone::All);
    assert_eq!(ann.reads(), ["!1012"]);
    assert_eq!(
        room.publisher().send(bob.id(), &text("x")),
        SendStatus::Gone
    );
    drop((ann, eve));
    assert_eq!(room.hub.session_count(&room.namespace), 0);
}

/// Behind the culprit they were given in vain, too, but it was not they that nobody lived to begin with.
#[tokio::test]
async fn who_stood_behind_a_culprit_is_no_suspect() {
    let room = Room::new();
    let (ann, bob) = (room.member(&[]).await, room.member(&[]).await);
    ann.says("kills");
    bob.says("1");
    let batch = room.take().await;
    room.ready.finish(batch, EventsDone::Culprit(0));
    let again = |batch: &rookery_hub::Batch| shorts(batch.events()).contains(&"again:1".to_owned());
    for done in [EventsDone::NoneBegan, EventsDone::All] {
        let batch = room.take().await;
        assert!(again(&batch), "{:?}", shorts(batch.events()));
        room.ready.finish(batch, done);
    }
    assert!(bob.reads().is_empty(), "nobody closed it");
}
