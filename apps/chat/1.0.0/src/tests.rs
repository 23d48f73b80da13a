//! Claims about chat 1.0: two clients, and what the host does to them.

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

/// Recovery goes ten seconds back: what is stamped is told within that time, or never.
#[test]
fn no_invocation_runs_for_longer_than_recovery_goes_back() {
    let manifest: Value = serde_json::from_str(include_str!("../worker.config.json")).unwrap();
    assert_eq!(manifest["timeout"], 10);
}

#[test]
fn it_says_which_version_it_is() {
    let answer = Host::new(app()).request(Request::get("/version"));
    assert_eq!(answer.text(), r#"{"app":"chat","version":"1.0.0"}"#);
}

#[test]
fn two_clients_chat() {
    let host = Host::new(app());
    let (ada, bob) = (host.open("/ws"), host.open("/ws"));
    for (client, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        ask(
            client,
            "room.join",
            json!({"roomId": "general", "username": name}),
        );
    }
    assert_eq!(only(&bob, "room.joined")["users"], json!(["Ada", "Bob"]));
    ada.frames();
    ask(
        &ada,
        "message.send",
        json!({"roomId": "general", "text": "hi"}),
    );
    assert_eq!(ada.frames(), bob.frames());
}

#[test]
fn who_comes_late_is_shown_the_past() {
    let host = Host::new(app());
    let ada = host.open("/ws");
    ask(&ada, "room.join", json!({"roomId": "r", "username": "Ada"}));
    ask(
        &ada,
        "message.send",
        json!({"roomId": "r", "text": "early"}),
    );
    let bob = host.open("/ws");
    ask(&bob, "room.join", json!({"roomId": "r", "username": "Bob"}));
    let joined = only(&bob, "room.joined");
    assert_eq!(joined["recentMessages"][0]["text"], "early");
    ask(&bob, "message.history", json!({"roomId": "r"}));
    assert_eq!(
        only(&bob, "message.history")["messages"],
        joined["recentMessages"]
    );
}

#[test]
fn a_request_with_a_name_is_answered_as_any_other() {
    let host = Host::new(app());
    let ada = host.open("/ws");
    for payload in [json!({"username": "Ada"}), json!({})] {
        let frame = json!({"type": "publish", "channel": "auth.login", "payload": payload, "requestId": "1"});
        ada.text(&frame.to_string());
    }
    let frames: Vec<Value> = ada.json();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].get("requestId"), None);
}
