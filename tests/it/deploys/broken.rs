//! Folders that are no bundle, or not yet.

use std::fs;

use rookery_tests::{Apps, Bundle, Server, foreign, until};
use serde_json::{Value, json};

/// Waits for a report about a folder: its reason.
async fn reported(server: &Server, folder: &str) -> String {
    until(&format!("{folder} is reported"), async || {
        let deployments = server.get("/_/deployments").await.json();
        let reports = deployments["reports"].as_array().unwrap().iter();
        let mut found = reports.filter(|report| report["folder"] == folder);
        let reason = found.next()?["reason"].as_str().unwrap();
        Some(reason.to_owned())
    })
    .await
}

/// Waits until a version of `app` is in a state: what is known of it.
async fn in_state(server: &Server, version: &str, state: &str) -> Value {
    until(&format!("{version} is {state}"), async || {
        let deployments = server.get("/_/deployments").await.json();
        let apps = deployments["apps"].as_array().unwrap().iter();
        let mut revisions = apps.flat_map(|app| app["revisions"].as_array().unwrap());
        revisions
            .find(|one| one["version"] == version && one["state"] == state)
            .cloned()
    })
    .await
}

#[tokio::test]
async fn a_folder_that_is_half_written_is_not_served_until_it_is_whole() {
    let server = Server::start(Apps::new().with("app/1.0.0", Bundle::site("one"))).await;
    let folder = server.apps().path("app/2.0.0");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("worker.config.json"), "{\"timeout\":").unwrap();
    let reason = reported(&server, "app/2.0.0").await;
    assert!(reason.contains("worker.config.json"), "{reason}");
    assert_eq!(server.get("/app/").await.text(), "one");
    fs::write(folder.join("worker.config.json"), "{}").unwrap();
    until("its lack of an entrypoint is reported", async || {
        reported(&server, "app/2.0.0")
            .await
            .contains("index.html")
            .then_some(())
    })
    .await;
    assert_eq!(server.get("/app/").await.text(), "one");
    fs::write(folder.join("index.html"), "two").unwrap();
    until("the whole one is served", async || {
        (server.get("/app/").await.text() == "two").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_invalid_value_refuses_one_bundle_in_a_line_and_no_other() {
    let apps = Apps::new().with("app/1.0.0", Bundle::site("one")).with(
        "app/2.0.0",
        Bundle::site("two").manifest(json!({ "timeout": "soon", "ttll": 3 })),
    );
    let server = Server::start(apps).await;
    let reason = reported(&server, "app/2.0.0").await;
    let lines: Vec<&str> = reason.lines().collect();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("timeout") && line.contains("soon")),
        "{reason}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("ttll") && line.contains("\"ttl\"")),
        "{reason}"
    );
    assert!(
        !reason.contains(server.apps().outside().to_str().unwrap()),
        "{reason}"
    );
    assert_eq!(server.get("/app/").await.text(), "one");
}

#[tokio::test]
async fn a_component_that_is_none_is_refused_and_the_one_before_it_serves_on() {
    let good = Bundle::component(foreign());
    let bad = Bundle::empty().file("app.wasm", "this is not a component");
    let server = Server::start(
        Apps::new()
            .with("app/1.0.0", good)
            .with("app/2.0.0", bad.clone()),
    )
    .await;
    let refused = in_state(&server, "2.0.0", "refused").await;
    assert!(!refused["reason"].as_str().unwrap().is_empty());
    assert_eq!(server.get("/app/").await.text(), "Hello, WASI!");
    // A bad build in the place of a good one: the good one goes on.
    server.apps().publish("app/1.0.0", &bad);
    in_state(&server, "1.0.0", "refused").await;
    assert_eq!(server.get("/app@1.0.0/").await.text(), "Hello, WASI!");
}

#[tokio::test]
async fn a_link_that_leaves_the_apps_directory_is_not_followed() {
    let apps = Apps::new().with("app/1.0.0", Bundle::site("one"));
    let outside = apps.outside().join("elsewhere");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("index.html"), "outside").unwrap();
    fs::write(outside.join("worker.config.json"), "{}").unwrap();
    std::os::unix::fs::symlink(&outside, apps.path("app/2.0.0")).unwrap();
    let inside = apps.path("app/1.0.0");
    std::os::unix::fs::symlink(inside, apps.path("app/1.5.0")).unwrap();
    let server = Server::start(apps).await;
    let reason = reported(&server, "app/2.0.0").await;
    assert!(reason.contains("link"), "{reason}");
    let answer = server.get("/app/").await;
    assert_eq!(
        (answer.text(), answer.header("x-rookery-version")),
        ("one", "1.5.0")
    );
}
