//! Frames, out and in.

#![allow(clippy::unwrap_used)]

use super::*;

fn heard(channel: &str, payload: Value) -> Option<Heard> {
    parse(&json!({ "type": "message", "channel": channel, "payload": payload }).to_string())
}

#[test]
fn a_request_is_the_frame_that_the_first_client_sends_with_a_name() {
    let ask = Ask::Say {
        room: "dev".into(),
        text: "hi".into(),
    };
    assert_eq!(
        ask.frame("1-a"),
        r#"{"type":"publish","channel":"message.send","payload":{"text":"hi","roomId":"dev"},"messageId":"1-a","metadata":{"eventName":"message.send"},"requestId":"1-a"}"#
    );
}

#[test]
fn every_request_has_its_channel_and_payload() {
    let r = || "r".to_owned();
    for (ask, channel, payload) in [
        (Ask::Login("a".into()), "auth.login", r#"{"username":"a"}"#),
        (Ask::Logout, "auth.logout", "{}"),
        (Ask::Create(r(), None), "room.create", r#"{"roomId":"r"}"#),
        (
            Ask::Create(r(), Some("d".into())),
            "room.create",
            r#"{"roomId":"r","description":"d"}"#,
        ),
        (Ask::List, "room.list", "{}"),
        (
            Ask::Join {
                room: r(),
                name: "a".into(),
                since: None,
            },
            "room.join",
            r#"{"roomId":"r","username":"a"}"#,
        ),
        (
            Ask::Join {
                room: r(),
                name: "a".into(),
                since: Some("e:7".into()),
            },
            "room.join",
            r#"{"roomId":"r","username":"a","since":"e:7"}"#,
        ),
        (
            Ask::Recover {
                room: r(),
                since: "e:7+".into(),
            },
            "message.recover",
            r#"{"roomId":"r","since":"e:7+","limit":100}"#,
        ),
        (Ask::Leave(r()), "room.leave", r#"{"roomId":"r"}"#),
        (
            Ask::History {
                room: r(),
                limit: 5,
                before: None,
            },
            "message.history",
            r#"{"roomId":"r","limit":5}"#,
        ),
        (
            Ask::History {
                room: r(),
                limit: 5,
                before: Some(9),
            },
            "message.history",
            r#"{"roomId":"r","limit":5,"before":9}"#,
        ),
        (Ask::TypingStart(r()), "typing.start", r#"{"roomId":"r"}"#),
        (Ask::TypingStop(r()), "typing.stop", r#"{"roomId":"r"}"#),
        (
            Ask::Presence(Status::Dnd),
            "presence.update",
            r#"{"status":"dnd"}"#,
        ),
    ] {
        let (name, value) = ask.parts();
        assert_eq!((name, value.to_string().as_str()), (channel, payload));
    }
}

#[test]
fn what_was_heard_is_clean() {
    let said = heard(
        "message.received",
        json!({"id": "1-a", "text": "\u{1b}]0;x\u{7}", "roomId": "r\n", "username": "A\u{1b}", "timestamp": 7}),
    );
    let Some(Heard::Said {
        room,
        message,
        request,
        position,
    }) = said
    else {
        panic!("{said:?}");
    };
    assert_eq!(room, "r\u{fffd}");
    assert_eq!(message.text, "\u{fffd}]0;x\u{fffd}");
    assert_eq!(message.username, "A\u{fffd}");
    assert_eq!((request, position), (None, None));
    let rooms = heard(
        "room.list",
        json!({"rooms": [{"id": "a\u{9b}", "userCount": 1, "createdAt": 1}]}),
    );
    let Some(Heard::Rooms(rooms)) = rooms else {
        panic!()
    };
    assert_eq!(rooms[0].id, "a\u{fffd}");
}

#[test]
fn what_a_newer_server_says_beside_is_taken_where_it_is_understood() {
    let joined = json!({
        "type": "message", "channel": "room.joined",
        "payload": {"roomId": "r", "users": ["a", "b", "c"], "recentMessages": []},
        "statuses": ["online", "asleep", "dnd"], "position": "e:7", "moreToCome": [1],
    });
    let Some(Heard::Joined {
        statuses, position, ..
    }) = parse(&joined.to_string())
    else {
        panic!()
    };
    assert_eq!(statuses, [Some(Status::Online), None, Some(Status::Dnd)]);
    assert_eq!(position.as_deref(), Some("e:7"));
}

#[test]
fn what_is_not_understood_is_nothing() {
    for frame in [
        "",
        "[]",
        "{}",
        r#"{"type":"publish","channel":"error","payload":{}}"#,
    ] {
        assert_eq!(parse(frame), None, "{frame}");
    }
    assert_eq!(heard("no.such", json!({})), None);
    // A relayed request of somebody else, as the first server sends them.
    assert_eq!(heard("presence.update", json!({"status": "sleepy"})), None);
}
