//! The process that is there before it is needed.

use std::sync::Arc;

use rookery_pool::{Spawn, Worker};
use serde_json::{Value, json};

use crate::house::{FIXTURE, House, ask, signal, until};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_spare_has_a_place_of_the_budget_and_gives_it_to_whoever_waits() {
    let house = House::of(2, |_| ());
    let pool = house.pool(json!({"workers": {}})).await;
    ask(&pool, "/answer").await.unwrap();
    let is_starting = || house.tasks.running().contains(&"spare process start");
    until("the spare is ready", async || {
        house.workers().len() == 2 && !is_starting()
    })
    .await;
    let budget = &house.budget;
    assert_eq!((budget.workers_live(), budget.workers_spare()), (2, 1));
    let other = house.pool(json!({"workers": {"max": 1}})).await;
    ask(&other, "/answer").await.unwrap();
    assert_eq!((budget.workers_live(), budget.workers_spare()), (2, 0));
    assert_eq!(house.totals.evictions.get(), 0, "who served goes on");
    until("the spare has ended", async || house.workers().len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_nobody_waits_for_any_more_has_a_place_and_gives_it_up() {
    let house = House::of(1, |_| ());
    let never = json!({"command": [FIXTURE, "sleep"], "workers": {}});
    let spawn = house.prepare(never).await.unwrap();
    let asked = tokio::spawn({
        let spawn = Arc::clone(&spawn);
        async move { spawn.spawn().await.is_ok() }
    });
    until("it starts", async || house.workers().len() == 1).await;
    asked.abort();
    let spares = || house.budget.workers_spare();
    until("it is a spare now", async || spares() == 1).await;
    let pool = house.pool(json!({"workers": {"max": 1}})).await;
    ask(&pool, "/answer").await.unwrap();
    assert_eq!((house.budget.workers_live(), spares()), (1, 0));
    until("it has ended", async || house.workers().len() == 1).await;
}
