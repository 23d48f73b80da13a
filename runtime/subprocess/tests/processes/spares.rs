//! The process that is there before it is needed.

use rookery_pool::{Spawn, Worker};
use serde_json::{Value, json};

use crate::house::{House, signal, until};

async fn one(house: &House, manifest: Value) -> (std::sync::Arc<dyn Spawn>, Box<dyn Worker>) {
    let spawn = house.prepare(manifest).await.unwrap();
    let worker = spawn.spawn().await.unwrap();
    (spawn, worker)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_in_use_has_a_spare_and_starts_are_taken_from_it() {
    let house = House::new();
    let (spawn, _first) = one(&house, json!({"workers": {}})).await;
    until("there is a spare", async || house.workers().len() == 2).await;
    // The spare's folder is there before it is ready; a second look is taken when it is.
    let _second = spawn.spawn().await.unwrap();
    until("there is another one", async || house.workers().len() == 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_to_be_one_process_has_no_spare() {
    for manifest in [
        json!({"workers": {"max": 1}}),
        json!({"workers": {}, "lowMemory": true}),
    ] {
        let house = House::new();
        let (_spawn, _worker) = one(&house, manifest).await;
        assert_eq!(house.workers().len(), 1);
        assert!(!house.tasks.running().contains(&"spare process start"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spare_that_died_is_not_given_out() {
    let house = House::new();
    let (spawn, _first) = one(&house, json!({"workers": {}})).await;
    let is_starting = || house.tasks.running().contains(&"spare process start");
    until("the spare is ready", async || {
        house.workers().len() == 2 && !is_starting()
    })
    .await;
    for pid in house.pids() {
        signal(pid, "KILL");
    }
    until("both are gone", async || house.workers().is_empty()).await;
    assert!(spawn.spawn().await.unwrap().is_alive());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spare_ends_when_its_revision_rests() {
    let house = House::new();
    let (_spawn, first) = one(&house, json!({"workers": {}, "idleTimeout": "1ms"})).await;
    until("there is a spare", async || house.workers().len() == 2).await;
    drop(first);
    until("all have ended", async || house.workers().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_more_spares_than_the_operator_allows() {
    let house = House::with(|config| config.spares_max = 1);
    let (_one, _first) = one(&house, json!({"workers": {}})).await;
    until("there is a spare", async || house.workers().len() == 2).await;
    let is_starting = || house.tasks.running().contains(&"spare process start");
    until("it is ready", async || !is_starting()).await;
    let (_other, _second) = one(&house, json!({"workers": {}})).await;
    assert!(!is_starting());
    assert_eq!(house.workers().len(), 3);
}
