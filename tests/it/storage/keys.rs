//! Keys and values through a guest: where they are kept, and what may be done at once.

use rookery_tests::{Apps, Options, Server, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::notes::notes;

const IN_DATABASE: &str = "database";
const IN_MEMORY: &str = "memory";

async fn server(keys: &str, options: Options) -> Server {
    let manifest = json!({"database": {"keys": keys}, "workers": {"max": 4}});
    let apps = Apps::new().with("notes/1.0.0", notes().manifest(manifest));
    Server::start_with(apps, options).await
}

async fn ask(server: &Server, method: &str, path: &str, body: &str) -> (u16, String) {
    let call = server.call(method, &format!("/notes/drafts{path}"));
    let answer = call.body(body.to_owned()).send().await;
    (answer.status.as_u16(), answer.text().to_owned())
}

#[tokio::test]
async fn a_guest_does_not_notice_where_its_keys_are() {
    for keys in [IN_MEMORY, IN_DATABASE] {
        let server = server(keys, Options::new()).await;
        assert_eq!(ask(&server, "GET", "/a", "").await.0, 404, "{keys}");
        assert_eq!(ask(&server, "PUT", "/a", "one").await, (200, "1".into()));
        assert_eq!(ask(&server, "PUT", "/b", "two").await, (200, "2".into()));
        assert_eq!(ask(&server, "GET", "/a", "").await, (200, "one".into()));
        let added = ask(&server, "POST", "/a", " and more").await;
        assert_eq!(added, (200, "one and more".into()));
        let names: Value = serde_json::from_str(&ask(&server, "GET", "", "").await.1).unwrap();
        assert_eq!(names, json!(["a", "b"]), "{keys}");
        assert_eq!(ask(&server, "DELETE", "/a", "").await.0, 204);
        assert_eq!(ask(&server, "GET", "/a", "").await.0, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_change_a_key_at_once_lose_nothing() {
    for keys in [IN_MEMORY, IN_DATABASE] {
        let server = server(keys, Options::new()).await;
        let mut calls = JoinSet::new();
        for _ in 0..40 {
            calls.spawn(server.call("POST", "/notes/drafts/a").body("x").send());
        }
        for answer in calls.join_all().await {
            assert_eq!(answer.status, 200, "{keys}");
        }
        assert_eq!(ask(&server, "GET", "/a", "").await.1, "x".repeat(40));
    }
}

#[tokio::test]
async fn keys_in_the_database_survive_the_servers_sudden_end_and_those_in_memory_do_not() {
    for (keys, status) in [(IN_DATABASE, 200), (IN_MEMORY, 404)] {
        let data = tempfile::tempdir().unwrap();
        let options = || Options::new().set("ROOKERY_DATA_DIR", data.path().display());
        let mut first = server(keys, options()).await;
        assert_eq!(ask(&first, "PUT", "/a", "kept?").await.0, 200);
        first.signal("KILL");
        first.exited().await;
        let again = server(keys, options()).await;
        assert_eq!(ask(&again, "GET", "/a", "").await.0, status, "{keys}");
    }
}

#[tokio::test]
async fn too_much_is_refused_with_the_reason() {
    for keys in [IN_MEMORY, IN_DATABASE] {
        let server = server(keys, Options::new()).await;
        let large = "x".repeat(1024 * 1024 + 1);
        assert_eq!(ask(&server, "PUT", "/a", &large).await.0, 500, "{keys}");
        let reason = "at most 1048576 bytes";
        until(reason, async || server.log().contains(reason).then_some(())).await;
        assert_eq!(ask(&server, "GET", "/a", "").await.0, 404);
    }
}
