//! Claims about what a slot keeps when its isolate ended, as the engine counts it.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use wasmtime::PoolingAllocatorMetrics;

use super::*;
use crate::house::{House, idle};

/// `idle` writes to as many pages as a small guest has.
const WRITES: &str = r#"
    (memory 4)
    (func (export "idle") (memory.fill (i32.const 0) (i32.const 1) (i32.const 200000)))
    (func (export "terminate"))
"#;

/// The same for more than a slot keeps.
const WRITES_MUCH: &str = r#"
    (memory 32)
    (func (export "idle") (memory.fill (i32.const 0) (i32.const 1) (i32.const 2000000)))
    (func (export "terminate"))
"#;

/// How many bytes are kept in slots that nobody lives in.
fn kept_bytes(metrics: &PoolingAllocatorMetrics) -> usize {
    metrics.unused_memory_bytes_resident()
        + metrics.unused_table_bytes_resident()
        + metrics.unused_stack_bytes_resident().unwrap()
}

/// So many isolates live side by side and end; what their slots keep.
async fn kept_after(isolates: u32, thrift: Thrift) -> usize {
    let house = House::of(isolates, thrift);
    let linked = house.linked(WRITES);
    let mut living = Vec::new();
    for _ in 0..isolates {
        let mut isolate = house.start(&linked).await;
        assert!(idle(&mut isolate, Duration::from_secs(60)).await);
        living.push(isolate);
    }
    let metrics = linked.pre.engine().pooling_allocator_metrics().unwrap();
    assert_eq!(metrics.memories(), isolates as usize);
    drop(living);
    assert_eq!(metrics.memories(), 0);
    kept_bytes(&metrics)
}

#[tokio::test]
async fn a_slot_keeps_what_the_next_isolate_will_need() {
    assert!(kept_after(8, Thrift::Speed).await > 200_000);
}

#[tokio::test]
async fn a_thrifty_slot_keeps_nothing() {
    assert_eq!(kept_after(8, Thrift::Memory).await, 0);
}

#[tokio::test]
async fn isolates_of_both_kinds_share_the_slots() {
    let house = House::of(1, Thrift::Memory);
    let isolate = house.start(&house.linked(WRITES)).await;
    assert!(house.slots.free.try_acquire().is_err());
    drop(isolate);
    assert!(house.slots.free.try_acquire().is_ok());
}

/// Fewer than are given back together, so that without another look they would stay.
#[tokio::test]
async fn what_the_last_isolates_left_is_given_back() {
    let house = House::of(8, Thrift::Speed);
    let linked = house.linked(WRITES_MUCH);
    let mut living = Vec::new();
    for _ in 0..3 {
        let mut isolate = house.start(&linked).await;
        assert!(idle(&mut isolate, Duration::from_secs(60)).await);
        living.push(isolate);
    }
    drop(living);
    let metrics = linked.pre.engine().pooling_allocator_metrics().unwrap();
    assert_eq!((metrics.memories(), metrics.unused_warm_memories()), (0, 0));
    // Threads of other tests may come between ours, and are given a collection in their place.
    for _ in 0..100 {
        house.slots.used.store(true, Ordering::Relaxed);
        house.slots.give_back();
        if metrics.unused_warm_memories() == 3 {
            return;
        }
    }
    panic!("{} of 3 were given back", metrics.unused_warm_memories());
}

#[tokio::test]
async fn nobody_looks_for_leftovers_where_no_isolate_ended() {
    let house = House::of(1, Thrift::Speed);
    assert!(!house.slots.used.load(Ordering::Relaxed));
    drop(house.start(&house.linked(WRITES)).await);
    assert!(house.slots.used.load(Ordering::Relaxed));
    house.slots.give_back();
    assert!(!house.slots.used.load(Ordering::Relaxed));
}
