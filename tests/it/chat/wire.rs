//! What the chat promises of a connection: how much a frame may hold, and how long one may be silent.

use std::time::Duration;

use rookery_tests::{Apps, Bundle, Frame, RawSession, Server, Ws, build_bundles};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use super::stage::{Plain, server};

const FRAME_BYTES_MAX: usize = 16 << 20;
const PING: u8 = 0x89;

#[tokio::test]
async fn a_frame_of_16_mib_is_taken_and_a_longer_one_closes_with_1009() {
    let server = server().await;
    for app in ["chat@1.0.0", "chat@1.1.0"] {
        let mut bob = Plain::join(&server, "Bob", app).await;
        let mut ws = Ws::open(&server, &format!("/{app}/ws")).await;
        // No JSON, so dropped without an answer; what comes behind it is answered.
        ws.say("x".repeat(FRAME_BYTES_MAX)).await;
        ws.say_json(json!({"type": "publish", "channel": "room.list", "payload": {}}))
            .await;
        assert_eq!(ws.hear_json().await["channel"], "room.list");
        // It may be closed before all of it is written.
        ws.try_say("x".repeat(FRAME_BYTES_MAX + 1)).await;
        assert_eq!(ws.ended().await.code, 1009, "{app}");
        bob.say(app, "nobody else noticed").await;
    }
}

/// The chat's own idle timeout is two minutes, as the first server's. Here it is a second.
#[tokio::test]
async fn who_answers_no_ping_is_let_go_and_leaves_the_room() {
    let chat = build_bundles("apps/chat").join("1.1.0");
    let manifest = std::fs::read_to_string(chat.join("worker.config.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert!(
        manifest["sessions"]["idleTimeout"].is_null(),
        "two minutes are the default"
    );
    manifest["sessions"]["idleTimeout"] = json!("1s");
    let bundle = Bundle::of_folder(&chat).manifest(manifest);
    let server = Server::start(Apps::new().with("chat/1.1.0", bundle)).await;
    let mut bob = Ws::open(&server, "/chat/ws").await;
    bob.say_json(join("Bob")).await;
    while bob.hear_json().await["channel"] != "room.joined" {}
    // The library answers the pings as long as he listens.
    let hear_of_ada = async {
        let told = ["room.userJoined", "room.userLeft"];
        let mut heard = Vec::new();
        while heard.len() < told.len() {
            if let Message::Text(frame) = bob.next().await {
                let frame: Value = serde_json::from_str(&frame).unwrap();
                let is_told = told.iter().any(|channel| frame["channel"] == *channel);
                heard.extend(is_told.then(|| frame["payload"]["username"].clone()));
            }
        }
        assert_eq!(heard, ["Ada", "Ada"]);
    };
    let be_silent = async {
        let mut ada = RawSession::open(&server, "/chat/ws").await;
        ada.send(Frame::whole(1, join("Ada").to_string())).await;
        while ada.next().await.unwrap().0 != PING {}
        assert_eq!(ada.close_code().await, 3002);
    };
    tokio::join!(hear_of_ada, be_silent);
}

fn join(name: &str) -> Value {
    let payload = json!({"roomId": "r", "username": name});
    json!({"type": "publish", "channel": "room.join", "payload": payload})
}

#[tokio::test]
#[ignore = "takes five minutes"]
async fn who_does_nothing_for_five_minutes_is_away_and_who_talks_is_not() {
    let server = server().await;
    let mut ada = Plain::join(&server, "Ada", "r").await;
    let mut bob = Plain::join(&server, "Bob", "r").await;
    let begun = Instant::now();
    let talk = async {
        for round in 0..6 {
            bob.say("r", &format!("round {round}")).await;
            sleep(Duration::from_secs(50)).await;
        }
        // Nothing else is waited for here: that would pass over the news.
        assert_eq!(bob.presence_of("Ada").await, "away");
        let waited = begun.elapsed().as_secs();
        assert!((295..=335).contains(&waited), "{waited} s");
        bob.be("dnd").await;
    };
    let listen = async {
        // She heard him all the time, and never that he was away.
        assert_eq!(ada.presence_of("Bob").await, "dnd");
    };
    tokio::join!(talk, listen);
}
