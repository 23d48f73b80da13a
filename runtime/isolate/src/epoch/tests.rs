//! Claims about guests that run out of time. None depends on how fast the machine is: epochs are counted, not
//! milliseconds, and the deadline's clock stands still until a test moves it.
#![allow(clippy::unwrap_used)]

use std::task::Poll;
use std::time::Duration;

use crate::engine::Thrift;
use crate::house::{House, idle, terminate};

/// `idle` computes for ever; `terminate` does nothing.
const LOOP: &str = r#"
    (func (export "idle") (loop $again (br $again)))
    (func (export "terminate"))
"#;

const SECOND: Duration = Duration::from_secs(1);

/// The guest computes in one epoch after its deadline, at most: the look at the epoch's end is its last.
#[tokio::test(start_paused = true)]
async fn a_guest_that_computes_is_stopped_at_the_end_of_its_epoch() {
    for epochs in [1, 2, 5] {
        let house = House::of(1, Thrift::Speed);
        let mut isolate = house.start(&house.linked(LOOP)).await;
        let turn = isolate.store.data().turn.clone();
        let looping = idle(&mut isolate, SECOND);
        tokio::pin!(looping);
        while turn.epochs() < epochs {
            let polled = std::future::poll_fn(|cx| Poll::Ready(looping.as_mut().poll(cx))).await;
            assert!(polled.is_pending(), "it was stopped before its deadline");
        }
        tokio::time::advance(SECOND).await;
        assert!(!looping.await, "a guest that was stopped is not sound");
        assert_eq!(turn.epochs(), epochs + 1);
    }
}

/// Its neighbour on the same thread works between two of its epochs.
#[tokio::test]
async fn a_guest_that_computes_leaves_room_for_its_neighbours() {
    let house = House::of(2, Thrift::Speed);
    let linked = house.linked(LOOP);
    let mut looping = house.start(&linked).await;
    let mut neighbour = house.start(&linked).await;
    let looping = tokio::spawn(async move { idle(&mut looping, SECOND).await });
    let mut served = 0;
    while !looping.is_finished() {
        assert!(terminate(&mut neighbour, 60 * SECOND).await);
        served += 1;
        tokio::task::yield_now().await;
    }
    assert!(!looping.await.unwrap());
    assert!(served > 1, "the neighbour was served {served} times");
    assert!(terminate(&mut neighbour, 60 * SECOND).await);
}

/// However many of them wait for the turn of one, each is stopped.
#[tokio::test]
async fn guests_that_wait_for_their_turn_are_stopped_too() {
    const LOOPS: u32 = 5;
    let house = House::of(LOOPS, Thrift::Speed);
    let linked = house.linked(LOOP);
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..LOOPS {
        let mut isolate = house.start(&linked).await;
        loops.spawn(async move { idle(&mut isolate, SECOND / 4).await });
    }
    let sound = loops.join_all().await;
    assert_eq!(sound, [false; LOOPS as usize]);
    let turns = house.slots.long_runs();
    assert!(turns.available_permits() >= 1, "every turn was given back");
}

#[tokio::test]
async fn what_a_guest_computes_is_counted_for_its_revision() {
    let house = House::of(1, Thrift::Speed);
    let mut isolate = house.start(&house.linked(LOOP)).await;
    assert!(!idle(&mut isolate, SECOND).await);
    assert!(house.cpu.total() > Duration::ZERO);
}

/// A start is bounded, too: a guest that never comes up says so, whatever its requests may take.
#[tokio::test]
async fn a_guest_that_does_not_start_is_refused_with_the_reason() {
    const STUCK: &str = r#"
        (func (export "idle"))
        (func (export "terminate"))
        (func $start (loop $again (br $again)))
        (start $start)
    "#;
    let house = House::of(1, Thrift::Speed);
    let linked = house.linked(STUCK);
    let started =
        crate::instantiate::instantiate(&house.slots, &linked, &house.guest, &house.cpu).await;
    let reason = started.map(drop).unwrap_err().to_string();
    assert!(reason.contains("did not finish within 1000 ms"), "{reason}");
}
