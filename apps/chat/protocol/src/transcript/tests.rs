//! Replays written conversations, line by line.

use rookery_sdk::testing::Request;

use super::*;

/// What a namespace keeps when everybody has left.
const EMPTY: [&str; 2] = ["room:general", "rooms"];

fn join(host: &Host, name: &str, room: &str) -> Client {
    let client = host.open("/ws");
    client.text(&request(&format!(
        r#"room.join {{"roomId":"{room}","username":"{name}"}}"#
    )));
    client
}

fn say(client: &Client, room: &str, text: &str) {
    client.text(&request(&format!(
        r#"message.send {{"roomId":"{room}","text":"{text}"}}"#
    )));
}

/// What is kept of rooms. What addresses may ask for ends by itself.
fn kept(host: &Host) -> Vec<String> {
    let keys = host.keys().into_iter();
    keys.filter(|key| !key.starts_with("limit:")).collect()
}

fn heard(client: &Client) -> Vec<String> {
    client.frames().iter().map(|frame| normal(frame)).collect()
}

#[test]
fn two_clients_converse_as_recorded() {
    let host = host(Extras::Offered);
    replay(&host, &[], include_str!("../transcripts/two_clients.txt"));
}

#[test]
fn the_seeds_defects_are_cured() {
    replay(
        &host(Extras::None),
        &[],
        include_str!("../transcripts/cured.txt"),
    );
}

#[test]
fn the_seeds_rules_hold() {
    for extras in [Extras::None, Extras::Offered] {
        replay(&host(extras), &[], include_str!("../transcripts/rules.txt"));
    }
}

/// The list of rooms is one value of a mebibyte at most. Whoever fills it is told, and takes nothing from the others.
#[test]
fn the_names_of_rooms_have_a_bound_together() {
    let host = host(Extras::None);
    for sign in ["\u{20ac}", "\\u0001"] {
        let mut people = Vec::new();
        let told = (0..1_000).find_map(|number| {
            let name = format!("{number:03}{}", sign.repeat(997));
            let client = join(&host, "Ada", &name);
            let told = heard(&client);
            assert_eq!(client.closed(), None);
            people.push(client);
            told.last()
                .filter(|told| told.starts_with("error"))
                .cloned()
        });
        let told = told.unwrap();
        assert!(told.contains("TOO_MANY_ROOMS"), "{told}");
        let list = host.run(|| {
            let bucket = rookery_sdk::kv::bucket().unwrap();
            bucket.get("rooms").unwrap().unwrap()
        });
        assert!(
            (64 * 1024..600 * 1024).contains(&list.len()),
            "{}",
            list.len()
        );
        let bob = join(&host, "Bob", "general");
        say(&bob, "general", "hi");
        assert!(heard(&bob).last().unwrap().starts_with("message.received"));
        for client in people {
            client.close(1000, "");
        }
    }
}

#[test]
fn refused_requests_count_and_are_refused_for_the_limit_first() {
    let host = host(Extras::None);
    let ada = host.open("/ws");
    for _ in 0..30 {
        ada.text(&request(r#"message.send {"roomId":"nowhere","text":"x"}"#));
    }
    let refused = r#"error {"code":"NOT_AUTHENTICATED","message":"You must login first"}"#;
    assert_eq!(heard(&ada), [refused; 30]);
    for (step, answer) in [
        (
            r#"message.send {"roomId":"nowhere","text":"x"}"#,
            "rateLimit.warning",
        ),
        (r#"room.create {"roomId":"general"}"#, "rateLimit.warning"),
        (
            r#"room.join {"roomId":"general","username":"Ada"}"#,
            "rateLimit.warning",
        ),
        (r#"auth.login {"username":"Ada"}"#, "auth.error"),
    ] {
        ada.text(&request(step));
        let heard = heard(&ada);
        assert!(
            heard.len() == 1 && heard[0].starts_with(answer),
            "{heard:?}"
        );
    }
    // What does not count is done.
    for step in [r#"room.list {}"#, r#"message.history {"roomId":"general"}"#] {
        ada.text(&request(step));
        assert_eq!(heard(&ada).len(), 1);
    }
}

#[test]
fn a_room_that_a_restart_left_behind_has_nobody_in_it() {
    let host = host(Extras::Offered);
    host.run(|| {
        let bucket = rookery_sdk::kv::bucket().unwrap();
        let ghost = serde_json::json!({"session": 1, "name": "Ghost"});
        let roll = serde_json::json!({"members": [ghost], "ended": false, "stream": 77});
        bucket.set_json("room:general", &roll).unwrap();
        bucket.set_json("typing:general", &[ghost]).unwrap();
    });
    let ada = host.open("/ws");
    ada.text(&request("room.list {}"));
    assert!(heard(&ada)[0].contains(r#""userCount":0"#));
    ada.text(&request(
        r#"room.join {"roomId":"general","username":"Ada"}"#,
    ));
    assert!(heard(&ada)[1].contains(r#""users":["Ada"]"#));
    let bob = join(&host, "Bob", "general");
    bob.text(&request(r#"typing.start {"roomId":"general"}"#));
    assert!(heard(&ada)[2].ends_with(r#""usersTyping":["Bob"]}"#));
}

#[test]
fn two_versions_share_a_room() {
    let old = host(Extras::None);
    let new = old.beside(app(Edition {
        version: "1.9.0",
        extras: Extras::Offered,
    }));
    let transcript = include_str!("../transcripts/two_versions.txt");
    replay(&old, &[("new", &new)], transcript);
    assert_eq!(kept(&old), ["rooms"]);
}

#[test]
fn a_session_goes_on_in_another_version() {
    let old = host(Extras::None);
    let new = old.beside(app(Edition {
        version: "1.9.0",
        extras: Extras::Offered,
    }));
    let (ada, bob) = (join(&old, "Ada", "r"), join(&old, "Bob", "r"));
    let ada = ada.resume_on(&new, "1.0.0");
    ada.frames();
    bob.frames();
    say(&ada, "r", "moved");
    assert_eq!(heard(&ada), heard(&bob));
}

#[test]
fn the_thirty_first_request_is_blocked_and_the_last_six_are_warned() {
    let host = host(Extras::Offered);
    let (ada, bob) = (join(&host, "Ada", "r"), join(&host, "Bob", "r"));
    bob.frames();
    for _ in 2..=24 {
        say(&ada, "r", "x");
    }
    ada.frames();
    for remaining in (0..=5).rev() {
        say(&ada, "r", "x");
        let frames = heard(&ada);
        assert!(
            frames[0].starts_with("message.received"),
            "the message goes first"
        );
        let warning = format!(
            r#"rateLimit.warning {{"remaining":{remaining},"resetTime":TIME,"message":"Approaching rate limit"}}"#
        );
        assert_eq!(frames[1..], [warning]);
    }
    assert_eq!(bob.frames().len(), 29, "Ada's 29 messages");
    for (step, expected) in [
        (
            r#"message.send {"roomId":"r","text":"x"}"#,
            r#"rateLimit.warning {"remaining":0,"resetTime":TIME,"message":"Rate limit exceeded. Slow down!"}"#,
        ),
        (
            r#"room.create {"roomId":"s"}"#,
            r#"rateLimit.warning {"remaining":0,"resetTime":TIME,"message":"Rate limit exceeded"}"#,
        ),
        (
            r#"room.join {"roomId":"s","username":"Ada"}"#,
            r#"rateLimit.warning {"remaining":0,"resetTime":TIME,"message":"Rate limit exceeded"}"#,
        ),
        (
            r#"auth.login {"username":"Ada"}"#,
            r#"auth.error {"code":"RATE_LIMITED","message":"Too many login attempts. Please try again later."}"#,
        ),
    ] {
        ada.text(&request(step));
        assert_eq!(heard(&ada), [expected]);
    }
    assert!(bob.frames().is_empty());
    say(&bob, "r", "not limited");
    assert_eq!(ada.frames().len(), 1);
    // Logging out is no way around the limit; waiting is.
    ada.text(&request("auth.logout {}"));
    ada.text(&request(r#"auth.login {"username":"Ada"}"#));
    assert!(heard(&ada)[0].starts_with("auth.error"));
    host.advance(Duration::from_millis(60_001));
    ada.text(&request(r#"auth.login {"username":"Ada"}"#));
    assert!(heard(&ada)[0].starts_with("auth.success"));
}

#[test]
fn everyone_hears_one_frame_in_one_order() {
    let host = host(Extras::Offered);
    let room: Vec<Client> = (0..5).map(|n| join(&host, &format!("u{n}"), "r")).collect();
    room.iter().for_each(|client| drop(client.frames()));
    let texts: Vec<String> = (0..10)
        .map(|n| request(&format!(r#"message.send {{"roomId":"r","text":"{n}"}}"#)))
        .collect();
    let batch: Vec<(&Client, &str)> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| (&room[n % 5], text.as_str()))
        .collect();
    host.batch(&batch);
    let first = room[0].frames();
    assert_eq!(first.len(), 10);
    for client in &room[1..] {
        assert_eq!(client.frames(), first);
    }
    let timestamps = first.iter().map(|frame| {
        let frame: Value = serde_json::from_str(frame).unwrap();
        let payload = &frame["payload"];
        let timestamp = payload["timestamp"].as_u64().unwrap();
        let id = payload["id"].as_str().unwrap();
        assert_eq!(id.split_once('-').unwrap().0, timestamp.to_string());
        timestamp
    });
    let timestamps: Vec<u64> = timestamps.collect();
    assert!(
        timestamps.windows(2).all(|pair| pair[0] < pair[1]),
        "{timestamps:?}"
    );
}

#[test]
fn a_lost_race_for_the_list_or_the_roll_loses_nobody() {
    let host = host(Extras::Offered);
    host.contend(2);
    let ada = join(&host, "Ada", "r");
    host.contend(2);
    let bob = join(&host, "Bob", "r");
    assert!(bob.frames()[1].contains(r#"["Ada","Bob"]"#));
    host.contend(2);
    ada.close(1000, "");
    bob.close(1000, "");
    assert_eq!(kept(&host), EMPTY[1..]);
}

#[test]
fn rooms_leave_nothing_behind() {
    let host = host(Extras::Offered);
    for room in ["r", "general"] {
        let ada = join(&host, "Ada", room);
        say(&ada, room, "x");
        ada.text(&request(&format!(r#"typing.start {{"roomId":"{room}"}}"#)));
        ada.close(1006, "");
    }
    let general = [
        "clock:general",
        "message:general:0",
        "room:general",
        "rooms",
        "typing:general",
    ];
    assert_eq!(kept(&host), general);
    let late = join(&host, "Late", "general");
    assert!(late.frames()[1].contains(r#""users":["Late"]"#));
}

#[test]
fn a_room_that_ended_before_it_left_the_list_is_made_anew() {
    let host = host(Extras::Offered);
    drop(join(&host, "Ada", "r"));
    let stale = host
        .keys()
        .into_iter()
        .find(|key| key.starts_with("room:") && key != EMPTY[0]);
    // As if the isolate that cleared the room had died half-way.
    host.run(|| rookery_sdk::kv::bucket().unwrap().delete(&stale.unwrap()))
        .unwrap();
    let bob = join(&host, "Bob", "r");
    assert!(bob.frames()[1].contains(r#""users":["Bob"]"#));
    bob.text(&request("room.list {}"));
    assert_eq!(bob.frames()[0].matches(r#""id":"r""#).count(), 1);
}

#[test]
fn binary_frames_are_text_and_nonsense_is_nothing() {
    let host = host(Extras::Offered);
    let ada = host.open("/any/path/ws");
    ada.binary(request(r#"auth.login {"username":"Ada"}"#).as_bytes());
    assert_eq!(heard(&ada).len(), 1);
    ada.binary(&[0xff, 0xfe]);
    for text in [
        "",
        "hello",
        "[]",
        r#"{"type":"subscribe","channel":"auth.login"}"#,
    ] {
        ada.text(text);
    }
    assert!(ada.frames().is_empty());
    assert_eq!(ada.closed(), None);
}

#[test]
fn a_path_where_nobody_listens_is_refused() {
    let host = host(Extras::Offered);
    assert_eq!(host.open("/").closed(), None);
    assert_eq!(host.open("/elsewhere").closed().unwrap().code, 4404);
}

#[test]
fn requests_get_the_version_or_json_errors() {
    let host = host(Extras::Offered);
    let version = host.request(Request::get("/version"));
    assert_eq!(version.text(), r#"{"app":"chat","version":"1.2.3"}"#);
    assert_eq!(host.request(Request::get("/ws")).status(), 400);
    let unknown = host.request(Request::get("/unknown"));
    assert_eq!(
        unknown.text(),
        r#"{"error":"Not found","code":"NOT_FOUND"}"#
    );
}
