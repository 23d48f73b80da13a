//! What 1.1 adds to the first protocol: nothing is missed, who asks too much or from elsewhere is refused, and rooms that
//! are kept on disk outlive the server.

use rookery_tests::{Apps, Bundle, Options, Server, build_bundles};
use serde_json::{Value, json};

use super::person::{Person, position, texts};
use super::stage::server;

const APP: &str = "chat@1.1.0";

/// So many messages by people who each keep within the limit.
async fn say(server: &Server, app: &str, numbers: std::ops::Range<usize>) {
    for first in numbers.clone().step_by(25) {
        let (mut speaker, _) = Person::join(server, app, "Speaker", "room").await;
        for number in first..numbers.end.min(first + 25) {
            speaker.say("room", &number.to_string()).await;
        }
    }
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn who_comes_back_misses_nothing_of_what_two_versions_said() {
    let server = server().await;
    let (_keeper, _) = Person::join(&server, APP, "Keeper", "room").await;
    let (mut ada, joined) = Person::join(&server, APP, "Ada", "room").await;
    assert!(!position(&joined).is_empty());
    let heard = position(&ada.say("room", "before").await);
    ada.0.close(1001, "").await;
    say(&server, "chat@1.0.0", 0..130).await;
    say(&server, APP, 130..150).await;
    let mut ada = Person::connect(&server, APP).await;
    let back = json!({"roomId": "room", "username": "Ada", "since": heard});
    ada.ask("room.join", back).await;
    let joined = ada.hear("room.joined").await;
    assert_eq!(
        texts(&joined["payload"]["recentMessages"]),
        numbers(100..150)
    );
    let page = ada.hear("message.recovered").await;
    assert_eq!(page["payload"]["hasMore"], true);
    let mut said = texts(&page["payload"]["messages"]);
    let (more, next) = ada.recover("room", &position(&page)).await;
    said.extend(more);
    // What was said shortly before the position may come again.
    said.retain(|text| text != "before");
    assert_eq!(said, numbers(0..150));
    say(&server, APP, 150..152).await;
    let (said, _) = ada.recover("room", &next).await;
    assert_eq!(said[said.len() - 2..], numbers(150..152));
}

#[tokio::test]
async fn a_named_request_is_told_what_became_of_it() {
    let server = server().await;
    let (mut ada, _) = Person::join(&server, APP, "Ada", "room").await;
    let (mut bob, _) = Person::join(&server, APP, "Bob", "room").await;
    let hi = json!({"roomId": "room", "text": "hi"});
    ada.ask_by_name("message.send", hi, "mine").await;
    for person in [&mut ada, &mut bob] {
        assert_eq!(person.hear("message.received").await["requestId"], "mine");
    }
    let empty = json!({"roomId": "room", "text": ""});
    ada.ask("message.send", empty.clone()).await;
    ada.ask_by_name("message.send", empty, "bad").await;
    let told = ada.hear("error").await;
    assert_eq!(
        (&told["payload"]["code"], &told["requestId"]),
        (&json!("VALIDATION_ERROR"), &json!("bad"))
    );
}

#[tokio::test]
async fn who_asks_too_much_is_told_by_name_and_served_again_later() {
    let server = server().await;
    let mut ada = Person::connect(&server, APP).await;
    let (mut bob, _) = Person::join(&server, APP, "Bob", "room").await;
    for number in 0..150 {
        ada.ask_by_name("room.list", json!({}), &number.to_string())
            .await;
    }
    // A hundred at once, and then as many as come in the time that it takes.
    let (mut granted, mut refused) = (0, 0);
    for _ in 0..150 {
        let frame = ada.0.hear_json().await;
        match frame["channel"].as_str().unwrap() {
            "room.list" => granted += 1,
            _ => {
                assert_eq!(frame["payload"]["code"], "RATE_LIMITED");
                refused += 1;
            }
        }
    }
    assert!(granted >= 100 && refused > 0, "{granted}, {refused}");
    bob.say("room", "nobody else is slower").await;
    loop {
        ada.ask_by_name("room.list", json!({}), "again").await;
        if ada.0.hear_json().await["channel"] == "room.list" {
            break;
        }
    }
}

#[tokio::test]
async fn an_address_has_a_limit_that_new_connections_do_not_get_around() {
    let options = Options::new().set("CHAT_ADDRESS_RATE", 1);
    let server = Server::start_with(both(json!({})), options).await;
    // Twenty at once, in handfuls of ten.
    for _ in 0..2 {
        let mut person = Person::connect(&server, APP).await;
        for _ in 0..10 {
            person.ask_by_name("room.list", json!({}), "q").await;
            assert_eq!(person.0.hear_json().await["channel"], "room.list");
        }
    }
    let mut late = Person::connect(&server, APP).await;
    late.ask_by_name("room.list", json!({}), "q").await;
    let told = late.0.hear_json().await;
    assert_eq!(told["payload"]["code"], "RATE_LIMITED", "{told}");
    // The first protocol knows no such limit.
    let mut old = Person::connect(&server, "chat@1.0.0").await;
    old.ask("room.list", json!({})).await;
    old.hear("room.list").await;
}

#[tokio::test]
async fn only_pages_that_were_named_may_connect() {
    let options = Options::new().set("CHAT_ORIGINS", "https://chat.example");
    let server = Server::start_with(both(json!({})), options).await;
    let mut evil = Person::of_origin(&server, APP, "https://evil.example").await;
    let closed = evil.0.ended().await;
    assert_eq!(
        (closed.code, closed.reason.as_str()),
        (4403, "Origin not allowed")
    );
    let mut own = Person::of_origin(&server, APP, "https://chat.example").await;
    let mut program = Person::connect(&server, APP).await;
    let mut old = Person::of_origin(&server, "chat@1.0.0", "https://evil.example").await;
    for person in [&mut own, &mut program, &mut old] {
        person.ask("room.list", json!({})).await;
        person.hear("room.list").await;
    }
}

/// Both versions, with more in their manifests.
fn both(more: Value) -> Apps {
    let chat = build_bundles("apps/chat");
    let bundle = |version: &str| {
        let folder = chat.join(version);
        let manifest = std::fs::read_to_string(folder.join("worker.config.json")).unwrap();
        let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
        let fields = manifest.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        Bundle::of_folder(&folder).manifest(manifest)
    };
    Apps::new()
        .with("chat/1.0.0", bundle("1.0.0"))
        .with("chat/1.1.0", bundle("1.1.0"))
}

#[tokio::test]
async fn rooms_that_are_kept_on_disk_outlive_the_servers_sudden_end() {
    let data = tempfile::tempdir().unwrap();
    let start = async || {
        let options = Options::new().set("ROOKERY_DATA_DIR", data.path().display());
        Server::start_with(both(json!({"database": {"keys": "database"}})), options).await
    };
    let mut first = start().await;
    let (mut ada, joined) = Person::join(&first, APP, "Ada", "room").await;
    let (mut bob, _) = Person::join(&first, "chat@1.0.0", "Bob", "room").await;
    ada.say("room", "by the new one").await;
    bob.say("room", "by the old one").await;
    bob.ask("typing.start", json!({"roomId": "room"})).await;
    ada.hear("typing.update").await;
    first.signal("KILL");
    first.exited().await;

    let again = start().await;
    let mut ada = Person::connect(&again, APP).await;
    ada.ask("room.list", json!({})).await;
    let rooms = ada.hear("room.list").await;
    assert_eq!(
        rooms["payload"]["rooms"][1],
        json!({"id": "room", "userCount": 0, "createdAt": rooms["payload"]["rooms"][1]["createdAt"]})
    );
    let since = position(&joined);
    let back = json!({"roomId": "room", "username": "Ada", "since": since});
    ada.ask("room.join", back).await;
    let joined = ada.hear("room.joined").await;
    assert_eq!(joined["payload"]["users"], json!(["Ada"]), "no ghosts");
    let recovered = ada.hear("message.recovered").await;
    assert_eq!(recovered["payload"]["complete"], true);
    let said = ["by the new one", "by the old one"];
    assert_eq!(texts(&recovered["payload"]["messages"]), said);
    // And the old version reads the same.
    let (_, joined) = Person::join(&again, "chat@1.0.0", "Bob", "room").await;
    assert_eq!(joined["payload"]["users"], json!(["Ada", "Bob"]));
    assert_eq!(texts(&joined["payload"]["recentMessages"]), said);
}
