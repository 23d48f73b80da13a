//! The stream, with the clock under control.

use std::sync::Arc;
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

/// An event of any kind: its name, and what it says.
async fn named(body: &mut Body) -> (String, Value) {
    let frame = body.frame().await.unwrap().unwrap();
    let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
    let (name, data) = match text.strip_prefix("event: ") {
        Some(rest) => rest.split_once('\n').unwrap(),
        None => ("", text.as_str()),
    };
    let json = data.strip_prefix("data: ").unwrap().trim_end();
    (name.to_owned(), serde_json::from_str(json).unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_dashboard_is_told_everything_once_and_then_what_changed() {
    let server = Server::new(Access::Open);
    let mut body = server.watch("/_/sse?view=dashboard").await;
    let (name, apps) = named(&mut body).await;
    assert_eq!((name.as_str(), &apps["whole"]), ("apps", &true.into()));
    let (name, history) = named(&mut body).await;
    assert_eq!(name, "history");
    assert!(history["columns"].is_array(), "{history}");
    let (name, all) = named(&mut body).await;
    assert_eq!(name, "");
    assert_eq!(
        (&all["whole"], all["revisions"].as_array().unwrap().len()),
        (&true.into(), 4)
    );
    // The next look is the first that knows how fast they are; from then on nothing is new.
    for _ in 0..2 {
        named(&mut body).await;
    }
    let (name, quiet) = named(&mut body).await;
    assert_eq!((name.as_str(), &quiet["whole"]), ("", &false.into()));
    assert_eq!(quiet["revisions"], serde_json::json!([]));
    server.known.apps.store(1, Relaxed);
    server.known.requests.store(5, Relaxed);
    let (name, apps) = named(&mut body).await;
    assert_eq!((name.as_str(), &apps["whole"]), ("apps", &false.into()));
    assert_eq!(apps["apps"][0]["look"], 1);
    let (_, changed) = named(&mut body).await;
    let ids: Vec<u64> = changed["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, [1, 2, 3], "the refused one has no numbers");
    assert!(
        changed["revisions"][0]["recent"]["requestsPerSecond"]
            .as_f64()
            .unwrap()
            > 0.0
    );
}

#[tokio::test(start_paused = true)]
async fn who_missed_a_tick_is_told_everything_again() {
    let server = Server::new(Access::Open);
    let mut slow = server.watch("/_/sse?view=dashboard").await;
    let mut quick = server.watch("/_/sse?view=dashboard").await;
    for body in [&mut slow, &mut quick] {
        for _ in 0..3 {
            named(body).await;
        }
    }
    for _ in 0..3 {
        assert_eq!(named(&mut quick).await.1["whole"], false);
    }
    server.known.apps.store(1, Relaxed);
    let (apps, tick) = (named(&mut quick).await, named(&mut quick).await);
    assert_eq!(
        (&apps.1["whole"], &tick.1["whole"]),
        (&false.into(), &false.into())
    );
    let (apps, tick) = (named(&mut slow).await, named(&mut slow).await);
    assert_eq!(
        (apps.0.as_str(), &apps.1["apps"][0]["look"]),
        ("apps", &1.into())
    );
    assert_eq!(tick.1["whole"], true);
}

/// What 50 viewers cost is what one costs, but for their sockets: they came at different moments, and are told at the same.
#[tokio::test(start_paused = true)]
async fn fifty_viewers_who_came_one_after_the_other_share_every_tick() {
    let server = Server::new(Access::Open);
    let mut viewers = Vec::new();
    for number in 0..50 {
        let path = if number % 2 == 0 {
            "/_/sse?view=dashboard"
        } else {
            "/_/sse"
        };
        let mut body = server.watch(path).await;
        let first = if number % 2 == 0 { 3 } else { 1 };
        for _ in 0..first {
            body.frame().await.unwrap().unwrap();
        }
        viewers.push(body);
        advance(Duration::from_millis(17)).await;
    }
    let before = server.looks();
    const TICKS: u64 = 10;
    for _ in 0..TICKS {
        for body in &mut viewers {
            body.frame().await.unwrap().unwrap();
        }
    }
    // The dashboard's and the statistics are two events.
    assert_eq!(server.looks() - before, 2 * TICKS);
}

#[tokio::test(start_paused = true)]
async fn lines_of_the_log_come_with_the_ticks_and_by_themselves() {
    use tracing::subscriber::with_default;
    let server = Server::new(Access::Open);
    let say = |text: &str| {
        with_default(
            rookery_telemetry::trace::keeping(Arc::clone(&server.known.log)),
            || tracing::warn!(app = "chat@1.0.0", "{text}"),
        )
    };
    let mut board = server.watch("/_/sse?view=dashboard").await;
    for _ in 0..3 {
        named(&mut board).await;
    }
    say("one");
    let (name, log) = named(&mut board).await;
    assert_eq!(
        (name.as_str(), &log["lines"][0]["message"]),
        ("log", &"one".into())
    );
    assert_eq!(log["lines"][0]["app"], "chat");
    let of = server
        .ask("GET /_/logs?app=chat&level=warn", &[])
        .await
        .json();
    assert_eq!(of["lines"][0]["message"], "one");
    assert_eq!(
        server.ask("GET /_/logs?app=other", &[]).await.json()["lines"],
        serde_json::json!([])
    );
    assert_eq!(server.ask("GET /_/logs?level=loud", &[]).await.status, 400);
    let mut follower = server.watch("/_/logs?follow&text=two").await;
    say("two");
    say("three");
    let frame = follower.frame().await.unwrap().unwrap();
    let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
    assert!(
        text.starts_with("id: 2\ndata: {") && !text.contains("three"),
        "{text}"
    );
    let resumed = server
        .respond("GET /_/logs?follow", &["last-event-id: 2"])
        .await;
    let frame = resumed.into_body().frame().await.unwrap().unwrap();
    let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
    assert!(text.starts_with("id: 3\n"), "{text}");
    server.shutdown.request();
    assert!(follower.frame().await.is_none());
}

#[tokio::test]
async fn the_page_and_its_parts_are_served_and_not_twice() {
    let server = Server::new(Access::Open);
    let page = server.ask("GET /_/", &[]).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    for part in ["/_/page.css", "/_/page/main.js", "/_/page/icon.svg"] {
        let answer = server.ask(&format!("GET {part}"), &[]).await;
        assert_eq!(answer.status, 200, "{part}");
        let tag = format!("if-none-match: {}", answer.header("etag").unwrap());
        let again = server.ask(&format!("GET {part}"), &[&tag]).await;
        assert_eq!(
            (again.status.as_u16(), again.body.as_str()),
            (304, ""),
            "{part}"
        );
    }
    assert_eq!(server.ask("GET /_/page/other.js", &[]).await.status, 404);
}
