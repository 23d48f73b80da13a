//! Claims about what an edition with extras adds, and that the first one takes no notice of it.

use rookery_sdk::Opened;
use serde_json::json;

use super::*;

fn ask(client: &Client, channel: &str, payload: Value) {
    client.text(&json!({"type": "publish", "channel": channel, "payload": payload}).to_string());
}

fn ask_by_name(client: &Client, channel: &str, payload: Value) {
    let frame =
        json!({"type": "publish", "channel": channel, "payload": payload, "requestId": "q"});
    client.text(&frame.to_string());
}

fn join(host: &Host, name: &str) -> Client {
    let client = host.open("/ws");
    ask(
        &client,
        "room.join",
        json!({"roomId": "r", "username": name}),
    );
    client
}

/// The frames of a channel among those that came.
fn only(client: &Client, channel: &str) -> Vec<Value> {
    let frames: Vec<Value> = client.json();
    let matching = frames
        .into_iter()
        .filter(|frame| frame["channel"] == channel);
    matching.collect()
}

/// Says so much, by as many people as the limit makes necessary; all of them leave.
fn say(host: &Host, numbers: std::ops::Range<usize>) {
    for first in numbers.clone().step_by(20) {
        let speaker = join(host, "Speaker");
        for number in first..numbers.end.min(first + 20) {
            ask(
                &speaker,
                "message.send",
                json!({"roomId": "r", "text": number.to_string()}),
            );
        }
        speaker.close(1000, "");
    }
}

fn position(frame: &Value) -> String {
    frame["position"].as_str().unwrap().to_owned()
}

fn texts(frame: &Value) -> Vec<usize> {
    let messages = frame["payload"]["messages"].as_array().unwrap();
    let texts = messages.iter().map(|said| said["text"].as_str().unwrap());
    texts.map(|text| text.parse().unwrap()).collect()
}

#[test]
fn who_comes_back_is_told_what_was_missed() {
    let host = host(Extras::Offered);
    let (_keeper, ada) = (join(&host, "Keeper"), join(&host, "Ada"));
    say(&host, 0..3);
    let heard = position(only(&ada, "message.received").last().unwrap());
    ada.close(1006, "");
    host.advance(Duration::from_secs(60));
    say(&host, 3..263);
    let ada = host.open("/ws");
    ask(
        &ada,
        "room.join",
        json!({"roomId": "r", "username": "Ada", "since": heard}),
    );
    let frames: Vec<Value> = ada.json();
    let channels: Vec<&str> = frames
        .iter()
        .map(|frame| frame["channel"].as_str().unwrap())
        .collect();
    assert_eq!(
        channels,
        ["auth.success", "room.joined", "message.recovered"]
    );
    let mut page = frames[2].clone();
    let mut missed = texts(&page);
    while page["payload"]["hasMore"] == true {
        assert_eq!(missed.len() % 100, 0);
        ask(
            &ada,
            "message.recover",
            json!({"roomId": "r", "since": position(&page)}),
        );
        page = only(&ada, "message.recovered").remove(0);
        missed.extend(texts(&page));
    }
    assert_eq!(page["payload"]["complete"], true);
    // What was said shortly before the position comes again.
    assert_eq!(missed, (0..263).collect::<Vec<_>>());
    host.advance(Duration::from_secs(60));
    say(&host, 263..264);
    ask(
        &ada,
        "message.recover",
        json!({"roomId": "r", "since": position(&page), "limit": 1}),
    );
    let next = only(&ada, "message.recovered").remove(0);
    assert_eq!(
        (next["payload"]["hasMore"].as_bool(), texts(&next).len()),
        (Some(true), 1)
    );
}

#[test]
fn who_was_told_of_an_empty_room_is_told_what_came_after() {
    let host = host(Extras::Offered);
    let (_keeper, ada) = (join(&host, "Keeper"), join(&host, "Ada"));
    let since = position(&only(&ada, "room.joined")[0]);
    ada.close(1006, "");
    say(&host, 0..2);
    let ada = host.open("/ws");
    ask(
        &ada,
        "room.join",
        json!({"roomId": "r", "username": "Ada", "since": since}),
    );
    assert_eq!(texts(&only(&ada, "message.recovered")[0]), [0, 1]);
}

#[test]
fn what_cannot_be_told_any_more_is_a_gap() {
    let host = host(Extras::Offered);
    let ada = join(&host, "Ada");
    let since = position(&only(&ada, "room.joined")[0]);
    // The room ends with her, and is made anew.
    ada.close(1006, "");
    let _keeper = join(&host, "Keeper");
    for since in [since.as_str(), "nonsense"] {
        let ada = host.open("/ws");
        ask(
            &ada,
            "room.join",
            json!({"roomId": "r", "username": "Ada", "since": since}),
        );
        let recovered = only(&ada, "message.recovered").remove(0);
        let expected = json!({"roomId": "r", "messages": [], "hasMore": false, "complete": false});
        assert_eq!(recovered["payload"], expected);
    }
    let eve = host.open("/ws");
    ask(
        &eve,
        "message.recover",
        json!({"roomId": "nowhere", "since": since}),
    );
    assert_eq!(only(&eve, "error")[0]["payload"]["code"], "ROOM_NOT_FOUND");
}

#[test]
fn what_is_said_by_the_first_edition_is_recovered_by_the_next() {
    let old = host(Extras::None);
    let new = old.beside(app(Edition {
        version: "1.9.0",
        extras: Extras::Offered,
    }));
    let (_keeper, ada) = (join(&old, "Keeper"), join(&new, "Ada"));
    let since = position(&only(&ada, "room.joined")[0]);
    ada.close(1006, "");
    say(&old, 0..2);
    let ada = new.open("/ws");
    ask(
        &ada,
        "room.join",
        json!({"roomId": "r", "username": "Ada", "since": since}),
    );
    assert_eq!(texts(&only(&ada, "message.recovered")[0]), [0, 1]);
}

#[test]
fn who_joins_is_told_what_everybody_is_seen_as() {
    let host = host(Extras::Offered);
    let (ada, _bob) = (join(&host, "Ada"), join(&host, "Bob"));
    ask(&ada, "presence.update", json!({"status": "dnd"}));
    let joined = only(&join(&host, "Eve"), "room.joined").remove(0);
    assert_eq!(joined["payload"]["users"], json!(["Ada", "Bob", "Eve"]));
    assert_eq!(joined["statuses"], json!(["dnd", "online", "online"]));
    host.advance(Duration::from_secs(300));
    let joined = only(&join(&host, "Zoe"), "room.joined").remove(0);
    assert_eq!(joined["statuses"], json!(["dnd", "away", "away", "online"]));
}

#[test]
fn the_first_edition_takes_no_notice_of_any_of_it() {
    let host = host(Extras::None).with_setting("CHAT_ORIGINS", "https://chat.example");
    let ada = host.open_with(Opened {
        path: "/ws".to_owned(),
        headers: vec![("Origin".to_owned(), "https://evil.example".to_owned())],
        ..Opened::default()
    });
    ask_by_name(
        &ada,
        "room.join",
        json!({"roomId": "r", "username": "Ada", "since": 7}),
    );
    ask_by_name(
        &ada,
        "message.recover",
        json!({"roomId": "r", "since": "x"}),
    );
    for _ in 0..300 {
        ask_by_name(&ada, "room.list", json!({}));
    }
    let frames = ada.frames();
    assert_eq!(frames.len(), 302);
    for beside in BESIDE {
        assert!(frames.iter().all(|frame| !frame.contains(beside)));
    }
}

fn from_origin(host: &Host, origin: Option<&str>) -> Option<u16> {
    let origin = origin.map(|origin| ("origin".to_owned(), origin.to_owned()));
    let client = host.open_with(Opened {
        path: "/ws".to_owned(),
        headers: origin.into_iter().collect(),
        ..Opened::default()
    });
    client.closed().map(|closed| closed.code)
}

#[test]
fn a_page_of_somebody_elses_is_refused() {
    let host = host(Extras::Offered);
    assert_eq!(
        from_origin(&host, Some("https://evil.example")),
        None,
        "all may, unless somebody says who"
    );
    let host = host.with_setting(
        "CHAT_ORIGINS",
        "https://chat.example, http://localhost:8080/",
    );
    for (origin, code) in [
        (None, None),
        (Some("https://chat.example"), None),
        (Some("HTTPS://Chat.Example"), None),
        (Some("http://localhost:8080"), None),
        (Some("http://chat.example"), Some(4403)),
        (Some("https://chat.example:444"), Some(4403)),
        (Some("https://chat.example.evil.example"), Some(4403)),
        (Some("null"), Some(4403)),
        (Some(""), Some(4403)),
    ] {
        assert_eq!(from_origin(&host, origin), code, "{origin:?}");
    }
}

#[test]
fn what_is_asked_for_again_under_its_name_is_said_once() {
    let host = host(Extras::Offered);
    let (old, bob) = (join(&host, "Ada"), join(&host, "Bob"));
    let say = |client: &Client, text: &str| {
        let payload = json!({"roomId": "r", "text": text});
        ask_by_name(client, "message.send", payload);
    };
    // The old session's message is handled after the new one looked at what it missed, or before it.
    let new = join(&host, "Ada");
    drop((old.frames(), new.frames(), bob.frames()));
    say(&new, "hi");
    let first = only(&new, "message.received").remove(0);
    say(&old, "hi");
    let again = only(&old, "message.received").pop().unwrap();
    assert_eq!(again["payload"], first["payload"]);
    assert_eq!(again["requestId"], "q");
    assert_eq!(only(&bob, "message.received").len(), 1);
    assert!(only(&new, "message.received").is_empty());
    // Neither another text, nor somebody else, nor the same much later is taken for it.
    say(&new, "ho");
    say(&bob, "hi");
    say(&new, "ho");
    host.advance(Duration::from_secs(301));
    say(&new, "ho");
    assert_eq!(only(&bob, "message.received").len(), 3);
    for client in [old, new, bob] {
        client.close(1000, "");
    }
    let kept = host.keys();
    assert!(
        !kept.iter().any(|key| key.starts_with("asked:")),
        "{kept:?}"
    );
}

#[test]
fn a_client_that_asks_too_much_is_not_heard_for_a_while() {
    let host = host(Extras::Offered);
    let (ada, bob) = (join(&host, "Ada"), join(&host, "Bob"));
    for _ in 0..99 {
        ask(&ada, "room.list", json!({}));
    }
    assert_eq!(only(&ada, "room.list").len(), 99);
    ask(&ada, "room.list", json!({}));
    assert!(ada.frames().is_empty(), "clients of the seed are not told");
    ask_by_name(&ada, "room.list", json!({}));
    let told = only(&ada, "error").remove(0);
    let expected =
        json!({"code": "RATE_LIMITED", "message": "Too many requests. Try again in 1 s."});
    assert_eq!(
        (&told["payload"], &told["requestId"]),
        (&expected, &json!("q"))
    );
    // Neither does logging out help, nor the other edition.
    host.advance(Duration::from_millis(100));
    ask(&ada, "auth.logout", json!({}));
    ask(&ada, "room.list", json!({}));
    assert!(ada.frames().is_empty());
    ask(&bob, "room.list", json!({}));
    assert_eq!(only(&bob, "room.list").len(), 1);
    host.advance(Duration::from_secs(1));
    for _ in 0..20 {
        ask(&ada, "room.list", json!({}));
    }
    assert_eq!(
        only(&ada, "room.list").len(),
        10,
        "so many come in a second"
    );
}

#[test]
fn the_clients_of_one_address_share_what_it_may_ask_for() {
    let host = host(Extras::Offered);
    let client = |peer: &str| {
        host.open_with(Opened {
            path: "/ws".to_owned(),
            peer: peer.to_owned(),
            ..Opened::default()
        })
    };
    let listed = |peer: &str| {
        let client = client(peer);
        for _ in 0..100 {
            ask(&client, "room.list", json!({}));
        }
        only(&client, "room.list").len()
    };
    for _ in 0..10 {
        assert_eq!(listed("198.51.100.7"), 100);
    }
    assert_eq!(listed("198.51.100.7"), 0, "coming anew is no way around it");
    assert_eq!(listed("198.51.100.8"), 100);
    let late = client("198.51.100.7");
    ask_by_name(&late, "room.list", json!({}));
    assert_eq!(only(&late, "error")[0]["payload"]["code"], "RATE_LIMITED");
    host.advance(Duration::from_secs(1));
    assert_eq!(listed("198.51.100.7"), 50);
}

#[test]
fn limits_go_with_a_session_to_another_version_and_back() {
    let new = host(Extras::Offered);
    let old = new.beside(app(Edition {
        version: "1.0.0",
        extras: Extras::None,
    }));
    let ada = join(&new, "Ada");
    for _ in 0..99 {
        ask(&ada, "room.list", json!({}));
    }
    let ada = ada.resume_on(&old, "1.9.0");
    ask(&ada, "presence.update", json!({"status": "dnd"}));
    let ada = ada.resume_on(&new, "1.0.0");
    ada.frames();
    ask(&ada, "room.list", json!({}));
    assert!(ada.frames().is_empty());
}
