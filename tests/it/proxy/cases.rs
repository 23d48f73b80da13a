//! The table of cases, over real sockets: once as requests and once as handshakes of WebSockets.

use std::collections::BTreeMap;

use rookery_tests::{Apps, Bundle, Options, Raw, Server, repository};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::stage::{Seen, record, upstream};
use super::tls;

/// What every client here sends as its `Host`.
const CLIENT: &str = "client.test";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Ws,
}

/// The upstreams that placeholders stand for.
struct Upstreams {
    places: [(&'static str, String); 4],
    told: mpsc::UnboundedReceiver<Seen>,
}

impl Upstreams {
    async fn start() -> Upstreams {
        let (tell, told) = mpsc::unbounded_channel();
        let recorder = |by: &'static str| {
            let tell = tell.clone();
            upstream(move |connection| record(by, connection, tell.clone()))
        };
        let (a, b) = (recorder("{a}").await, recorder("{b}").await);
        let secret = tls::upstream(&[], move |connection| {
            record("{tls}", connection, tell.clone())
        })
        .await;
        Upstreams {
            places: [
                ("{a}", a.to_string()),
                ("{b}", b.to_string()),
                ("{tls}", format!("localhost:{}", secret.port())),
                ("{client}", CLIENT.to_owned()),
            ],
            told,
        }
    }

    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (place, address) in &self.places {
            text = text.replace(place, address);
        }
        text
    }

    /// Which of them has this origin.
    fn at(&self, origin: &str) -> &'static str {
        let (_, authority) = origin.split_once("://").unwrap();
        let found = self.places.iter().find(|(place, _)| *place == authority);
        found
            .unwrap_or_else(|| panic!("{origin} names no upstream"))
            .0
    }
}

fn sets() -> Vec<Value> {
    let path = repository().join("tests/fixtures/proxy/cases.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["sets"].as_array().unwrap().clone()
}

fn variables(set: &Value) -> Map<String, Value> {
    set["env"].as_object().cloned().unwrap_or_default()
}

/// Sets that agree about the environment, so that they can share a server.
fn together(sets: Vec<Value>) -> Vec<(Map<String, Value>, Vec<Value>)> {
    let mut groups: Vec<(Map<String, Value>, Vec<Value>)> = Vec::new();
    for set in sets {
        let wanted = variables(&set);
        let group = groups.iter_mut().find(|(known, _)| {
            wanted
                .iter()
                .all(|(name, value)| known.get(name).is_none_or(|known| known == value))
        });
        match group {
            Some((known, members)) => {
                known.extend(wanted);
                members.push(set);
            }
            None => groups.push((wanted, vec![set])),
        }
    }
    groups
}

async fn serve(variables: &Map<String, Value>, sets: &[Value], upstreams: &Upstreams) -> Server {
    let mut options = Options::new();
    for (name, value) in variables {
        options = options.set(name, upstreams.fill(value.as_str().unwrap()));
    }
    let mut apps = Apps::new();
    for (index, set) in sets.iter().enumerate() {
        let granted: Vec<String> = self::variables(set).keys().cloned().collect();
        let rules: Value =
            serde_json::from_str(&upstreams.fill(&set["proxy"].to_string())).unwrap();
        let manifest = json!({ "proxy": rules, "grants": { "env": granted } });
        apps = apps.with(
            &format!("set-{index}/1.0.0"),
            Bundle::empty().manifest(manifest),
        );
    }
    Server::start_with(apps, options).await
}

fn head(app: &str, case: &Value, kind: Kind) -> String {
    let request = &case["request"];
    let method = match kind {
        Kind::Http => request["method"].as_str().unwrap_or("GET"),
        Kind::Ws => "GET",
    };
    let query = request["query"]
        .as_str()
        .map_or(String::new(), |query| format!("?{query}"));
    let path = request["path"].as_str().unwrap();
    let mut head = format!("{method} /{app}{path}{query} HTTP/1.1\r\nHost: {CLIENT}\r\n");
    for field in request["headers"].as_array().into_iter().flatten() {
        let (name, value) = (field[0].as_str().unwrap(), field[1].as_str().unwrap());
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(match kind {
        Kind::Http => "Connection: close\r\n\r\n",
        Kind::Ws => {
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        }
    });
    head
}

fn check(name: &str, upstream: &Value, seen: &Seen, upstreams: &Upstreams) {
    assert_eq!(
        seen.by,
        upstreams.at(upstream["origin"].as_str().unwrap()),
        "{name}"
    );
    assert_eq!(seen.path, upstream["path"].as_str().unwrap(), "{name}");
    let headers: BTreeMap<String, Value> =
        serde_json::from_value(upstream["headers"].clone()).unwrap_or_default();
    for (field, value) in headers {
        match value.as_str() {
            Some(value) => assert_eq!(seen.all(&field), [upstreams.fill(value)], "{name}: {field}"),
            None => assert!(seen.all(&field).is_empty(), "{name}: {field}"),
        }
    }
}

async fn every_case(kind: Kind) {
    let mut upstreams = Upstreams::start().await;
    let mut asked = 0;
    let other = match kind {
        Kind::Http => "ws",
        Kind::Ws => "http",
    };
    for (variables, sets) in together(sets()) {
        let server = serve(&variables, &sets, &upstreams).await;
        for (index, set) in sets.iter().enumerate() {
            for case in set["cases"].as_array().unwrap() {
                if case["only"] == other {
                    continue;
                }
                let name = format!("{}: {}", set["name"], case["name"]);
                let mut raw = Raw::connect(server.address()).await;
                raw.send(head(&format!("set-{index}"), case, kind)).await;
                let answer = raw.head().await;
                let expected = match (&case["upstream"], kind) {
                    (Value::Null, _) => "HTTP/1.1 404 ",
                    (_, Kind::Http) => "HTTP/1.1 200 ",
                    (_, Kind::Ws) => "HTTP/1.1 101 ",
                };
                assert!(answer.starts_with(expected), "{name}: {answer}");
                if kind == Kind::Ws && !case["upstream"].is_null() {
                    let accept = "sec-websocket-accept: for dGhlIHNhbXBsZSBub25jZQ==\r\n";
                    assert!(answer.contains(accept), "{name}: {answer}");
                }
                match (&case["upstream"], upstreams.told.try_recv()) {
                    (Value::Null, seen) => assert!(seen.is_err(), "{name}: {seen:?}"),
                    (expected, seen) => check(&name, expected, &seen.unwrap(), &upstreams),
                }
                asked += 1;
            }
        }
    }
    assert!(asked >= 3, "the table is empty");
}

/// Buntime 56, 57 and 58.
#[tokio::test]
async fn every_case_of_the_table_holds_for_requests() {
    every_case(Kind::Http).await;
}

/// Buntime 61.
#[tokio::test]
async fn every_case_of_the_table_holds_for_websockets() {
    every_case(Kind::Ws).await;
}
