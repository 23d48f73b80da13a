//! Deploying the chat with everybody inside: from 1.0 to 1.1 and back, in the middle of a conversation.

use std::collections::BTreeSet;

use rookery_tests::{Apps, Bundle, Server, build_bundles, until};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::person::{Person, texts};

const APP: &str = "chat@1";
const ROOM: &str = "live";
const LISTENERS: usize = 20;
const SPEAKERS: usize = 5;
/// What one connection may say within the limit of the protocol.
const TURN: usize = 25;

/// A version, with its keys here.
fn bundle(version: &str, keys: &str) -> Bundle {
    let folder = build_bundles("apps/chat").join(version);
    let manifest = std::fs::read_to_string(folder.join("worker.config.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["database"] = json!({"keys": keys});
    Bundle::of_folder(&folder).manifest(manifest)
}

/// Speaks until it is told to stop, a turn a connection; how much it said.
async fn speak(server: &Server, speaker: usize, stop: &watch::Receiver<bool>) -> usize {
    let mut number = 0;
    while !*stop.borrow() {
        let mut person = enter(server, &format!("s{speaker}")).await;
        for _ in 0..TURN {
            let said = person.say(ROOM, &format!("{speaker} {number}")).await;
            let payload = &said["payload"];
            let stamp = payload["timestamp"].as_u64().unwrap().to_string();
            assert_eq!(
                payload["id"].as_str().unwrap().split_once('-').unwrap().0,
                stamp
            );
            number += 1;
        }
        person.0.close(1000, "").await;
    }
    number
}

/// Joins the room. Whoever knocks in the very moment in which a version goes may be told to come again; who is in, is not.
async fn enter(server: &Server, name: &str) -> Person {
    let join = json!({"roomId": ROOM, "username": name});
    let frame = json!({"type": "publish", "channel": "room.join", "payload": join}).to_string();
    loop {
        let mut person = Person::connect(server, APP).await;
        if !person.0.try_say(frame.clone()).await {
            continue;
        }
        while let Some(text) = person.0.try_hear().await {
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["channel"] == "room.joined" {
                return person;
            }
        }
    }
}

/// Listens until everything was said: the ids, in the order of hearing.
async fn listen(mut person: Person, mut said: watch::Receiver<Option<usize>>) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), [0; SPEAKERS]);
    loop {
        if said
            .borrow_and_update()
            .is_some_and(|total| ids.len() >= total)
        {
            return ids;
        }
        tokio::select! {
            frame = person.hear("message.received") => {
                let payload = &frame["payload"];
                let (speaker, number) = payload["text"].as_str().unwrap().split_once(' ').unwrap();
                let (speaker, number): (usize, usize) = (speaker.parse().unwrap(), number.parse().unwrap());
                assert_eq!(number, next[speaker], "of speaker {speaker}");
                next[speaker] += 1;
                ids.push(payload["id"].as_str().unwrap().to_owned());
            }
            changed = said.changed() => changed.unwrap(),
        }
    }
}

/// Waits until a session is served by a version that names requests, or by one that does not.
async fn moved(scout: &mut Person, names: bool) {
    until("the sessions have moved", async || {
        scout.ask_by_name("room.list", json!({}), "which").await;
        loop {
            let answer = scout.0.hear_json().await;
            // Who asks so often may be told that it is too often: by name, too.
            if answer["channel"] == "room.list" || answer["channel"] == "error" {
                break (answer["requestId"].is_string() == names).then_some(());
            }
        }
    })
    .await;
}

async fn upgrade_and_return(keys: &str) {
    let server = Server::start(Apps::new().with("chat/1.0.0", bundle("1.0.0", keys))).await;
    let (all_said, said) = watch::channel(None);
    let (stop, stopped) = watch::channel(false);
    let mut listening = JoinSet::new();
    for listener in 0..LISTENERS {
        let (person, _) = Person::join(&server, APP, &format!("l{listener}"), ROOM).await;
        listening.spawn(listen(person, said.clone()));
    }
    // A member, too: the room and its past end with the last one.
    let (mut scout, _) = Person::join(&server, APP, "scout", ROOM).await;
    let speaking = async {
        let speakers = (0..SPEAKERS).map(|speaker| speak(&server, speaker, &stopped));
        futures_util::future::join_all(speakers).await
    };
    let deploying = async {
        moved(&mut scout, false).await;
        server.apps().publish("chat/1.1.0", &bundle("1.1.0", keys));
        moved(&mut scout, true).await;
        server.apps().remove("chat/1.1.0");
        moved(&mut scout, false).await;
        stop.send(true).unwrap();
    };
    let (spoken, ()) = tokio::join!(speaking, deploying);
    let total: usize = spoken.into_iter().sum();
    all_said.send(Some(total)).unwrap();
    let heard = listening.join_all().await;
    for ids in &heard {
        assert_eq!(ids.len(), total);
        assert_eq!(ids, &heard[0], "one order for everybody");
    }
    let unique: BTreeSet<&String> = heard[0].iter().collect();
    assert_eq!(unique.len(), total, "no id is given twice");

    // And what is kept is what was heard.
    let page = json!({"roomId": ROOM, "limit": 100});
    scout.ask("message.history", page).await;
    let history = scout.hear("message.history").await;
    let messages = &history["payload"]["messages"];
    assert_eq!(texts(messages).len(), total.min(100));
    let kept = messages.as_array().unwrap().iter();
    let kept: BTreeSet<&str> = kept.map(|said| said["id"].as_str().unwrap()).collect();
    assert!(
        kept.iter()
            .all(|id| heard[0].iter().any(|heard| heard == id))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_goes_on_from_the_first_version_to_the_next_and_back() {
    upgrade_and_return("memory").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_does_one_that_is_kept_on_disk() {
    upgrade_and_return("database").await;
}

/// Who is in a room stays in it, and what was limited stays limited, whoever serves the session.
#[tokio::test]
async fn what_is_known_of_a_session_goes_with_it() {
    let server = Server::start(Apps::new().with("chat/1.0.0", bundle("1.0.0", "memory"))).await;
    let (mut ada, _) = Person::join(&server, APP, "Ada", ROOM).await;
    let (mut bob, _) = Person::join(&server, APP, "Bob", ROOM).await;
    ada.ask("presence.update", json!({"status": "dnd"})).await;
    assert_eq!(
        bob.hear("presence.update").await["payload"]["status"],
        "dnd"
    );
    server
        .apps()
        .publish("chat/1.1.0", &bundle("1.1.0", "memory"));
    moved(&mut bob, true).await;
    moved(&mut ada, true).await;
    // The new version knows what the old one was told.
    let (mut eve, joined) = Person::join(&server, APP, "Eve", ROOM).await;
    assert_eq!(joined["payload"]["users"], json!(["Ada", "Bob", "Eve"]));
    assert_eq!(joined["statuses"], json!(["dnd", "online", "online"]));
    for _ in 1..30 {
        ada.say(ROOM, "still in the room").await;
    }
    let one_more = json!({"roomId": ROOM, "text": "one more"});
    ada.ask("message.send", one_more).await;
    loop {
        let warning = ada.hear("rateLimit.warning").await;
        if warning["payload"]["message"] == "Rate limit exceeded. Slow down!" {
            break;
        }
    }
    eve.0.close(1000, "").await;
    assert_eq!(
        bob.hear("room.userLeft").await["payload"]["username"],
        "Eve"
    );
}
