//! The chat, two versions side by side.

use std::sync::OnceLock;

use rookery_tests::{Apps, Bundle, Connect, Server, Ws, build_bundles};
use serde_json::{Value, json};

/// Both versions, as `rookery build` makes them.
async fn server() -> Server {
    static BUILT: OnceLock<std::path::PathBuf> = OnceLock::new();
    let chat = BUILT.get_or_init(|| build_bundles("apps/chat"));
    let apps = Apps::new()
        .with("chat/1.0.0", Bundle::of_folder(&chat.join("1.0.0")))
        .with("chat/1.1.0", Bundle::of_folder(&chat.join("1.1.0")));
    Server::start(apps).await
}

/// Someone in a chat.
struct Person {
    name: &'static str,
    ws: Ws,
}

impl Person {
    /// Joins a room; what the room says of itself.
    async fn join(server: &Server, path: &str, name: &'static str, room: &str) -> (Person, Value) {
        let ws = Ws::open(server, path).await;
        let mut person = Person { name, ws };
        person
            .publish("room.join", json!({ "roomId": room, "username": name }))
            .await;
        let joined = person.hear("room.joined").await;
        (person, joined)
    }

    async fn publish(&mut self, channel: &str, payload: Value) {
        let frame = json!({ "type": "publish", "channel": channel, "payload": payload });
        self.ws.say_json(frame).await;
    }

    async fn send(&mut self, room: &str, text: &str) {
        self.publish("message.send", json!({ "roomId": room, "text": text }))
            .await;
    }

    /// The payload of the next frame on a channel. Frames of others (who came, who is online) pass by.
    async fn hear(&mut self, channel: &str) -> Value {
        loop {
            let mut frame = self.ws.hear_json().await;
            assert_eq!(frame["type"], "message", "{}: {frame}", self.name);
            if frame["channel"] == channel {
                return frame["payload"].take();
            }
        }
    }

    /// The next message, as `name: text`.
    async fn hear_message(&mut self) -> String {
        let message = self.hear("message.received").await;
        format!(
            "{}: {}",
            message["username"].as_str().unwrap(),
            message["text"].as_str().unwrap()
        )
    }
}

/// Two people in a room of a version talk with each other.
async fn two_talk(server: &Server, path: &str, room: &str) {
    let (mut ada, _) = Person::join(server, path, "ada", room).await;
    let (mut bob, joined) = Person::join(server, path, "bob", room).await;
    assert_eq!(joined["users"], json!(["ada", "bob"]));
    assert_eq!(ada.hear("room.userJoined").await["username"], "bob");
    ada.send(room, "hello bob").await;
    bob.send(room, "hello ada").await;
    for person in [&mut ada, &mut bob] {
        let mut heard = [person.hear_message().await, person.hear_message().await];
        heard.sort();
        assert_eq!(
            heard,
            ["ada: hello bob", "bob: hello ada"],
            "{}",
            person.name
        );
    }
}

#[tokio::test]
async fn two_versions_serve_side_by_side() {
    let server = server().await;
    for (path, version) in [
        ("/chat@1.0.0", "1.0.0"),
        ("/chat@1.1.0", "1.1.0"),
        ("/chat@1", "1.1.0"),
        ("/chat", "1.1.0"),
    ] {
        let answer = server.get(&format!("{path}/version")).await;
        assert_eq!(answer.json()["version"], version, "{path}");
        let page = server.get(&format!("{path}/")).await;
        assert_eq!(
            (page.status.as_u16(), page.header("x-rookery-version")),
            (200, version),
            "{path}"
        );
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{path}"
        );
    }
}

/// What a page of the chat may do, in the words of its policy.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'self'; form-action 'none'";

#[tokio::test]
async fn the_pages_load_nothing_from_elsewhere_and_run_nothing_that_stands_in_them() {
    let server = server().await;
    for (version, policy_in_head) in [("1.0.0", true), ("1.1.0", false)] {
        let page = server.get(&format!("/chat@{version}/")).await;
        let html = page.text();
        match policy_in_head {
            true => assert!(html.contains(POLICY)),
            false => {
                let expected = format!("{POLICY}; frame-ancestors 'none'");
                assert_eq!(page.header("content-security-policy"), expected);
            }
        }
        for tag in html.split('<').skip(1) {
            assert!(
                !tag.starts_with("script") || tag.contains(" src=\""),
                "{tag}"
            );
            assert!(
                !tag.contains(" style=") && !tag.starts_with("style"),
                "{tag}"
            );
            assert!(
                !tag.contains(" on") || !tag.contains("=\"javascript"),
                "{tag}"
            );
            let (_, link) = tag
                .split_once("src=\"")
                .or(tag.split_once("href=\""))
                .unwrap_or_default();
            let link = link.split('"').next().unwrap();
            assert!(!link.contains("//"), "{tag}");
            if !link.is_empty() && !link.starts_with('#') && !link.starts_with("/chat@") {
                let file = server.get(&format!("/chat@{version}/{link}")).await;
                assert_eq!(file.status, 200, "{link}");
            }
        }
    }
}

/// A handshake's answer, and what plain requests get where sessions begin.
#[tokio::test]
async fn a_session_begins_as_with_the_first_server() {
    let server = server().await;
    for app in ["chat@1.0.0", "chat@1.1.0"] {
        let connect = Connect::to(&server, &format!("/{app}/ws?token=demo-token"))
            .header("sec-websocket-protocol", "chat, other")
            .header("sec-websocket-extensions", "permessage-deflate");
        let (mut ws, answer) = connect.open().await;
        assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
        assert!(!answer.headers().contains_key("sec-websocket-extensions"));
        // Nothing is said before one asks, and a subscription is not answered.
        let events = ["room.joined", "message.received"];
        for kind in ["subscribe", "unsubscribe"] {
            for event in events {
                ws.say_json(json!({"type": kind, "channel": event})).await;
            }
        }
        ws.say_json(json!({"type": "publish", "channel": "room.list", "payload": {}}))
            .await;
        assert_eq!(ws.hear_json().await["channel"], "room.list");

        let plain = server.get(&format!("/{app}/ws")).await;
        assert_eq!(plain.status, 400);
        assert_eq!(plain.json()["error"], "WebSocket upgrade failed");
        let elsewhere = server.get(&format!("/{app}/elsewhere")).await;
        assert_eq!(elsewhere.status, 404);
        assert_eq!(elsewhere.json()["error"], "Not found");
        let mut lost = Ws::open(&server, &format!("/{app}/elsewhere")).await;
        assert_eq!(lost.ended().await.code, 4404);
    }
}

#[tokio::test]
async fn two_people_talk_on_each_of_two_versions() {
    let server = server().await;
    two_talk(&server, "/chat@1.0.0/ws", "old").await;
    two_talk(&server, "/chat@1.1.0/ws", "new").await;
}

/// Versions of one major share their rooms: who came by the older one talks with who came by the newer one.
#[tokio::test]
async fn people_of_two_versions_meet_in_one_room() {
    let server = server().await;
    let (mut old, _) = Person::join(&server, "/chat@1.0.0/ws", "old", "room").await;
    let (mut new, joined) = Person::join(&server, "/chat@1.1.0/ws", "new", "room").await;
    assert_eq!(joined["users"], json!(["old", "new"]));
    new.send("room", "from the newer one").await;
    assert_eq!(old.hear_message().await, "new: from the newer one");
    old.send("room", "from the older one").await;
    assert_eq!(new.hear_message().await, "new: from the newer one");
    assert_eq!(new.hear_message().await, "old: from the older one");
}

#[tokio::test]
async fn both_versions_show_what_was_said_before() {
    let server = server().await;
    let (mut ada, _) = Person::join(&server, "/chat@1.1.0/ws", "ada", "room").await;
    ada.send("room", "before you came").await;
    assert_eq!(ada.hear_message().await, "ada: before you came");
    for (path, name) in [("/chat@1.1.0/ws", "bob"), ("/chat@1.0.0/ws", "cleo")] {
        let (_, joined) = Person::join(&server, path, name, "room").await;
        assert_eq!(joined["recentMessages"][0]["text"], "before you came");
    }
}

#[tokio::test]
async fn rooms_are_made_listed_and_left() {
    let server = server().await;
    let (mut ada, _) = Person::join(&server, "/chat@1/ws", "ada", "general").await;
    ada.publish(
        "room.create",
        json!({ "roomId": "quiet", "description": "a quiet room" }),
    )
    .await;
    assert_eq!(
        ada.hear("room.created").await,
        json!({ "roomId": "quiet", "description": "a quiet room", "createdBy": "ada" })
    );
    ada.publish("room.list", json!({})).await;
    let list = ada.hear("room.list").await;
    let rooms = list["rooms"].as_array().unwrap().iter();
    let rooms: Vec<(&str, u64)> = rooms
        .map(|room| {
            (
                room["id"].as_str().unwrap(),
                room["userCount"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(rooms, [("general", 1), ("quiet", 0)]);
    let (mut bob, _) = Person::join(&server, "/chat@1/ws", "bob", "general").await;
    bob.publish("room.leave", json!({ "roomId": "general" }))
        .await;
    assert_eq!(ada.hear("room.userLeft").await["username"], "bob");
    ada.publish("message.send", json!({ "roomId": "nowhere", "text": "x" }))
        .await;
    assert_eq!(ada.hear("error").await["code"], "ROOM_NOT_FOUND");
}
