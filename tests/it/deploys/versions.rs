//! Versions that come and go while requests do.

use std::path::Path;

use rookery_tests::{Apps, Bundle, PATIENCE, Server, foreign, kitchen, until};
use tokio::time::Instant;

fn site(text: &str) -> Bundle {
    Bundle::site(text)
}

/// Waits until a path is answered with this text, and allows no failure on the way there.
async fn until_it_says(server: &Server, path: &str, text: &str) {
    until(&format!("{path} says {text}"), async || {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        (answer.text() == text).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_version_that_is_added_is_served_and_the_others_stay() {
    let server = Server::start(Apps::new().with("app/1.0.0", site("one"))).await;
    assert_eq!(server.get("/app/").await.text(), "one");
    server.apps().publish("app/1.1.0", &site("two"));
    until_it_says(&server, "/app/", "two").await;
    assert_eq!(server.get("/app@1/").await.text(), "two");
    assert_eq!(server.get("/app@1.0.0/").await.text(), "one");
}

#[tokio::test]
async fn a_version_that_is_removed_is_not_served_and_the_others_stay() {
    let apps = Apps::new()
        .with("app/1.0.0", site("one"))
        .with("app/1.1.0", site("two"));
    let server = Server::start(apps).await;
    assert_eq!(server.get("/app/").await.text(), "two");
    server.apps().remove("app/1.1.0");
    until("the one below takes over", async || {
        assert_eq!(server.get("/app@1.0.0/").await.text(), "one");
        // Between its files and the news of their end, the removed one has nothing to say.
        (server.get("/app/").await.text() == "one").then_some(())
    })
    .await;
    server.apps().remove("app/1.0.0");
    until("the app is gone", async || {
        (server.get("/app/").await.status == 404).then_some(())
    })
    .await;
}

/// "A change on disk is live within one second": told generously, for a machine that does much else.
#[tokio::test]
async fn a_change_is_live_soon() {
    let server = Server::start(Apps::new().with("app/1.0.0", site("one"))).await;
    let begun = Instant::now();
    server.apps().publish("app/1.0.1", &site("two"));
    until_it_says(&server, "/app/", "two").await;
    assert!(begun.elapsed() < PATIENCE / 6, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_app_that_is_new_is_served() {
    let server = Server::start(Apps::new()).await;
    assert_eq!(server.get("/late/").await.status, 404);
    server.apps().publish("late/1.0.0", &site("late"));
    until("the app is there", async || {
        (server.get("/late/").await.status == 200).then_some(())
    })
    .await;
}

fn app(wasm: &Path) -> Bundle {
    Bundle::component(wasm)
}

#[tokio::test]
async fn a_component_that_is_rebuilt_takes_over_without_a_failed_request() {
    let server = Server::start(Apps::new().with("app/1.0.0", app(foreign()))).await;
    assert_eq!(server.get("/app/hello").await.text(), "Hello, WASI!");
    server.apps().publish("app/1.0.0", &app(kitchen()));
    until_it_says(&server, "/app/hello", "Hello from the kitchen").await;
    // It stays that way: no request finds its way back.
    for _ in 0..20 {
        assert_eq!(
            server.get("/app/hello").await.text(),
            "Hello from the kitchen"
        );
    }
}

#[tokio::test]
async fn an_answer_under_way_is_finished_by_the_build_that_began_it() {
    let server = Server::start(Apps::new().with("app/1.0.0", app(kitchen()))).await;
    let (mut upload, call) = server.call("POST", "/app/echo").upload();
    assert!(upload.send("before, ").await);
    let mut answer = call.open().await;
    assert_eq!(answer.chunk().await.unwrap(), "before, ");
    server.apps().publish("app/1.0.0", &app(foreign()));
    until_it_says(&server, "/app/hello", "Hello, WASI!").await;
    assert!(upload.send("and after").await);
    drop(upload);
    assert_eq!(answer.rest().await, b"and after");
}

#[tokio::test]
async fn the_root_lists_the_apps_or_is_the_shell() {
    let apps = || {
        Apps::new()
            .with("app/1.0.0", site("one"))
            .with("shell/1.0.0", site("the shell"))
    };
    let server = Server::start(apps()).await;
    let list = server.get("/").await;
    assert!(
        list.text().contains("app") && list.text().contains("1.0.0"),
        "{}",
        list.text()
    );
    let options = rookery_tests::Options::new().set("APP_SHELL", "shell");
    let server = Server::start_with(apps(), options).await;
    assert_eq!(server.get("/").await.text(), "the shell");
}
