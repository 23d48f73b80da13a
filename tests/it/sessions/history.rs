//! What a topic keeps is told to whoever asks since a position, or that there is a gap: whatever became of the worker, or of
//! the version, that kept it.

use rookery_tests::{Apps, Bundle, Server, Ws, kitchen};
use serde_json::{Value, json};

fn bundle(ttl: u32) -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": ttl }))
}

/// What came after a position, as the guest was told.
async fn recover(ws: &mut Ws, since: &str, most: u32) -> Value {
    let told = ws.ask(&format!("recover room {since} {most}")).await;
    serde_json::from_str(&told).unwrap_or(Value::String(told))
}

/// The position that comes so many messages after this one.
fn after(position: &str, messages: i64) -> String {
    let (epoch, offset) = position.split_once(' ').unwrap();
    format!("{epoch} {}", offset.parse::<i64>().unwrap() + messages)
}

#[tokio::test]
async fn what_a_topic_kept_outlives_its_workers_and_its_version() {
    // One worker for each batch of events, and the next version's stay.
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle(0))).await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    let first = ws.ask("keep room one").await;
    assert_eq!(ws.ask("keep room two").await, after(&first, 1));
    let mut poison = Ws::open(&server, "/kitchen/ws").await;
    poison.say("trap").await;
    assert_eq!(poison.ended().await.code, 1011);
    server.apps().publish("kitchen/1.1.0", &bundle(60));
    assert_eq!(ws.hear().await, "resumed from 1.0.0");
    assert_eq!(ws.ask("keep room three").await, after(&first, 2));
    let (two, three) = (json!([2, "two"]), json!([3, "three"]));
    assert_eq!(
        recover(&mut ws, &first, 100).await,
        json!({"messages": [two, three], "at": 3, "more": false})
    );
    // Page by page, and from where one is there is nothing more.
    assert_eq!(
        recover(&mut ws, &first, 1).await,
        json!({"messages": [two], "at": 2, "more": true})
    );
    assert_eq!(
        recover(&mut ws, &after(&first, 2), 1).await,
        json!({"messages": [], "at": 3, "more": false})
    );
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_a_gap_and_never_a_part() {
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle(0))).await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    let first = ws.ask("keep room one").await;
    for text in ["two", "three", "four", "five"] {
        ws.ask(&format!("keep room {text}")).await;
    }
    // Three are kept: the third is the first of them.
    let kept = recover(&mut ws, &after(&first, 1), 100).await;
    assert_eq!(
        kept["messages"],
        json!([[3, "three"], [4, "four"], [5, "five"]])
    );
    assert_eq!(recover(&mut ws, &first, 100).await, "gap: Dropped");
    let (epoch, _) = first.split_once(' ').unwrap();
    let other = format!("{} 1", epoch.parse::<u64>().unwrap() + 1);
    assert_eq!(recover(&mut ws, &other, 100).await, "gap: Epoch");
    assert_eq!(recover(&mut ws, &after(&first, 5), 100).await, "gap: Epoch");
    // Said without being kept: what comes after it is not the whole.
    let mut listener = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(listener.ask("join room").await, "joined room");
    ws.say("say room in passing").await;
    assert_eq!(listener.hear().await, "in passing");
    assert_eq!(
        recover(&mut ws, &after(&first, 3), 100).await,
        "gap: Dropped"
    );
}

#[tokio::test]
async fn a_server_that_was_killed_says_that_there_is_a_gap() {
    let apps = || Apps::new().with("kitchen/1.0.0", bundle(60));
    let mut server = Server::start(apps()).await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    let first = ws.ask("keep room one").await;
    server.signal("KILL");
    server.exited().await;
    let again = Server::start(apps()).await;
    let mut ws = Ws::open(&again, "/kitchen/ws").await;
    assert_eq!(recover(&mut ws, &first, 100).await, "gap: Epoch");
    // A message of the new run does not make the old position one of its own.
    assert_ne!(ws.ask("keep room other").await, first);
    assert_eq!(recover(&mut ws, &first, 100).await, "gap: Epoch");
}
