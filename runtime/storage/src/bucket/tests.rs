//! What is memory's own beside the contract: threads.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::contract::keys;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_passes_the_contract_of_keys() {
    keys::check(|limits| async move { keys::in_memory(limits) }).await;
}

#[test]
fn increments_from_many_threads_add_up() {
    let bucket = Arc::new(Bucket::new(BucketLimits::default()));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let bucket = Arc::clone(&bucket);
            std::thread::spawn(move || {
                (0..500).for_each(|_| {
                    bucket.increment("n", 1).unwrap();
                })
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(bucket.increment("n", 0), Ok(2000));
}
