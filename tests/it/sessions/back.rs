//! A version that dies of the sessions that it takes over: they go back, and their clients notice nothing.

use rookery_tests::{Apps, Bundle, Options, Server, Ws, kitchen, until};
use serde_json::json;
use tokio::task::JoinSet;

/// What the versions that are to fail are granted, and see set to `trap`.
const FAILING: &str = "KITCHEN_RESUME";
const SESSIONS: usize = 40;

fn good(ttl: u32) -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": ttl }))
}

/// Dies of every `resumed`.
fn bad() -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": 60, "grants": { "env": [FAILING] } }))
}

fn options() -> Options {
    Options::new().set(FAILING, "trap")
}

async fn server(options: Options) -> Server {
    Server::start_with(Apps::new().with("kitchen/1.0.0", good(60)), options).await
}

/// Sessions that are told how others are, so that each hears what becomes of all.
async fn members(server: &Server, count: usize) -> Vec<Ws> {
    let mut members = Vec::new();
    for _ in 0..count {
        let mut ws = Ws::open(server, "/kitchen/ws").await;
        assert_eq!(ws.ask("join room").await, "joined room");
        members.push(ws);
    }
    members
}

async fn went_back(server: &Server) -> u64 {
    let stats = server.get("/_/stats").await.json();
    stats["hub"]["wentBack"].as_u64().unwrap()
}

/// Waits until more went back than these. Not all have to: who is not on the way when the first one fails stays.
async fn until_more_went_back(server: &Server, than: u64) -> u64 {
    until("sessions went back", async || {
        let now = went_back(server).await;
        (now > than).then_some(now)
    })
    .await
}

/// The next thing that is no news of a move.
async fn hear(ws: &mut Ws) -> String {
    loop {
        let text = ws.hear().await;
        if !text.starts_with("resumed from ") {
            return text;
        }
    }
}

async fn ask(ws: &mut Ws, text: &str) -> String {
    ws.say(text).await;
    hear(ws).await
}

#[tokio::test]
async fn sessions_go_back_when_a_new_version_dies_of_taking_them_over() {
    let server = server(options()).await;
    let mut members = members(&server, SESSIONS).await;
    server.apps().publish("kitchen/1.1.0", &bad());
    let count = until_more_went_back(&server, 0).await;
    for ws in &mut members {
        assert_eq!(
            ask(ws, &format!("env {FAILING}")).await,
            "",
            "it is on 1.0.0"
        );
    }
    members[0].say("say room to everybody").await;
    for ws in &mut members {
        assert_eq!(hear(ws).await, "to everybody");
    }
    // Who comes now goes where the path leads, and is in the same room.
    let mut new = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(new.ask(&format!("env {FAILING}")).await, "trap");
    assert_eq!(new.ask("join room").await, "joined room");
    new.say("say room from 1.1.0").await;
    for ws in members.iter_mut().chain([&mut new]) {
        assert_eq!(hear(ws).await, "from 1.1.0");
    }
    // Another build is tried anew.
    server.apps().publish("kitchen/1.1.1", &good(60));
    for ws in &mut members {
        assert_eq!(ws.hear().await, "resumed from 1.0.0");
    }
    assert_eq!(new.hear().await, "resumed from 1.1.0");
    assert_eq!(went_back(&server).await, count);
}

/// Says numbers and hears each once and in order, whatever happens meanwhile, until it went on for long enough.
async fn count(mut ws: Ws, mut done: tokio::sync::watch::Receiver<bool>) -> usize {
    let mut number = 0;
    while !*done.borrow_and_update() {
        for ahead in 0..4 {
            ws.say(format!("echo {}", number + ahead)).await;
        }
        for _ in 0..4 {
            assert_eq!(hear(&mut ws).await, number.to_string());
            number += 1;
        }
    }
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sessions_say_while_they_go_there_and_back_is_answered_once_and_in_order() {
    let server = server(options()).await;
    let (done, watched) = tokio::sync::watch::channel(false);
    let mut counting = JoinSet::new();
    for ws in members(&server, SESSIONS).await {
        counting.spawn(count(ws, watched.clone()));
    }
    let mut count = 0;
    for version in ["1.1.0", "1.1.1", "1.2.0"] {
        server.apps().publish(&format!("kitchen/{version}"), &bad());
        count = until_more_went_back(&server, count).await;
    }
    done.send(true).unwrap();
    assert!(counting.join_all().await.into_iter().all(|said| said > 0));
}

/// It left nothing, so the old version is given it, once; that dies of it as well, and its session is closed.
#[tokio::test]
async fn a_message_that_kills_both_versions_ends_its_session_and_sends_the_others_back() {
    let server = server(Options::new()).await;
    let mut members = members(&server, SESSIONS).await;
    server.apps().publish("kitchen/1.1.0", &good(61));
    for ws in &mut members {
        assert_eq!(ws.hear().await, "resumed from 1.0.0");
    }
    let mut poisoned = members.pop().unwrap();
    poisoned.say("trap").await;
    assert_eq!(poisoned.hear().await, "resumed from 1.1.0");
    assert_eq!(poisoned.closed().await, 1011);
    for ws in &mut members {
        assert_eq!(ws.hear().await, "resumed from 1.1.0");
        assert_eq!(ws.ask("echo and on").await, "and on");
    }
    let stats = server.get("/_/stats").await.json();
    assert_eq!(stats["hub"]["spared"], 1, "once");
    assert_eq!(stats["hub"]["guestFaults"], 1);
}

/// Nobody is closed: the old version answers what the new one died of, and then what was said behind it.
#[tokio::test]
async fn what_only_the_new_version_dies_of_is_answered_by_the_old_one() {
    let later = json!({ "ttl": 60, "grants": { "env": ["KITCHEN_VERSION"] } });
    let later = Bundle::component(kitchen()).manifest(later);
    let server = server(Options::new().set("KITCHEN_VERSION", "later")).await;
    let mut members = members(&server, SESSIONS).await;
    server.apps().publish("kitchen/1.1.0", &later);
    for ws in &mut members {
        assert_eq!(ws.hear().await, "resumed from 1.0.0");
    }
    for text in ["echo before", "stumble", "echo behind"] {
        members[0].say(text).await;
    }
    assert_eq!(members[0].hear().await, "before");
    for text in ["resumed from 1.1.0", "stood", "behind"] {
        assert_eq!(members[0].hear().await, text);
    }
    for ws in &mut members[1..] {
        assert_eq!(ws.hear().await, "resumed from 1.1.0");
    }
}

#[tokio::test]
async fn a_session_that_was_opened_there_says_nothing_about_those_that_were_taken_over() {
    let server = server(Options::new()).await;
    let mut members = members(&server, 4).await;
    server.apps().publish("kitchen/1.1.0", &good(61));
    for ws in &mut members {
        assert_eq!(ws.hear().await, "resumed from 1.0.0");
    }
    let mut new = Ws::open(&server, "/kitchen/ws").await;
    new.say("trap").await;
    assert_eq!(new.closed().await, 1011);
    for ws in &mut members {
        assert_eq!(ws.ask("echo and on").await, "and on");
    }
    assert_eq!(went_back(&server).await, 0);
}

#[tokio::test]
async fn without_a_trial_a_move_is_for_good() {
    let options = Options::new().set("ROOKERY_SESSION_TRIAL_SECS", 0);
    let server = server(options).await;
    let mut members = members(&server, 4).await;
    server.apps().publish("kitchen/1.1.0", &good(61));
    for ws in &mut members {
        assert_eq!(ws.hear().await, "resumed from 1.0.0");
    }
    members[0].say("trap").await;
    assert_eq!(members.remove(0).closed().await, 1011);
    for ws in &mut members {
        assert_eq!(ws.ask("echo and on").await, "and on");
    }
    assert_eq!(went_back(&server).await, 0);
}

/// What was rebuilt in its place is out of the table, and serves its sessions again all the same.
#[tokio::test]
async fn sessions_go_back_to_a_build_that_was_replaced() {
    let server = server(options()).await;
    let mut members = members(&server, SESSIONS).await;
    server.apps().publish("kitchen/1.0.0", &bad());
    until_more_went_back(&server, 0).await;
    for ws in &mut members {
        assert_eq!(
            ask(ws, &format!("env {FAILING}")).await,
            "",
            "it is on the old build"
        );
    }
    // The next build is good, and they go on.
    server.apps().publish("kitchen/1.0.0", &good(62));
    for ws in &mut members {
        assert_eq!(ws.hear().await, "resumed from 1.0.0");
    }
}

#[tokio::test]
async fn a_replaced_build_that_sessions_went_back_to_is_not_kept_for_ever() {
    let options = options()
        .set("ROOKERY_SESSION_KEEP_SECS", 1)
        .set("ROOKERY_SESSION_TRIAL_SECS", 1);
    let server = server(options).await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(ws.ask("echo here").await, "here");
    server.apps().publish("kitchen/1.0.0", &bad());
    assert_eq!(ws.ended().await.code, 1012);
    let mut again = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(again.ask(&format!("env {FAILING}")).await, "trap");
}
