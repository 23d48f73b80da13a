//! Who is there: told together to those who subscribed, listed whole, and the host's to remember.

use rookery_tests::{Apps, Bundle, Server, Ws, kitchen};
use serde_json::{Value, json};

async fn server(manifest: Value) -> Server {
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await
}

/// Present, and subscribed to the news of it.
async fn member(server: &Server, name: &str) -> Ws {
    let mut ws = Ws::open(server, "/kitchen/ws").await;
    ws.say(format!("here room {name}")).await;
    assert_eq!(ws.ask("join room").await, "joined room");
    ws
}

/// The names in a list or in news, in the order of their sessions.
fn names(found: &Value) -> Vec<&str> {
    let list = found.as_array().unwrap().iter();
    list.map(|one| one["about"].as_str().unwrap()).collect()
}

/// The next news that count so many; those before it were of others.
async fn news_of(ws: &mut Ws, count: u64) -> Value {
    loop {
        let news = ws.hear_json().await;
        assert_eq!(news["presence"], "room");
        if news["count"] == count {
            return news;
        }
    }
}

/// Who is there, past all news.
async fn list(ws: &mut Ws) -> Value {
    ws.say("who room").await;
    loop {
        let heard = ws.hear_json().await;
        if heard["sessions"].is_array() {
            return heard;
        }
    }
}

#[tokio::test]
async fn those_who_subscribed_hear_who_comes_and_who_goes() {
    let server = server(json!({})).await;
    let mut ada = member(&server, "ada").await;
    let mut bob = member(&server, "bob").await;
    news_of(&mut ada, 2).await;
    assert_eq!(names(&list(&mut ada).await["sessions"]), ["ada", "bob"]);
    bob.close(1000, "").await;
    let news = news_of(&mut ada, 1).await;
    assert_eq!(news["joined"], json!([]));
    assert_eq!(news["left"].as_array().unwrap().len(), 1);
    assert_eq!(names(&list(&mut ada).await["sessions"]), ["ada"]);
}

/// Nobody watched, so nobody said anything; the host knew all the same.
#[tokio::test]
async fn whoever_ends_is_gone_however_it_ended() {
    let server = server(json!({})).await;
    let mut watcher = member(&server, "watcher").await;
    let mut trapped = member(&server, "trapped").await;
    let left = member(&server, "left").await;
    let mut sent_away = member(&server, "sent away").await;
    let mut silent = member(&server, "silent").await;
    silent.say("gone room").await;
    news_of(&mut watcher, 4).await;
    trapped.say("trap").await;
    assert_eq!(trapped.ended().await.code, 1011);
    drop(left);
    sent_away.say("close 4000 enough").await;
    assert_eq!(sent_away.ended().await.code, 4000);
    news_of(&mut watcher, 1).await;
    let found = list(&mut watcher).await;
    assert_eq!(
        (names(&found["sessions"]), &found["count"]),
        (vec!["watcher"], &json!(1))
    );
}

#[tokio::test]
async fn presence_outlives_isolates_and_moves_with_its_session() {
    // Each batch has an isolate of its own.
    let server = server(json!({ "ttl": 0 })).await;
    let mut ada = member(&server, "ada").await;
    assert_eq!(names(&list(&mut ada).await["sessions"]), ["ada"]);
    let next = Bundle::component(kitchen()).manifest(json!({}));
    server.apps().publish("kitchen/1.1.0", &next);
    loop {
        // News of its own coming may stand before it.
        if ada.hear().await == "resumed from 1.0.0" {
            break;
        }
    }
    let before = list(&mut ada).await;
    assert_eq!(names(&before["sessions"]), ["ada"]);
    let mut bob = member(&server, "bob").await;
    let news = news_of(&mut ada, 2).await;
    assert_eq!(names(&news["joined"]).last(), Some(&"bob"));
    let after = list(&mut bob).await;
    assert_eq!(names(&after["sessions"]), ["ada", "bob"]);
    assert!(after["version"].as_u64() > before["version"].as_u64());
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused() {
    let server = server(json!({})).await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    ws.say(format!("here room {}", "x".repeat(1_025))).await;
    assert_eq!(ws.closed().await, 1011, "the kitchen gives the error back");
}
