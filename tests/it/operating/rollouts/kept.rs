//! Sessions that were told to stay where they are while a version is tried out.

use rookery_tests::{Connect, Options, Server, Ws, until};
use serde_json::json;

use super::{LATER, is_later, post, rollout, server};

const SESSIONS: u32 = 40;

/// Sessions of lots that are spread as chance would.
async fn come(server: &Server) -> Vec<Ws> {
    let mut sessions = Vec::new();
    for nth in 0..SESSIONS {
        let cookie = format!("rookery-lot={:04x}", nth * 1_637);
        let connect = Connect::to(server, "/kitchen/ws").header("cookie", &cookie);
        sessions.push(connect.open().await.0);
    }
    sessions
}

#[tokio::test]
async fn kept_sessions_stay_while_a_canary_runs_and_none_stays_with_one_that_is_reversed() {
    let server = server(&[LATER], Options::new()).await;
    let mut before = come(&server).await;
    let plan = json!({
        "version": "1.1.0", "steps": [50, 100], "window": "1h", "sessions": "keep",
    });
    post(&server, "canary", &plan).await;
    let mut after = until("new sessions are sent to it", async || {
        let mut sessions = come(&server).await;
        let mut later = 0;
        for ws in &mut sessions {
            later += u32::from(is_later(ws).await);
        }
        (later > 0).then_some(sessions)
    })
    .await;
    for ws in &mut before {
        assert!(!is_later(ws).await, "it was there before");
    }
    until("it is reversed", async || {
        server.get("/kitchen/panic").await;
        (rollout(&server).await["last"]["how"] == "reversed").then_some(())
    })
    .await;
    for ws in before.iter_mut().chain(&mut after) {
        until("it is back, and open", async || {
            (!is_later(ws).await).then_some(())
        })
        .await;
    }
}
