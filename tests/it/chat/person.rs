//! Somebody in the chat who speaks its protocol, the extras too.

use rookery_tests::{Connect, Server, Ws};
use serde_json::{Value, json};

/// One connection.
pub struct Person(pub Ws);

impl Person {
    /// Connects, and does nothing yet.
    pub async fn connect(server: &Server, app: &str) -> Person {
        Person(Ws::open(server, &format!("/{app}/ws")).await)
    }

    /// Connects as a page of this origin does.
    pub async fn of_origin(server: &Server, app: &str, origin: &str) -> Person {
        let connect = Connect::to(server, &format!("/{app}/ws"));
        Person(connect.header("origin", origin).open().await.0)
    }

    /// Connects and joins a room; the frame that answers it.
    pub async fn join(server: &Server, app: &str, name: &str, room: &str) -> (Person, Value) {
        let mut person = Person::connect(server, app).await;
        person
            .ask("room.join", json!({"roomId": room, "username": name}))
            .await;
        let joined = person.hear("room.joined").await;
        (person, joined)
    }

    /// Asks for something.
    pub async fn ask(&mut self, channel: &str, payload: Value) {
        let frame = json!({"type": "publish", "channel": channel, "payload": payload});
        self.0.say_json(frame).await;
    }

    /// Asks for something by the name of a request.
    pub async fn ask_by_name(&mut self, channel: &str, payload: Value, request: &str) {
        let frame = json!({"type": "publish", "channel": channel, "payload": payload, "requestId": request});
        self.0.say_json(frame).await;
    }

    /// The next frame of a channel. Others pass by.
    pub async fn hear(&mut self, channel: &str) -> Value {
        loop {
            let frame = self.0.hear_json().await;
            if frame["channel"] == channel {
                return frame;
            }
        }
    }

    /// Says something and waits until the room has repeated it.
    pub async fn say(&mut self, room: &str, text: &str) -> Value {
        self.ask("message.send", json!({"roomId": room, "text": text}))
            .await;
        loop {
            let frame = self.hear("message.received").await;
            if frame["payload"]["text"] == text {
                return frame;
            }
        }
    }

    /// Everything since a position, page by page: the texts, and where to go on.
    pub async fn recover(&mut self, room: &str, since: &str) -> (Vec<String>, String) {
        let (mut said, mut since) = (Vec::new(), since.to_owned());
        loop {
            self.ask("message.recover", json!({"roomId": room, "since": since}))
                .await;
            let page = self.hear("message.recovered").await;
            assert_eq!(page["payload"]["complete"], true, "{page}");
            said.extend(texts(&page["payload"]["messages"]));
            since = position(&page);
            if page["payload"]["hasMore"] == false {
                return (said, since);
            }
        }
    }
}

/// A frame's position.
pub fn position(frame: &Value) -> String {
    frame["position"].as_str().unwrap().to_owned()
}

/// What messages say.
pub fn texts(messages: &Value) -> Vec<String> {
    let messages = messages.as_array().unwrap().iter();
    let texts = messages.map(|said| said["text"].as_str().unwrap().to_owned());
    texts.collect()
}
