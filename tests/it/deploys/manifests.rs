//! What a manifest says, and where it says it, as seen from outside.

use rookery_tests::{Apps, Bundle, Server, kitchen, until};
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

/// Buntime 20.
#[tokio::test]
async fn manifest_yaml_stands_in_for_both() {
    let yaml = Bundle::default().file("index.html", PAGE).file(
        "manifest.yaml",
        "# from elsewhere\nversion: 1.5.0\nheaders:\n  x-from: yaml\n",
    );
    let apps = Apps::new()
        .with("yaml", yaml.clone())
        .with(
            "beside/1.5.0",
            yaml.clone().file("package.json", package("package")),
        )
        .with(
            "both/1.5.0",
            yaml.manifest(json!({ "headers": { "x-from": "manifest" } })),
        );
    let server = Server::start(apps).await;
    for (path, from) in [
        ("/yaml@1.5.0/", "yaml"),
        ("/beside/", "package"),
        ("/both/", "manifest"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (
                answer.header("x-from"),
                answer.header("x-rookery-requested")
            ),
            (from, "")
        );
    }
    assert_eq!(server.get("/yaml/manifest.yaml").await.status, 404);
}

/// Bundles of which none can be served: the app, its files' fault, and what is said of it.
fn refused() -> (Apps, [(&'static str, &'static str); 6]) {
    let empty = Bundle::empty();
    let broken = page().file("worker.config.json", "{ \"ttl\": ");
    let yaml = Bundle::default().file("index.html", PAGE);
    let climbs = json!({ "entrypoint": "../../secret.html" });
    let links = empty.manifest(json!({ "entrypoint": "index.html" }));
    let apps = Apps::new()
        .with("good/1.0.0", page())
        .with(
            "wrong/1.0.0",
            page().manifest(json!({ "timeout": "abc", "memory": "tiny" })),
        )
        .with("below/1.0.0", page().manifest(json!({ "ttl": -5 })))
        .with("broken/1.0.0", broken)
        .with("yaml/1.0.0", yaml.file("manifest.yaml", "ttl: 1\nttl: [\n"))
        .with("climbs/1.0.0", page().manifest(climbs))
        .with("links/1.0.0", links);
    let secret = apps.outside().join("secret.html");
    std::fs::write(&secret, "the secret outside").unwrap();
    std::os::unix::fs::symlink(&secret, apps.path("links/1.0.0/index.html")).unwrap();
    let said = [
        ("wrong", "timeout, memory"),
        ("below", "ttl"),
        ("broken", "worker.config.json"),
        ("yaml", "manifest.yaml"),
        ("climbs", "entrypoint"),
        ("links", "entrypoint"),
    ];
    (apps, said)
}

/// Buntime 22, 23, 27. The answer names the fields, and never a place outside the bundle; nothing else is touched.
#[tokio::test]
async fn a_bundle_that_is_refused_answers_500_and_names_the_field() {
    let (apps, said) = refused();
    let server = Server::start(apps).await;
    let outside = server.apps().outside().to_str().unwrap();
    for (app, fields) in said {
        for path in [
            format!("/{app}/"),
            format!("/{app}@1.0.0/x"),
            format!("/{app}@^9"),
        ] {
            let answer = server.get(&path).await;
            let body = answer.json();
            let error = format!("Invalid worker config for {app}@1.0.0: {fields}");
            assert_eq!(
                (answer.status.as_u16(), &body["error"]),
                (500, &error.into()),
                "{path}"
            );
            assert_eq!(body["code"], "INVALID_CONFIG");
            assert_eq!(body["requestId"], answer.header("x-request-id"));
        }
        let reason = reason(&server, &format!("{app}/1.0.0")).await;
        assert!(
            reason.contains(fields.split(',').next().unwrap()),
            "{app}: {reason}"
        );
        assert!(!reason.contains(outside), "{app}: {reason}");
    }
    for elsewhere in ["/wrong@canary/", "/nobody/"] {
        assert_eq!(server.get(elsewhere).await.status, 404, "{elsewhere}");
    }
    assert_eq!(server.get("/good/").await.status, 200);
}

/// Buntime 22. What is wrong with the field is for authors; production has it in its log.
#[tokio::test]
async fn an_author_is_told_the_reason_beside_the_field() {
    let (apps, _) = refused();
    let options = rookery_tests::Options::new().set("ROOKERY_ENV", "development");
    let server = Server::start_with(apps, options).await;
    let wrong = server.get("/wrong/").await.json();
    let error = wrong["error"].as_str().unwrap();
    assert!(
        error.contains("timeout: ") && error.contains("\"abc\""),
        "{error}"
    );
    assert!(error.contains("; memory: "), "{error}");
    let broken = server.get("/broken/").await.json();
    let error = broken["error"].as_str().unwrap();
    assert!(
        error.contains("is not JSON") && error.contains("line 1"),
        "{error}"
    );
    assert!(
        !error.contains(server.apps().outside().to_str().unwrap()),
        "{error}"
    );
}

/// Buntime 22. While another version can answer, it does.
#[tokio::test]
async fn a_refused_version_takes_down_no_other() {
    let wrong = page().manifest(json!({ "timeout": "abc" }));
    let apps = || {
        Apps::new()
            .with("app/1.0.0", page())
            .with("app/2.0.0", wrong.clone())
    };
    let server = Server::start(apps()).await;
    for path in ["/app/", "/app@1/", "/app@2.0.0/"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-rookery-version"), "1.0.0", "{path}");
    }
    let options = rookery_tests::Options::new().set("ROOKERY_VERSION_FALLBACK", "none");
    let server = Server::start_with(apps(), options).await;
    assert_eq!(server.get("/app/").await.status, 200);
    assert_eq!(server.get("/app@2/").await.status, 500);
    assert_eq!(server.get("/app@3/").await.status, 404);
}

/// Buntime 23.
#[tokio::test]
async fn a_broken_manifest_is_passed_over_where_the_operator_is_lenient() {
    let broken = page().file("worker.config.json", "{ \"ttl\": ");
    let apps = Apps::new()
        .with("broken/1.0.0", broken.clone())
        .with(
            "next/1.0.0",
            broken.file("package.json", package("package")),
        )
        .with("wrong/1.0.0", page().manifest(json!({ "ttl": "soon" })));
    let options = rookery_tests::Options::new().set("ROOKERY_LENIENT_MANIFESTS", "true");
    let server = Server::start_with(apps, options).await;
    assert_eq!(server.get("/broken/").await.status, 200);
    assert_eq!(server.get("/next/").await.header("x-from"), "package");
    assert_eq!(
        server.get("/wrong/").await.status,
        500,
        "that is no broken JSON"
    );
    let deployments = server.get("/_/deployments").await.json();
    let warning = &deployments["apps"][0]["revisions"][0]["warnings"][0];
    assert!(
        warning.as_str().unwrap().contains("is not JSON"),
        "{deployments}"
    );
    let is_logged = async || server.log().contains("is passed over").then_some(());
    until("the log says it", is_logged).await;
}

/// Buntime 26.
#[tokio::test]
async fn a_folder_without_an_entrypoint_is_404_and_its_report_says_why() {
    let server = Server::start(Apps::new().with("empty/1.0.0", Bundle::empty())).await;
    let answer = server.get("/empty/").await;
    let error = Value::from("App not found: empty");
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["error"]),
        (404, &error)
    );
    let reason = reason(&server, "empty/1.0.0").await;
    assert!(reason.contains("index.html"), "{reason}");
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
