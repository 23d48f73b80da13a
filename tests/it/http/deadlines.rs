//! How long a request may take, and who decides that.

use std::time::Duration;

use rookery_tests::{Apps, Bundle, Options, Server, Versions, kitchen};
use serde_json::json;
use tokio::time::Instant;

/// Buntime 47. Two requests of one app in flight: the one is too slow, and the other goes on through the deadline and
/// beyond it.
#[tokio::test]
async fn at_the_deadline_one_request_fails_and_the_others_go_on() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let manifest = json!({ "timeout": "1s", "ttl": 600 });
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
    assert!(upload.send("before").await);
    let mut other = call.open().await;
    assert_eq!(other.chunk().await.unwrap(), "before");

    let begun = Instant::now();
    let mut late = tokio::spawn(server.call("GET", "/kitchen/sleep?ms=600000").send());
    let late = loop {
        tokio::select! {
            answer = &mut late => break answer.unwrap(),
            // It moves, so its own deadline moves with it.
            moved = async {
                assert!(upload.send("meanwhile").await);
                other.chunk().await.unwrap()
            } => assert_eq!(moved, "meanwhile"),
        }
        assert_eq!(server.get("/kitchen/hello").await.status, 200);
    };
    let took = begun.elapsed();
    assert_eq!(
        (late.status.as_u16(), &late.json()["code"]),
        (504, &"WORKER_TIMEOUT".into())
    );
    // Never before it; how long after it is for the benchmarks, on a machine that does nothing else.
    assert!(took >= TIMEOUT, "{took:?}");
    drop(upload);
    let rest = other.rest().await;
    assert!(rest.is_empty() || rest == b"meanwhile", "{rest:?}");
}

/// Buntime 55. Every limit that the server has of its own is far below what this request takes, and only the manifest's
/// counts.
#[tokio::test]
async fn a_long_request_is_cut_by_nothing_but_its_own_timeout() {
    let bundle = Bundle::component(kitchen()).manifest(json!({ "timeout": "120s" }));
    let options = Options::new().set("ROOKERY_HEADER_TIMEOUT_SECS", 1);
    let server = Server::start_with(Apps::new().with("kitchen/1.0.0", bundle), options).await;
    let slow = |version| {
        let call = server.call("GET", "/kitchen/sleep?ms=3500");
        tokio::spawn(call.version(version).send())
    };
    for waiting in [slow(Versions::Http1), slow(Versions::Http2)] {
        let answer = waiting.await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "slept"));
    }
}
