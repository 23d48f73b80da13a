//! What sessions are sent: in order, to whom, and what happens to those that do not keep up.

#![allow(clippy::unwrap_used)]

mod room;

use rookery_contract::{SendStatus, TopicError};
use rookery_hub::{HubConfig, SessionLimits};
use room::{Room, all_but, namespace, plain, text};

#[tokio::test]
async fn a_published_message_reaches_every_subscriber_once_the_publisher_is_done() {
    let room = Room::new();
    let (ann, bob) = (room.member(&["a"]).await, room.member(&["a"]).await);
    let other = room.member(&["b"]).await;
    let mut publisher = room.publisher();
    let first = publisher.publish("a", &text("one"), &plain()).unwrap();
    let second = publisher.publish("a", &text("two"), &plain()).unwrap();
    assert_eq!((first.offset, second.offset), (1, 2));
    assert_eq!(first.epoch, second.epoch);
    assert!(ann.reads().is_empty(), "not before the flush");
    drop(publisher);
    assert_eq!(ann.reads(), ["one", "two"]);
    assert_eq!(bob.reads(), ["one", "two"]);
    assert!(other.reads().is_empty());
}

#[tokio::test]
async fn a_subscriber_gets_nothing_published_before_it_came_and_all_after() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    let bob = room.member(&[]).await;
    let mut publisher = room.publisher();
    publisher.publish("a", &text("before"), &plain()).unwrap();
    let position = publisher.subscribe(bob.id(), "a").unwrap();
    assert_eq!(position.offset, 1);
    publisher.publish("a", &text("between"), &plain()).unwrap();
    publisher.unsubscribe(bob.id(), "a");
    publisher.publish("a", &text("after"), &plain()).unwrap();
    drop(publisher);
    assert_eq!(ann.reads(), ["before", "between", "after"]);
    assert_eq!(bob.reads(), ["between"]);
}

#[tokio::test]
async fn an_excepted_subscriber_gets_the_others_messages_only() {
    let room = Room::new();
    let members = [
        room.member(&["a"]).await,
        room.member(&["a"]).await,
        room.member(&["a"]).await,
    ];
    let stranger = room.member(&[]).await;
    let mut publisher = room.publisher();
    for round in 0..3 {
        for (index, member) in members.iter().enumerate() {
            let message = text(&format!("{index}{round}"));
            publisher
                .publish("a", &message, &all_but(member.id()))
                .unwrap();
        }
    }
    publisher
        .publish("a", &text("all"), &all_but(stranger.id()))
        .unwrap();
    drop(publisher);
    assert_eq!(
        members[0].reads(),
        ["10", "20", "11", "21", "12", "22", "all"]
    );
    assert_eq!(
        members[1].reads(),
        ["00", "20", "01", "21", "02", "22", "all"]
    );
    assert_eq!(
        members[2].reads(),
        ["00", "10", "01", "11", "02", "12", "all"]
    );
}

#[tokio::test]
async fn sends_and_publications_of_one_invocation_arrive_in_program_order() {
    let room = Room::new();
    let mut members = Vec::new();
    for _ in 0..5 {
        members.push(room.member(&["a", "b"]).await);
    }
    let mut publisher = room.publisher();
    for (round, member) in members[..4].iter().enumerate() {
        let sender = member.id();
        publisher
            .publish("a", &text(&format!("p{round}")), &plain())
            .unwrap();
        assert_eq!(
            publisher.send(sender, &text(&format!("ack{round}"))),
            SendStatus::Queued
        );
        publisher
            .publish("a", &text(&format!("q{round}")), &all_but(sender))
            .unwrap();
    }
    publisher.close(members[4].id(), 4000, "bye");
    publisher.publish("a", &text("late"), &plain()).unwrap();
    drop(publisher);
    assert_eq!(
        members[0].reads(),
        ["p0", "ack0", "p1", "q1", "p2", "q2", "p3", "q3", "late"]
    );
    assert_eq!(
        members[1].reads(),
        ["p0", "q0", "p1", "ack1", "p2", "q2", "p3", "q3", "late"]
    );
    assert_eq!(
        members[3].reads(),
        ["p0", "q0", "p1", "q1", "p2", "q2", "p3", "ack3", "late"]
    );
    assert_eq!(
        members[4].reads(),
        ["p0", "q0", "p1", "q1", "p2", "q2", "p3", "q3", "!4000"]
    );
}

#[tokio::test]
async fn a_slow_consumer_is_closed_and_nobody_else_notices() {
    let room = Room::new();
    let small = SessionLimits {
        outbox_bytes: 100,
        ..SessionLimits::default()
    };
    let slow = room.member_with(small, &["a"]).await;
    let quick = room.member_with(small, &["a"]).await;
    let mut received = Vec::new();
    for round in 0..20 {
        room.publisher()
            .publish("a", &text(&format!("message {round:02}")), &plain())
            .unwrap();
        received.extend(quick.reads());
    }
    assert_eq!(received.len(), 20);
    assert_eq!(slow.reads(), ["!3001"]);
    assert_eq!(slow.0.closing().unwrap().code(), 3001);
    assert_eq!(
        room.publisher().send(slow.id(), &text("more")),
        SendStatus::Gone
    );
    assert_eq!(room.hub.snapshot().total.slow_closed, 1);
    assert!(quick.0.closing().is_none());
}

#[tokio::test]
async fn much_published_by_one_invocation_is_handed_out_before_its_end() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    let mut publisher = room.publisher();
    let message = text(&"x".repeat(1024));
    let mut count = 0;
    while ann.reads().is_empty() {
        publisher.publish("a", &message, &plain()).unwrap();
        count += 1;
        assert!(count <= 64, "pending messages have no bound");
    }
}

#[tokio::test]
async fn a_guest_names_nothing_of_another_namespace() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    let mut stranger = room.hub.publisher(&namespace("chat@2"));
    assert_eq!(stranger.send(ann.id(), &text("x")), SendStatus::Gone);
    assert_eq!(stranger.subscribe(ann.id(), "a"), Err(TopicError::Gone));
    assert!(!stranger.attach(ann.id(), "x".into()));
    stranger.close(ann.id(), 1000, "");
    stranger.publish("a", &text("x"), &plain()).unwrap();
    assert_eq!(stranger.subscribers("a"), 0);
    drop(stranger);
    assert!(ann.reads().is_empty());
    assert_eq!(room.publisher().subscribers("a"), 1);
}

#[tokio::test]
async fn topics_with_made_up_names_leave_nothing_behind() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    let mut publisher = room.publisher();
    for number in 0..1000 {
        let name = format!("made-up-{number}");
        publisher.publish(&name, &text("x"), &plain()).unwrap();
        publisher.subscribers(&name);
        publisher.subscribe(ann.id(), &name).unwrap();
        publisher.unsubscribe(ann.id(), &name);
    }
    drop(publisher);
    assert_eq!(room.hub.snapshot().total.topics, 0);
    let subscribed = room.member(&["a", "b"]).await;
    assert_eq!(room.hub.snapshot().total.topics, 2);
    drop(subscribed);
    let numbers = room.hub.snapshot().total;
    assert_eq!((numbers.topics, numbers.subscriptions), (0, 0));
}

#[tokio::test]
async fn topics_are_bounded_for_a_session_and_for_a_namespace() {
    let room = Room::with(HubConfig {
        topics_max: 3,
        session_topics_max: 2,
        ..HubConfig::default()
    });
    let ann = room.member(&["a", "b"]).await;
    let bob = room.member(&[]).await;
    let mut publisher = room.publisher();
    assert_eq!(publisher.subscribe(ann.id(), "c"), Err(TopicError::TooMany));
    assert!(
        publisher.subscribe(ann.id(), "a").is_ok(),
        "it has that one"
    );
    assert!(
        publisher.subscribe(bob.id(), "c").is_ok(),
        "the refusal left no topic"
    );
    assert_eq!(
        publisher.publish("d", &text("x"), &plain()),
        Err(TopicError::TooMany)
    );
    publisher.unsubscribe(bob.id(), "c");
    assert!(publisher.publish("d", &text("x"), &plain()).is_ok());
}

#[tokio::test]
async fn names_and_messages_that_are_too_long_are_refused() {
    let room = Room::with(HubConfig {
        message_bytes_max: 10,
        ..HubConfig::default()
    });
    let mut publisher = room.publisher();
    for name in ["", "a\nb", &"x".repeat(257)] {
        assert_eq!(
            publisher.publish(name, &text(""), &plain()),
            Err(TopicError::InvalidName)
        );
    }
    assert!(
        publisher
            .publish(&"ü".repeat(128), &text("0123456789"), &plain())
            .is_ok()
    );
    assert_eq!(
        publisher.publish("a", &text("0123456789!"), &plain()),
        Err(TopicError::TooLarge)
    );
}

#[tokio::test]
async fn a_detached_session_is_out_of_its_topics_at_once_and_known_until_the_guest_heard_of_it() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    ann.0.detach(1000, "bye");
    let mut publisher = room.publisher();
    assert_eq!(publisher.subscribers("a"), 0);
    assert_eq!(publisher.send(ann.id(), &text("x")), SendStatus::Gone);
    assert_eq!(publisher.subscribe(ann.id(), "a"), Err(TopicError::Gone));
    assert_eq!(room.hub.session_count(&room.namespace), 1);
    room.settle_all().await;
    assert_eq!(room.hub.session_count(&room.namespace), 0);
}

#[tokio::test]
async fn the_snapshot_has_flat_camel_case_numbers() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    room.publisher()
        .publish("a", &text("hello"), &plain())
        .unwrap();
    room.publisher().send(ann.id(), &text("hello"));
    let json = serde_json::to_value(room.hub.snapshot()).unwrap();
    for (field, expected) in [
        ("sessions", 1),
        ("topics", 1),
        ("subscriptions", 1),
        ("deliveries", 1),
        ("bytesOut", 14),
        ("timers", 0),
    ] {
        assert_eq!(json[field], expected, "{field}");
    }
    assert_eq!(json["namespaces"][0]["namespace"], "chat@1");
    assert_eq!(json["namespaces"][0]["slowClosed"], 0);
}
