//! What holds when many do it at once.

#![allow(clippy::unwrap_used)]

mod room;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rookery_contract::{EventKind, Position, PublishOptions, Retention, SessionId};
use rookery_hub::{EventsDone, Received, SessionLimits};
use room::{Room, all_but, plain, text};

fn unbounded() -> SessionLimits {
    SessionLimits {
        outbox_bytes: usize::MAX,
        inbox_events: usize::MAX,
        inbox_bytes: usize::MAX,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_publishers_have_one_order_for_everyone() {
    const ROUNDS: usize = 200;
    let room = Arc::new(Room::new());
    let mut members = Vec::new();
    for _ in 0..8 {
        members.push(room.member_with(unbounded(), &["a"]).await);
    }
    let ids: Vec<_> = members.iter().map(|member| member.id()).collect();
    let publishers = (0..4).map(|name| {
        let (room, ids) = (Arc::clone(&room), ids.clone());
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let mut publisher = room.publisher();
                for part in 0..5 {
                    let message = text(&format!("{name} {:06}", round * 5 + part));
                    publisher.publish("a", &message, &plain()).unwrap();
                    publisher
                        .publish("a", &text("-"), &all_but(ids[name]))
                        .unwrap();
                    publisher.send(ids[name + 4], &text("ack"));
                }
                drop(publisher);
                tokio::task::yield_now().await;
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    let streams: Vec<Vec<_>> = members
        .iter()
        .map(|member| {
            member
                .reads()
                .into_iter()
                .filter(|message| message.len() > 3)
                .collect()
        })
        .collect();
    assert_eq!(streams[0].len(), 4 * 5 * ROUNDS);
    for name in 0..4 {
        let own = streams[0]
            .iter()
            .filter(|message| message.starts_with(&name.to_string()));
        assert!(own.is_sorted(), "publisher {name} is out of order");
    }
    for stream in &streams[1..] {
        assert!(*stream == streams[0], "two orders");
    }
}

fn mark(session: SessionId) -> rookery_contract::Payload {
    text(&format!("mark of {}", session.0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn comings_and_goings_neither_lose_nor_leak_while_messages_fly() {
    let room = Arc::new(Room::new());
    let stop = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..2)
        .map(|_| {
            let (room, stop) = (Arc::clone(&room), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let mut publisher = room.publisher();
                    for _ in 0..10 {
                        publisher.publish("a", &text("x"), &plain()).unwrap();
                    }
                    drop(publisher);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let members: Vec<_> = (0..4)
        .map(|_| {
            let room = Arc::clone(&room);
            tokio::spawn(async move {
                for _ in 0..300 {
                    let client = room.client_with(unbounded());
                    let from = room.publisher().subscribe(client.id(), "a").unwrap();
                    let mut marks = Vec::new();
                    for _ in 0..3 {
                        marks.push(
                            room.publisher()
                                .publish("a", &mark(client.id()), &plain())
                                .unwrap(),
                        );
                        tokio::task::yield_now().await;
                    }
                    // Each of its own messages is exactly where its offset says, so nothing before it is missing.
                    let got = client.reads();
                    for at in marks {
                        assert_eq!(at.epoch, from.epoch);
                        let index = (at.offset - from.offset - 1) as usize;
                        assert_eq!(text(&got[index]), mark(client.id()));
                    }
                    client.0.detach(1000, "");
                }
            })
        })
        .collect();
    for member in members {
        member.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for publisher in publishers {
        publisher.await.unwrap();
    }
    room.settle_all().await;
    let numbers = room.hub.snapshot().total;
    assert_eq!(
        (numbers.sessions, numbers.topics, numbers.subscriptions),
        (0, 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_takers_give_each_event_once_and_no_session_to_two_at_a_time() {
    const MESSAGES: usize = 500;
    const SESSIONS: usize = 10;
    let room = Arc::new(Room::new());
    let in_flight: Arc<Mutex<Vec<SessionId>>> = Arc::default();
    let seen: Arc<Mutex<HashMap<SessionId, Vec<String>>>> = Arc::default();
    let takers: Vec<_> = (0..4)
        .map(|taker| {
            let (room, in_flight, seen) =
                (Arc::clone(&room), Arc::clone(&in_flight), Arc::clone(&seen));
            tokio::spawn(async move {
                let mut count = 0;
                while let Some(batch) = room.ready.take(16).await {
                    let mut sessions: Vec<_> =
                        batch.events().iter().map(|event| event.session).collect();
                    sessions.dedup();
                    {
                        let mut in_flight = in_flight.lock();
                        for session in &sessions {
                            assert!(!in_flight.contains(session), "in two batches");
                            in_flight.push(*session);
                        }
                    }
                    tokio::task::yield_now().await;
                    count += 1;
                    in_flight
                        .lock()
                        .retain(|session| !sessions.contains(session));
                    // Now and then no worker is there.
                    if (count + taker) % 7 == 0 {
                        room.ready.finish(batch, EventsDone::NotGiven);
                        continue;
                    }
                    for event in batch.events() {
                        if let EventKind::Message { payload, .. } = &event.kind {
                            let text = String::from_utf8(payload.as_bytes().to_vec()).unwrap();
                            seen.lock().entry(event.session).or_default().push(text);
                        }
                    }
                    room.ready.finish(batch, EventsDone::All);
                }
            })
        })
        .collect();
    let clients: Vec<_> = (0..SESSIONS)
        .map(|_| {
            let room = Arc::clone(&room);
            tokio::spawn(async move {
                let client = room.client();
                for number in 0..MESSAGES {
                    client.0.inbox_room().await;
                    assert_eq!(client.says(&format!("{number:06}")), Received::Queued);
                }
                client.0.detach(1000, "");
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    while room.hub.session_count(&room.namespace) > 0 {
        tokio::task::yield_now().await;
    }
    room.ready.close();
    for taker in takers {
        taker.await.unwrap();
    }
    let seen = seen.lock();
    assert_eq!(seen.len(), SESSIONS);
    for messages in seen.values() {
        assert_eq!(messages.len(), MESSAGES);
        assert!(messages.is_sorted());
    }
}

/// A write is lost just while an invocation that read it publishes, and while those who would hear of it come and go. In
/// the end every session was closed, or hears what comes next.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_for_ever_for_what_was_lost() {
    const ROUNDS: usize = 6_000;
    for round in 0..ROUNDS {
        let room = Arc::new(Room::new());
        let mut watchers = Vec::new();
        for _ in 0..3 {
            watchers.push(room.member_with(unbounded(), &["c"]).await);
        }
        let mut hands = room.publisher();
        let keeper = hands.hold();
        hands.publish("a", &text("1"), &kept()).unwrap();
        drop(hands);
        let mut reads = room.publisher();
        assert!(reads.recover("a", PLACE, 10).is_err());
        assert_eq!(reads.holds().len(), 1);
        let lost = tokio::task::spawn_blocking(move || keeper.lose());
        let leaver = watchers[0].id();
        let leaves = {
            let room = Arc::clone(&room);
            tokio::task::spawn_blocking(move || room.publisher().unsubscribe(leaver, "c"))
        };
        for _ in 0..round % 40 {
            let _ = reads.publish("c", &text("2"), &plain());
            reads.flush();
        }
        drop(reads);
        lost.await.unwrap();
        leaves.await.unwrap();
        for watcher in &watchers {
            room.publisher().send(watcher.id(), &text("last"));
            let heard = watcher.reads();
            let end = heard.last().map(String::as_str);
            assert!(matches!(end, Some("last" | "!3003")), "{end:?} in {round}");
        }
    }
}

const PLACE: Position = Position {
    epoch: 0,
    offset: 0,
};

fn kept() -> PublishOptions {
    PublishOptions {
        history: Some(Retention {
            messages: 10,
            seconds: 60,
        }),
        ..plain()
    }
}
