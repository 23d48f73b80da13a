//! Claims about isolates as the pool has them, with a guest that does everything a guest can do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Empty};
use rookery_bundle::{AppName, Expect, open};
use rookery_host::Services;
use rookery_hub::{Hub, HubConfig};
use rookery_isolate::{CompileCache, EngineConfig, Isolates, Slots};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Body, Deadline, Fault, Invocation, Notice, Prepare, Spawn, Verdict, Worker};
use rookery_storage::Stores;
use tempfile::TempDir;

/// What starts isolates of the kitchen, under this manifest.
async fn kitchen(manifest: &str) -> (Arc<dyn Spawn>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kitchen");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("worker.config.json"), manifest).unwrap();
    std::fs::copy(rookery_tests::kitchen(), dir.join("app.wasm")).unwrap();
    let expect = Expect {
        name: AppName::parse("kitchen").unwrap(),
        version: None,
    };
    let bundle = open(&dir, expect).unwrap();
    let services = Services {
        hub: Hub::new(HubConfig::default(), &Tasks::new(), Shutdown::new()),
        stores: Arc::new(Stores::default()),
        environment: Arc::default(),
    };
    let slots = Slots::new(&EngineConfig::default()).unwrap();
    let isolates = Isolates::new(slots, CompileCache::off(), services).unwrap();
    (isolates.prepare(Arc::new(bundle)).await.unwrap(), folder)
}

/// Asks for a path; how it went, and the text of the answer if there is one.
async fn ask(worker: &mut dyn Worker, path: &str, deadline: Deadline) -> (Verdict, Option<String>) {
    let body: Body = Empty::<Bytes>::new()
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut request = Request::new(body);
    *request.uri_mut() = path.parse::<Uri>().unwrap();
    let host = HeaderValue::from_static("localhost");
    request.headers_mut().insert("host", host);
    let (reply, answer) = rookery_pool::reply();
    let invocation = Invocation {
        request,
        reply,
        deadline,
    };
    let read = async {
        let body = answer.wait().await.ok()?.into_body();
        let bytes = body.collect().await.ok()?.to_bytes();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    };
    tokio::join!(worker.request(invocation), read)
}

fn patient() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

#[tokio::test(flavor = "multi_thread")]
async fn isolates_keep_the_pools_contract() {
    let (spawn, _folder) = kitchen(r#"{"version": "1.0.0"}"#).await;
    rookery_pool::contract::holds(spawn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thrifty_isolates_keep_the_pools_contract() {
    let (spawn, _folder) = kitchen(r#"{"version": "1.0.0", "lowMemory": true}"#).await;
    rookery_pool::contract::holds(spawn).await;
}

#[tokio::test]
async fn a_notice_reaches_the_guest_that_exports_the_interface() {
    let (spawn, _folder) = kitchen(r#"{"version": "1.0.0"}"#).await;
    assert!(spawn.hears_notices());
    let mut worker = spawn.spawn().await.unwrap();
    worker.tell(Notice::Idle, patient()).await;
    worker.tell(Notice::Idle, patient()).await;
    worker.tell(Notice::Terminate, patient()).await;
    let (_, told) = ask(&mut *worker, "/life", patient()).await;
    assert_eq!(told.as_deref(), Some(r#"{"idle":2,"terminate":1}"#));
}

#[tokio::test]
async fn a_guest_that_fails_on_a_notice_is_not_alive_any_more() {
    let (spawn, _folder) = kitchen(r#"{"version": "1.0.0"}"#).await;
    for misdeed in ["panic", "spin"] {
        let mut worker = spawn.spawn().await.unwrap();
        ask(&mut *worker, &format!("/life/then/{misdeed}"), patient()).await;
        assert!(worker.is_alive());
        let short = Deadline::after(Duration::from_millis(100));
        worker.tell(Notice::Idle, short).await;
        assert!(!worker.is_alive(), "{misdeed}");
    }
    let mut next = spawn.spawn().await.unwrap();
    let (_, told) = ask(&mut *next, "/life", patient()).await;
    assert_eq!(told.as_deref(), Some(r#"{"idle":0,"terminate":0}"#));
}

/// The loop is measured while it runs on, so it counts for more than many short requests.
#[tokio::test]
async fn who_computes_more_has_used_more() {
    let (spawn, _folder) = kitchen(r#"{"version": "1.0.0"}"#).await;
    let before = spawn.cpu_time().unwrap();
    let mut worker = spawn.spawn().await.unwrap();
    let begun = Instant::now();
    let second = Deadline::after(Duration::from_secs(1));
    let (verdict, _) = ask(&mut *worker, "/loop", second).await;
    assert!(matches!(verdict, Verdict::Fault(Fault::Timeout(_))));
    let used = spawn.cpu_time().unwrap() - before;
    // The first epoch may count for 64, as it does when it happens to be drawn.
    let most = begun.elapsed() + 64 * Duration::from_millis(20);
    assert!(used > Duration::ZERO && used < most, "{used:?}");
}

/// A measurement, and no claim: how long after its deadline a guest that computes is stopped.
///
///     cargo test --release -p rookery-isolate --test isolates -- --ignored --nocapture overshoot
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn overshoot_of_a_guest_that_computes() {
    const RUNS: usize = 100;
    let (spawn, _folder) = kitchen(r#"{"version": "1.0.0"}"#).await;
    for beside in [0, 4] {
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..beside {
            let spawn = Arc::clone(&spawn);
            others.spawn(async move {
                loop {
                    let mut worker = spawn.spawn().await.unwrap();
                    ask(
                        &mut *worker,
                        "/loop",
                        Deadline::after(Duration::from_secs(1)),
                    )
                    .await;
                }
            });
        }
        let mut overshoots = Vec::new();
        for run in 0..RUNS {
            // Of no common measure with the epoch, so that the deadline lies anywhere in it.
            let timeout = Duration::from_micros(40_000 + 137 * run as u64);
            let mut worker = spawn.spawn().await.unwrap();
            let spawned = tokio::spawn(async move {
                let begun = Instant::now();
                ask(&mut *worker, "/loop", Deadline::after(timeout)).await;
                begun.elapsed().saturating_sub(timeout)
            });
            overshoots.push(spawned.await.unwrap());
        }
        overshoots.sort();
        let at = |percent: usize| overshoots[RUNS * percent / 100 - 1];
        println!(
            "beside {beside} others that compute: p50 {:?}, p99 {:?}, longest {:?}",
            at(50),
            at(99),
            at(100)
        );
    }
}
