//! Over real sockets: pooling, retries and limits, against servers that do exactly what a test says.

#![allow(clippy::unwrap_used)]

mod again;
mod late;
mod tunnels;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use super::*;
use crate::{Body, Timeouts, Unanswered, UpstreamError};

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    answer: Duration::from_secs(10),
    idle: Duration::from_secs(10),
};
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn upstreams(config: UpstreamConfig) -> (Arc<Upstreams>, Tasks, Shutdown) {
    let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
    let upstreams = Upstreams::new(config, &tasks, &shutdown);
    (upstreams, tasks, shutdown)
}

async fn server() -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let host = "127.0.0.1".into();
    (listener, Target::Tcp { host, port })
}

fn request(method: Method, body: &'static str) -> Request<Body> {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
    let request = Request::builder().method(method).uri("/x?y=1");
    request.body(body.boxed_unsync()).unwrap()
}

fn get() -> Request<Body> {
    let body = Empty::new().map_err(|never| match never {});
    Request::builder()
        .uri("/x?y=1")
        .body(body.boxed_unsync())
        .unwrap()
}

/// Reads to the end of a head.
async fn head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn text(answer: http::Response<Body>) -> String {
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..20 {
            let head = head(&mut stream).await;
            assert!(head.starts_with("GET /x?y=1 HTTP/1.1\r\n"), "{head}");
            stream.write_all(ANSWER).await.unwrap();
        }
        // A second connection would never be accepted, and its request never be answered.
    });
    for _ in 0..20 {
        let answer = upstreams.send(&target, get(), TIMEOUTS).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(text(answer).await, "ok");
    }
    serving.await.unwrap();
}

#[tokio::test]
async fn a_unix_socket_is_a_target() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = head(&mut stream).await;
        assert!(head.contains("host: localhost\r\n"), "{head}");
        let mut body = [0; 5];
        stream.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, b"hello");
        stream.write_all(ANSWER).await.unwrap();
    });
    let target = Target::Unix(path.as_path().into());
    let answer = upstreams
        .send(&target, request(Method::POST, "hello"), TIMEOUTS)
        .await
        .unwrap();
    assert_eq!(text(answer).await, "ok");
}

/// Takes one connection after another; each answers once and is closed when it gets its second request.
async fn closing_on_the_second_request(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            head(&mut stream).await;
            stream.write_all(ANSWER).await.unwrap();
            head(&mut stream).await;
        });
    }
}

#[tokio::test]
async fn a_server_that_changes_over_unasked_gave_no_answer() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let other =
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
        stream.write_all(other).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    });
    let refused = upstreams.send(&target, get(), TIMEOUTS).await.map(drop);
    let refused = refused.unwrap_err().error;
    let is_it = matches!(refused, UpstreamError::OtherProtocol { .. });
    assert!(is_it, "{refused}");
    serving.await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_an_error_that_names_the_target() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    drop(listener);
    let refused = upstreams
        .send(&target, get(), TIMEOUTS)
        .await
        .unwrap_err()
        .error;
    assert!(
        matches!(refused, UpstreamError::Connect { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains(&target.to_string()));
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_says_nothing_is_given_up() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let patience = Timeouts {
        // The clock runs ahead while the system connects.
        connect: Duration::from_secs(1_000_000),
        ..TIMEOUTS
    };
    let refused = upstreams
        .send(&target, get(), patience)
        .await
        .unwrap_err()
        .error;
    assert!(
        matches!(refused, UpstreamError::AnswerTimeout { .. }),
        "{refused}"
    );
    drop(listener);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stops_in_the_middle_is_an_error_of_its_body() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
        stream.write_all(begun).await.unwrap();
        stream
    });
    let patience = Timeouts {
        connect: Duration::from_secs(1_000_000),
        answer: Duration::from_secs(1_000_000),
        ..TIMEOUTS
    };
    let answer = upstreams.send(&target, get(), patience).await.unwrap();
    let stalled = answer.into_body().collect().await.unwrap_err();
    let stalled = stalled.downcast_ref::<UpstreamError>().unwrap();
    assert!(
        matches!(stalled, UpstreamError::Stalled { .. }),
        "{stalled}"
    );
    drop(serving);
}

#[tokio::test]
async fn an_answer_that_is_dropped_closes_its_connection() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n";
        stream.write_all(begun).await.unwrap();
        stream.read(&mut [0]).await.unwrap_or_default()
    });
    let answer = upstreams.send(&target, get(), TIMEOUTS).await.unwrap();
    drop(answer);
    assert_eq!(serving.await.unwrap(), 0);
}

#[tokio::test]
async fn a_request_goes_on_when_its_answer_came_early_and_nobody_reads_it() {
    const PIECES: usize = 64;
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let (answered, mut goes_on) = tokio::sync::oneshot::channel();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let early = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nearly";
        stream.write_all(early).await.unwrap();
        let mut uploaded = Vec::new();
        while !uploaded.ends_with(b"\r\n0\r\n\r\n") {
            assert!(stream.read_buf(&mut uploaded).await.unwrap() > 0);
        }
        uploaded.iter().filter(|byte| **byte == b'x').count()
    });
    // Nothing of the body comes before the answer.
    let pieces = async_stream(async move {
        let _ = (&mut goes_on).await;
        vec![b'x'; PIECES]
    });
    let request = Request::builder().method(Method::POST).uri("/");
    let request = request.body(pieces).unwrap();
    let answer = upstreams.send(&target, request, TIMEOUTS).await.unwrap();
    answered.send(()).unwrap();
    assert_eq!(serving.await.unwrap(), PIECES);
    assert_eq!(text(answer).await, "early");
}

/// A body of unknown length that is not there yet.
fn async_stream(bytes: impl Future<Output = Vec<u8>> + Send + 'static) -> Body {
    let frame = futures_util::stream::once(async {
        Ok::<_, crate::BodyError>(http_body::Frame::data(Bytes::from(bytes.await)))
    });
    http_body_util::StreamBody::new(frame).boxed_unsync()
}

#[tokio::test]
async fn a_request_beyond_the_bound_waits_for_a_place() {
    let config = UpstreamConfig {
        connections_max: 1,
        ..UpstreamConfig::default()
    };
    let (upstreams, ..) = upstreams(config);
    let (listener, target) = server().await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go_on, goes_on) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        begun.send(()).unwrap();
        goes_on.await.unwrap();
        let last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(last).await.unwrap();
        drop(stream);
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
    });
    let (first, to) = (Arc::clone(&upstreams), target.clone());
    let first = tokio::spawn(async move { first.send(&to, get(), TIMEOUTS).await });
    has_begun.await.unwrap();
    let hasty = Timeouts {
        connect: Duration::from_millis(1),
        ..TIMEOUTS
    };
    let refused = upstreams
        .send(&target, get(), hasty)
        .await
        .unwrap_err()
        .error;
    assert!(
        matches!(refused, UpstreamError::Saturated { max: 1, .. }),
        "{refused}"
    );
    go_on.send(()).unwrap();
    assert_eq!(text(first.await.unwrap().unwrap()).await, "ok");
    let second = upstreams.send(&target, get(), TIMEOUTS).await.unwrap();
    assert_eq!(text(second).await, "ok");
}

/// The connection before it could take another request, and would rest for ever.
#[tokio::test]
async fn who_waits_for_a_place_has_that_of_a_connection_that_could_rest() {
    let config = UpstreamConfig {
        connections_max: 1,
        ..UpstreamConfig::default()
    };
    let (upstreams, ..) = upstreams(config);
    let (listener, target) = server().await;
    let (go_on, goes_on) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        head(&mut first).await;
        goes_on.await.unwrap();
        first.write_all(ANSWER).await.unwrap();
        let (mut second, _) = listener.accept().await.unwrap();
        head(&mut second).await;
        second.write_all(ANSWER).await.unwrap();
        assert_eq!(first.read(&mut [0]).await.unwrap(), 0);
    });
    let send = || {
        let (upstreams, to) = (Arc::clone(&upstreams), target.clone());
        tokio::spawn(async move { upstreams.send(&to, get(), TIMEOUTS).await })
    };
    let first = send();
    let origin = upstreams.origin(&target);
    while !origin.is_full() {
        tokio::task::yield_now().await;
    }
    let second = send();
    while !origin.is_wanted() {
        tokio::task::yield_now().await;
    }
    go_on.send(()).unwrap();
    assert_eq!(text(first.await.unwrap().unwrap()).await, "ok");
    assert_eq!(text(second.await.unwrap().unwrap()).await, "ok");
    serving.await.unwrap();
    assert!(!origin.is_wanted());
}

#[tokio::test]
async fn what_rests_goes_with_whoever_has_it_for_himself() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    });
    let before = upstreams.upstream(&target);
    let answer = before.send(get(), TIMEOUTS).await.unwrap();
    assert_eq!(text(answer).await, "ok");
    assert!(upstreams.origin(&target).is_ready());
    // Of another server in the same place, which is not touched.
    let after = upstreams.upstream(&target);
    drop(before);
    serving.await.unwrap();
    assert_eq!(upstreams.origins.read().len(), 1);
    drop(after);
    assert!(upstreams.origins.read().is_empty());
}

#[tokio::test]
async fn after_the_shutdown_nothing_rests_and_every_task_ends() {
    let (upstreams, tasks, shutdown) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    tokio::spawn(closing_on_the_second_request(listener));
    for round in 0..2 {
        let answer = upstreams.send(&target, get(), TIMEOUTS).await.unwrap();
        assert_eq!(text(answer).await, "ok", "round {round}");
        shutdown.request();
        assert!(tasks.drain(Duration::from_secs(30)).await.is_empty());
    }
}

/// What a request's future may need to hold it has room for always, and it is moved and put on the heap. Dials and second
/// tries made it nine kilobytes once.
#[tokio::test]
async fn the_future_of_a_request_is_small() {
    let (upstreams, _tasks, _shutdown) = upstreams(UpstreamConfig::default());
    let target = Target::Unix(std::path::Path::new("/nowhere").into());
    let sending = upstreams.send(&target, get(), TIMEOUTS);
    let bytes = size_of_val(&sending);
    assert!(bytes <= 1500, "{bytes}");
}
