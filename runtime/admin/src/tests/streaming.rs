//! The stream, with the clock under control.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use http_body_util::BodyExt;
use rookery_pool::Body;
use serde_json::Value;
use tokio::time::{Instant, advance};

use super::Server;
use crate::stream::VIEWERS_MAX;
use crate::{Access, SHARED_FOR};

async fn event(body: &mut Body) -> Option<Value> {
    let frame = body.frame().await?.unwrap();
    let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
    let json = text
        .strip_prefix("data: ")
        .unwrap()
        .strip_suffix("\n\n")
        .unwrap();
    assert!(!json.contains('\n'), "one line is one event");
    Some(serde_json::from_str(json).unwrap())
}

impl Server {
    async fn watch(&self, path: &str) -> Body {
        self.respond(&format!("GET {path}"), &[]).await.into_body()
    }

    fn looks(&self) -> u64 {
        self.known.looks.load(Relaxed)
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_event_comes_at_once_and_then_one_with_each_tick() {
    let server = Server::new(Access::Open);
    for (path, every_ms) in [
        ("/_/sse", 1_000),
        ("/_/sse?interval=250", 250),
        ("/_/sse?interval=5s", 5_000),
    ] {
        let mut body = server.watch(path).await;
        let start = Instant::now();
        for tick in 0..5 {
            let stats = event(&mut body).await.unwrap();
            assert_eq!(start.elapsed().as_millis(), tick * every_ms, "{path}");
            assert_eq!(stats["pool"]["totalRequests"], 30);
            assert_eq!(stats["workers"]["@team/chat@1.0.0"]["requestCount"], 30);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_the_statistics() {
    let server = Server::new(Access::Open);
    let response = server.respond("GET /_/sse", &[]).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-cache");
    let streamed = event(&mut response.into_body()).await.unwrap();
    assert_eq!(streamed, server.ask("GET /_/stats", &[]).await.json());
}

#[tokio::test(start_paused = true)]
async fn a_slow_viewer_skips_what_it_was_too_slow_for() {
    let server = Server::new(Access::Open);
    let mut body = server.watch("/_/sse").await;
    let start = Instant::now();
    event(&mut body).await.unwrap();
    advance(Duration::from_millis(5_300)).await;
    assert_eq!(server.looks(), 1, "nothing is made that nobody takes");
    event(&mut body).await.unwrap();
    assert_eq!(
        start.elapsed(),
        Duration::from_millis(5_300),
        "it gets one at once"
    );
    event(&mut body).await.unwrap();
    assert_eq!(
        start.elapsed(),
        Duration::from_millis(6_000),
        "and is then in time again"
    );
    assert_eq!(server.looks(), 3);
}

#[tokio::test(start_paused = true)]
async fn viewers_of_one_moment_share_an_event() {
    let server = Server::new(Access::Open);
    let mut viewers = Vec::new();
    for _ in 0..10 {
        viewers.push(server.watch("/_/sse").await);
    }
    for tick in 1..=3 {
        for body in &mut viewers {
            event(body).await.unwrap();
        }
        assert_eq!(server.looks(), tick);
    }
    advance(SHARED_FOR).await;
    event(&mut server.watch("/_/sse").await).await.unwrap();
    assert_eq!(server.looks(), 4, "but not one that is older");
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_server() {
    let server = Server::new(Access::Open);
    let mut body = server.watch("/_/sse").await;
    event(&mut body).await.unwrap();
    let (ended, ()) = tokio::join!(event(&mut body), async { server.shutdown.request() });
    assert_eq!(ended, None);
    assert_eq!(
        event(&mut server.watch("/_/sse").await).await,
        None,
        "and none begins after it"
    );
}

#[tokio::test(start_paused = true)]
async fn there_is_room_for_so_many_viewers_and_no_more() {
    let server = Server::new(Access::Open);
    let mut viewers = Vec::new();
    for _ in 0..VIEWERS_MAX {
        viewers.push(server.watch("/_/sse").await);
    }
    let refused = server.ask("GET /_/sse", &[]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("retry-after")),
        (503, Some("5"))
    );
    viewers.pop();
    assert_eq!(
        server.respond("GET /_/sse", &[]).await.status(),
        200,
        "who leaves makes room"
    );
}

#[tokio::test]
async fn an_interval_that_is_none_is_refused() {
    let answer = Server::new(Access::Open)
        .ask("GET /_/sse?interval=soon", &[])
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["code"], "BAD_INTERVAL");
}
