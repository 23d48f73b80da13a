//! Many sessions that say nothing cost next to nothing, and their app sleeps.

use rookery_tests::{Apps, Bundle, Server, Ws, idle_sessions, kitchen, until};
use serde_json::{Value, json};

const SESSIONS: usize = 5_000;
/// The bound is 4 KiB in a release build; here are the futures of a debug build, and other tests beside this one.
const BYTES_EACH_MAX: u64 = 12 * 1024;
/// As many batches as may be out at once, and so as many isolates as all the sessions together ever need.
const ISOLATES_MAX: u64 = 8;

/// 15,000 are a command: docs/performance.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_session_is_small() {
    let report = idle_sessions(SESSIONS).await;
    assert!(report.bytes_each() <= BYTES_EACH_MAX, "{report:?}");
    assert!(report.isolates <= ISOLATES_MAX, "{report:?}");
}

async fn metrics(server: &Server) -> Value {
    server.get("/_/metrics").await.json()
}

/// The clients are there, the guest is not; it is woken by what it has to hear, and by nothing else.
#[tokio::test]
async fn an_app_without_work_has_no_isolate_while_its_sessions_stay() {
    // Left alone, an isolate ends when its time is over.
    let bundle = Bundle::component(kitchen())
        .manifest(json!({ "ttl": 1, "sessions": { "idleTimeout": "1s" } }));
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    let mut sessions = Vec::new();
    for _ in 0..20 {
        let mut ws = Ws::open(&server, "/kitchen/ws").await;
        assert_eq!(ws.ask("auto ping pong").await, "set");
        assert_eq!(ws.ask("join room").await, "joined room");
        sessions.push(ws);
    }
    let listening: Vec<_> = sessions
        .drain(1..)
        .map(|ws| tokio::spawn(listen(ws)))
        .collect();
    let mut asking = sessions.remove(0);
    until("no isolate is left", async || {
        // Clients are answered meanwhile, and answer the server's own pings.
        assert_eq!(asking.ask("ping").await, "pong");
        (metrics(&server).await["activeWorkers"] == 0).then_some(())
    })
    .await;
    let before = metrics(&server).await;
    for _ in 0..100 {
        assert_eq!(asking.ask("ping").await, "pong");
    }
    let after = metrics(&server).await;
    assert_eq!(
        after["totalRequests"], before["totalRequests"],
        "the guest was asked"
    );
    assert_eq!(after["activeWorkers"], 0);
    assert_eq!(after["sessions"], 20);
    // One word, and it is there for all of them.
    asking.say("say room wake up").await;
    assert_eq!(asking.hear().await, "wake up");
    for one in listening {
        assert_eq!(one.await.unwrap(), "wake up");
    }
}

/// Reads, and so answers pings, until there is something to hear.
async fn listen(mut ws: Ws) -> String {
    loop {
        if let Ok(text) = ws.next().await.into_text()
            && !text.is_empty()
        {
            return text.to_string();
        }
    }
}
