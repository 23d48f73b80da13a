//! Every row of the product's selector table.

use rookery_tests::{Apps, Bundle, Options, Server};

const VERSIONS: [&str; 8] = [
    "1.0.0",
    "1.2.0",
    "1.2.3",
    "1.10.0",
    "2.0.0-rc.1",
    "2.0.0",
    "2.1.0-rc.1",
    "3.0.0-beta.1",
];

/// Sites whose page is their version.
fn versions(versions: &[&str]) -> Apps {
    let apps = Apps::new();
    for version in versions {
        apps.publish(&format!("app/{version}"), &Bundle::site(version));
    }
    apps
}

/// Asks with each selector for a version, marked with `!` where it is the fallback; `404` where there is none.
async fn check(server: &Server, rows: &[(&str, &str)]) {
    for (selector, expected) in rows {
        let path = format!("/app{selector}/");
        let answer = server.get(&path).await;
        let served = answer.header("x-rookery-version");
        let requested = answer.header("x-rookery-requested");
        let found = match answer.status.as_u16() {
            200 if requested.is_empty() => served.to_owned(),
            200 => format!("!{served}"),
            status => status.to_string(),
        };
        assert_eq!(found, *expected, "{path}");
        if answer.status == 200 {
            assert_eq!(
                answer.text(),
                served,
                "{path} says another version than it is of"
            );
        } else {
            assert_eq!(answer.json()["code"], "APP_NOT_FOUND", "{path}");
        }
    }
}

fn without_fallback() -> Options {
    Options::new().set("ROOKERY_VERSION_FALLBACK", "none")
}

#[tokio::test]
async fn a_version_or_a_range_selects_its_version() {
    let server = Server::start_with(versions(&VERSIONS), without_fallback()).await;
    check(
        &server,
        &[
            // None: the highest stable version.
            ("", "2.0.0"),
            // A version.
            ("@1.2.3", "1.2.3"),
            ("@v1.2.3", "1.2.3"),
            ("@2.0.0-rc.1", "2.0.0-rc.1"),
            // A range: the highest that satisfies it.
            ("@1", "1.10.0"),
            ("@1.2", "1.2.3"),
            ("@1.x", "1.10.0"),
            ("@^1.2", "1.10.0"),
            ("@%5E1.2", "1.10.0"),
            ("@~1.2.0", "1.2.3"),
            ("@%3E=1%20%3C2", "1.10.0"),
            ("@*", "2.0.0"),
            // A prerelease only where the range names one.
            ("@3", "404"),
            ("@^2.0.0-rc.1", "2.1.0-rc.1"),
            ("@%3E=2.1.0-0", "3.0.0-beta.1"),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_selects_nothing_gets_the_highest_and_is_told_so() {
    let server = Server::start(versions(&VERSIONS)).await;
    check(
        &server,
        &[
            ("@9.9.9", "!2.0.0"),
            ("@9", "!2.0.0"),
            ("@^9.1", "!2.0.0"),
            ("@3", "!2.0.0"),
        ],
    )
    .await;
    let answer = server.get("/app@9.9.9/").await;
    assert_eq!(answer.header("x-rookery-version"), "2.0.0");
    assert_eq!(answer.header("x-rookery-requested"), "9.9.9");
}

#[tokio::test]
async fn what_selects_nothing_gets_404_where_the_operator_wants_no_fallback() {
    let server = Server::start_with(versions(&VERSIONS), without_fallback()).await;
    check(
        &server,
        &[("@9.9.9", "404"), ("@9", "404"), ("@^9.1", "404")],
    )
    .await;
    let answer = server.get("/app@9.9.9/").await;
    assert_eq!(answer.json()["error"], "App not found: app@9.9.9");
}

#[tokio::test]
async fn a_tag_or_what_is_no_selector_is_404_and_never_falls_back() {
    let server = Server::start(versions(&VERSIONS)).await;
    check(
        &server,
        &[
            ("@latest", "404"),
            ("@nightly", "404"),
            ("@1.0.0.0", "404"),
            ("@1@2", "404"),
            ("@%00", "404"),
            ("@%C3%A9", "404"),
            ("@1..2", "404"),
            ("@%", "404"),
            ("@%zz", "404"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_prerelease_answers_where_there_is_nothing_else() {
    let server = Server::start(versions(&["1.0.0-alpha", "1.0.0-rc.1"])).await;
    check(&server, &[("", "1.0.0-rc.1"), ("@1", "!1.0.0-rc.1")]).await;
}

#[tokio::test]
async fn a_prerelease_answers_where_the_operator_prefers_it() {
    let options = Options::new().set("ROOKERY_PREFER_PRERELEASE", "true");
    let server = Server::start_with(versions(&VERSIONS), options).await;
    check(&server, &[("", "3.0.0-beta.1"), ("@1", "1.10.0")]).await;
}

#[tokio::test]
async fn every_layout_of_the_apps_directory_is_found() {
    let manifest = serde_json::json!({ "version": "3.0.0" });
    let apps = Apps::new()
        .with("folders/1.0.0", Bundle::site("1"))
        .with("folders/v2.0.0", Bundle::site("2"))
        .with("flat@1.2.3", Bundle::site("flat"))
        .with("single", Bundle::site("single").manifest(manifest))
        .with("@team/scoped/1.0.0", Bundle::site("scoped"));
    let server = Server::start(apps).await;
    for (path, version) in [
        ("/folders/", "2.0.0"),
        ("/folders@1/", "1.0.0"),
        ("/flat/", "1.2.3"),
        ("/single@3/", "3.0.0"),
        ("/@team/scoped/", "1.0.0"),
        ("/@team/scoped@1/", "1.0.0"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-rookery-version")),
            (200, version),
            "{path}"
        );
    }
}
