//! What the host keeps for a session, so that any isolate can go on with it.

use rookery_tests::{Apps, Bundle, Server, Ws, kitchen};
use serde_json::{Value, json};
use tokio::time::Instant;

async fn session(manifest: Value) -> (Server, Ws) {
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    let ws = Ws::open(&server, "/kitchen/ws").await;
    (server, ws)
}

#[tokio::test]
async fn an_attachment_survives_its_isolate() {
    let (_server, mut ws) = session(json!({ "ttl": 0 })).await;
    // The guest's own memory does not: each of these is the first message of an isolate.
    assert_eq!(ws.ask("count").await, "1");
    assert_eq!(ws.ask("count").await, "1");
    assert_eq!(ws.ask("attachment").await, "");
    assert_eq!(ws.ask("attach what to remember").await, "attached");
    assert_eq!(ws.ask("attachment").await, "what to remember");
    assert_eq!(ws.ask("attach something else").await, "attached");
    assert_eq!(ws.ask("attachment").await, "something else");
}

#[tokio::test]
async fn an_attachment_is_its_sessions_own() {
    let (server, mut ada) = session(json!({})).await;
    let mut bob = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(ada.ask("attach of ada").await, "attached");
    assert_eq!(bob.ask("attachment").await, "");
    assert_eq!(bob.ask("attach of bob").await, "attached");
    assert_eq!(ada.ask("attachment").await, "of ada");
}

/// Within one batch the guest itself remembers what it changed: messages sent at once see the change before them.
#[tokio::test]
async fn an_attachment_is_seen_by_the_message_behind_it() {
    let (_server, mut ws) = session(json!({})).await;
    for number in 0..20 {
        ws.say(format!("attach {number}")).await;
        ws.say("attachment").await;
    }
    for number in 0..20 {
        assert_eq!(ws.hear().await, "attached");
        assert_eq!(ws.hear().await, number.to_string());
    }
}

#[tokio::test]
async fn timers_run_out_in_their_order_and_not_early() {
    let (_server, mut ws) = session(json!({})).await;
    let begun = Instant::now();
    ws.say("timer late 300").await;
    ws.say("timer soon 100").await;
    assert_eq!(ws.hear().await, "timer soon");
    assert!(begun.elapsed().as_millis() >= 100, "{:?}", begun.elapsed());
    assert_eq!(ws.hear().await, "timer late");
    assert!(begun.elapsed().as_millis() >= 300, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_timer_is_replaced_by_one_of_its_name_and_taken_back() {
    let (_server, mut ws) = session(json!({})).await;
    ws.say("timer replaced 600000").await;
    ws.say("timer replaced 50").await;
    ws.say("timer cancelled 100").await;
    ws.say("cancel cancelled").await;
    ws.say("timer last 300").await;
    assert_eq!(ws.hear().await, "timer replaced");
    assert_eq!(ws.hear().await, "timer last");
}

#[tokio::test]
async fn the_host_answers_what_it_was_told_to_answer() {
    let (server, mut ws) = session(json!({})).await;
    assert_eq!(ws.ask("auto ping pong").await, "set");
    let misses = async || server.get("/_/metrics").await.json()["totalRequests"].clone();
    let before = misses().await;
    for _ in 0..10 {
        assert_eq!(ws.ask("ping").await, "pong");
    }
    assert_eq!(misses().await, before, "the guest was asked");
    assert_eq!(ws.ask("pings").await, "unknown: pings");
}
