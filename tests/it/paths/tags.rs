//! Names for versions: links and folders that the one who deploys makes.

use std::fs;
use std::os::unix::fs::symlink;

use rookery_tests::{Apps, Bundle, Options, Server, Ws, kitchen, until};
use serde_json::json;

fn versions() -> Apps {
    Apps::new()
        .with("app/1.0.0", Bundle::site("1.0.0"))
        .with("app/1.2.0", Bundle::site("1.2.0"))
        .with("app/2.0.0-rc.1", Bundle::site("2.0.0-rc.1"))
}

/// Points a tag to a version, or to another one, by a rename.
fn tag(apps: &Apps, tag: &str, version: &str) {
    let staged = apps.path("app/.tag");
    symlink(version, &staged).unwrap();
    fs::rename(staged, apps.path(&format!("app/{tag}"))).unwrap();
}

/// What a path is answered with: the page, which is its version.
async fn check(server: &Server, rows: &[(&str, &str)]) {
    for (path, version) in rows {
        let answer = server.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, *version));
        assert_eq!(answer.header("x-rookery-version"), *version, "{path}");
        assert_eq!(answer.header("x-rookery-requested"), "", "{path}");
    }
}

/// Buntime 18.
#[tokio::test]
async fn latest_is_what_a_path_without_a_version_gets_and_may_be_asked_for() {
    let apps = versions();
    tag(&apps, "latest", "1.0.0");
    tag(&apps, "canary", "2.0.0-rc.1");
    let server = Server::start(apps).await;
    check(
        &server,
        &[
            ("/app/", "1.0.0"),
            ("/app@latest/", "1.0.0"),
            ("/app@canary/", "2.0.0-rc.1"),
            ("/app@1/", "1.2.0"),
            ("/app@1.2.0/", "1.2.0"),
        ],
    )
    .await;
    let unknown = server.get("/app@nightly/").await;
    assert_eq!(
        (unknown.status.as_u16(), &unknown.json()["error"]),
        (404, &"App not found: app@nightly".into()),
        "a name that nobody gave never falls back"
    );
    let deployments = server.get("/_/deployments").await.json();
    let tags = json!({ "latest": "1.0.0", "canary": "2.0.0-rc.1" });
    assert_eq!(deployments["apps"][0]["tags"], tags);
    assert_eq!(deployments["apps"][0]["unpinned"], "1.0.0");
}

/// Buntime 17, 18. To move the link is to deploy, and to move it back is to go back.
#[tokio::test]
async fn a_tag_that_is_moved_is_followed_without_a_failed_request() {
    let apps = versions();
    tag(&apps, "latest", "1.0.0");
    let server = Server::start(apps).await;
    for version in ["1.2.0", "1.0.0", "2.0.0-rc.1"] {
        tag(server.apps(), "latest", version);
        until(&format!("latest leads to {version}"), async || {
            let answer = server.get("/app/").await;
            assert_eq!(answer.status, 200);
            (answer.text() == version).then_some(())
        })
        .await;
    }
    fs::remove_file(server.apps().path("app/latest")).unwrap();
    until("the highest stable version answers again", async || {
        (server.get("/app/").await.text() == "1.2.0").then_some(())
    })
    .await;
    assert_eq!(server.get("/app@latest/").await.status, 404);
}

/// Who is inside when a tag is moved is moved with it.
#[tokio::test]
async fn a_session_follows_the_tag_that_its_path_leads_by() {
    let bundle = || Bundle::component(kitchen()).manifest(json!({ "ttl": 60 }));
    let apps = Apps::new()
        .with("app/1.0.0", bundle())
        .with("app/1.1.0", bundle());
    tag(&apps, "latest", "1.0.0");
    tag(&apps, "canary", "1.1.0");
    let server = Server::start(apps).await;
    let mut unpinned = Ws::open(&server, "/app/ws").await;
    let mut canary = Ws::open(&server, "/app@canary/ws").await;
    for session in [&mut unpinned, &mut canary] {
        assert_eq!(session.ask("attach mine").await, "attached");
    }
    tag(server.apps(), "latest", "1.1.0");
    assert_eq!(unpinned.hear().await, "resumed from 1.0.0");
    assert_eq!(unpinned.ask("attachment").await, "mine");
    tag(server.apps(), "canary", "1.0.0");
    assert_eq!(canary.hear().await, "resumed from 1.1.0");
    assert_eq!(canary.ask("attachment").await, "mine");
}

/// Buntime 18: its newer layout has a folder of that name.
#[tokio::test]
async fn a_folder_named_latest_beats_numbers_and_says_its_own_version() {
    let latest = Bundle::site("0.9.0").manifest(json!({ "version": "0.9.0" }));
    let apps = versions()
        .with("app/latest", latest)
        .with("alone/latest", Bundle::site("0.0.0"))
        .with("flat@1.0.0", Bundle::site("1.0.0"))
        .with(
            "flat@latest",
            Bundle::site("0.5.0").file("package.json", r#"{"version":"0.5.0"}"#),
        );
    let server = Server::start(apps).await;
    check(
        &server,
        &[
            ("/app/", "0.9.0"),
            ("/app@latest/", "0.9.0"),
            ("/app@0/", "0.9.0"),
            ("/app@1/", "1.2.0"),
            ("/alone/", "0.0.0"),
            ("/flat/", "0.5.0"),
            ("/flat@1/", "1.0.0"),
        ],
    )
    .await;
}

/// Buntime 7, 18. A link out of the apps directory is no tag, and neither is one to nothing.
#[tokio::test]
async fn a_tag_leads_nowhere_but_to_a_version_of_its_app() {
    let apps = versions().with("other/9.0.0", Bundle::site("other"));
    let outside = apps.outside().join("1.2.0");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("index.html"), "outside").unwrap();
    symlink(&outside, apps.path("app/out")).unwrap();
    tag(&apps, "gone", "3.0.0");
    tag(&apps, "other", "../other/9.0.0");
    let server = Server::start_with(
        apps,
        Options::new().set("ROOKERY_VERSION_FALLBACK", "highest"),
    )
    .await;
    for name in ["out", "gone", "other"] {
        let answer = server.get(&format!("/app@{name}/")).await;
        assert_eq!(answer.status, 404, "{name}");
    }
    check(&server, &[("/app/", "1.2.0")]).await;
    let deployments = server.get("/_/deployments").await.json();
    let reports = deployments["reports"].as_array().unwrap();
    let gone = reports.iter().find(|one| one["folder"] == "app/gone");
    assert!(gone.is_some(), "{deployments}");
}
