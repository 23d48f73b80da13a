//! Versions that are put up and taken down.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use rookery_bundle::archive;
use rookery_pool::BodyError;
use serde_json::json;
use tempfile::TempDir;

use super::{Answer, Server};
use crate::folder::STAGING;
use crate::{Access, UPLOADS_MAX};

fn server() -> Server {
    Server::new(Access::Open)
}

/// A bundle as an archive.
pub(super) fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut archive = Vec::new();
    archive::pack(dir.path(), &mut archive).unwrap();
    archive
}

pub(super) fn site(page: &str) -> Vec<u8> {
    packed(&[("index.html", page), ("assets/a.css", "a{}")])
}

impl Server {
    async fn put(&self, version: &str, archive: Vec<u8>) -> Answer {
        self.tell(&format!("PUT /_/deployments/{version}"), &[], archive)
            .await
    }

    fn page(&self, folder: &str) -> String {
        fs::read_to_string(self.path(folder).join("index.html")).unwrap()
    }

    /// Nothing but this is in the apps directory, the staging folder aside.
    fn holds(&self, expected: &[&str]) -> bool {
        let entries = fs::read_dir(self.path("")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != STAGING).collect();
        names.sort();
        names == expected
    }
}

#[tokio::test]
async fn a_bundle_is_looked_at_and_then_in_its_place() {
    let server = server();
    let answer = server.put("chat/1.0.0", site("one")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let told = answer.json();
    assert_eq!(
        (
            &told["label"],
            &told["state"],
            &told["address"],
            &told["files"]
        ),
        (
            &json!("chat@1.0.0"),
            &json!("live"),
            &json!("/chat@1.0.0/"),
            &json!(2)
        )
    );
    assert_eq!(server.page("chat/1.0.0"), "one");
    let rehearsed = server.stage.rehearsed.lock().clone();
    assert_eq!(rehearsed[0].label(), "chat@1.0.0");
    // It was not in its place when it was looked at, and it is the same build there.
    assert!(
        rehearsed[0]
            .dir
            .components()
            .any(|part| part.as_os_str() == STAGING)
    );
    let expect = rookery_bundle::Expect {
        name: rehearsed[0].name.clone(),
        version: Some(rehearsed[0].version.clone()),
    };
    let published = rookery_bundle::open(&server.path("chat/1.0.0"), expect).unwrap();
    assert_eq!(published.digest, rehearsed[0].digest);
    let scoped = server.put("@team/chat/v1.0.0-rc.1", site("rc")).await;
    assert_eq!(scoped.json()["label"], "@team/chat@1.0.0-rc.1");
    assert_eq!(server.page("@team/chat/1.0.0-rc.1"), "rc");
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_other_content_has_to_be_wanted() {
    let server = server();
    assert_eq!(server.put("chat/1.0.0", site("one")).await.status, 201);
    let again = server.put("chat/1.0.0", site("one")).await;
    assert_eq!(
        (again.status.as_u16(), again.json()["state"].clone()),
        (200, json!("unchanged"))
    );
    let other = server.put("chat/1.0.0", site("two")).await;
    assert_eq!(other.outcome(), (409, "VERSION_EXISTS".into()));
    assert_eq!(server.page("chat/1.0.0"), "one");
    let replaced = server.put("chat/1.0.0?replace=true", site("two")).await;
    assert_eq!(
        (replaced.status.as_u16(), replaced.json()["state"].clone()),
        (201, json!("live"))
    );
    assert_eq!(server.page("chat/1.0.0"), "two");
    assert_eq!(server.left().await, 0);
}

#[tokio::test]
async fn a_version_is_found_in_every_layout() {
    let server = server();
    for folder in ["flat@1.0.0", "app/v1.0.0", "@team/x@2.0.0"] {
        fs::create_dir_all(server.path(folder)).unwrap();
        fs::write(server.path(folder).join("index.html"), "by hand").unwrap();
    }
    for (version, folder) in [
        ("flat/1.0.0", "flat@1.0.0"),
        ("app/1.0.0", "app/v1.0.0"),
        ("@team/x/2.0.0", "@team/x@2.0.0"),
    ] {
        assert_eq!(
            server.put(version, site("other")).await.outcome().1,
            "VERSION_EXISTS",
            "{version}"
        );
        let replaced = server
            .put(&format!("{version}?replace"), site("other"))
            .await;
        assert_eq!(replaced.json()["folder"], folder);
        assert_eq!(server.page(folder), "other");
    }
    // With a version in it, a folder that is one bundle would not be served any more.
    for manifest in ["worker.config.json", "package.json", "manifest.yaml"] {
        let app = manifest.split('.').next().unwrap();
        fs::create_dir(server.path(app)).unwrap();
        fs::write(server.path(&format!("{app}/{manifest}")), "{}").unwrap();
        assert_eq!(
            server
                .put(&format!("{app}/1.0.0"), site("x"))
                .await
                .outcome(),
            (409, "ALREADY_EXISTS".into()),
            "{manifest}"
        );
    }
}

#[tokio::test]
async fn what_would_not_serve_is_refused_with_every_reason_and_leaves_nothing() {
    let server = server();
    let manifest = r#"{"timeout":"soon","ttll":1,"name":"other"}"#;
    let bad = server
        .put(
            "chat/1.0.0",
            packed(&[("worker.config.json", manifest), ("index.html", "x")]),
        )
        .await;
    assert_eq!(bad.outcome(), (422, "BUNDLE_REFUSED".into()));
    let reasons = bad.json()["reasons"].to_string();
    for part in [
        "timeout",
        "ttll",
        "name: is other, but the folder is chat's",
    ] {
        assert!(reasons.contains(part), "{reasons}");
    }
    assert!(
        !bad.body.contains(server.outside.path().to_str().unwrap()),
        "{}",
        bad.body
    );
    let empty = server
        .put("chat/1.0.0", packed(&[("readme.md", "x")]))
        .await;
    assert!(empty.body.contains("no entrypoint"), "{}", empty.body);

    *server.stage.refuses.lock() = Some("its component imports what nobody has".to_owned());
    let refused = server.put("chat/1.0.0", site("x")).await;
    assert_eq!(
        refused.json()["reasons"],
        json!(["its component imports what nobody has"])
    );
    assert!(server.holds(&[]));
    assert_eq!(server.left().await, 0);
}

#[tokio::test]
async fn what_is_refused_in_its_place_is_taken_back() {
    let server = server();
    assert_eq!(server.put("chat/1.0.0", site("good")).await.status, 201);
    *server.stage.refuses_live.lock() = Some("it cannot be started".to_owned());
    let replaced = server.put("chat/1.0.0?replace=1", site("bad")).await;
    assert_eq!(replaced.outcome(), (422, "BUNDLE_REFUSED".into()));
    assert_eq!(server.page("chat/1.0.0"), "good");
    assert_eq!(server.put("chat/2.0.0", site("bad")).await.status, 422);
    assert!(!server.path("chat/2.0.0").exists());
    // An empty folder would be reported as a broken app.
    for first in ["new/1.0.0", "@team/new/1.0.0"] {
        assert_eq!(server.put(first, site("bad")).await.status, 422);
    }
    assert!(server.holds(&["chat"]));
    assert_eq!(server.left().await, 0);
}

#[tokio::test]
async fn an_archive_that_is_none_is_refused() {
    let server = server();
    let whole = site(&"page ".repeat(10_000));
    for (archive, reason) in [
        (b"hello".to_vec(), "neither a .tar.gz nor a .zip"),
        (Vec::new(), "neither a .tar.gz nor a .zip"),
        (whole[..whole.len() - 5].to_vec(), "damaged or ends early"),
    ] {
        let answer = server.put("chat/1.0.0", archive).await;
        assert_eq!(answer.outcome(), (422, "ARCHIVE_REFUSED".into()));
        assert!(answer.body.contains(reason), "{}", answer.body);
    }
    for path in ["chat/1", "chat/latest", ".x/1.0.0", "%2e%2e%2fx/1.0.0"] {
        assert_eq!(server.put(path, site("x")).await.status, 404, "{path}");
    }
    assert!(server.holds(&[]));
}

#[tokio::test]
async fn of_two_deploys_of_one_version_one_is_published() {
    let server = Arc::new(server());
    for round in 0..8 {
        let version = format!("chat/{round}.0.0");
        let (one, two) = tokio::join!(
            server.put(&version, site("one")),
            server.put(&version, site("two")),
        );
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", one.body, two.body);
        let winner = if one.status == 201 { "one" } else { "two" };
        assert_eq!(server.page(&version), winner);
        assert!(server.path(&version).join("assets/a.css").exists());
    }
    assert_eq!(server.left().await, 0);
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_nothing() {
    let server = server();
    let archive = site("x");
    let half = Bytes::copy_from_slice(&archive[..archive.len() / 2]);
    let pieces = [
        Ok(http_body::Frame::data(half)),
        Err(BodyError::from("reset")),
    ];
    let body = StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync();
    let request = Request::put("/_/deployments/chat/1.0.0")
        .body(body)
        .unwrap();
    let answer = Answer::of(server.admin.serve(request).await).await;
    assert_eq!(answer.outcome(), (400, "BROKEN_OFF".into()));
    assert!(server.holds(&[]));
    assert_eq!(server.left().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_more_gives_its_turn_back() {
    let server = Arc::new(server());
    let (sender, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let waiting: Vec<_> = (0..UPLOADS_MAX)
        .map(|_| {
            let (server, sender) = (Arc::clone(&server), sender.clone());
            let silence = futures_util::stream::poll_fn(move |_| {
                // Whoever asks for a piece has its turn.
                let _ = sender.send(());
                std::task::Poll::<Option<Result<_, BodyError>>>::Pending
            });
            let body = StreamBody::new(silence).boxed_unsync();
            let request = Request::put("/_/deployments/chat/1.0.0")
                .body(body)
                .unwrap();
            tokio::spawn(async move { server.admin.serve(request).await.status() })
        })
        .collect();
    for _ in 0..UPLOADS_MAX {
        begun.recv().await.unwrap();
    }
    let one_more = server.put("chat/2.0.0", site("x")).await;
    assert_eq!(one_more.outcome(), (503, "BUSY".into()));
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), 408);
    }
    assert_eq!(server.put("chat/2.0.0", site("x")).await.status, 201);
}

#[tokio::test]
async fn a_version_in_use_goes_only_when_it_must() {
    let server = server();
    server.put("chat/1.0.0", site("x")).await;
    *server.stage.uses.lock() = vec!["3 sessions".to_owned()];
    let kept = server.ask("DELETE /_/deployments/chat/1.0.0", &[]).await;
    assert_eq!(kept.outcome(), (409, "VERSION_IN_USE".into()));
    assert!(kept.body.contains("3 sessions") && server.path("chat/1.0.0").exists());
    let forced = server
        .ask("DELETE /_/deployments/chat/1.0.0?force=true", &[])
        .await;
    assert_eq!(
        (forced.status.as_u16(), forced.json()["removed"].clone()),
        (200, json!(true))
    );
    assert!(!server.path("chat/1.0.0").exists());
    server.stage.uses.lock().clear();
    let gone = server.ask("DELETE /_/deployments/chat/1.0.0", &[]).await;
    assert_eq!(gone.outcome(), (404, "FILE_NOT_FOUND".into()));
    assert_eq!(server.left().await, 0);
}

impl Server {
    /// How much lies in the staging folder once everybody has cleaned up.
    async fn left(&self) -> usize {
        self.left_over().await.len()
    }
}

#[tokio::test]
async fn a_client_that_leaves_when_all_is_sent_has_deployed() {
    let server = server();
    let sent = Request::put("/_/deployments/chat/1.0.0")
        .body(http_body_util::Full::new(Bytes::from(site("x"))))
        .unwrap();
    let mut leaving = Box::pin(server.admin.serve(sent));
    // It is asked once, which begins it, and never again.
    assert!(futures_util::poll!(&mut leaving).is_pending());
    drop(leaving);
    for _ in 0..100_000 {
        if server.path("chat/1.0.0/index.html").exists() && server.stage.asked_live() {
            return;
        }
        tokio::task::spawn_blocking(std::thread::yield_now)
            .await
            .unwrap();
    }
    panic!("it was not deployed");
}
