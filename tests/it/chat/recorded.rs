//! The session that was recorded with the first server, replayed frame by frame.
//!
//! Recorded are two of its clients, who log in, make, join, switch and leave rooms, type, look back, go away and run into
//! the limit. A frame that comes and is not in the recording fails the next step.

use std::collections::BTreeMap;

use rookery_tests::{Server, Ws};
use serde_json::{Value, json};

use super::stage::server;

const RECORDED: &str = include_str!("../../fixtures/chat/recorded.txt");

/// The keys of a frame, in their order.
const OF_THE_FIRST: [&str; 5] = ["type", "channel", "payload", "messageId", "metadata"];
/// What the next version puts behind them. The first one's clients do not look there.
const OF_THE_NEXT: &[&str] = &["position", "statuses"];

/// The clients of the recording.
struct Stage<'a> {
    server: &'a Server,
    path: String,
    beside: &'static [&'static str],
    people: BTreeMap<&'static str, Ws>,
    /// The newest time that a message had.
    newest: u64,
}

impl Stage<'_> {
    async fn step(&mut self, who: &'static str, step: &'static str) {
        match step.split_once(' ').unwrap_or((step, "")) {
            ("connects", _) => {
                let ws = Ws::open(self.server, &self.path).await;
                self.people.insert(who, ws);
            }
            ("goes", "away") => self.people.remove(who).unwrap().close(1001, "").await,
            (">", request) => self.ask(who, request).await,
            ("<", expected) => {
                let frame = self.people.get_mut(who).unwrap().hear().await;
                assert_eq!(self.normal(&frame), expected);
            }
            (kind, channel) => {
                let frame = json!({"type": kind, "channel": channel});
                self.people.get_mut(who).unwrap().say_json(frame).await;
            }
        }
    }

    async fn ask(&mut self, who: &str, request: &str) {
        let (channel, payload) = request.split_once(' ').unwrap();
        let payload = payload.replace("\"TIME\"", &self.newest.to_string());
        let payload: Value = serde_json::from_str(&payload).unwrap();
        let frame = json!({
            "type": "publish", "channel": channel, "payload": payload,
            "messageId": "1795219688540-2w2oqpkb5", "metadata": {"eventName": channel},
        });
        self.people.get_mut(who).unwrap().say_json(frame).await;
    }

    /// A frame as the recording has it, after a look at its envelope.
    fn normal(&mut self, frame: &str) -> String {
        let Value::Object(mut envelope) = serde_json::from_str(frame).unwrap() else {
            panic!("a frame is an object: {frame}");
        };
        let keys: Vec<&str> = envelope.keys().map(String::as_str).collect();
        let (of_the_first, beside) = keys.split_at(OF_THE_FIRST.len());
        assert_eq!(of_the_first, OF_THE_FIRST);
        assert!(
            beside.iter().all(|key| self.beside.contains(key)),
            "{beside:?}"
        );
        assert_eq!(envelope["type"], "message");
        assert_eq!(
            envelope["metadata"],
            json!({"eventName": envelope["channel"]})
        );
        assert!(is_id(envelope["messageId"].as_str().unwrap()), "{frame}");
        let mut payload = envelope["payload"].take();
        if let (Some(id), Some(time)) = (payload["id"].as_str(), payload["timestamp"].as_u64()) {
            assert_eq!(id.split_once('-').unwrap().0, time.to_string());
            self.newest = time;
        }
        hide(&mut payload);
        format!("{} {payload}", envelope["channel"].as_str().unwrap())
    }
}

/// Ids and times are not the recorded ones.
fn hide(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Object(fields) => fields.values_mut().for_each(hide),
        Value::String(text) if is_id(text) => *value = "ID".into(),
        Value::Number(number) if number.as_u64() > Some(1_000_000_000_000) => {
            *value = "TIME".into()
        }
        _ => {}
    }
}

fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(time, tail)| {
        time.len() == 13
            && time.bytes().all(|byte| byte.is_ascii_digit())
            && (1..=9).contains(&tail.len())
            && tail
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    })
}

#[tokio::test]
async fn the_recorded_session_is_answered_frame_by_frame() {
    let server = server().await;
    assert!(replay(&server, "1.0.0", &[]).await > 100);
}

#[tokio::test]
async fn clients_of_the_first_protocol_notice_nothing_of_what_the_second_version_adds() {
    let server = server().await;
    assert!(replay(&server, "1.1.0", OF_THE_NEXT).await > 100);
}

/// Every step of the recording, at a server that nobody spoke to before: how many there were.
async fn replay(server: &Server, version: &str, beside: &'static [&'static str]) -> usize {
    let mut stage = Stage {
        server,
        path: format!("/chat@{version}/ws?token=demo-token"),
        beside,
        people: BTreeMap::new(),
        newest: 0,
    };
    let steps = RECORDED
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut count = 0;
    for line in steps {
        let (who, step) = line.split_once(' ').unwrap();
        stage.step(who, step).await;
        count += 1;
    }
    // Nothing else came: the next frame is the answer to this.
    stage.ask("Alice", "room.list {}").await;
    let frame = stage.people.get_mut("Alice").unwrap().hear_json().await;
    assert_eq!(frame["channel"], "room.list");
    count
}
