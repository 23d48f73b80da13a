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
