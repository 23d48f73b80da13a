//! SQL through a guest: what it keeps, and when it is spoken of.

use std::path::PathBuf;
use std::sync::OnceLock;

use rookery_tests::{Apps, Bundle, Options, Server, Ws, build_bundles, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

fn notes() -> Bundle {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| build_bundles("examples/notes"));
    // The folder says which version it is.
    Bundle::of_folder(built).manifest(json!({}))
}

async fn server() -> Server {
    Server::start(Apps::new().with("notes/1.0.0", notes())).await
}

async fn texts(server: &Server, room: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = server
            .get(&format!("/notes/notes/{room}?after={after}"))
            .await
            .json();
        let page = page.as_array().unwrap().clone();
        let Some(last) = page.last() else {
            return all;
        };
        after = last["id"].as_i64().unwrap();
        all.extend(
            page.iter()
                .map(|note| note["text"].as_str().unwrap().to_owned()),
        );
    }
}

#[tokio::test]
async fn a_note_is_kept_and_told_to_everybody_in_the_room() {
    let server = server().await;
    let mut ada = Ws::open(&server, "/notes/ws?room=a&name=ada").await;
    let mut bob = Ws::open(&server, "/notes/ws?room=a&name=bob").await;
    ada.say_json(json!({"text": "hi"})).await;
    let expected = json!({"id": 1, "name": "ada", "text": "hi"});
    assert_eq!(ada.hear_json().await, expected);
    assert_eq!(bob.hear_json().await, expected);
    let posted = server
        .call("POST", "/notes/notes/a")
        .body(r#"{"text":"by post"}"#);
    let posted = posted.send().await;
    assert_eq!(
        (posted.status.as_u16(), posted.json()["id"].clone()),
        (201, json!(2))
    );
    assert_eq!(texts(&server, "a").await, ["hi", "by post"]);
    assert!(texts(&server, "b").await.is_empty());
}

#[tokio::test]
async fn a_constraint_is_data_and_ends_nothing() {
    let server = server().await;
    let mut ada = Ws::open(&server, "/notes/ws?room=a&name=ada").await;
    ada.say_json(json!({"text": ""})).await;
    assert_eq!(ada.hear().await, "a note has 1 to 1000 characters");
    ada.say_json(json!({"text": "then this"})).await;
    assert_eq!(ada.hear_json().await["id"], 1);
    let refused = server.call("POST", "/notes/notes/a").body(r#"{"text":""}"#);
    assert_eq!(refused.send().await.status, 422);
}

#[tokio::test]
async fn a_password_has_its_hash_and_no_other() {
    let server = server().await;
    let ask = async |body: Value| {
        let call = server
            .call("POST", "/notes/password")
            .body(body.to_string());
        call.send().await.text().to_owned()
    };
    let hash = ask(json!({"password": "correct horse"})).await;
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    assert_eq!(
        ask(json!({"password": "correct horse", "hash": hash})).await,
        "true"
    );
    assert_eq!(
        ask(json!({"password": "wrong horse", "hash": hash})).await,
        "false"
    );
}

/// Says notes until the server is gone, and gives those that it was told of.
async fn say_until_the_end(mut ws: Ws, name: usize) -> Vec<String> {
    let mut told = Vec::new();
    for nth in 0.. {
        let text = format!("{name}/{nth}");
        if !ws.try_say(json!({"text": text}).to_string()).await {
            break;
        }
        let Some(heard) = ws.try_hear().await else {
            break;
        };
        let heard: Value = serde_json::from_str(&heard).unwrap();
        told.push(heard["text"].as_str().unwrap().to_owned());
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_anybody_was_told_survives_the_servers_sudden_end() {
    let data = tempfile::tempdir().unwrap();
    let options = || Options::new().set("ROOKERY_DATA_DIR", data.path().display());
    let apps = || Apps::new().with("notes/1.0.0", notes());
    let mut server = Server::start_with(apps(), options()).await;
    let mut clients = JoinSet::new();
    for name in 0..8 {
        let ws = Ws::open(&server, &format!("/notes/ws?room={name}&name=x")).await;
        clients.spawn(say_until_the_end(ws, name));
    }
    until("some notes", async || {
        (texts(&server, "7").await.len() > 20).then_some(())
    })
    .await;
    server.signal("KILL");
    server.exited().await;
    let told: Vec<Vec<String>> = clients.join_all().await;
    let server = Server::start_with(apps(), options()).await;
    for told in told {
        let room = told[0].split('/').next().unwrap().to_owned();
        let kept = texts(&server, &room).await;
        assert!(
            kept.starts_with(&told),
            "room {room}: {} of {}",
            kept.len(),
            told.len()
        );
        assert!(
            kept.len() <= told.len() + 1,
            "only what was under way is there besides"
        );
    }
}

#[tokio::test]
async fn a_migration_that_fails_refuses_its_version_and_leaves_nothing() {
    let apps = Apps::new().with("notes/1.0.0", notes());
    let server = Server::start(apps).await;
    let add = "CREATE TABLE more (a); INSERT INTO nowhere VALUES (1);";
    let broken = notes().file("migrations/0002_more.up.sql", add);
    server.apps().publish("notes/1.1.0", &broken);
    until("the refusal", async || {
        let deployments = server.get("/_/deployments").await.text().to_owned();
        let told = deployments.contains("0002_more") && deployments.contains("no such table");
        told.then_some(())
    })
    .await;
    let answer = server.get("/notes/notes/a").await;
    assert_eq!(answer.header("x-rookery-version"), "1.0.0");
    // Nothing of it is there: the same table can be made.
    let mended = notes().file("migrations/0002_more.up.sql", "CREATE TABLE more (a);");
    server.apps().publish("notes/1.1.1", &mended);
    until("the mended version", async || {
        let answer = server.get("/notes/notes/a").await;
        (answer.header("x-rookery-version") == "1.1.1").then_some(())
    })
    .await;
}
