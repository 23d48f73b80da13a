//! Timers, with a clock that stands still.

#![allow(clippy::unwrap_used)]

mod room;

use std::time::Duration;

use rookery_hub::Refusal;
use room::{Room, shorts};

const SECOND: Duration = Duration::from_secs(1);

/// Lets the clock run and the hub's task with it.
async fn pass(duration: Duration) {
    tokio::time::sleep(duration + Duration::from_millis(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_timer_runs_out_once_and_in_time() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    room.publisher()
        .set_timer(ann.id(), "late", 2 * SECOND)
        .unwrap();
    room.publisher()
        .set_timer(ann.id(), "early", SECOND)
        .unwrap();
    assert_eq!(room.hub.snapshot().timers, 2);
    pass(SECOND).await;
    assert_eq!(shorts(&room.settle_all().await), ["timer:early"]);
    pass(5 * SECOND).await;
    assert_eq!(shorts(&room.settle_all().await), ["timer:late"]);
    assert_eq!(room.hub.snapshot().timers, 0);
}

#[tokio::test(start_paused = true)]
async fn a_timer_of_the_same_name_replaces_the_one_before() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    room.publisher().set_timer(ann.id(), "t", SECOND).unwrap();
    room.publisher()
        .set_timer(ann.id(), "t", 3 * SECOND)
        .unwrap();
    pass(2 * SECOND).await;
    assert!(room.settle_all().await.is_empty());
    pass(2 * SECOND).await;
    assert_eq!(shorts(&room.settle_all().await), ["timer:t"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_timer_is_silent_even_when_it_ran_out() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    for name in ["set", "out"] {
        room.publisher().set_timer(ann.id(), name, SECOND).unwrap();
    }
    room.publisher().cancel_timer(ann.id(), "set");
    pass(2 * SECOND).await;
    room.publisher().cancel_timer(ann.id(), "out");
    let taken = tokio::time::timeout(SECOND, room.ready.take(64)).await;
    assert!(taken.is_err(), "the session waited with nothing");
    ann.says("1");
    assert_eq!(shorts(&room.settle_all().await), ["message:1"]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_of_a_gone_session_does_nothing() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    room.publisher().set_timer(ann.id(), "t", SECOND).unwrap();
    ann.0.detach(1000, "");
    assert_eq!(room.hub.snapshot().timers, 0);
    assert_eq!(
        room.publisher().set_timer(ann.id(), "t", SECOND),
        Err(Refusal::Gone)
    );
    pass(2 * SECOND).await;
    assert_eq!(shorts(&room.settle_all().await), ["closed:1000"]);
    assert_eq!(
        room.publisher().set_timer(ann.id(), "t", SECOND),
        Err(Refusal::Gone)
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_has_32_timers_and_their_names_64_bytes() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    let mut publisher = room.publisher();
    for number in 0..32 {
        publisher
            .set_timer(ann.id(), &number.to_string(), SECOND)
            .unwrap();
    }
    assert_eq!(
        publisher.set_timer(ann.id(), "one more", SECOND),
        Err(Refusal::TooManyTimers)
    );
    assert!(
        publisher.set_timer(ann.id(), "7", SECOND).is_ok(),
        "a replacement is not one more"
    );
    assert_eq!(
        publisher.set_timer(ann.id(), &"x".repeat(65), SECOND),
        Err(Refusal::TimerName)
    );
    pass(SECOND).await;
    assert_eq!(room.settle_all().await.len(), 32);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_waits_for_the_guest_does_not_pile_up() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    let busy = room.take().await;
    for _ in 0..3 {
        room.publisher().set_timer(ann.id(), "t", SECOND).unwrap();
        pass(SECOND).await;
    }
    drop(busy);
    assert_eq!(shorts(&room.settle_all().await), ["again:1", "timer:t"]);
}

#[tokio::test(start_paused = true)]
async fn setting_a_timer_anew_takes_back_the_one_that_ran_out() {
    let room = Room::new();
    let ann = room.member(&[]).await;
    ann.says("1");
    let busy = room.take().await;
    room.publisher().set_timer(ann.id(), "t", SECOND).unwrap();
    pass(SECOND).await;
    room.publisher()
        .set_timer(ann.id(), "t", 5 * SECOND)
        .unwrap();
    drop(busy);
    assert_eq!(shorts(&room.settle_all().await), ["again:1"]);
    pass(5 * SECOND).await;
    assert_eq!(shorts(&room.settle_all().await), ["timer:t"]);
}
