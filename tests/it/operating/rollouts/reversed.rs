//! A canary that fails on some of what it is asked, under sessions and requests: it is gone before anybody looks.

use std::fs;
use std::sync::Arc;

use rookery_tests::{Options, Server, Ws, until};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::{FILE, LATER, is_later, rollout, run, said, server, version};

/// Of how many of its events the later version fails on one.
const FAULTS: &str = "KITCHEN_FAULTS";

/// What became of one of many sessions.
struct Member {
    /// Whether it was closed, and with what.
    closed: Option<u16>,
    ws: Ws,
}

/// Speaks until it is told to stop, and hears every answer in its order.
async fn talk(mut ws: Ws, stop: watch::Receiver<bool>) -> Member {
    let mut number = 0;
    while !*stop.borrow() {
        let expected = number.to_string();
        // When this does not reach the server any more, its last words are still to be heard.
        ws.try_say(format!("echo {expected}")).await;
        loop {
            match ws.next().await {
                Message::Text(text) if text.starts_with("resumed from ") => {}
                Message::Text(text) => break assert_eq!(text.as_str(), expected),
                Message::Close(frame) => {
                    let closed = frame.map(|frame| frame.code.into());
                    return Member { closed, ws };
                }
                other => panic!("{other:?}"),
            }
        }
        number += 1;
    }
    Member { closed: None, ws }
}

/// Asks until it is told to stop. How often it was answered well, and how often not.
async fn ask(server: &Server, stop: watch::Receiver<bool>) -> (usize, usize) {
    let (mut well, mut badly) = (0, 0);
    while !*stop.borrow() {
        let answer = server.get("/kitchen/risky").await;
        match answer.status.as_u16() {
            200 => well += 1,
            500 => {
                assert_eq!(version(&answer), "1.1.0", "{}", answer.text());
                badly += 1;
            }
            _ => panic!("{answer:?}"),
        }
    }
    (well, badly)
}

/// Comes, speaks and leaves, again and again. The codes with which it was closed though it had not left.
async fn come_and_go(server: &Server, stop: watch::Receiver<bool>) -> Vec<u16> {
    let mut closed = Vec::new();
    while !*stop.borrow() {
        let ws = Ws::open(server, "/kitchen/ws").await;
        let (leave, left) = watch::channel(false);
        let talking = talk(ws, left);
        let (member, ()) = tokio::join!(talking, async {
            tokio::task::yield_now().await;
            leave.send(true).unwrap();
        });
        closed.extend(member.closed);
    }
    closed
}

/// What the canary dies of is answered by the stable version, for those who were there and for those who come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_that_fails_on_one_of_twenty_events_is_reversed_and_nobody_is_closed() {
    const SESSIONS: usize = 500;
    let server = server(&[LATER, FAULTS], Options::new().set(FAULTS, 20)).await;
    let server = Arc::new(server);
    let (stop, stopped) = watch::channel(false);
    let mut talking = JoinSet::new();
    for _ in 0..SESSIONS {
        let ws = Ws::open(&server, "/kitchen/ws").await;
        talking.spawn(talk(ws, stopped.clone()));
    }
    let mut asking = JoinSet::new();
    for _ in 0..4 {
        let (server, stopped) = (Arc::clone(&server), stopped.clone());
        asking.spawn(async move { ask(&server, stopped).await });
    }
    let mut coming = JoinSet::new();
    for _ in 0..4 {
        let (server, stopped) = (Arc::clone(&server), stopped.clone());
        coming.spawn(async move { come_and_go(&server, stopped).await });
    }
    let args = [
        "canary",
        "kitchen@1.1.0",
        "--steps",
        "10,100",
        "--window",
        "5m",
        "--wait",
    ];
    let output = run(&server, &args).await;
    stop.send(true).unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("kitchen@1.1.0 was reversed: "), "{said}");

    let (mut well, mut badly) = (0, 0);
    for (answered, failed) in asking.join_all().await {
        well += answered;
        badly += failed;
    }
    assert!(well > badly, "{well} well, {badly} badly");
    let members = talking.join_all().await;
    let closed = members.iter().filter_map(|member| member.closed);
    let mut closed: Vec<u16> = closed.collect();
    closed.extend(coming.join_all().await.into_iter().flatten());
    assert!(closed.is_empty(), "{closed:?}");
    let stats = server.get("/_/stats").await.json();
    assert_eq!(stats["hub"]["guestFaults"], 0);
    let spared = stats["hub"]["spared"].as_u64().unwrap();
    assert!(
        spared > 0,
        "sessions' events failed, too: {reason:?}",
        reason = stats["rollouts"]
    );
    for mut member in members {
        until("it is back", async || {
            (!is_later(&mut member.ws).await).then_some(())
        })
        .await;
    }
    let rollout = rollout(&server).await;
    assert_eq!(rollout["weights"], json!({ "1.0.0": 100.0 }));
    assert_eq!(
        (&rollout["last"]["how"], &rollout["canary"]),
        (&json!("reversed"), &Value::Null)
    );
    let reason = rollout["last"]["reason"].as_str().unwrap();
    assert!(said.contains(reason), "{said}");
    let is_logged = async || server.log().contains("1.1.0 is reversed").then_some(());
    until("the log says it", is_logged).await;
    assert_eq!(stats["rollouts"]["kitchen"]["last"]["reason"], reason);
    let kept = fs::read_to_string(server.apps().path(FILE)).unwrap();
    assert!(kept.contains("reversed"), "{kept}");
    println!("{well} answered well, {badly} badly, {spared} events given to 1.0.0: {reason}");
}
