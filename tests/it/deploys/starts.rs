//! Bundles that look well and cannot begin.

use rookery_tests::{Apps, Bundle, Options, PATIENCE, Server, foreign, kitchen};
use serde_json::json;
use tokio::time::Instant;

/// A guest that was built with Rust's usual stack needs more than this to begin with.
const TOO_LITTLE: &str = "1mb";

fn apps() -> Apps {
    let starved = Bundle::component(foreign()).manifest(json!({ "memory": TOO_LITTLE }));
    Apps::new()
        .with("starved/1.0.0", starved)
        .with("kitchen/1.0.0", Bundle::component(kitchen()))
}

/// Buntime 49. "Within a second", told generously for a machine that does much else.
#[tokio::test]
async fn a_guest_that_cannot_start_fails_its_requests_at_once_with_the_reason() {
    const REQUESTS: u64 = 20;
    let options = Options::new().set("ROOKERY_ENV", "development");
    let server = Server::start_with(apps(), options).await;
    let begun = Instant::now();
    for _ in 0..REQUESTS {
        let answer = server.get("/starved/").await;
        let body = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &body["code"]),
            (502, &"WORKER_START_FAILED".into())
        );
        let error = body["error"].as_str().unwrap();
        assert!(error.contains("memory"), "{error}");
        let again_secs: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=10).contains(&again_secs), "{again_secs}");
    }
    assert!(begun.elapsed() < PATIENCE / 12, "{:?}", begun.elapsed());
    let metrics = server.get("/_/metrics").await.json();
    let failed = metrics["totalWorkersFailed"].as_u64().unwrap();
    assert!(
        (1..REQUESTS).contains(&failed),
        "each failure counts, and not every request tries: {failed}"
    );
    assert_eq!(metrics["activeWorkers"], 0);
    assert_eq!(server.get("/kitchen/hello").await.status, 200);
    // Buntime 39: an app whose worker does not live is not well.
    assert_eq!(server.get("/starved/health").await.status, 502);
}

#[tokio::test]
async fn why_a_guest_cannot_start_is_for_the_log_and_not_for_strangers() {
    let options = Options::new().set("ROOKERY_ENV", "production");
    let server = Server::start_with(apps(), options).await;
    let answer = server.get("/starved/").await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["error"], "The app could not start");
    let id = answer.header("x-request-id");
    let log = server.log();
    let line = log.lines().find(|line| line.contains(id)).unwrap();
    assert!(line.contains("memory"), "{line}");
}

/// Buntime 49. What is no component at all never serves; whoever asks for it is told so.
#[tokio::test]
async fn a_bundle_that_cannot_be_prepared_answers_with_its_reason() {
    let none = Bundle::empty().file("app.wasm", "this is not a component");
    let apps = || Apps::new().with("none/1.0.0", none.clone());
    let options = Options::new().set("ROOKERY_ENV", "development");
    let server = Server::start_with(apps(), options).await;
    for path in ["/none/", "/none@1/", "/none@9/", "/none/health"] {
        let answer = server.get(path).await;
        let body = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &body["code"]),
            (502, &"WORKER_START_FAILED".into()),
            "{path}"
        );
        let error = body["error"].as_str().unwrap();
        assert!(error.starts_with("none@1.0.0 cannot start: "), "{error}");
        assert!(
            !error.contains(server.apps().outside().to_str().unwrap()),
            "{error}"
        );
    }
    let server = Server::start(apps()).await;
    let answer = server.get("/none/").await;
    assert_eq!(answer.json()["error"], "The app could not start");
}
