//! Claims about the model: what it does about a connection that comes, goes and comes again.

#![allow(clippy::unwrap_used)]

mod recovery;

use serde_json::{Value, json};

use super::*;

/// A chat, and what it sent since one last looked.
struct Stage {
    chat: Chat,
    now: u64,
    effects: Vec<Effect>,
}

impl Stage {
    fn new(patience: Patience) -> Stage {
        let now = 1_000_000;
        Stage {
            chat: Chat::new("Ada".into(), "r".into(), patience, now),
            now,
            effects: Vec::new(),
        }
    }

    /// Connected, and in the room with these messages.
    fn joined(recent: &[u64]) -> Stage {
        let mut stage = Stage::new(Patience::Endless);
        stage.step(Event::Up);
        stage.hear_joined(recent);
        stage.effects.clear();
        stage
    }

    fn step(&mut self, event: Event) {
        self.effects.extend(self.chat.step(self.now, 7, event));
    }

    fn wait(&mut self, ms: u64) {
        self.now += ms;
        self.step(Event::Tick);
    }

    fn hear(&mut self, channel: &str, payload: Value) {
        let frame = json!({"type": "message", "channel": channel, "payload": payload});
        self.step(Event::Frame(frame.to_string()));
    }

    /// The same from a server that knows positions.
    fn hear_at(&mut self, position: &str, channel: &str, payload: Value) {
        let frame = json!({"type": "message", "channel": channel, "payload": payload, "position": position});
        self.step(Event::Frame(frame.to_string()));
    }

    fn hear_joined(&mut self, recent: &[u64]) {
        let recent = messages(recent);
        self.hear(
            "room.joined",
            json!({"roomId": "r", "users": ["Ada"], "recentMessages": recent}),
        );
    }

    fn hear_said(&mut self, timestamp: u64, username: &str, text: &str) {
        self.hear(
            "message.received",
            json!({"id": timestamp.to_string(), "text": text, "roomId": "r", "username": username, "timestamp": timestamp}),
        );
    }

    /// What was sent since one last looked: channel and payload.
    fn sent(&mut self) -> Vec<(String, Value)> {
        let effects = std::mem::take(&mut self.effects);
        let frames = effects.iter().filter_map(|effect| match effect {
            Effect::Send(frame) => Some(serde_json::from_str::<Value>(frame).unwrap()),
            _ => None,
        });
        frames
            .map(|mut frame| {
                (
                    frame["channel"].as_str().unwrap().to_owned(),
                    frame["payload"].take(),
                )
            })
            .collect()
    }

    fn channels(&mut self) -> Vec<String> {
        self.sent()
            .into_iter()
            .map(|(channel, _)| channel)
            .collect()
    }

    /// What was told of messages since one last looked.
    fn told(&mut self) -> Vec<u64> {
        let effects = std::mem::take(&mut self.effects);
        let told = effects.iter().filter_map(|effect| match effect {
            Effect::Tell(Told::Said { message, .. }) => Some(message.timestamp),
            _ => None,
        });
        told.collect()
    }

    fn timestamps(&self) -> Vec<u64> {
        self.chat
            .log()
            .unwrap()
            .messages()
            .map(|message| message.timestamp)
            .collect()
    }

    fn say(&mut self, text: &str) {
        self.step(Event::Line(text.to_owned()));
    }

    /// Down, and up again as soon as the model wants it.
    fn outage(&mut self) {
        self.step(Event::Down("broken".into()));
        self.effects.clear();
        self.wait(20_000);
        assert_eq!(self.effects, [Effect::Connect]);
        self.effects.clear();
        self.step(Event::Up);
        assert_eq!(self.channels(), ["auth.login", "room.join", "room.list"]);
    }
}

fn messages(timestamps: &[u64]) -> Vec<Value> {
    let message = |at: &u64| json!({"id": at.to_string(), "text": format!("t{at}"), "username": "Bob", "timestamp": at});
    timestamps.iter().map(message).collect()
}

#[test]
fn who_connects_logs_in_joins_and_asks_for_the_rooms() {
    let mut stage = Stage::new(Patience::Endless);
    stage.say("early");
    stage.step(Event::Up);
    assert_eq!(stage.channels(), ["auth.login", "room.join", "room.list"]);
    stage.hear_joined(&[]);
    let sent = stage.sent();
    assert_eq!(
        sent,
        [(
            "message.send".to_owned(),
            json!({"text": "early", "roomId": "r"})
        )]
    );
}

#[test]
fn who_is_not_let_in_stays_out_and_may_go_elsewhere() {
    let mut stage = Stage::new(Patience::Endless);
    stage.say("early");
    stage.step(Event::Up);
    stage.effects.clear();
    let full = json!({"code": "ROOM_FULL", "message": "The room is full"});
    stage.hear("error", full.clone());
    let told = Effect::Tell(Told::Problem("The room is full".into()));
    assert_eq!(stage.effects, [told]);
    stage.effects.clear();
    // It neither asks again nor takes the connection for a dead one.
    for _ in 0..4 {
        stage.wait(10_000);
        stage.step(Event::Frame(String::new()));
    }
    assert!(!stage.effects.contains(&Effect::Disconnect));
    assert!(!stage.channels().contains(&"room.join".to_owned()));
    stage.step(Event::Command(Command::Join("other".into())));
    assert!(stage.channels().contains(&"room.join".to_owned()));
    let mut piped = Stage::new(Patience::Ms(30_000));
    piped.step(Event::Up);
    piped.hear("error", full);
    assert!(piped.effects.contains(&Effect::End(Exit::Refused)));
}

#[test]
fn a_lost_connection_is_tried_again_later_and_later() {
    let mut stage = Stage::joined(&[]);
    let mut waits = Vec::new();
    for _ in 0..7 {
        stage.step(Event::Down("broken".into()));
        let Phase::Waiting(until) = stage.chat.phase else {
            panic!()
        };
        waits.push(until - stage.now);
        stage.effects.clear();
        let ms = until - stage.now;
        stage.wait(ms - 1);
        assert!(stage.effects.is_empty());
        stage.wait(1);
        assert_eq!(stage.effects, [Effect::Connect]);
    }
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
    assert!(
        (7_500..=15_000).contains(waits.last().unwrap()),
        "{waits:?}"
    );
}

#[test]
fn who_is_dismissed_ends_and_who_is_refused_later_tries_again() {
    let mut stage = Stage::new(Patience::Endless);
    stage.step(Event::Refused("404".into()));
    assert_eq!(stage.effects.last(), Some(&Effect::End(Exit::Refused)));
    let mut stage = Stage::joined(&[]);
    stage.step(Event::Down("closed with 1012".into()));
    stage.wait(20_000);
    stage.effects.clear();
    stage.step(Event::Refused("404".into()));
    assert!(matches!(stage.chat.phase, Phase::Waiting(_)));
    assert!(!stage.effects.contains(&Effect::End(Exit::Refused)));
    let mut stage = Stage::joined(&[]);
    stage.step(Event::Dismissed("closed with 1009".into()));
    assert_eq!(stage.effects.last(), Some(&Effect::End(Exit::Refused)));
    assert!(stage.channels().is_empty(), "there is nobody to ask");
}

#[test]
fn the_wait_is_counted_down() {
    let mut stage = Stage::joined(&[]);
    assert_eq!(stage.chat.waits_s(), None);
    for _ in 0..6 {
        stage.step(Event::Down("broken".into()));
        stage.wait(20_000);
    }
    stage.step(Event::Down("broken".into()));
    let first = stage.chat.glance();
    stage.wait(1);
    assert_eq!(stage.chat.glance(), first, "nothing is seen of a tick");
    stage.wait(1_000);
    assert_eq!(
        stage.chat.waits_s().map(|s| s + 1),
        first.1,
        "a second later"
    );
}

#[test]
fn lines_go_one_by_one_and_the_end_comes_after_the_last() {
    let mut stage = Stage::joined(&[]);
    stage.say("one");
    stage.say("two");
    stage.step(Event::LastLine);
    assert_eq!(stage.channels(), ["message.send"]);
    stage.hear_said(1, "Ada", "one");
    assert_eq!(stage.channels(), ["message.send"]);
    stage.hear_said(2, "Ada", "two");
    assert_eq!(stage.effects.last(), Some(&Effect::End(Exit::Left)));
    assert_eq!(stage.channels(), ["room.leave", "auth.logout"]);
}

#[test]
fn who_is_too_fast_waits_for_the_next_window() {
    let mut stage = Stage::joined(&[]);
    stage.say("hi");
    stage.effects.clear();
    let reset = stage.now + 5_000;
    stage.hear(
        "rateLimit.warning",
        json!({"remaining": 0, "resetTime": reset, "message": "Rate limit exceeded. Slow down!"}),
    );
    stage.wait(5_000);
    assert!(stage.channels().is_empty());
    stage.wait(1);
    assert_eq!(stage.channels(), ["message.send"]);
}

#[test]
fn who_is_unknown_to_the_server_joins_again_and_not_for_ever() {
    let mut stage = Stage::joined(&[]);
    stage.say("hi");
    stage.step(Event::LastLine);
    assert_eq!(stage.channels(), ["message.send"]);
    for tries in 2..=6 {
        let message = "You must join the room first";
        stage.hear("error", json!({"code": "NOT_IN_ROOM", "message": message}));
        assert_eq!(stage.channels(), ["room.join"]);
        stage.hear_joined(&[]);
        if tries <= 5 {
            assert_eq!(stage.channels(), ["message.send"]);
        }
    }
    assert_eq!(stage.effects.last(), Some(&Effect::End(Exit::Undelivered)));
}

#[test]
fn a_silent_server_is_asked_and_then_given_up() {
    let mut stage = Stage::joined(&[]);
    stage.chat.clock.listed = u64::MAX - 100_000;
    stage.wait(10_000);
    assert_eq!(stage.effects, [Effect::Ping]);
    stage.effects.clear();
    stage.step(Event::Frame(String::new()));
    stage.wait(24_999);
    stage.effects.clear();
    stage.wait(1);
    assert_eq!(stage.effects[0], Effect::Disconnect);
}

#[test]
fn a_pipe_is_patient_for_so_long() {
    let mut stage = Stage::new(Patience::Ms(10_000));
    stage.step(Event::Down("refused".into()));
    assert!(!stage.effects.contains(&Effect::End(Exit::Unreachable)));
    stage.wait(10_000);
    stage.step(Event::Down("refused".into()));
    assert_eq!(stage.effects.last(), Some(&Effect::End(Exit::Unreachable)));
}

#[test]
fn a_line_that_is_too_long_is_not_sent_and_said_so_at_the_end() {
    let mut stage = Stage::joined(&[]);
    stage.say(&"x".repeat(2_001));
    stage.step(Event::LastLine);
    assert_eq!(stage.effects.last(), Some(&Effect::End(Exit::Undelivered)));
}

#[test]
fn typing_is_told_now_and_then_and_its_end_once() {
    let mut stage = Stage::joined(&[]);
    for _ in 0..5 {
        stage.step(Event::Draft(Draft::Begun));
    }
    assert_eq!(stage.channels(), ["typing.start"]);
    stage.now += 2_000;
    stage.step(Event::Draft(Draft::Begun));
    stage.step(Event::Draft(Draft::Empty));
    stage.step(Event::Draft(Draft::Empty));
    assert_eq!(stage.channels(), ["typing.start", "typing.stop"]);
}

#[test]
fn a_mention_is_the_name_as_a_word() {
    let stage = Stage::joined(&[]);
    for (text, expected) in [
        ("hi ada!", true),
        ("@Ada", true),
        ("adage", false),
        ("", false),
        ("Canada", false),
    ] {
        assert_eq!(stage.chat.names_me(text), expected, "{text}");
    }
}

#[test]
fn what_is_said_elsewhere_is_marked_unread() {
    let mut stage = Stage::joined(&[10]);
    stage.step(Event::Seen);
    stage.step(Event::Command(Command::Join("s".into())));
    stage.hear(
        "room.joined",
        json!({"roomId": "s", "users": ["Ada"], "recentMessages": []}),
    );
    stage.hear(
        "message.history",
        json!({"roomId": "r", "messages": messages(&[10, 20, 30]), "hasMore": false}),
    );
    assert_eq!(stage.chat.unread("r"), (2, false));
    assert_eq!(stage.chat.unread("s"), (0, false));
}

#[test]
fn one_looks_back_page_by_page_while_there_is_more() {
    let mut stage = Stage::joined(&[50, 60]);
    stage.step(Event::LookBack);
    stage.step(Event::LookBack);
    assert_eq!(
        stage.sent(),
        [(
            "message.history".to_owned(),
            json!({"roomId": "r", "limit": 100, "before": 50})
        )]
    );
    stage.hear(
        "message.history",
        json!({"roomId": "r", "messages": messages(&[40]), "hasMore": false}),
    );
    stage.step(Event::LookBack);
    assert!(stage.sent().is_empty());
    assert_eq!(stage.timestamps(), [40, 50, 60]);
}
