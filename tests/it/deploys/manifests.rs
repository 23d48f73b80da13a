//! What a manifest says, and where it says it, as seen from outside.

use rookery_tests::{Apps, Bundle, Server, kitchen};
use serde_json::{Value, json};

const PAGE: &str = "<head></head>a page";

fn page() -> Bundle {
    Bundle::site(PAGE)
}

/// Why the only folder of an app is not served.
async fn reason(server: &Server, folder: &str) -> String {
    let deployments = server.get("/_/deployments").await.json();
    let reports = deployments["reports"].as_array().unwrap().iter();
    let mut found = reports.filter(|report| report["folder"] == folder);
    let report = found.next().unwrap_or_else(|| panic!("{deployments}"));
    report["reason"].as_str().unwrap().to_owned()
}

fn package(header: &str) -> String {
    json!({ "workerConfig": { "headers": { "x-from": header } } }).to_string()
}

/// Buntime 20.
#[tokio::test]
async fn the_manifest_goes_before_package_json_which_stands_in_for_it() {
    let both = page()
        .file("package.json", package("package"))
        .manifest(json!({ "headers": { "x-from": "manifest" } }));
    let package_alone = Bundle::default()
        .file("index.html", PAGE)
        .file("package.json", package("package"));
    let apps = Apps::new()
        .with("both/1.0.0", both)
        .with("alone/1.0.0", package_alone);
    let server = Server::start(apps).await;
    assert_eq!(server.get("/both/").await.header("x-from"), "manifest");
    assert_eq!(server.get("/alone/").await.header("x-from"), "package");
}

/// Buntime 22, 23, 26, 27. The bundle is refused with its reason, which names no place outside it, and nothing else is
/// touched.
#[tokio::test]
async fn a_bundle_that_cannot_be_served_is_404_and_its_report_says_why() {
    let empty = Bundle::empty();
    let apps = Apps::new()
        .with("good/1.0.0", page())
        .with("wrong/1.0.0", page().manifest(json!({ "timeout": "abc" })))
        .with("below/1.0.0", page().manifest(json!({ "ttl": -5 })))
        .with(
            "broken/1.0.0",
            page().file("worker.config.json", "{ \"ttl\": "),
        )
        .with("empty/1.0.0", empty.clone())
        .with(
            "climbs/1.0.0",
            page().manifest(json!({ "entrypoint": "../../secret.html" })),
        )
        .with(
            "links/1.0.0",
            empty.manifest(json!({ "entrypoint": "index.html" })),
        );
    let secret = apps.outside().join("secret.html");
    std::fs::write(&secret, "the secret outside").unwrap();
    std::os::unix::fs::symlink(&secret, apps.path("links/1.0.0/index.html")).unwrap();
    let server = Server::start(apps).await;
    for (app, said) in [
        ("wrong", "timeout"),
        ("below", "ttl"),
        ("broken", "worker.config.json"),
        ("empty", "index.html"),
        ("climbs", "entrypoint"),
        ("links", "entrypoint"),
    ] {
        let answer = server.get(&format!("/{app}/")).await;
        let error = format!("App not found: {app}");
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]),
            (404, &Value::from(error))
        );
        let reason = reason(&server, &format!("{app}/1.0.0")).await;
        assert!(reason.contains(said), "{app}: {reason}");
        let outside = server.apps().outside().to_str().unwrap();
        assert!(!reason.contains(outside), "{app}: {reason}");
    }
    assert_eq!(server.get("/good/").await.status, 200);
}

/// Buntime 25.
#[tokio::test]
async fn a_page_goes_before_a_component_unless_the_manifest_says_otherwise() {
    let bundle = Bundle::component(kitchen()).file("index.html", PAGE);
    let chosen = bundle.clone().manifest(json!({ "entrypoint": "app.wasm" }));
    let absent = bundle
        .clone()
        .manifest(json!({ "entrypoint": "absent.html" }));
    let apps = Apps::new()
        .with("found/1.0.0", bundle)
        .with("chosen/1.0.0", chosen)
        .with("absent/1.0.0", absent);
    let server = Server::start(apps).await;
    for app in ["found", "absent"] {
        let answer = server.get(&format!("/{app}/")).await;
        assert!(answer.text().ends_with("a page"), "{app}");
    }
    assert_eq!(
        server.get("/chosen/hello").await.text(),
        "Hello from the kitchen"
    );
}

/// Buntime 29, 30. Both are on unless they are switched off.
#[tokio::test]
async fn the_base_and_the_fallback_to_the_page_can_be_switched_off() {
    let off = page().manifest(json!({ "injectBase": false, "spaFallback": false }));
    let apps = Apps::new().with("off/1.0.0", off).with("on/1.0.0", page());
    let server = Server::start(apps).await;
    assert_eq!(server.get("/off/").await.text(), PAGE);
    assert_ne!(server.get("/on/").await.text(), PAGE);
    for (app, status) in [("off", 404), ("on", 200)] {
        let call = server.call("GET", &format!("/{app}/deep/route"));
        let answer = call.header("accept", "text/html").send().await;
        assert_eq!(answer.status, status, "{app}");
    }
}

/// Buntime 31, 32.
#[tokio::test]
async fn a_file_is_found_by_its_decoded_name_and_what_is_private_is_not() {
    let site = page()
        .file("sp ace.txt", "decoded")
        .file(".env", "private")
        .file("manifest.yaml", "private")
        .file("package.json", "{}");
    let server = Server::start(Apps::new().with("site/1.0.0", site)).await;
    assert_eq!(server.get("/site/sp%20ace.txt").await.text(), "decoded");
    for file in [
        ".env",
        "worker.config.json",
        "manifest.yaml",
        "package.json",
    ] {
        let answer = server.get(&format!("/site/{file}")).await;
        assert_eq!(answer.status, 404, "{file}");
    }
}

/// Buntime 68.
#[tokio::test]
async fn a_guest_sees_no_variable_that_it_was_not_granted() {
    let granted = json!({ "grants": { "env": ["PARITY_GRANTED", "ROOKERY_ADMIN_TOKEN"] } });
    let apps = Apps::new()
        .with(
            "granted/1.0.0",
            Bundle::component(kitchen()).manifest(granted),
        )
        .with("bare/1.0.0", Bundle::component(kitchen()));
    let options = rookery_tests::Options::new()
        .set("PARITY_GRANTED", "yes")
        .set("PARITY_SECRET", "no")
        .set(
            "ROOKERY_ADMIN_TOKEN",
            "a token of sixteen letters".replace(' ', "-"),
        );
    let server = Server::start_with(apps, options).await;
    assert_eq!(
        server.get("/granted/env").await.text(),
        "PARITY_GRANTED=yes\n"
    );
    assert_eq!(server.get("/bare/env").await.text(), "");
}
