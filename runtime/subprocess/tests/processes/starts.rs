//! Starts that fail, and what is said of them.

use std::time::Duration;

use rookery_pool::{AcquireError, InvokeError};
use serde_json::{Value, json};

use crate::house::{FIXTURE, House, ask, until};

async fn refusal(house: &House, manifest: Value) -> String {
    let pool = house.pool(manifest).await;
    match ask(&pool, "/answer").await {
        Err(InvokeError::Acquire(AcquireError::Spawn { source, .. })) => source.to_string(),
        other => panic!("it starts: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_at_its_start_says_why() {
    let house = House::new();
    let text = refusal(&house, json!({"command": [FIXTURE, "fail"]})).await;
    assert!(
        text.contains("code 3") && text.contains("there is no database"),
        "{text}"
    );
    assert!(!text.contains("about to look"), "{text}");
    assert_eq!(house.totals.failed.get(), 1);
    until("its folder is gone", async || house.workers().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_named() {
    let house = House::new();
    let text = refusal(&house, json!({"command": "no-such-program --at-all"})).await;
    assert!(text.contains("cannot run no-such-program"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_never_listens_is_given_up_and_ended() {
    let house = House::with(|config| config.start_timeout = Duration::from_millis(300));
    let text = refusal(&house, json!({"command": [FIXTURE, "sleep"]})).await;
    assert!(text.contains("not ready within 0.3 s"), "{text}");
    until("it is gone", async || house.workers().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_nobody_waits_for_any_more_is_not_lost() {
    let house = House::new();
    let slow = format!("sleep 0.3; exec {FIXTURE} serve");
    let spawn = house
        .prepare(json!({"command": ["/bin/sh", "-c", slow], "workers": {}}))
        .await
        .unwrap();
    let left = tokio::time::timeout(Duration::from_millis(50), spawn.spawn()).await;
    assert!(left.is_err());
    until("it was started", async || house.workers().len() == 1).await;
    let worker = spawn.spawn().await.unwrap();
    assert!(worker.is_alive());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_refused_where_its_processes_would_have_no_place() {
    let house = House::with(|config| config.folder = "/nowhere/at/all".into());
    let refused = house.prepare(json!({})).await.map(drop).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("the folder for processes cannot be used"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_without_a_process_is_not_prepared() {
    let house = House::new();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("index.html"), "").unwrap();
    let expect = rookery_bundle::Expect {
        name: rookery_bundle::AppName::parse("pages").unwrap(),
        version: rookery_bundle::parse_version("1.0.0"),
    };
    let bundle = rookery_bundle::open(dir.path(), expect).unwrap();
    let prepare: &dyn rookery_pool::Prepare = &house.processes;
    assert!(prepare.prepare(bundle.into()).await.is_err());
}

/// Whoever started it has ended, so it is its guard's child now.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_left_its_parent_is_still_ones_own() {
    let house = House::new();
    let detached = format!("({FIXTURE} serve &); exec /bin/sleep 1000");
    let pool = house
        .pool(json!({"command": ["/bin/sh", "-c", detached]}))
        .await;
    ask(&pool, "/answer").await.unwrap();
}
