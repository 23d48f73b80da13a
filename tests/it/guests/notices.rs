//! What an app hears of its isolates' lives. It counts the notices in its namespace's bucket, where an isolate that has
//! nothing to do with them can look without being work for them.

use rookery_tests::{Apps, Bundle, Server, kitchen, until};
use serde_json::{Value, json};

/// The namespace of an app and of the one that looks for it.
fn bundle(namespace: &str, manifest: Value) -> Bundle {
    let mut manifest = manifest;
    manifest["namespace"] = namespace.into();
    Bundle::component(kitchen()).manifest(manifest)
}

/// Kept for longer than any test, so that it hears nothing itself.
fn looks(namespace: &str) -> Bundle {
    bundle(namespace, json!({ "ttl": 3600, "idleTimeout": 3600 }))
}

async fn told(server: &Server, looks: &str) -> (u64, u64) {
    let told = server.get(&format!("/{looks}/life")).await.json();
    let count = |notice: &str| told[notice].as_u64().unwrap();
    (count("idle"), count("terminate"))
}

/// Waits until so many notices came, and panics when there are more.
async fn until_told(server: &Server, looks: &str, expected: (u64, u64)) {
    until(&format!("{looks} sees {expected:?}"), async || {
        let told = told(server, looks).await;
        assert!(
            told.0 <= expected.0 && told.1 <= expected.1,
            "{told:?} notices came where {expected:?} were expected"
        );
        (told == expected).then_some(())
    })
    .await;
}

async fn work(server: &Server, app: &str) {
    let answer = server.get(&format!("/{app}/hello")).await;
    assert_eq!(answer.text(), "Hello from the kitchen");
}

/// Buntime 54. The slow one's notice comes after several looks at the quick one, which by then was told once.
#[tokio::test]
async fn an_isolate_hears_once_that_it_is_idle_and_again_after_work() {
    let kept =
        |idle: &str| json!({ "ttl": 3600, "idleTimeout": idle, "workers": { "min": 1, "max": 1 } });
    let apps = Apps::new()
        .with("quick/1.0.0", bundle("quick", kept("100ms")))
        .with("slow/1.0.0", bundle("slow", kept("4s")))
        .with("sees-quick/1.0.0", looks("quick"))
        .with("sees-slow/1.0.0", looks("slow"));
    let server = Server::start(apps).await;
    // Those that are kept ready have no work at first, and hear of that.
    until_told(&server, "sees-quick", (1, 0)).await;
    for rounds in 2..4 {
        work(&server, "quick").await;
        until_told(&server, "sees-quick", (rounds, 0)).await;
    }
    until_told(&server, "sees-slow", (1, 0)).await;
    assert_eq!(told(&server, "sees-quick").await, (3, 0));
}

/// Buntime 54.
#[tokio::test]
async fn an_isolate_hears_of_its_end() {
    let idle = json!({ "ttl": 3600, "idleTimeout": "100ms" });
    let apps = Apps::new()
        .with("idle/1.0.0", bundle("idle", idle))
        .with(
            "tired/1.0.0",
            bundle("tired", json!({ "ttl": 3600, "maxRequests": 1 })),
        )
        .with("fresh/1.0.0", bundle("fresh", json!({ "ttl": 0 })))
        .with("sees-idle/1.0.0", looks("idle"))
        .with("sees-tired/1.0.0", looks("tired"))
        .with("sees-fresh/1.0.0", looks("fresh"));
    let server = Server::start(apps).await;
    for app in ["idle", "tired", "fresh"] {
        work(&server, app).await;
    }
    until_told(&server, "sees-idle", (1, 1)).await;
    until_told(&server, "sees-tired", (0, 1)).await;
    until_told(&server, "sees-fresh", (0, 1)).await;
}

/// Buntime 54. Nobody can be asked any more, so the guest says it in the log.
#[tokio::test]
async fn an_isolate_hears_of_the_servers_end() {
    let apps = Apps::new().with("a/1.0.0", looks("a"));
    let mut server = Server::start(apps).await;
    assert_eq!(server.get("/a/life/then/say").await.text(), "then");
    server.signal("TERM");
    assert!(server.exited().await.success());
    until("it was told", async || {
        server.log().contains("told life/terminate").then_some(())
    })
    .await;
}

/// A guest that fails where nobody waits for it is replaced, counted and logged, and its neighbour works on.
#[tokio::test]
async fn a_fault_on_a_notice_is_nobody_elses() {
    let kept = json!({ "ttl": 3600, "idleTimeout": "100ms", "workers": { "min": 1, "max": 1 } });
    let apps = Apps::new()
        .with("bad/1.0.0", bundle("bad", kept))
        .with("good/1.0.0", looks("good"));
    let server = Server::start(apps).await;
    for (failed, misdeed) in ["panic", "spin"].into_iter().enumerate() {
        let asked = server.get(&format!("/bad/life/then/{misdeed}")).await;
        assert_eq!(asked.text(), "then");
        until(&format!("the {misdeed} is counted"), async || {
            work(&server, "good").await;
            let metrics = server.get("/_/metrics").await.json();
            (metrics["totalWorkersFailed"] == failed + 1).then_some(())
        })
        .await;
        work(&server, "bad").await;
    }
    let log = server.log();
    let faults = log.matches("the guest failed on a notice").count();
    assert_eq!(faults, 2, "each is in the log");
}
