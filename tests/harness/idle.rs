//! Many sessions that say nothing, and what they cost the server.

use futures_util::{StreamExt, stream};

use crate::{Apps, Bundle, Server, Ws, build_bundles};

/// How many handshakes are under way at once.
const OPENING: usize = 64;
/// Sessions that come first, so that what the first ones cost once is not counted.
const FIRST: usize = 200;

/// What silent sessions came to.
#[derive(Clone, Copy, Debug)]
pub struct IdleReport {
    /// Memory of the server's own (`RssAnon`) before they came, in bytes.
    pub before_bytes: u64,
    /// And with all of them, every one of them heard by the guest once and silent since.
    pub with_bytes: u64,
    /// How many isolates there are with all of them.
    pub isolates: u64,
    sessions: usize,
}

impl IdleReport {
    /// Memory for each session.
    pub fn bytes_each(&self) -> u64 {
        self.with_bytes.saturating_sub(self.before_bytes) / self.sessions as u64
    }
}

/// Opens so many sessions of `examples/echo`, each of which says one thing, and looks at the server's memory.
pub async fn idle_sessions(sessions: usize) -> IdleReport {
    let echo = Bundle::of_folder(&build_bundles("examples/echo"));
    let server = Server::start(Apps::new().with("echo/1.0.0", echo)).await;
    let _first = open(&server, FIRST).await;
    let before_bytes = server.memory_anonymous_bytes();
    let all = open(&server, sessions).await;
    let metrics = server.get("/_/metrics").await.json();
    let report = IdleReport {
        before_bytes,
        with_bytes: server.memory_anonymous_bytes(),
        isolates: metrics["activeWorkers"].as_u64().unwrap(),
        sessions,
    };
    drop(all);
    report
}

async fn open(server: &Server, count: usize) -> Vec<Ws> {
    let opened = stream::iter(0..count).map(|_| async {
        let mut ws = Ws::open(server, "/echo/ws").await;
        assert_eq!(ws.ask("here").await, "here");
        ws
    });
    opened.buffer_unordered(OPENING).collect().await
}
