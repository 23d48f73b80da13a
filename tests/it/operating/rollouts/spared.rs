//! What a canary dies of: given to the stable version when nothing came of it, and to nobody when something did.

use rookery_tests::{Connect, Options, Server, Ws};
use serde_json::json;

use super::{LATER, hear, is_later, post, server};

/// So many good events for each bad one: nobody is to be reversed here.
const GOOD: usize = 30;

/// A server that gives nearly everything to a canary, whatever that does.
async fn tried_out() -> Server {
    let server = server(&[LATER], Options::new()).await;
    let plan = json!({
        "version": "1.1.0", "steps": [99, 100], "window": "1h",
        "maxErrorRate": "100%", "maxFaultRate": "100%",
    });
    post(&server, "canary", &plan).await;
    server
}

/// A session on the canary.
async fn on_canary(server: &Server) -> Ws {
    for lot in 0..1_000 {
        let cookie = format!("rookery-lot={:04x}", lot * 61);
        let connect = Connect::to(server, "/kitchen/ws").header("cookie", &cookie);
        let (mut ws, _) = connect.open().await;
        if is_later(&mut ws).await {
            for _ in 0..GOOD {
                assert_eq!(ws.ask("echo well").await, "well");
            }
            return ws;
        }
    }
    panic!("nobody is sent to the canary");
}

async fn count(server: &Server, what: &str) -> u64 {
    let stats = server.get("/_/stats").await.json();
    stats["hub"][what].as_u64().unwrap()
}

#[tokio::test]
async fn an_event_that_left_nothing_is_answered_by_the_stable_version_in_its_order() {
    let server = tried_out().await;
    for (nth, after) in ["nothing", "look"].into_iter().enumerate() {
        let mut ws = on_canary(&server).await;
        for text in ["echo before", &format!("stumble {after}"), "echo behind"] {
            ws.say(text).await;
        }
        for expected in ["before", "resumed from 1.1.0", "stood", "behind"] {
            assert_eq!(ws.hear().await, expected, "{after}");
        }
        // It is not sent to the canary again as long as that is judged.
        assert!(!is_later(&mut ws).await);
        assert_eq!(count(&server, "spared").await, nth as u64 + 1);
    }
    assert_eq!(count(&server, "guestFaults").await, 0);
}

#[tokio::test]
async fn an_event_that_left_something_is_given_to_nobody_and_ends_its_session() {
    let server = tried_out().await;
    let kinds = [
        "send",
        "publish",
        "attach",
        "join",
        "leave",
        "timer",
        "here",
        "auto",
        "key",
        "sum",
        "table",
        "row",
        "transaction",
    ];
    for (nth, after) in kinds.into_iter().enumerate() {
        let mut ws = on_canary(&server).await;
        ws.say(&format!("stumble {after}")).await;
        assert_eq!(ws.ended().await.code, 1011, "{after}");
        assert_eq!(count(&server, "guestFaults").await, nth as u64 + 1);
    }
    assert_eq!(count(&server, "spared").await, 0);
}

/// A message that kills both is given to each of them once.
#[tokio::test]
async fn an_event_that_the_stable_version_dies_of_as_well_ends_its_session() {
    let server = tried_out().await;
    let (mut ws, mut other) = (on_canary(&server).await, on_canary(&server).await);
    ws.say("trap").await;
    ws.say("echo never").await;
    assert_eq!(hear(&mut ws).await, None, "it ended");
    let counted = (
        count(&server, "spared").await,
        count(&server, "guestFaults").await,
    );
    assert_eq!(counted, (1, 1));
    assert!(is_later(&mut other).await, "it is judged, not gone");
}

/// The first event of a session is as good as any.
#[tokio::test]
async fn a_session_that_a_canary_dies_of_at_once_begins_on_the_stable_version() {
    let server = tried_out().await;
    drop(on_canary(&server).await);
    for lot in 0..200 {
        let cookie = format!("rookery-lot={:04x}", lot * 327);
        let connect = Connect::to(&server, "/kitchen/ws?stumble").header("cookie", &cookie);
        let (mut ws, _) = connect.open().await;
        assert_eq!(ws.hear().await, "stood");
        assert!(!is_later(&mut ws).await);
        if count(&server, "spared").await > 0 {
            return;
        }
    }
    panic!("nobody was sent to the canary");
}
