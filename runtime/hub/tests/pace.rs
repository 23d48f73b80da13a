//! When writers are woken: at once in a quiet room, together in a busy one.

#![allow(clippy::unwrap_used)]

mod room;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake};
use std::time::Duration;

use rookery_hub::{Hub, HubConfig, ReadyQueue};
use rookery_lifecycle::{Shutdown, Tasks};

use room::{Client, Room, namespace, plain, text};

const REST: Duration = Duration::from_millis(1);
const MEMBERS: usize = 20;

/// Counts how often a client's writer was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Woken {
    /// The client's writer found nothing to do.
    fn waits(client: &Client) -> Arc<Woken> {
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        assert!(
            client
                .0
                .poll_outbox(&mut Context::from_waker(&waker))
                .is_pending()
        );
        woken
    }

    fn times(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn config() -> HubConfig {
    HubConfig {
        rest_per_member: REST,
        ..HubConfig::default()
    }
}

async fn members(room: &Room, count: usize) -> Vec<Client> {
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(room.member(&["t"]).await);
    }
    members
}

fn say(room: &Room, what: &str) {
    room.publisher()
        .publish("t", &text(what), &plain())
        .unwrap();
}

/// A room whose members were just woken for a first message.
async fn busy() -> (Room, Vec<Client>) {
    let room = Room::with(config());
    let members = members(&room, MEMBERS).await;
    let woken: Vec<_> = members.iter().map(Woken::waits).collect();
    say(&room, "a");
    for (member, woken) in members.iter().zip(woken) {
        assert_eq!(woken.times(), 1, "the first one wakes at once");
        assert_eq!(member.reads(), ["a"]);
    }
    (room, members)
}

#[tokio::test(start_paused = true)]
async fn members_of_a_busy_room_are_woken_once_for_many_messages() {
    let (room, members) = busy().await;
    let woken: Vec<_> = members.iter().map(Woken::waits).collect();
    for what in ["b", "c", "d"] {
        say(&room, what);
    }
    assert!(woken.iter().all(|woken| woken.times() == 0));
    tokio::time::sleep(REST * MEMBERS as u32 * 2).await;
    for (member, woken) in members.iter().zip(woken) {
        assert_eq!(woken.times(), 1);
        assert_eq!(member.reads(), ["b", "c", "d"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_that_was_quiet_for_long_enough_waits_for_nothing() {
    let (room, members) = busy().await;
    tokio::time::sleep(REST * MEMBERS as u32).await;
    let woken = Woken::waits(&members[0]);
    say(&room, "b");
    assert_eq!(woken.times(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_to_one_takes_along_what_waits_for_it() {
    let (room, members) = busy().await;
    let woken = Woken::waits(&members[0]);
    say(&room, "b");
    room.publisher().send(members[0].id(), &text("c"));
    assert_eq!(woken.times(), 1);
    assert_eq!(members[0].reads(), ["b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_a_room_is_not_left_with_what_it_said() {
    let (room, members) = busy().await;
    let woken = Woken::waits(&members[0]);
    say(&room, "b");
    assert_eq!(woken.times(), 0);
    room.publisher().unsubscribe(members[0].id(), "t");
    assert_eq!(woken.times(), 1);
    assert_eq!(members[0].reads(), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_much_to_write_does_not_rest() {
    let (room, members) = busy().await;
    let woken = Woken::waits(&members[0]);
    let much = "x".repeat(40 * 1024);
    say(&room, &much);
    assert_eq!(woken.times(), 0);
    say(&room, &much);
    assert_eq!(woken.times(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_few_who_answer_each_other_never_wait() {
    let room = Room::with(config());
    let members = members(&room, 16).await;
    for what in ["a", "b", "c"] {
        let woken = Woken::waits(&members[3]);
        say(&room, what);
        assert_eq!(woken.times(), 1);
        assert_eq!(members[3].reads(), [what]);
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_hub_stops_its_clock_nobody_rests_any_more() {
    let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
    let room = Room {
        hub: Hub::new(config(), &tasks, shutdown.clone()),
        ready: ReadyQueue::new(),
        namespace: namespace("chat@1"),
    };
    let members = members(&room, MEMBERS).await;
    say(&room, "a");
    assert_eq!(members[0].reads(), ["a"]);
    let woken = Woken::waits(&members[0]);
    say(&room, "b");
    assert_eq!(woken.times(), 0);
    shutdown.request();
    tokio::task::yield_now().await;
    assert_eq!(
        (woken.times(), members[0].reads()),
        (1, vec!["b".to_owned()])
    );
    let woken = Woken::waits(&members[0]);
    say(&room, "c");
    assert_eq!(woken.times(), 1);
}
