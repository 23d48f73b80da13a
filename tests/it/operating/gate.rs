//! The gate in front of every new build: what it asks, what it tells, and that every way in leads through it.

use std::path::PathBuf;
use std::sync::OnceLock;

use rookery_tests::{Apps, Bundle, Server, build_bundles, kitchen, until};
use serde_json::{Value, json};

/// A component that imports nothing and exports nothing: valid, and of no use here.
const HOLLOW: &[u8] = b"\0asm\x0d\0\x01\0";

/// An app with a migration.
fn notes() -> Bundle {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| build_bundles("examples/notes"));
    Bundle::of_folder(built).manifest(json!({}))
}

/// A kitchen that is asked for this when it is to say whether it is well.
fn asked_for(path: &str) -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "health": path, "timeout": 2 }))
}

/// Deploys over HTTP, and gives the steps that were told.
async fn deploy(server: &Server, label: &str, bundle: &Bundle) -> Vec<Value> {
    let sources = Apps::new();
    sources.publish("source", bundle);
    let packed = std::process::Command::new("tar")
        .args(["czf", "-", "-C"])
        .arg(sources.path("source"))
        .arg(".")
        .output()
        .unwrap();
    let call = server.call("PUT", &format!("/_/deployments/{label}"));
    let call = call.header("accept", "application/x-ndjson");
    let told = call.body(packed.stdout).send().await;
    let lines = told.text().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn names(steps: &[Value]) -> Vec<&str> {
    let names = steps.iter().map(|step| step["step"].as_str().unwrap());
    names.collect()
}

/// The state of a version and why it is in it.
async fn state(server: &Server, app: &str, version: &str) -> Option<(String, String)> {
    let deployments = server.get("/_/deployments").await.json();
    let apps = deployments["apps"].as_array().unwrap().iter();
    let mut revisions = apps
        .filter(|known| known["name"] == app)
        .flat_map(|app| app["revisions"].as_array().unwrap());
    let revision = revisions.find(|revision| revision["version"] == version)?;
    let text = |field: &str| revision[field].as_str().unwrap_or_default().to_owned();
    Some((text("state"), text("reason")))
}

async fn refused(server: &Server, app: &str, version: &str) -> String {
    until("it is refused", async || {
        let (state, reason) = state(server, app, version).await?;
        (state == "refused").then_some(reason)
    })
    .await
}

#[tokio::test]
async fn each_step_is_told_and_the_first_request_finds_everything_done() {
    let server = Server::start(Apps::new()).await;
    let steps = deploy(&server, "notes/1.0.0", &notes()).await;
    let expected = [
        "received",
        "unpacked",
        "manifest",
        "entrypoint",
        "compiled",
        "world",
        "migrations",
        "health",
        "live",
    ];
    assert_eq!(names(&steps), expected, "{steps:?}");
    assert_eq!(steps[3]["kind"], "wasm");
    assert!(steps[4]["ms"].as_f64().unwrap() > 0.0, "{steps:?}");
    let serves = steps[5]["serves"].to_string();
    assert!(
        serves.contains("http") && serves.contains("sessions"),
        "{serves}"
    );
    let ran = steps[6]["ran"].as_array().unwrap();
    assert!(
        ran.len() == 1 && ran[0].to_string().contains("create_notes"),
        "{ran:?}"
    );
    assert_eq!(steps[7]["path"], "/health");
    assert_eq!(steps[8]["label"], "notes@1.0.0");
    let posted = server
        .call("POST", "/notes/notes/a")
        .body(r#"{"text":"kept"}"#);
    assert_eq!(posted.send().await.status, 201);
}

#[tokio::test]
async fn a_dropped_folder_is_migrated_before_it_gets_traffic() {
    let server = Server::start(Apps::new()).await;
    server.apps().publish("notes/1.0.0", &notes());
    let first = until("it is there", async || {
        let posted = server
            .call("POST", "/notes/notes/a")
            .body(r#"{"text":"kept"}"#);
        let answer = posted.send().await;
        (answer.status != 404).then_some(answer)
    })
    .await;
    assert_eq!(first.status, 201, "{}", first.text());
}

#[tokio::test]
async fn what_is_not_well_gets_no_traffic_whichever_way_it_comes() {
    let well = Apps::new().with("kitchen/1.0.0", asked_for("/hello"));
    let server = Server::start(well).await;
    for (version, path, reason) in [
        ("2.0.0", "/panic", "health: GET /panic: the guest trapped"),
        (
            "2.1.0",
            "/loop",
            "health: GET /loop: the guest did not finish within 2000 ms",
        ),
        ("2.2.0", "/exit", "health: GET /exit: "),
    ] {
        let bundle = asked_for(path);
        let steps = deploy(&server, &format!("kitchen/{version}"), &bundle).await;
        let (last, before) = steps.split_last().unwrap();
        assert_eq!(names(before).last(), Some(&"migrations"), "{steps:?}");
        assert_eq!(last["step"], "refused", "{last}");
        assert!(
            last["reasons"][0].as_str().unwrap().starts_with(reason),
            "{last}"
        );
        let place = format!("kitchen/{version}");
        assert!(!server.apps().path(&place).exists(), "nothing is left");

        server.apps().publish(&place, &bundle);
        let told = refused(&server, "kitchen", version).await;
        assert!(told.starts_with(reason), "{told}");
        let answer = server.get("/kitchen/hello").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-rookery-version")),
            (200, "1.0.0")
        );
    }
}

#[tokio::test]
async fn a_dropped_component_of_another_world_is_refused() {
    let server = Server::start(Apps::new()).await;
    let hollow = Bundle::empty().file("app.wasm", HOLLOW);
    let steps = deploy(&server, "hollow/1.0.0", &hollow).await;
    let last = steps.last().unwrap();
    assert_eq!(names(&steps)[4..], ["compiled", "refused"], "{steps:?}");
    server.apps().publish("hollow/1.0.0", &hollow);
    let told = refused(&server, "hollow", "1.0.0").await;
    assert_eq!(last["reasons"], json!([told]));
    assert_eq!(server.get("/hollow/").await.status.as_u16() / 100, 5);
}

/// A restart is no deploy: what passed the gate once serves again, also while what it needs is away.
#[tokio::test]
async fn what_is_there_at_the_start_is_not_asked() {
    let apps = Apps::new().with("kitchen/1.0.0", asked_for("/panic"));
    let server = Server::start(apps).await;
    assert_eq!(server.get("/kitchen/hello").await.status, 200);
}

/// Each question is a line in the log; no client made the request, so no figure counts it.
#[tokio::test]
async fn a_build_is_asked_once_and_in_no_figure() {
    let server = Server::start(Apps::new()).await;
    let asked = || {
        let log = server.log();
        log.lines().filter(|line| line.contains(" guest: ")).count()
    };
    server.apps().publish("kitchen/1.0.0", &asked_for("/log"));
    until("it is live", async || {
        (state(&server, "kitchen", "1.0.0").await?.0 == "live").then_some(())
    })
    .await;
    assert_eq!(asked(), 1, "{}", server.log());
    let steps = deploy(&server, "kitchen/2.0.0", &asked_for("/log")).await;
    assert_eq!(names(&steps).last(), Some(&"live"), "{steps:?}");
    assert_eq!(asked(), 2, "{}", server.log());
    let metrics = server.get("/_/metrics").await.json();
    assert_eq!(
        (&metrics["totalRequests"], &metrics["totalWorkersCreated"]),
        (&json!(0), &json!(0))
    );
}
