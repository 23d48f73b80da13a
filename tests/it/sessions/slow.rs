//! Clients that do not read as fast as their topics speak, and what may be left out for them.

use rookery_tests::{Apps, Bundle, Server, Ws, kitchen, until};
use serde_json::{Value, json};

const MESSAGE_BYTES: usize = 16 * 1024;

async fn server() -> Server {
    let sessions = json!({
        "outbox": "256kb", "maxMessageSize": "64kb", "dropOldest": ["cursor.*"]
    });
    let bundle = Bundle::component(kitchen()).manifest(json!({ "sessions": sessions }));
    Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await
}

async fn member(server: &Server, topic: &str) -> Ws {
    let mut ws = Ws::open(server, "/kitchen/ws").await;
    assert_eq!(
        ws.ask(&format!("join {topic}")).await,
        format!("joined {topic}")
    );
    ws
}

/// Lets somebody speak until something was counted; the quick one hears every word. Gives how many there were.
async fn speak_until(
    server: &Server,
    quick: &mut Ws,
    counted: &str,
    say: impl Fn(u64) -> String,
) -> u64 {
    let mut speaker = Ws::open(server, "/kitchen/ws").await;
    let mut sent = 0;
    until(counted, async || {
        speaker.say(say(sent)).await;
        assert_eq!(number(&quick.hear().await), sent);
        sent += 1;
        let hub = hub(server).await;
        (hub[counted].as_u64().unwrap() > 0).then_some(())
    })
    .await;
    sent
}

async fn hub(server: &Server) -> Value {
    server.get("/_/stats").await.json()["hub"].clone()
}

/// What a message begins with.
fn number(message: &str) -> u64 {
    message.split(' ').next().unwrap().parse().unwrap()
}

/// Everything that the slow one is still given, up to and with the last message.
async fn catch_up(slow: &mut Ws, last: u64) -> Vec<u64> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        heard.push(number(&slow.hear().await));
    }
    heard
}

#[tokio::test]
async fn a_topic_that_may_loses_its_oldest_for_the_slow_one_alone() {
    let server = server().await;
    let (mut slow, mut quick) = (
        member(&server, "cursor.1").await,
        member(&server, "cursor.1").await,
    );
    let text = "x".repeat(MESSAGE_BYTES);
    let sent = speak_until(&server, &mut quick, "dropped", |number| {
        format!("say cursor.1 {number} {text}")
    })
    .await;
    let heard = catch_up(&mut slow, sent - 1).await;
    assert!(heard.is_sorted());
    let dropped = hub(&server).await["dropped"].as_u64().unwrap();
    assert_eq!(
        sent - heard.len() as u64,
        dropped,
        "each that is missing was counted"
    );
    assert_eq!(slow.ask("echo still here").await, "still here");
}

#[tokio::test]
async fn of_what_has_a_key_the_slow_one_hears_the_last() {
    let server = server().await;
    let (mut slow, mut quick) = (
        member(&server, "prices").await,
        member(&server, "prices").await,
    );
    let text = "x".repeat(MESSAGE_BYTES);
    let sent = speak_until(&server, &mut quick, "conflated", |number| {
        format!("latest prices key{} {number} {text}", number % 3)
    })
    .await;
    let heard = catch_up(&mut slow, sent - 1).await;
    assert!(heard.is_sorted());
    assert_eq!(heard[heard.len() - 3..], [sent - 3, sent - 2, sent - 1]);
    let hub = hub(&server).await;
    let conflated = hub["conflated"].as_u64().unwrap();
    assert_eq!(sent - heard.len() as u64, conflated);
    assert_eq!(
        (&hub["dropped"], &hub["slowClosed"]),
        (&json!(0), &json!(0))
    );
    let metrics = server.get("/_/metrics.prom").await;
    let metrics = metrics.text();
    let line = format!("rookery_conflated_total {conflated}");
    assert!(metrics.lines().any(|other| other == line), "{metrics}");
}

/// What is not marked still closes whoever has no room for it, with the code that says to come back.
#[tokio::test]
async fn what_must_not_be_lost_closes_the_slow_one() {
    let server = server().await;
    let (mut slow, mut quick) = (member(&server, "talk").await, member(&server, "talk").await);
    let text = "x".repeat(MESSAGE_BYTES);
    speak_until(&server, &mut quick, "slowClosed", |number| {
        format!("say talk {number} {text}")
    })
    .await;
    assert_eq!(slow.ended().await.code, 3001);
    let hub = hub(&server).await;
    assert_eq!((&hub["dropped"], &hub["conflated"]), (&json!(0), &json!(0)));
}
