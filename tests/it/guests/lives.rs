//! How long an isolate lives: for one request, or for as many as its manifest allows.

use rookery_tests::{Apps, Bundle, Server, kitchen};
use serde_json::{Value, json};

async fn server(manifest: Value) -> Server {
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await
}

/// What the guest counted, over so many requests.
async fn counts(server: &Server, requests: usize) -> Vec<u32> {
    let mut counts = Vec::new();
    for _ in 0..requests {
        counts.push(server.get("/kitchen/count").await.text().parse().unwrap());
    }
    counts
}

#[tokio::test]
async fn without_a_time_to_live_every_request_has_a_fresh_isolate() {
    let server = server(json!({ "ttl": 0 })).await;
    assert_eq!(counts(&server, 5).await, [1; 5]);
}

#[tokio::test]
async fn with_a_time_to_live_an_isolate_is_kept() {
    let server = server(json!({ "ttl": 600 })).await;
    assert_eq!(counts(&server, 5).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn an_isolate_is_replaced_after_as_many_requests_as_it_may_have() {
    let server = server(json!({ "ttl": 600, "maxRequests": 2 })).await;
    assert_eq!(counts(&server, 5).await, [1, 2, 1, 2, 1]);
}

#[tokio::test]
async fn an_isolate_that_failed_is_replaced() {
    let server = server(json!({ "ttl": 600, "workers": { "max": 1 } })).await;
    assert_eq!(counts(&server, 2).await, [1, 2]);
    assert_eq!(server.get("/kitchen/panic").await.status, 500);
    assert_eq!(counts(&server, 2).await, [1, 2]);
}

#[tokio::test]
async fn two_requests_at_once_have_two_isolates() {
    let server = server(json!({ "ttl": 600 })).await;
    let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
    assert!(upload.send("busy").await);
    let mut busy = call.open().await;
    assert_eq!(busy.chunk().await.unwrap(), "busy");
    assert_eq!(counts(&server, 2).await, [1, 2]);
    drop(upload);
    assert!(busy.rest().await.is_empty());
}
