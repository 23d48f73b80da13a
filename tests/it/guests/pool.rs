//! The workers that live, as the operator sees them.

use std::time::Duration;

use rookery_tests::{Answer, Apps, Bundle, Options, Server, kitchen, until};
use serde_json::{Value, json};
use tokio::time::Instant;

fn kept() -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": 600 }))
}

async fn metrics(server: &Server) -> Value {
    server.get("/_/metrics").await.json()
}

async fn count(server: &Server, app: &str) -> String {
    server.get(&format!("/{app}/count")).await.text().to_owned()
}

/// Waits until the server has taken a worker back: the client may have its answer before that.
async fn at_rest(server: &Server, app: &str) {
    until(&format!("the worker of {app} is at rest"), async || {
        let stats = server.get("/_/stats").await.json();
        let label = format!("{app}@1.0.0");
        stats["workers"][label]["requestCount"].as_u64()
    })
    .await;
}

/// Buntime 51.
#[tokio::test]
async fn the_worker_that_was_used_longest_ago_gives_way() {
    let apps = Apps::new()
        .with("a/1.0.0", kept())
        .with("b/1.0.0", kept())
        .with("c/1.0.0", kept());
    let options = Options::new().set("POOL_SIZE", 2);
    let server = Server::start_with(apps, options).await;
    for app in ["a", "b", "c"] {
        assert_eq!(count(&server, app).await, "1", "{app}");
        at_rest(&server, app).await;
    }
    let seen = metrics(&server).await;
    assert_eq!(
        (&seen["evictions"], &seen["activeWorkers"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(count(&server, "b").await, "2", "b was used after a");
    at_rest(&server, "b").await;
    assert_eq!(count(&server, "a").await, "1", "a gave way");
}

/// Buntime 44.
#[tokio::test]
async fn a_kept_worker_counts_its_requests_and_the_pool_its_hits() {
    let server = Server::start(Apps::new().with("a/1.0.0", kept())).await;
    for expected in ["1", "2", "3"] {
        assert_eq!(count(&server, "a").await, expected);
    }
    assert_eq!(metrics(&server).await["hits"], 2);
    until("the third request is counted", async || {
        let stats = server.get("/_/stats").await.json();
        (stats["workers"]["a@1.0.0"]["requestCount"] == 3).then_some(())
    })
    .await;
}

/// Buntime 50. In flight at the same time: one that fails and one that does not notice.
#[tokio::test]
async fn a_fault_is_counted_and_fails_no_other_request() {
    let server = Server::start(Apps::new().with("a/1.0.0", kept())).await;
    let (mut upload, call) = server.call("POST", "/a/echo").upload();
    assert!(upload.send("before, ").await);
    let mut other = call.open().await;
    assert_eq!(other.chunk().await.unwrap(), "before, ");
    for (failed, path) in ["/a/panic", "/a/exit"].into_iter().enumerate() {
        assert_eq!(server.get(path).await.status, 500, "{path}");
        assert_eq!(metrics(&server).await["totalWorkersFailed"], failed + 1);
    }
    assert_eq!(count(&server, "a").await, "1", "a new worker answers");
    assert!(upload.send("and after").await);
    drop(upload);
    assert_eq!(other.rest().await, b"and after");
}

/// Buntime 47, 48. Generous above, for a machine that does much else.
#[tokio::test]
async fn a_deadline_is_kept_and_fails_one_request_alone() {
    let manifest = json!({ "timeout": 1, "ttl": 600 });
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    let server = Server::start(Apps::new().with("a/1.0.0", bundle)).await;
    for late in ["/a/sleep?ms=600000", "/a/loop"] {
        let begun = Instant::now();
        let call = server.call("GET", late);
        let failing = tokio::spawn(async move { (call.send().await, begun.elapsed()) });
        assert_eq!(server.get("/a/hello").await.status, 200);
        let (answer, took): (Answer, Duration) = failing.await.unwrap();
        assert_eq!(answer.status, 504, "{late}");
        assert!(
            (Duration::from_secs(1)..Duration::from_secs(5)).contains(&took),
            "{late} took {took:?}"
        );
        assert_eq!(server.get("/a/hello").await.status, 200, "after {late}");
    }
}

/// Buntime 65.
#[tokio::test]
async fn the_response_time_is_that_of_the_answer_and_the_lookup_has_its_own_name() {
    let server = Server::start(Apps::new().with("a/1.0.0", kept())).await;
    assert_eq!(server.get("/a/sleep?ms=300").await.text(), "slept");
    let seen = metrics(&server).await;
    let of = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{seen}"));
    assert!(of(&seen["avgResponseTimeMs"]) >= 300.0, "{seen}");
    assert!(of(&seen["responseTimeMs"]["p99"]) >= 300.0, "{seen}");
    assert!(of(&seen["lookupTimeMs"]["p99"]) < 300.0, "{seen}");
}

/// Buntime 52.
#[tokio::test]
async fn who_waits_for_a_worker_is_seen_in_the_metrics() {
    let manifest = json!({ "workers": { "max": 1 } });
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    let server = Server::start(Apps::new().with("a/1.0.0", bundle)).await;
    let (mut upload, call) = server.call("POST", "/a/echo").upload();
    assert!(upload.send("busy").await);
    let mut busy = call.open().await;
    assert_eq!(busy.chunk().await.unwrap(), "busy");
    let waiting = tokio::spawn(server.call("GET", "/a/hello").send());
    until("it is seen to wait", async || {
        (metrics(&server).await["queueDepth"] == 1).then_some(())
    })
    .await;
    drop(upload);
    assert!(busy.rest().await.is_empty());
    assert_eq!(waiting.await.unwrap().status, 200);
    assert_eq!(metrics(&server).await["queueDepth"], 0);
}
