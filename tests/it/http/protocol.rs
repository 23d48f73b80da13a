//! HTTP/1.1 and HTTP/2 on the same port.

use http::Version;
use rookery_tests::{Apps, Bundle, Raw, Server, Versions, kitchen};

async fn server() -> Server {
    Server::start(Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()))).await
}

#[tokio::test]
async fn http_2_is_spoken_with_prior_knowledge() {
    let server = server().await;
    let answer = server
        .call("GET", "/kitchen/hello")
        .version(Versions::Http2)
        .send()
        .await;
    assert_eq!(
        (answer.version, answer.status.as_u16()),
        (Version::HTTP_2, 200)
    );
    assert_eq!(answer.text(), "Hello from the kitchen");
    assert_eq!(answer.header("x-rookery-version"), "1.0.0");
}

#[tokio::test]
async fn http_2_streams_both_ways() {
    let server = server().await;
    let call = server
        .call("POST", "/kitchen/echo")
        .version(Versions::Http2);
    let (mut upload, call) = call.upload();
    let open = tokio::spawn(call.open());
    assert!(upload.send("one").await);
    let mut answer = open.await.unwrap();
    assert_eq!(answer.chunk().await.unwrap(), "one");
    assert!(upload.send("two").await);
    assert_eq!(answer.chunk().await.unwrap(), "two");
    drop(upload);
    assert!(answer.rest().await.is_empty());
}

#[tokio::test]
async fn requests_that_are_sent_ahead_are_answered_in_order() {
    let server = server().await;
    let mut raw = Raw::connect(server.address()).await;
    let statuses = [201, 202, 203, 418];
    let requests = statuses
        .map(|status| format!("GET /kitchen/status?code={status} HTTP/1.1\r\nHost: x\r\n\r\n"));
    raw.send(requests.concat()).await;
    for status in statuses {
        let head = raw.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert!(head.to_lowercase().contains("content-length: 0"), "{head}");
    }
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request_and_closed_when_asked() {
    let server = server().await;
    let mut raw = Raw::connect(server.address()).await;
    for _ in 0..3 {
        raw.send("GET /kitchen/status HTTP/1.1\r\nHost: x\r\n\r\n")
            .await;
        assert!(raw.head().await.starts_with("HTTP/1.1 200"));
    }
    raw.send("GET /kitchen/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200"));
    assert!(raw.until_closed().await.is_empty());
}

#[tokio::test]
async fn http_1_0_is_answered() {
    let server = server().await;
    let answer = Raw::exchange(server.address(), "GET /kitchen/hello HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(answer.ends_with("Hello from the kitchen"), "{answer}");
}
