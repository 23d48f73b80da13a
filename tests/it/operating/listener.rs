//! The operator's routes behind a door of their own.

use std::net::SocketAddr;
use std::process::Command;

use rookery_tests::{Answer, Apps, Bundle, Events, Options, Server, kitchen, rookery, until};
use serde_json::{Value, json};

/// Where the side door is.
async fn side_door(server: &Server) -> SocketAddr {
    until("it is said where the side door is", async || {
        let log = server.log();
        let mut lines = log.lines();
        lines.find_map(|line| line.strip_prefix("admin on http://")?.trim().parse().ok())
    })
    .await
}

fn apart() -> Options {
    Options::new().set("ROOKERY_ADMIN_ADDR", "127.0.0.1:0")
}

async fn get(server: &Server, door: SocketAddr, path: &str) -> Answer {
    server.call_at(door, "GET", path).send().await
}

#[tokio::test]
async fn with_a_side_door_the_front_door_knows_nothing_of_the_operator() {
    let apps = Apps::new().with("site/1.0.0", Bundle::site("an app"));
    let server = Server::start_with(apps, apart()).await;
    let door = side_door(&server).await;
    for path in [
        "/_",
        "/_/",
        "/_/stats",
        "/_/metrics.prom",
        "/_/deployments",
        "/_/login",
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].clone()),
            (404, json!("NOT_FOUND")),
            "{path}"
        );
    }
    let made = server
        .call("POST", "/_/deployments/mkdir")
        .body(r#"{"path":"made"}"#);
    assert_eq!(made.send().await.status, 404);
    assert_eq!(server.get("/site/").await.text(), "an app");
    let list = server.call("GET", "/").header("accept", "text/html");
    let list = list.send().await;
    assert!(list.text().contains("/site/") && !list.text().contains("/_/"));

    let stats = get(&server, door, "/_/stats").await;
    assert!(stats.json()["pool"].is_object() && !stats.header("x-request-id").is_empty());
    let page = get(&server, door, "/").await;
    assert_eq!(
        (page.status.as_u16(), page.header("location")),
        (307, "/_/")
    );
    assert_eq!(get(&server, door, "/_/").await.status, 200);
    assert_eq!(get(&server, door, "/health").await.text(), "OK\n");
    let app = get(&server, door, "/site/").await;
    assert_eq!(
        (app.status.as_u16(), app.json()["code"].clone()),
        (404, json!("NOT_FOUND"))
    );
    let made = server
        .call_at(door, "POST", "/_/deployments/mkdir")
        .body(r#"{"path":"made"}"#);
    assert_eq!(made.send().await.status, 200);
    assert!(server.apps().path("made").is_dir());
}

/// Guests that compute for ever have all workers and the one thread that the apps are given, and many more wait.
#[tokio::test]
async fn an_operator_is_answered_while_the_apps_keep_everything_busy() {
    const WORKERS: u64 = 8;
    const LOOPS: u64 = 40;
    let busy = Bundle::component(kitchen())
        .manifest(json!({ "timeout": 600, "queue": { "length": 1000, "timeout": 600 } }));
    let options = apart()
        .set("POOL_SIZE", WORKERS)
        .set("TOKIO_WORKER_THREADS", 1)
        .set("ROOKERY_DRAIN_GRACE_SECS", 0);
    let apps = Apps::new().with("kitchen/1.0.0", busy);
    let server = Server::start_with(apps, options).await;
    let door = side_door(&server).await;
    let loops: Vec<_> = (0..LOOPS)
        .map(|_| tokio::spawn(server.call("GET", "/kitchen/loop").try_send()))
        .collect();
    until("all workers are busy and the others wait", async || {
        let stats = get(&server, door, "/_/stats").await.json();
        let kitchen = &stats["revisions"][0];
        let all = json!([WORKERS, LOOPS - WORKERS]);
        (json!([kitchen["busy"], kitchen["queueDepth"]]) == all).then_some(())
    })
    .await;
    let waits = tokio::spawn(server.call("GET", "/kitchen/hello").try_send());

    for _ in 0..50 {
        for path in ["/_/", "/_/stats", "/_/metrics", "/_/deployments"] {
            assert_eq!(get(&server, door, path).await.status, 200, "{path}");
        }
    }
    let mut events = Events::of(
        server
            .call_at(door, "GET", "/_/sse?interval=50ms")
            .open()
            .await,
    );
    for _ in 0..3 {
        let event: Value = serde_json::from_str(&events.next().await.unwrap()).unwrap();
        assert!(event["pool"].is_object());
    }
    let made = server
        .call_at(door, "POST", "/_/deployments/mkdir")
        .body(r#"{"path":"made"}"#);
    assert_eq!(made.send().await.status, 200);
    // Traffic is moved, too, and that is the supervisor's work.
    let promote = server.call_at(door, "POST", "/_/deployments/kitchen/promote");
    let promoted = promote.body(r#"{"weights":{"1.0.0":100}}"#).send().await;
    assert_eq!(promoted.status, 200, "{}", promoted.text());
    assert!(!waits.is_finished() && loops.iter().all(|one| !one.is_finished()));
}

#[tokio::test]
async fn the_side_door_closes_with_the_server() {
    let mut server = Server::start_with(Apps::new(), apart()).await;
    let door = side_door(&server).await;
    let mut events = Events::of(server.call_at(door, "GET", "/_/sse").open().await);
    assert!(events.next().await.is_some());
    server.signal("TERM");
    assert!(server.exited().await.success());
    assert!(
        server
            .call_at(door, "GET", "/_/stats")
            .try_send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_deploy_through_the_side_door_prints_the_apps_address() {
    let server = Server::start_with(Apps::new(), apart()).await;
    let door = side_door(&server).await;
    let sources = Apps::new().with("site/1.0.0", Bundle::site("deployed"));
    let mut deploy = Command::new(rookery());
    deploy
        .args(["deploy", "--server", &format!("http://{door}")])
        .arg(sources.path("site/1.0.0"))
        .env_remove("ROOKERY_ADMIN_TOKEN");
    let output = tokio::task::spawn_blocking(move || deploy.output().unwrap());
    let said = String::from_utf8(output.await.unwrap().stdout).unwrap();
    let address = format!("http://{}/site@1.0.0/", server.address());
    assert!(said.contains(&address), "{said}");
    assert_eq!(server.get("/site/").await.text(), "deployed");
}

/// What other machines can reach is what decides: the side door's address, where there is one.
#[tokio::test]
async fn a_token_is_required_where_other_machines_reach_the_operators_routes() {
    let open = apart().set("HOST", "0.0.0.0");
    let server = Server::start_with(Apps::new(), open).await;
    let door = side_door(&server).await;
    assert_eq!(get(&server, door, "/_/stats").await.status, 200);
    let output = Command::new(rookery())
        .args(["serve", "--port", "0", "--admin-addr", "0.0.0.0:0"])
        .current_dir(server.apps().outside())
        .env_remove("ROOKERY_ADMIN_TOKEN")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("--admin-addr") && said.contains("ROOKERY_ADMIN_TOKEN"),
        "{said}"
    );
}
