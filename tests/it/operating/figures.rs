//! The numbers of each version.

use rookery_tests::{Apps, Bundle, Options, Server, Ws, foreign, kitchen, until};
use serde_json::{Value, json};

async fn server() -> Server {
    let kept = Bundle::component(kitchen()).manifest(json!({ "ttl": 600 }));
    // A guest that was built with Rust's usual stack needs more than this to begin with.
    let starved = Bundle::component(foreign()).manifest(json!({ "memory": "1mb" }));
    let apps = Apps::new()
        .with("kitchen/1.0.0", kept.clone())
        .with("kitchen/2.0.0", kept)
        .with("starved/1.0.0", starved);
    Server::start(apps).await
}

fn revision<'a>(stats: &'a Value, app: &str, version: &str) -> &'a Value {
    let revisions = stats["revisions"].as_array().unwrap().iter();
    let mut ours = revisions.filter(|line| line["app"] == app && line["version"] == version);
    ours.next().unwrap()
}

#[tokio::test]
async fn each_version_has_its_own_line_with_and_without_workers() {
    let server = server().await;
    for _ in 0..5 {
        assert_eq!(server.get("/kitchen@1/hello").await.status, 200);
    }
    let stats = server.get("/_/stats").await.json();
    let (asked, idle) = (
        revision(&stats, "kitchen", "1.0.0"),
        revision(&stats, "kitchen", "2.0.0"),
    );
    assert_eq!(
        (&asked["requests"], &asked["workers"], &asked["coldStarts"]),
        (&json!(5), &json!(1), &json!(1))
    );
    assert!(
        asked["responseTimeMs"]["p99"].as_f64().unwrap() > 0.0,
        "{asked}"
    );
    assert_eq!(
        (&idle["requests"], &idle["workers"], &idle["startFailure"]),
        (&json!(0), &json!(0), &json!(null))
    );
    let text = server.get("/_/metrics.prom").await;
    for line in [
        r#"rookery_revision_requests_total{app="kitchen",version="1.0.0"} 5"#,
        r#"rookery_revision_requests_total{app="kitchen",version="2.0.0"} 0"#,
        r#"rookery_revision_response_seconds_count{app="kitchen",version="1.0.0"} 5"#,
        r#"rookery_revision_cold_start_seconds_count{app="kitchen",version="1.0.0"} 1"#,
    ] {
        assert!(
            text.text().lines().any(|one| one == line),
            "{line}\n{}",
            text.text()
        );
    }
}

#[tokio::test]
async fn what_a_version_computed_is_counted_for_it() {
    let spinning = Bundle::component(kitchen()).manifest(json!({ "timeout": "300ms" }));
    let idle = Bundle::component(kitchen());
    let apps = Apps::new()
        .with("kitchen/1.0.0", spinning)
        .with("kitchen/2.0.0", idle);
    let server = Server::start(apps).await;
    assert_eq!(server.get("/kitchen@1/loop").await.status, 504);
    assert_eq!(server.get("/kitchen@2/hello").await.status, 200);
    until("it is counted", async || {
        let stats = server.get("/_/stats").await.json();
        let computed = |version| revision(&stats, "kitchen", version)["cpuTimeMs"].as_f64();
        let (spun, rested) = (computed("1.0.0")?, computed("2.0.0")?);
        // A busy machine gives a loop less of a processor than it has time.
        (spun > 20.0 && spun > rested).then_some(())
    })
    .await;
}

/// Buntime 49: an operator sees which app cannot start, why, how often that was tried and when it is tried again.
#[tokio::test]
async fn a_version_that_cannot_start_says_why_and_when_it_tries_again() {
    let server = server().await;
    assert_eq!(server.get("/starved/").await.status, 502);
    let stats = server.get("/_/stats").await.json();
    let failure = &revision(&stats, "starved", "1.0.0")["startFailure"];
    assert!(
        failure["reason"].as_str().unwrap().contains("memory"),
        "{failure}"
    );
    assert!(failure["attempts"].as_u64().unwrap() >= 1, "{failure}");
    assert!(failure["retryInMs"].is_u64(), "{failure}");
    let deployments = server.get("/_/deployments").await.json();
    let apps = deployments["apps"].as_array().unwrap();
    let starved = apps.iter().find(|app| app["name"] == "starved").unwrap();
    let shown = &starved["revisions"][0]["figures"]["startFailure"];
    assert_eq!(shown["reason"], failure["reason"]);
}

#[tokio::test]
async fn a_bundle_that_cannot_be_prepared_says_when_it_is_tried_again() {
    let none = Bundle::empty().file("app.wasm", "this is no component");
    let server = Server::start(Apps::new().with("none/1.0.0", none)).await;
    let deployments = server.get("/_/deployments").await.json();
    let revision = &deployments["apps"][0]["revisions"][0];
    assert_eq!(revision["state"], "refused");
    assert!(
        revision["reason"].is_string() && revision["failures"].as_u64().unwrap() >= 1,
        "{revision}"
    );
    assert!(revision["retryInMs"].is_u64(), "{revision}");
    let stats = server.get("/_/stats").await.json();
    let line = &stats["revisions"][0];
    assert_eq!(
        (&line["app"], &line["state"]),
        (&json!("none"), &json!("refused"))
    );
    assert_eq!(line["startFailure"]["reason"], revision["reason"]);
    let text = server.get("/_/metrics.prom").await;
    let refused = "rookery_revisions{state=\"refused\"} 1";
    assert!(text.text().lines().any(|line| line == refused));
}

#[tokio::test]
async fn sessions_are_counted_by_version() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/kitchen@1.0.0/ws").await;
    assert_eq!(ws.ask("join room").await, "joined room");
    let stats = server.get("/_/stats").await.json();
    assert_eq!(revision(&stats, "kitchen", "1.0.0")["sessions"], 1);
    assert_eq!(revision(&stats, "kitchen", "2.0.0")["sessions"], 0);
    drop(ws);
    until("it is gone", async || {
        let stats = server.get("/_/stats").await.json();
        (revision(&stats, "kitchen", "1.0.0")["sessions"] == 0).then_some(())
    })
    .await;
}

/// A server with one guest that is stuck, and one that has nothing to do.
#[tokio::test]
async fn each_worker_is_told_with_its_state_its_age_and_its_memory() {
    let kept = Bundle::component(kitchen()).manifest(json!({ "ttl": 600, "timeout": 600 }));
    let apps = Apps::new().with("kitchen/1.0.0", kept);
    let options = Options::new().set("ROOKERY_DRAIN_GRACE_SECS", 0);
    let server = Server::start_with(apps, options).await;
    let stuck = tokio::spawn(server.call("GET", "/kitchen/loop").try_send());
    let busy = |stats: &Value| {
        let workers = revision(stats, "kitchen", "1.0.0")["workerList"].clone();
        let workers = workers.as_array().unwrap();
        workers.iter().any(|one| one["state"] == "busy")
    };
    until("somebody is stuck", async || {
        busy(&server.get("/_/stats").await.json()).then_some(())
    })
    .await;
    assert_eq!(server.get("/kitchen/hello").await.status, 200);
    let stats = until("the other one rests", async || {
        let stats = server.get("/_/stats").await.json();
        let second = &revision(&stats, "kitchen", "1.0.0")["workerList"][1];
        (second["state"] == "idle").then(|| stats.clone())
    })
    .await;
    let line = revision(&stats, "kitchen", "1.0.0");
    let [first, second] = [&line["workerList"][0], &line["workerList"][1]];
    assert_eq!(
        (&first["id"], &first["state"], &first["running"]),
        (&json!(1), &json!("busy"), &json!(1))
    );
    assert_eq!(
        (&second["id"], &second["requests"], &second["running"]),
        (&json!(2), &json!(1), &json!(0))
    );
    for worker in [first, second] {
        assert!(worker["memoryBytes"].as_u64().unwrap() > 65_535, "{worker}");
        assert!(worker["since"].as_u64() <= second["idleSince"].as_u64());
        assert!(worker.get("pid").is_none(), "{worker}");
    }
    assert_eq!(line["workersMore"], 0);
    assert!(!stuck.is_finished());
}

#[tokio::test]
async fn a_worker_that_is_a_process_is_told_with_its_id() {
    rookery_tests::installed("node");
    let program = "require('node:http').createServer((_, answer) => answer.end('x')).listen(process.env.PORT)";
    let bundle = Bundle::empty().file("server.cjs", program);
    let bundle = bundle.manifest(json!({ "command": "node server.cjs", "ttl": 600 }));
    let server = Server::start(Apps::new().with("native/1.0.0", bundle)).await;
    assert_eq!(server.get("/native/").await.text(), "x");
    let worker = until("it was measured", async || {
        let stats = server.get("/_/stats").await.json();
        let worker = revision(&stats, "native", "1.0.0")["workerList"][0].clone();
        worker["memoryBytes"].is_u64().then_some(worker)
    })
    .await;
    let pid = worker["pid"].as_u64().unwrap();
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(worker["state"], "idle");
}
