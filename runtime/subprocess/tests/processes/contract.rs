//! What the pool asks of every implementation of its traits.

use serde_json::json;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn processes_keep_the_pools_contract() {
    let house = House::new();
    let spawn = house.prepare(json!({})).await.unwrap();
    rookery_pool::contract::holds(spawn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_serve_one_request_keep_the_pools_contract() {
    let house = House::new();
    let spawn = house
        .prepare(json!({"ttl": 0, "workers": {}}))
        .await
        .unwrap();
    assert_eq!(spawn.concurrency(), 1);
    rookery_pool::contract::holds(spawn).await;
}
