//! Topics: who is subscribed hears everything, in order, and nobody else does.

use std::collections::HashMap;

use rookery_tests::{Apps, Bundle, Server, Ws, kitchen, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const SESSIONS: usize = 200;
const SPEAKERS: usize = 10;
const MESSAGES_EACH: usize = 20;

async fn server(manifest: Value) -> Server {
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    let apps = Apps::new()
        .with("kitchen/1.0.0", bundle.clone())
        .with("kitchen/2.0.0", bundle);
    Server::start(apps).await
}

async fn member(server: &Server, room: &str) -> Ws {
    let mut ws = Ws::open(server, "/kitchen@1/ws").await;
    assert_eq!(
        ws.ask(&format!("join {room}")).await,
        format!("joined {room}")
    );
    ws
}

/// Everything that is said in the room, as one of its members hears it.
async fn hear_all(mut ws: Ws, messages: usize) -> Vec<String> {
    let mut heard = Vec::with_capacity(messages);
    for _ in 0..messages {
        heard.push(ws.hear().await);
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_200_sessions_hears_every_message_in_order() {
    let server = server(json!({})).await;
    let mut members = Vec::new();
    for _ in 0..SESSIONS {
        members.push(member(&server, "room").await);
    }
    let mut listening = JoinSet::new();
    for ws in members {
        listening.spawn(hear_all(ws, SPEAKERS * MESSAGES_EACH));
    }
    let mut speaking = JoinSet::new();
    for speaker in 0..SPEAKERS {
        let mut ws = Ws::open(&server, "/kitchen@1/ws").await;
        speaking.spawn(async move {
            for number in 0..MESSAGES_EACH {
                ws.say(format!("say room {speaker} {number}")).await;
            }
            // It stays until it knows that all of it was taken.
            assert_eq!(ws.ask("echo done").await, "done");
        });
    }
    speaking.join_all().await;
    let heard = listening.join_all().await;
    assert_eq!(heard.len(), SESSIONS);
    for one in &heard {
        assert_eq!(one, &heard[0], "two members heard two orders");
    }
    let mut next: HashMap<&str, usize> = HashMap::new();
    for message in &heard[0] {
        let (speaker, number) = message.split_once(' ').unwrap();
        let next = next.entry(speaker).or_default();
        assert_eq!(number.parse(), Ok(*next), "speaker {speaker}");
        *next += 1;
    }
    assert!(next.len() == SPEAKERS && next.values().all(|count| *count == MESSAGES_EACH));
}

#[tokio::test]
async fn a_message_for_the_others_does_not_come_back() {
    let server = server(json!({})).await;
    let (mut ada, mut bob) = (member(&server, "room").await, member(&server, "room").await);
    ada.say("others room only bob").await;
    assert_eq!(bob.hear().await, "only bob");
    ada.say("say room both").await;
    assert_eq!(ada.hear().await, "both");
    assert_eq!(bob.hear().await, "both");
}

#[tokio::test]
async fn who_left_a_room_hears_nothing_of_it() {
    let server = server(json!({})).await;
    let (mut ada, mut bob) = (member(&server, "room").await, member(&server, "room").await);
    assert_eq!(bob.ask("leave room").await, "left room");
    assert_eq!(ada.ask("say room alone").await, "alone");
    assert_eq!(
        bob.ask("echo nothing before this").await,
        "nothing before this"
    );
}

/// Semver is the data contract: versions of another major are strangers, whatever their topics are called.
#[tokio::test]
async fn a_room_of_another_major_version_is_another_room() {
    let server = server(json!({})).await;
    let mut one = member(&server, "room").await;
    let mut two = Ws::open(&server, "/kitchen@2/ws").await;
    assert_eq!(two.ask("join room").await, "joined room");
    assert_eq!(two.ask("say room of two").await, "of two");
    assert_eq!(one.ask("say room of one").await, "of one");
}

/// The slow one takes nothing until it was closed; its neighbour takes everything meanwhile.
#[tokio::test]
async fn a_client_that_does_not_keep_up_is_closed_and_the_others_miss_nothing() {
    const MESSAGE_BYTES: usize = 64 * 1024;
    let server = server(json!({ "sessions": { "outbox": "256kb" } })).await;
    let (mut slow, mut quick) = (member(&server, "room").await, member(&server, "room").await);
    let mut speaker = Ws::open(&server, "/kitchen@1/ws").await;
    let text = "x".repeat(MESSAGE_BYTES);
    let mut sent = 0_u32;
    until("the slow one is seen to be slow", async || {
        speaker.say(format!("say room {sent} {text}")).await;
        assert_eq!(quick.hear().await, format!("{sent} {text}"));
        sent += 1;
        let stats = server.get("/_/stats").await.json();
        (stats["hub"]["slowClosed"].as_u64().unwrap() > 0).then_some(())
    })
    .await;
    let closed = slow.ended().await;
    assert_eq!(
        (closed.code, closed.reason.as_str()),
        (3001, "slow consumer")
    );
    speaker.say("say room and on").await;
    assert_eq!(quick.hear().await, "and on");
}
