//! Conversations as text, replayed against an edition. A transcript has one step a line:
//!
//!     ada connects                       opens a session
//!     ada > room.join {"roomId":"r"…}    sends a request
//!     bob < room.userJoined {…}          must be the next frame that Bob receives
//!     ada goes away                      closes her session
//!     wait 3000                          lets so many milliseconds pass
//!     # why                              is for the reader
//!
//! Ids read `ID` and times `TIME`. **Invariant:** a step must have been answered completely before the next: a frame that the
//! transcript does not mention fails it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use rookery_sdk::testing::{Client, Host};
use serde_json::Value;

use crate::{Edition, Extras, app};

/// One app of this edition, in a namespace of its own.
pub(crate) fn host(extras: Extras) -> Host {
    Host::new(app(Edition {
        version: "1.2.3",
        extras,
    }))
}

/// Replays a transcript. Whoever is named in `elsewhere` connects to that host instead.
pub(crate) fn replay(host: &Host, elsewhere: &[(&str, &Host)], transcript: &str) {
    let mut people: BTreeMap<&str, (Client, Vec<String>)> = BTreeMap::new();
    for (number, line) in transcript.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (who, step) = line.split_once(' ').unwrap();
        if let Some(expected) = step.strip_prefix("< ") {
            let heard = &mut people.get_mut(who).unwrap().1;
            assert!(
                !heard.is_empty(),
                "line {}: nothing more for {who}",
                number + 1
            );
            assert_eq!(heard.remove(0), expected, "line {}", number + 1);
            continue;
        }
        for (name, (_, heard)) in &people {
            assert!(
                heard.is_empty(),
                "before line {}: {name} also heard {heard:?}",
                number + 1
            );
        }
        let home = elsewhere.iter().find(|(name, _)| *name == who);
        let home = home.map_or(host, |(_, host)| host);
        match step {
            "connects" => {
                people.insert(who, (home.open("/ws?token=demo-token"), Vec::new()));
            }
            "goes away" => people[who].0.close(1001, ""),
            _ if who == "wait" => host.advance(Duration::from_millis(step.parse().unwrap())),
            _ => people[who]
                .0
                .text(&request(step.strip_prefix("> ").unwrap())),
        }
        for (client, heard) in people.values_mut() {
            heard.extend(client.frames().iter().map(|frame| normal(frame)));
        }
    }
    for (name, (_, heard)) in &people {
        assert!(heard.is_empty(), "at the end: {name} also heard {heard:?}");
    }
}

/// The frame that the seed's client sends for an event and its payload.
pub(crate) fn request(step: &str) -> String {
    let (channel, payload) = step.split_once(' ').unwrap();
    format!(
        r#"{{"type":"publish","channel":"{channel}","payload":{payload},"messageId":"1795219688540-2w2oqpkb5","metadata":{{"eventName":"{channel}"}}}}"#
    )
}

/// What an edition with extras puts behind what the seed has.
const BESIDE: [&str; 3] = ["requestId", "position", "statuses"];

/// A frame as a transcript has it, and a client of the seed reads it, after a look at its envelope.
pub(crate) fn normal(frame: &str) -> String {
    let Value::Object(mut envelope) = serde_json::from_str(frame).unwrap() else {
        panic!("a frame is an object: {frame}");
    };
    let keys: Vec<&str> = envelope.keys().map(String::as_str).collect();
    let (of_the_seed, beside) = keys.split_at(5);
    assert_eq!(
        of_the_seed,
        ["type", "channel", "payload", "messageId", "metadata"]
    );
    assert!(beside.iter().all(|key| BESIDE.contains(key)), "{beside:?}");
    assert_eq!(envelope["type"], "message");
    assert_eq!(envelope["metadata"]["eventName"], envelope["channel"]);
    assert!(is_id(envelope["messageId"].as_str().unwrap()));
    let mut payload = envelope["payload"].take();
    hide_the_variable(&mut payload);
    format!("{} {payload}", envelope["channel"].as_str().unwrap())
        .replace("\"TIME\"", "TIME")
        .replace("\"ID\"", "ID")
}

fn hide_the_variable(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(hide_the_variable),
        Value::Object(fields) => fields.values_mut().for_each(hide_the_variable),
        Value::String(text) if is_id(text) => *value = "ID".into(),
        Value::Number(number)
            if number
                .as_u64()
                .is_some_and(|number| number > 1_000_000_000_000) =>
        {
            *value = "TIME".into();
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

mod bounds;
mod extras;
mod tests;
