//! Sessions that asked for exactly one version: it is kept for them when it is taken away.

use rookery_tests::{Apps, Bundle, Options, Server, Ws, kitchen, until};
use serde_json::{Value, json};

fn bundle(ttl: u32) -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": ttl }))
}

async fn server(options: Options) -> Server {
    let apps = Apps::new()
        .with("kitchen/1.0.0", bundle(60))
        .with("kitchen/1.1.0", bundle(60));
    Server::start_with(apps, options).await
}

/// The state of this version's oldest revision; none when there is none any more.
async fn state(server: &Server, version: &str) -> Option<Value> {
    let deployments = server.get("/_/deployments").await.json();
    let revisions = deployments["apps"][0]["revisions"].as_array().unwrap();
    let mut found = revisions.iter().filter(|one| one["version"] == version);
    Some(found.next_back()?["state"].clone())
}

async fn until_draining(server: &Server, version: &str) {
    until("it is out of the table", async || {
        (state(server, version).await? == "draining").then_some(())
    })
    .await;
}

async fn exact(server: &Server) -> Ws {
    let mut ws = Ws::open(server, "/kitchen@1.0.0/ws").await;
    assert_eq!(ws.ask("join room").await, "joined room");
    ws
}

#[tokio::test]
async fn a_version_that_is_taken_away_is_kept_for_those_who_asked_for_it() {
    let server = server(Options::new()).await;
    let (mut stays, mut other) = (exact(&server).await, exact(&server).await);
    let mut any = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(any.ask("join room").await, "joined room");
    server.apps().remove("kitchen/1.0.0");
    until_draining(&server, "1.0.0").await;
    for number in 0..20 {
        assert_eq!(
            stays.ask(&format!("echo {number}")).await,
            number.to_string()
        );
    }
    any.say("say room still one room").await;
    for ws in [&mut stays, &mut other, &mut any] {
        assert_eq!(ws.hear().await, "still one room");
    }
    // A trap is survived as ever.
    other.say("trap").await;
    assert_eq!(other.closed().await, 1011);
    assert_eq!(stays.ask("echo and on").await, "and on");
    // It comes back, and they are its own again.
    server.apps().publish("kitchen/1.0.0", &bundle(61));
    assert_eq!(stays.hear().await, "resumed from 1.0.0");
}

#[tokio::test]
async fn a_kept_version_ends_with_its_last_session() {
    let server = server(Options::new()).await;
    let (mut one, mut two) = (exact(&server).await, exact(&server).await);
    server.apps().remove("kitchen/1.0.0");
    until_draining(&server, "1.0.0").await;
    one.close(1000, "").await;
    assert_eq!(two.ask("echo and on").await, "and on");
    two.close(1000, "").await;
    until("it is retired", async || {
        state(&server, "1.0.0").await.is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn when_its_time_is_over_its_sessions_are_told_to_come_again() {
    let server = server(Options::new().set("ROOKERY_SESSION_KEEP_SECS", 1)).await;
    let mut ws = exact(&server).await;
    server.apps().remove("kitchen/1.0.0");
    assert_eq!(ws.closed().await, 1012);
    until("it is retired", async || {
        state(&server, "1.0.0").await.is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_goes_does_not_wait_for_a_kept_version() {
    let mut server = server(Options::new()).await;
    let mut ws = exact(&server).await;
    server.apps().remove("kitchen/1.0.0");
    until_draining(&server, "1.0.0").await;
    server.signal("TERM");
    assert_eq!(ws.closed().await, 1001);
    assert!(server.exited().await.success());
}

/// Between the two there is a moment without any version.
#[tokio::test]
async fn a_version_that_is_renamed_keeps_its_sessions() {
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle(60))).await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(ws.ask("echo before").await, "before");
    server.apps().remove("kitchen/1.0.0");
    until("nothing serves", async || {
        (server.get("/kitchen/hello").await.status == 404).then_some(())
    })
    .await;
    server.apps().publish("kitchen/1.0.1", &bundle(60));
    assert_eq!(ws.hear().await, "resumed from 1.0.0");
    assert_eq!(ws.ask("echo after").await, "after");
}

/// Who asked for no version in particular and has nowhere to go is not kept waiting: what answers now may be better.
#[tokio::test]
async fn who_asked_for_any_version_is_told_soon() {
    let server = server(Options::new()).await;
    let mut ws = Ws::open(&server, "/kitchen@1/ws").await;
    assert_eq!(ws.ask("echo here").await, "here");
    server.apps().publish("kitchen/2.0.0", &bundle(60));
    server.apps().remove("kitchen/1.1.0");
    assert_eq!(ws.hear().await, "resumed from 1.1.0");
    server.apps().remove("kitchen/1.0.0");
    assert_eq!(ws.closed().await, 1012);
}
