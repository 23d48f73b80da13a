//! Claims about clients that ask for more than there is.

use rookery_sdk::kv::{self, KvError};
use serde_json::json;

use super::*;

fn ask(client: &Client, channel: &str, payload: &Value) {
    client.text(&json!({"type": "publish", "channel": channel, "payload": payload}).to_string());
}

fn join(client: &Client, name: &str) {
    ask(
        client,
        "room.join",
        &json!({"roomId": "r", "username": name}),
    );
}

fn say(client: &Client) {
    ask(
        client,
        "message.send",
        &json!({"roomId": "r", "text": "hi"}),
    );
}

/// Channels and codes of what came.
fn told(client: &Client) -> Vec<String> {
    let frames: Vec<Value> = client.json();
    let name = |frame: &Value| match frame["payload"]["code"].as_str() {
        Some(code) => code.to_owned(),
        None => frame["channel"].as_str().unwrap().to_owned(),
    };
    frames.iter().map(name).collect()
}

fn fill(host: &Host) {
    host.run(|| {
        let bucket = kv::bucket().unwrap();
        let mut bytes = 1024 * 1024;
        let mut key = 0;
        while bytes > 0 {
            match bucket.set(&format!("f{key:03}"), &vec![0; bytes]) {
                Ok(()) => key += 1,
                Err(KvError::Full) => bytes /= 2,
                Err(error) => panic!("{error}"),
            }
        }
    });
}

#[test]
fn who_asks_for_what_cannot_be_kept_is_told_and_stays_connected() {
    for extras in [Extras::None, Extras::Offered] {
        let host = host(extras);
        let (ada, bob) = (host.open("/ws"), host.open("/ws"));
        join(&ada, "Ada");
        drop(ada.frames());
        fill(&host);
        say(&ada);
        assert_eq!(told(&ada), ["NOT_KEPT"]);
        join(&bob, "Bob");
        assert_eq!(told(&bob), ["auth.success", "NOT_KEPT"]);
        say(&bob);
        assert_eq!(told(&bob), ["NOT_IN_ROOM"], "he took no place");
        assert!(told(&ada).is_empty(), "nobody came");
        host.run(|| kv::bucket().unwrap().delete("f000").unwrap());
        say(&ada);
        assert_eq!(told(&ada), ["message.received"]);
        join(&bob, "Bob");
        let joined = told(&bob);
        assert!(joined.contains(&"room.joined".to_owned()), "{joined:?}");
    }
}

#[test]
fn nonsense_takes_a_token_as_well() {
    let host = host(Extras::Offered);
    let ada = host.open("/ws");
    for _ in 0..100 {
        ada.text("hello");
    }
    ask(&ada, "room.list", &json!({}));
    assert!(told(&ada).is_empty());
    host.advance(Duration::from_millis(100));
    ask(&ada, "room.list", &json!({}));
    assert_eq!(told(&ada), ["room.list"]);
}

#[test]
fn a_frame_that_is_longer_than_any_request_is_not_looked_at() {
    for extras in [Extras::None, Extras::Offered] {
        let host = host(extras);
        let ada = host.open("/ws");
        let padded = |bytes: usize| {
            let request = request("room.list {}");
            request.replace("{}", &format!(r#"{{"padding":"{}"}}"#, "x".repeat(bytes)))
        };
        ada.text(&padded(60 * 1024));
        assert_eq!(told(&ada), ["room.list"]);
        ada.text(&padded(64 * 1024));
        assert!(told(&ada).is_empty());
    }
}
