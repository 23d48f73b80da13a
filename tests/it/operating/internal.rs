//! What an operator asks below `/_/`.

use rookery_tests::{Apps, Bundle, Events, Options, Server, Ws, kitchen, until};
use serde_json::Value;

const TWELVE: [&str; 12] = [
    "activeWorkers",
    "avgResponseTimeMs",
    "evictions",
    "hitRate",
    "hits",
    "memoryUsageMB",
    "misses",
    "requestsPerSecond",
    "totalRequests",
    "totalWorkersFailed",
    "totalWorkersCreated",
    "uptimeMs",
];

async fn server() -> Server {
    let kept = Bundle::component(kitchen()).manifest(serde_json::json!({ "ttl": 600 }));
    Server::start(
        Apps::new()
            .with("kitchen/1.0.0", kept)
            .with("site/2.0.0", Bundle::site("x")),
    )
    .await
}

async fn metrics(server: &Server) -> Value {
    server.get("/_/metrics").await.json()
}

#[tokio::test]
async fn the_metrics_begin_with_buntimes_twelve_fields_in_order() {
    let server = server().await;
    let metrics = metrics(&server).await;
    let names: Vec<&String> = metrics.as_object().unwrap().keys().take(12).collect();
    assert_eq!(names, TWELVE);
    assert!(
        TWELVE.iter().all(|name| metrics[*name].is_number()),
        "{metrics}"
    );
}

#[tokio::test]
async fn the_metrics_count_what_happened() {
    let server = server().await;
    for _ in 0..9 {
        assert_eq!(server.get("/kitchen/hello").await.status, 200);
    }
    assert_eq!(server.get("/kitchen/panic").await.status, 500);
    let metrics = metrics(&server).await;
    assert_eq!(metrics["totalRequests"], 10);
    // One isolate answered all of them, and failed on the last.
    assert_eq!(
        (&metrics["misses"], &metrics["hits"]),
        (&1.into(), &9.into())
    );
    assert_eq!(metrics["hitRate"], 90.0);
    assert_eq!(
        (
            &metrics["totalWorkersCreated"],
            &metrics["totalWorkersFailed"]
        ),
        (&1.into(), &1.into())
    );
    assert!(
        metrics["avgResponseTimeMs"].as_f64().unwrap() > 0.0,
        "{metrics}"
    );
    assert!(
        metrics["memoryUsageMB"].as_f64().unwrap() > 1.0,
        "{metrics}"
    );
    assert!(metrics["uptimeMs"].as_u64().unwrap() > 0, "{metrics}");
}

#[tokio::test]
async fn the_statistics_have_the_pool_and_a_line_for_each_worker() {
    let server = server().await;
    assert_eq!(server.get("/kitchen/hello").await.status, 200);
    let stats = until("the worker is idle again", async || {
        let stats = server.get("/_/stats").await.json();
        (stats["workers"]["kitchen@1.0.0"]["requestCount"] == 1).then_some(stats)
    })
    .await;
    assert_eq!(stats["pool"]["totalRequests"], 1);
    let worker = &stats["workers"]["kitchen@1.0.0"];
    assert!(
        worker["age"].is_u64() && worker["idle"].is_u64(),
        "{worker}"
    );
    assert_eq!(worker["status"], "active");
}

#[tokio::test]
async fn the_stream_shows_the_statistics_at_once_and_again() {
    let server = server().await;
    let reading = server.call("GET", "/_/sse?interval=50ms").open().await;
    let mut events = Events::of(reading);
    let first: Value = serde_json::from_str(&events.next().await.unwrap()).unwrap();
    assert_eq!(first["pool"]["totalRequests"], 0);
    assert_eq!(server.get("/kitchen/hello").await.status, 200);
    until("the request is seen", async || {
        let event: Value = serde_json::from_str(&events.next().await.unwrap()).unwrap();
        (event["pool"]["totalRequests"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn sessions_and_topics_are_counted_while_they_are_there() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(ws.ask("join room").await, "joined room");
    let counted = metrics(&server).await;
    assert_eq!(
        (&counted["sessions"], &counted["topics"]),
        (&1.into(), &1.into())
    );
    drop(ws);
    until("they are gone", async || {
        let metrics = metrics(&server).await;
        (metrics["sessions"] == 0 && metrics["topics"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn deployments_name_apps_versions_and_states() {
    let server = server().await;
    let deployments = server.get("/_/deployments").await.json();
    let apps = deployments["apps"].as_array().unwrap();
    let names: Vec<&Value> = apps.iter().map(|app| &app["name"]).collect();
    assert_eq!(names, ["kitchen", "site"]);
    let revision = &apps[0]["revisions"][0];
    assert_eq!(
        (&revision["version"], &revision["state"], &revision["kind"]),
        (&"1.0.0".into(), &"live".into(), &"wasm".into())
    );
    assert_eq!(apps[1]["revisions"][0]["kind"], "static");
    assert_eq!(apps[1]["unpinned"], "2.0.0");
    assert!(
        !deployments
            .to_string()
            .contains(server.apps().outside().to_str().unwrap())
    );
}

#[tokio::test]
async fn prometheus_and_people_are_served_too() {
    let server = server().await;
    let text = server.get("/_/metrics.prom").await;
    assert!(
        text.text().contains("\nrookery_requests_total "),
        "{}",
        text.text()
    );
    let page = server.get("/_/").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert_eq!(server.get("/_/nothing").await.status, 404);
    assert_eq!(server.call("POST", "/_/metrics").send().await.status, 405);
}

#[tokio::test]
async fn with_a_token_only_who_has_it_is_let_in() {
    let apps = Apps::new().with("site/1.0.0", Bundle::site("for everybody"));
    let server =
        Server::start_with(apps, Options::new().set("ROOKERY_ADMIN_TOKEN", "s3cret")).await;
    for path in ["/_/", "/_/metrics", "/_/stats", "/_/sse", "/_/deployments"] {
        assert_eq!(server.get(path).await.status, 401, "{path}");
        let wrong = server
            .call("GET", path)
            .header("authorization", "Bearer wrong");
        assert_eq!(wrong.send().await.status, 401, "{path}");
        let right = server
            .call("GET", path)
            .header("authorization", "Bearer s3cret");
        assert_eq!(right.open().await.status, 200, "{path}");
    }
    assert_eq!(server.get("/site/").await.text(), "for everybody");
}
