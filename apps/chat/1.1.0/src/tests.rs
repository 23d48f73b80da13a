//! Claims about chat 1.1: its history, and what it tells who names a request.

#![allow(clippy::unwrap_used)]

use rookery_sdk::testing::{Client, Host, Request};
use serde_json::{Value, json};

use super::*;

fn ask(client: &Client, channel: &str, payload: Value) {
    client.text(&json!({"type": "publish", "channel": channel, "payload": payload}).to_string());
}

/// The payload of the one frame of this channel among those that came.
fn only(client: &Client, channel: &str) -> Value {
    let frames: Vec<Value> = client.json();
    let mut matching = frames
        .into_iter()
        .filter(|frame| frame["channel"] == channel);
    let frame = matching.next().unwrap();
    assert_eq!(matching.next(), None);
    frame["payload"].clone()
}

fn texts(messages: &Value) -> Vec<String> {
    let texts = messages
        .as_array()
        .unwrap()
        .iter()
        .map(|said| &said["text"]);
    texts
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// A room in which 120 messages were said, by as many people as the rate limit makes necessary.
fn a_room_with_a_past() -> Host {
    let host = Host::new(app());
    let keeper = host.open("/ws");
    ask(
        &keeper,
        "room.join",
        json!({"roomId": "r", "username": "Keeper"}),
    );
    for first in (0..120).step_by(20) {
        let speaker = host.open("/ws");
        ask(
            &speaker,
            "room.join",
            json!({"roomId": "r", "username": "Speaker"}),
        );
        for number in first..first + 20 {
            ask(
                &speaker,
                "message.send",
                json!({"roomId": "r", "text": number.to_string()}),
            );
        }
        speaker.close(1000, "");
    }
    host
}

/// Recovery goes ten seconds back: what is stamped is told within that time, or never.
#[test]
fn no_invocation_runs_for_longer_than_recovery_goes_back() {
    let manifest: Value = serde_json::from_str(include_str!("../worker.config.json")).unwrap();
    assert_eq!(manifest["timeout"], 10);
}

#[test]
fn it_says_which_version_it_is() {
    let answer = Host::new(app()).request(Request::get("/version"));
    assert_eq!(answer.text(), r#"{"app":"chat","version":"1.1.0"}"#);
}

#[test]
fn who_comes_late_is_shown_the_last_fifty() {
    let host = a_room_with_a_past();
    let bob = host.open("/ws");
    ask(&bob, "room.join", json!({"roomId": "r", "username": "Bob"}));
    let joined = only(&bob, "room.joined");
    assert_eq!(joined["users"], json!(["Keeper", "Bob"]));
    assert_eq!(texts(&joined["recentMessages"]), numbers(70..120));
}

#[test]
fn the_past_is_read_page_by_page_without_a_loss() {
    let host = a_room_with_a_past();
    let bob = host.open("/ws");
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let payload = match before {
            None => json!({"roomId": "r", "limit": 50}),
            Some(before) => json!({"roomId": "r", "limit": 50, "before": before}),
        };
        ask(&bob, "message.history", payload);
        let page = only(&bob, "message.history");
        all.splice(0..0, texts(&page["messages"]));
        before = page["messages"][0]["timestamp"].as_u64();
        if page["hasMore"] == false {
            break;
        }
    }
    assert_eq!(all, numbers(0..120));
}

#[test]
fn a_named_request_is_answered_by_its_name_and_to_nobody_else() {
    let host = Host::new(app());
    let (ada, bob) = (host.open("/ws"), host.open("/ws"));
    for (client, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        ask(
            client,
            "room.join",
            json!({"roomId": "r", "username": name}),
        );
    }
    ada.frames();
    bob.frames();
    let named = |channel: &str, payload: Value| {
        json!({"type": "publish", "channel": channel, "payload": payload, "requestId": "q-1"})
            .to_string()
    };
    ada.text(&named("room.list", json!({})));
    ada.text(&named("presence.update", json!({"status": "dnd"})));
    let answers: Vec<Value> = ada.json();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["requestId"], "q-1");
    let told: Vec<Value> = bob.json();
    assert_eq!(told[0].get("requestId"), None);
    // One frame for the whole room: the speaker knows the words as her own by the name.
    ada.text(&named("message.send", json!({"roomId": "r", "text": "hi"})));
    let (hers, his) = (ada.frames(), bob.frames());
    assert_eq!(hers, his);
    assert!(hers[0].contains(r#","requestId":"q-1""#), "{}", hers[0]);
    // Without a name nothing is echoed.
    ask(&ada, "room.list", json!({}));
    assert_eq!(ada.json::<Value>()[0].get("requestId"), None);
}

#[test]
fn an_invalid_request_is_told_to_who_named_it_only() {
    let host = Host::new(app());
    let ada = host.open("/ws");
    ask(&ada, "auth.login", json!({}));
    assert!(ada.frames().is_empty());
    for channel in ["auth.login", "no.such"] {
        let frame = json!({"type": "publish", "channel": channel, "payload": {}, "requestId": "7"});
        ada.text(&frame.to_string());
        let told: Vec<Value> = ada.json();
        assert_eq!(told[0]["channel"], "error");
        assert_eq!(told[0]["payload"]["code"], "VALIDATION_ERROR");
        assert_eq!(told[0]["requestId"], "7");
    }
}
