//! Deploying with everybody inside: sessions move to the version that their path leads to, and nobody notices.

use rookery_tests::{Apps, Bundle, Server, Ws, kitchen};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

const SESSIONS: usize = 60;
const SPEAKERS: usize = 6;

fn bundle() -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": 60 }))
}

async fn server() -> Server {
    Server::start(Apps::new().with("kitchen/1.0.0", bundle())).await
}

#[tokio::test]
async fn a_session_moves_to_the_version_that_its_path_leads_to() {
    let server = server().await;
    let mut any = Ws::open(&server, "/kitchen/ws").await;
    let mut major = Ws::open(&server, "/kitchen@1/ws").await;
    let mut exact = Ws::open(&server, "/kitchen@1.0.0/ws").await;
    for ws in [&mut any, &mut major, &mut exact] {
        assert_eq!(ws.ask("attach mine").await, "attached");
    }
    server.apps().publish("kitchen/1.1.0", &bundle());
    assert_eq!(any.hear().await, "resumed from 1.0.0");
    assert_eq!(major.hear().await, "resumed from 1.0.0");
    assert_eq!(any.ask("attachment").await, "mine");
    assert_eq!(exact.ask("echo still 1.0.0").await, "still 1.0.0");
    // Gone again: those who have somewhere to go go there, and are told whence.
    server.apps().remove("kitchen/1.1.0");
    assert_eq!(any.hear().await, "resumed from 1.1.0");
    assert_eq!(major.hear().await, "resumed from 1.1.0");
    assert_eq!(any.ask("attachment").await, "mine");
}

#[tokio::test]
async fn a_rebuilt_version_takes_its_sessions_over() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/kitchen@1.0.0/ws").await;
    assert_eq!(ws.ask("echo before").await, "before");
    let rebuilt = Bundle::component(kitchen()).manifest(json!({ "ttl": 61 }));
    server.apps().publish("kitchen/1.0.0", &rebuilt);
    assert_eq!(ws.hear().await, "resumed from 1.0.0");
    assert_eq!(ws.ask("echo after").await, "after");
}

#[tokio::test]
async fn a_session_never_moves_to_other_data() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(ws.ask("echo before").await, "before");
    server.apps().publish("kitchen/2.0.0", &bundle());
    while server
        .get("/kitchen/hello")
        .await
        .header("x-rookery-version")
        != "2.0.0"
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(ws.ask("echo after").await, "after");
}

/// What a member heard of each speaker, and how often it was moved, until everything was said.
async fn listen(mut ws: Ws, mut said: watch::Receiver<Option<usize>>) -> (Vec<usize>, usize) {
    let (mut next, mut moves) = (vec![0; SPEAKERS], 0);
    loop {
        if let Some(total) = *said.borrow_and_update()
            && next.iter().sum::<usize>() >= total
        {
            return (next, moves);
        }
        tokio::select! {
            message = ws.hear() => {
                if message.starts_with("resumed") {
                    moves += 1;
                    continue;
                }
                let (speaker, number) = message.split_once(' ').unwrap();
                let (speaker, number): (usize, usize) = (speaker.parse().unwrap(), number.parse().unwrap());
                assert_eq!(number, next[speaker], "of speaker {speaker}");
                next[speaker] += 1;
            }
            changed = said.changed() => changed.unwrap(),
        }
    }
}

/// Speaks until it is told to stop; how much it said.
async fn speak(mut ws: Ws, speaker: usize, stop: watch::Receiver<bool>) -> usize {
    let mut number = 0;
    while !*stop.borrow() {
        ws.say(format!("say room {speaker} {number}")).await;
        number += 1;
        // A speaker that is answered does not run ahead of the server. An answer may follow the news of a move.
        ws.say("echo heard").await;
        while ws.hear().await != "heard" {}
    }
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_deploys_under_traffic_close_lose_double_and_reorder_nothing() {
    let server = server().await;
    let (all_said, said) = watch::channel(None);
    let (stop, stopped) = watch::channel(false);
    let mut listening = JoinSet::new();
    for _ in 0..SESSIONS {
        let mut ws = Ws::open(&server, "/kitchen/ws").await;
        assert_eq!(ws.ask("join room").await, "joined room");
        listening.spawn(listen(ws, said.clone()));
    }
    let mut speaking = JoinSet::new();
    for speaker in 0..SPEAKERS {
        let ws = Ws::open(&server, "/kitchen/ws").await;
        speaking.spawn(speak(ws, speaker, stopped.clone()));
    }
    for deploy in 1..=10 {
        let version = format!("1.0.{deploy}");
        server
            .apps()
            .publish(&format!("kitchen/{version}"), &bundle());
        while server
            .get("/kitchen/hello")
            .await
            .header("x-rookery-version")
            != version
        {
            tokio::task::yield_now().await;
        }
        // Every other time the version before goes away as well.
        if deploy % 2 == 0 {
            server.apps().remove(&format!("kitchen/1.0.{}", deploy - 1));
        }
    }
    stop.send(true).unwrap();
    let total: usize = speaking.join_all().await.into_iter().sum();
    all_said.send(Some(total)).unwrap();
    for (heard, moves) in listening.join_all().await {
        assert_eq!(heard.iter().sum::<usize>(), total);
        assert!(moves > 0, "a session stayed behind");
    }
}
