//! `rookery dev`: one bundle, as its author works on it.

use rookery_tests::{Apps, Bundle, Options, Server, until};
use serde_json::json;

fn tagged(value: &str) -> Bundle {
    Bundle::site("the page").manifest(json!({ "headers": { "x-build": value } }))
}

#[tokio::test]
async fn one_bundle_is_served_and_none_beside_it() {
    let apps = Apps::new()
        .with("app/1.0.0", tagged("one"))
        .with("app/2.0.0", tagged("two"))
        .with("other/1.0.0", tagged("other"));
    let server = Server::start_with(apps, Options::dev("app/1.0.0")).await;
    for path in ["/app/", "/app@1.0.0/"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-rookery-version"), "1.0.0", "{path}");
    }
    assert_eq!(server.get("/other/").await.status, 404);
    let deployments = server.get("/_/deployments").await.json();
    assert_eq!(deployments["reports"], json!([]));
    assert_eq!(deployments["apps"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_its_author_changes_is_served_and_a_mistake_is_told() {
    let apps = Apps::new().with("app", tagged("one"));
    let server = Server::start_with(apps, Options::dev("app")).await;
    assert_eq!(server.get("/app/").await.header("x-build"), "one");
    let manifest = server.apps().path("app/worker.config.json");
    std::fs::write(&manifest, r#"{"headers":{"x-build":"two"}}"#).unwrap();
    until("the change is served", async || {
        let answer = server.get("/app/").await;
        assert_eq!(answer.status, 200);
        (answer.header("x-build") == "two").then_some(())
    })
    .await;
    std::fs::write(&manifest, r#"{"headerz":{}}"#).unwrap();
    until("the mistake is told", async || {
        let answer = server.get("/app/").await;
        assert_eq!(answer.header("x-build"), "two", "what served goes on");
        server.log().contains("headerz").then_some(())
    })
    .await;
}
