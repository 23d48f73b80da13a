//! Claims about starts on a busy machine. How busy it is they say themselves: the clock stands still unless all wait.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::engine::Thrift;
use crate::house::House;
use crate::instantiate::instantiate;

const SECOND: Duration = Duration::from_secs(1);

/// Its start computes for some epochs on any machine, and ends.
const SLOW: &str = r#"
    (func (export "idle"))
    (func (export "terminate"))
    (func $start (local $left i32)
      (local.set $left (i32.const 100000000))
      (loop $again
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $again (local.get $left))))
    (start $start)
"#;

#[test]
fn a_start_is_late_when_its_limit_passed_and_half_of_it_was_its_own() {
    let check = |passed_ms, epochs, waited_ms, expected: Option<Duration>| {
        let spent = Spent {
            passed: Duration::from_millis(passed_ms),
            epochs,
            waited: Duration::from_millis(waited_ms),
        };
        assert_eq!(spent.late(SECOND), expected.map(Late), "{spent:?}");
    };
    check(999, 99, 0, None);
    check(1000, 99, 0, Some(SECOND));
    check(1000, 50, 0, Some(SECOND));
    check(1000, 49, 0, None);
    check(1000, 0, 1000, Some(SECOND));
    check(1000, 25, 250, Some(SECOND));
    check(1000, 1, 0, None);
    check(9999, 49, 0, None);
    check(9999, 50, 0, Some(SECOND));
    check(10_000, 0, 0, Some(PASSED_MAX));
}

/// Others have every turn to compute for three seconds.
#[tokio::test(start_paused = true)]
async fn a_start_that_others_keep_from_computing_is_not_late() {
    let house = House::of(1, Thrift::Speed);
    let linked = house.linked(SLOW);
    let turns = Arc::clone(house.slots.long_runs());
    let all = u32::try_from(turns.available_permits()).unwrap();
    let others = turns.acquire_many_owned(all).await.unwrap();
    let begun = Instant::now();
    tokio::spawn(async move {
        sleep(3 * SECOND).await;
        drop(others);
    });
    let isolate = house.start(&linked).await;
    assert!(isolate.sound);
    assert!(begun.elapsed() >= 3 * SECOND, "it had to wait for them");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_others_keep_from_computing_ends_all_the_same() {
    let house = House::of(1, Thrift::Speed);
    let linked = house.linked(SLOW);
    let turns = house.slots.long_runs();
    let all = u32::try_from(turns.available_permits()).unwrap();
    let _others = turns.acquire_many(all).await.unwrap();
    let begun = Instant::now();
    let started = instantiate(&house.slots, &linked, &house.guest, &house.cpu).await;
    let reason = started.map(drop).unwrap_err().to_string();
    assert!(reason.contains("within 10000 ms"), "{reason}");
    assert!(begun.elapsed() <= PASSED_MAX + LOOK_EVERY);
}

/// What a guest waits for in its start is its own affair, and fills its limit.
#[tokio::test(start_paused = true)]
async fn a_start_that_waits_for_ever_is_late_at_its_limit() {
    for (timeout, limit) in [(30 * SECOND, LIMIT), (SECOND / 10, SECOND / 10)] {
        let starter = Starter {
            turn: Turn::default(),
            cpu: Arc::default(),
            limit: timeout.min(LIMIT),
            begun: Instant::now(),
            waited: Mutex::default(),
        };
        let begun = Instant::now();
        let late = starter.run(std::future::pending::<()>()).await;
        assert_eq!(late, Err(Late(limit)));
        assert!(begun.elapsed() <= limit + LOOK_EVERY);
    }
}
