//! A guest that fails on one event: that session alone ends.

use rookery_tests::{Apps, Bundle, Server, Ws, kitchen};
use serde_json::{Value, json};

const GUEST_FAULT: u16 = 1011;

async fn server(manifest: Value) -> Server {
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await
}

async fn member(server: &Server) -> Ws {
    let mut ws = Ws::open(server, "/kitchen/ws").await;
    assert_eq!(ws.ask("join room").await, "joined room");
    ws
}

#[tokio::test]
async fn a_trap_closes_the_session_whose_event_it_was_and_no_other() {
    let server = server(json!({})).await;
    let mut neighbours = Vec::new();
    for _ in 0..10 {
        neighbours.push(member(&server).await);
    }
    let mut poisoned = member(&server).await;
    for round in 0..5 {
        let mut other = member(&server).await;
        other.say("trap").await;
        assert_eq!(other.closed().await, GUEST_FAULT);
        poisoned.say(format!("say room round {round}")).await;
        for neighbour in &mut neighbours {
            assert_eq!(neighbour.hear().await, format!("round {round}"));
        }
        assert_eq!(poisoned.hear().await, format!("round {round}"));
    }
    poisoned.say("trap").await;
    assert_eq!(poisoned.closed().await, GUEST_FAULT);
}

/// All of it is in the session's inbox at once: what came before the trap was done, and what came after it is not.
#[tokio::test]
async fn what_a_session_said_before_its_trap_stands() {
    let server = server(json!({})).await;
    let mut witness = member(&server).await;
    let mut ws = member(&server).await;
    ws.say("say room one").await;
    ws.say("say room two").await;
    ws.say("trap").await;
    ws.say("say room never").await;
    assert_eq!(witness.hear().await, "one");
    assert_eq!(witness.hear().await, "two");
    assert_eq!(ws.ended().await.code, GUEST_FAULT);
    assert_eq!(witness.ask("say room next").await, "next");
}

/// Many sessions trap while many others speak: nothing of what the others say is lost, doubled or out of order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traps_among_many_sessions_cost_the_others_nothing() {
    let server = server(json!({})).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let mut ws = Ws::open(&server, "/kitchen/ws").await;
        tasks.spawn(async move {
            let traps = number % 4 == 0;
            for round in 0..25 {
                ws.say(format!("echo {number} {round}")).await;
            }
            if traps {
                ws.say("trap").await;
            }
            for round in 0..25 {
                assert_eq!(ws.hear().await, format!("{number} {round}"));
            }
            if traps {
                assert_eq!(ws.closed().await, GUEST_FAULT);
            } else {
                assert_eq!(ws.ask("echo still here").await, "still here");
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn an_endless_loop_closes_its_session_at_the_deadline_and_no_other() {
    let server = server(json!({ "timeout": "1s" })).await;
    let mut neighbour = member(&server).await;
    let mut looping = member(&server).await;
    looping.say("loop").await;
    assert_eq!(looping.closed().await, GUEST_FAULT);
    assert_eq!(neighbour.ask("say room still here").await, "still here");
}

/// An error that the app returns is no fault of the isolate, and ends the session all the same.
#[tokio::test]
async fn a_handler_that_fails_closes_its_session() {
    let server = server(json!({})).await;
    let mut neighbour = member(&server).await;
    let mut failing = member(&server).await;
    failing.say("fail").await;
    assert_eq!(failing.closed().await, GUEST_FAULT);
    assert_eq!(neighbour.ask("say room still here").await, "still here");
}
