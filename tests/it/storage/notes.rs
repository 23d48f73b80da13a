//! SQL through a guest: what it keeps, and when it is spoken of.

use std::path::PathBuf;
use std::sync::OnceLock;

use rookery_tests::{Apps, Bundle, Server, Ws, build_bundles, until};
use serde_json::{Value, json};

/// The example, without a manifest of its own.
pub fn notes() -> Bundle {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| build_bundles("examples/notes"));
    // The folder says which version it is.
    Bundle::of_folder(built).manifest(json!({}))
}

async fn server() -> Server {
    Server::start(Apps::new().with("notes/1.0.0", notes())).await
}

/// All notes of a room.
pub async fn texts(server: &Server, room: &str) -> Vec<String> {
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
    // The socket is open before the app has put him into the room; what he is answered comes after that.
    bob.say_json(json!({"text": ""})).await;
    assert_eq!(bob.hear().await, "a note has 1 to 1000 characters");
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

#[tokio::test]
async fn each_piece_of_an_answer_tells_of_what_is_kept() {
    let server = server().await;
    let import = server.call("POST", "/notes/notes/a/import");
    let told = import.body("one\ntwo\nthree").send().await;
    let told = told.text().lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(told.len(), 3);
    assert_eq!(
        serde_json::from_str::<Value>(&told[2]).unwrap(),
        json!({"id": 3, "name": "somebody", "text": "three"})
    );
    assert_eq!(texts(&server, "a").await, ["one", "two", "three"]);
    // The second line is refused when the first was told of already.
    let import = server.call("POST", "/notes/notes/b/import");
    let mut reading = import.body("one\n\nthree").open().await;
    let first = reading.chunk().await.unwrap();
    assert!(first.starts_with(b"{"), "{first:?}");
    while let Some(Ok(_)) = reading.try_chunk().await {}
    assert_eq!(texts(&server, "b").await, ["one"]);
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
