//! Claims about which client frames are commands, row by row.

use super::*;
use crate::frame;

fn validate(channel: &str, payload: &str) -> Option<Command> {
    let text = format!(r#"{{"type":"publish","channel":"{channel}","payload":{payload}}}"#);
    frame::parse(&text).and_then(|publish| Command::validate(publish, Extras::Offered))
}

#[test]
fn each_event_accepts_what_the_seed_accepts() {
    let long_room = "r".repeat(300);
    let text_2000 = "x".repeat(2000);
    for (channel, payload) in [
        ("auth.login", r#"{"username":" "}"#.to_owned()),
        (
            "auth.login",
            r#"{"username":"ada","password":"pw","extra":[1]}"#.to_owned(),
        ),
        (
            "auth.login",
            format!(r#"{{"username":"{}"}}"#, "🦀".repeat(25)),
        ),
        ("auth.logout", "{}".to_owned()),
        (
            "room.create",
            r#"{"roomId":"r","description":""}"#.to_owned(),
        ),
        ("room.list", r#"{"anything":1}"#.to_owned()),
        (
            "room.join",
            format!(r#"{{"roomId":"{long_room}","username":"ada"}}"#),
        ),
        ("room.leave", r#"{"roomId":"r"}"#.to_owned()),
        (
            "message.send",
            format!(r#"{{"roomId":"r","text":"{text_2000}"}}"#),
        ),
        ("message.history", r#"{"roomId":"r"}"#.to_owned()),
        (
            "message.history",
            r#"{"roomId":"r","limit":1,"before":-1.5}"#.to_owned(),
        ),
        (
            "message.history",
            r#"{"roomId":"r","limit":100,"before":0}"#.to_owned(),
        ),
        ("typing.start", r#"{"roomId":"r"}"#.to_owned()),
        ("typing.stop", r#"{"roomId":"r"}"#.to_owned()),
        ("presence.update", r#"{"status":"online"}"#.to_owned()),
        ("presence.update", r#"{"status":"away"}"#.to_owned()),
        ("presence.update", r#"{"status":"dnd"}"#.to_owned()),
    ] {
        assert!(validate(channel, &payload).is_some(), "{channel} {payload}");
    }
}

/// Every text with a limit: so long is the longest, and the shortest that is none.
#[test]
fn texts_are_as_long_as_their_limits() {
    for (channel, rest, field, shortest, longest) in [
        ("auth.login", "", "username", 1, 50),
        ("auth.login", r#","username":"ada""#, "password", 1, 100),
        ("room.create", "", "roomId", 1, 100),
        ("room.create", r#","roomId":"r""#, "description", 0, 500),
        ("room.join", r#","roomId":"r""#, "username", 1, 50),
        ("room.join", r#","username":"ada""#, "roomId", 1, 1_000),
        ("room.leave", "", "roomId", 1, 1_000),
        ("message.send", r#","roomId":"r""#, "text", 1, 2_000),
        ("message.send", r#","text":"hi""#, "roomId", 1, 1_000),
        ("message.history", "", "roomId", 1, 1_000),
        ("typing.start", "", "roomId", 1, 1_000),
        ("typing.stop", "", "roomId", 1, 1_000),
        ("message.recover", r#","since":"x""#, "roomId", 1, 1_000),
        ("message.recover", r#","roomId":"r""#, "since", 1, 100),
        (
            "room.join",
            r#","roomId":"r","username":"ada""#,
            "since",
            1,
            100,
        ),
    ] {
        let valid = |length: usize| {
            let payload = format!(r#"{{"{field}":"{}"{rest}}}"#, "x".repeat(length));
            validate(channel, &payload).is_some()
        };
        assert!(valid(shortest) && valid(longest), "{channel} {field}");
        assert!(shortest == 0 || !valid(shortest - 1), "{channel} {field}");
        assert!(!valid(longest + 1), "{channel} {field}");
        for other in ["null", "7", "true", "[]", "{}"] {
            let payload = format!(r#"{{"{field}":{other}{rest}}}"#);
            assert_eq!(validate(channel, &payload), None, "{channel} {payload}");
        }
    }
}

#[test]
fn a_payload_is_an_object() {
    for channel in ["auth.logout", "room.list", "auth.login", "message.send"] {
        for payload in [
            "null",
            "[]",
            "7",
            "true",
            r#""text""#,
            r#"[{"username":"ada"}]"#,
        ] {
            assert_eq!(validate(channel, payload), None, "{channel} {payload}");
        }
    }
}

#[test]
fn the_first_edition_knows_none_of_the_extras() {
    let first = |channel: &str, payload: &str| {
        let text = format!(r#"{{"type":"publish","channel":"{channel}","payload":{payload}}}"#);
        frame::parse(&text).and_then(|publish| Command::validate(publish, Extras::None))
    };
    let recover = r#"{"roomId":"r","since":"x"}"#;
    assert_eq!(first("message.recover", recover), None);
    let join = r#"{"roomId":"r","username":"ada","since":7}"#;
    assert!(matches!(
        first("room.join", join),
        Some(Command::Join { since: None, .. })
    ));
}

#[test]
fn each_event_drops_what_the_seed_drops() {
    let text_2001 = "x".repeat(2001);
    for (channel, payload) in [
        ("auth.login", "{}".to_owned()),
        ("auth.login", "[]".to_owned()),
        ("auth.login", r#"{"username":""}"#.to_owned()),
        ("auth.login", r#"{"username":7}"#.to_owned()),
        (
            "auth.login",
            r#"{"username":"ada","password":null}"#.to_owned(),
        ),
        (
            "auth.login",
            r#"{"username":"ada","password":""}"#.to_owned(),
        ),
        (
            "auth.login",
            format!(r#"{{"username":"{}x"}}"#, "🦀".repeat(25)),
        ),
        ("auth.logout", "null".to_owned()),
        (
            "room.create",
            format!(r#"{{"roomId":"{}"}}"#, "r".repeat(101)),
        ),
        (
            "room.create",
            format!(r#"{{"roomId":"r","description":"{}"}}"#, "d".repeat(501)),
        ),
        ("room.join", r#"{"roomId":"r"}"#.to_owned()),
        ("room.join", r#"{"roomId":"","username":"ada"}"#.to_owned()),
        ("room.leave", "{}".to_owned()),
        ("message.send", r#"{"roomId":"r","text":""}"#.to_owned()),
        (
            "message.send",
            format!(r#"{{"roomId":"r","text":"{text_2001}"}}"#),
        ),
        ("message.history", r#"{"roomId":"r","limit":0}"#.to_owned()),
        (
            "message.history",
            r#"{"roomId":"r","limit":100.5}"#.to_owned(),
        ),
        (
            "message.history",
            r#"{"roomId":"r","limit":"5"}"#.to_owned(),
        ),
        (
            "message.history",
            r#"{"roomId":"r","before":null}"#.to_owned(),
        ),
        ("presence.update", r#"{"status":"offline"}"#.to_owned()),
        (
            "message.received",
            r#"{"roomId":"r","text":"forged"}"#.to_owned(),
        ),
        ("nothing.known", "{}".to_owned()),
    ] {
        assert_eq!(validate(channel, &payload), None, "{channel} {payload}");
    }
}

#[test]
fn a_fraction_of_a_limit_is_cut_off() {
    let Some(Command::History { limit, .. }) =
        validate("message.history", r#"{"roomId":"r","limit":2.9}"#)
    else {
        panic!("a fraction is a number");
    };
    assert_eq!(limit, 2);
}
