//! What a client may take: of bytes, of time, of places.

use rookery_tests::{Apps, Bundle, Options, PATIENCE, Raw, Server, kitchen};
use serde_json::json;
use tokio::time::Instant;

fn limited() -> Apps {
    let bundle = Bundle::component(kitchen()).manifest(json!({ "maxBodySize": "1kb" }));
    Apps::new().with("kitchen/1.0.0", bundle)
}

/// Buntime 37.
#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused() {
    let server = Server::start(limited()).await;
    let fits = server
        .call("POST", "/kitchen/length")
        .body(vec![0; 1024])
        .send()
        .await;
    assert_eq!((fits.status.as_u16(), fits.text()), (200, "1024"));
    let large = server
        .call("POST", "/kitchen/length")
        .body(vec![0; 1025])
        .send()
        .await;
    assert_eq!(large.status, 413);
    let body = large.json();
    assert_eq!(body["code"], "BODY_TOO_LARGE");
    assert_eq!(body["requestId"], large.header("x-request-id"));
}

/// Buntime 37. The answer is there while the client still waits to send its first byte.
#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_any_of_it_is_read() {
    let server = Server::start(limited()).await;
    for more in ["", "Expect: 100-continue\r\n"] {
        let mut raw = Raw::connect(server.address()).await;
        let head = "POST /kitchen/length HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824";
        raw.send(format!("{head}\r\n{more}\r\n")).await;
        let answer = raw.head().await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}

/// Buntime 37. A body of no declared length is read as far as it may go and no further: it has no end here.
#[tokio::test]
async fn a_body_without_an_end_is_refused_at_the_limit() {
    let server = Server::start(limited()).await;
    let answer = answer_to(&server, &"200\r\nPIECE\r\n".repeat(3)).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

/// Buntime 37.
#[tokio::test]
async fn a_body_that_turns_out_too_large_is_refused() {
    let server = Server::start(limited()).await;
    let whole = format!("{}0\r\n\r\n", "200\r\nPIECE\r\n".repeat(3));
    let answer = answer_to(&server, &whole).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let fits = server
        .call("POST", "/kitchen/length")
        .body("small")
        .send()
        .await;
    assert_eq!(fits.text(), "5");
}

/// The head of the answer to a chunked body; `PIECE` stands for 512 bytes. Everything is sent before anything is read:
/// a client that still sends while the server closes may never read why.
async fn answer_to(server: &Server, chunks: &str) -> String {
    let mut raw = Raw::connect(server.address()).await;
    let head = "POST /kitchen/length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = chunks.replace("PIECE", &"x".repeat(512));
    raw.send(format!("{head}{chunks}")).await;
    raw.head().await
}

#[tokio::test]
async fn a_head_that_is_too_large_is_431() {
    let options = Options::new().set("ROOKERY_HEADER_BYTES_MAX", 8192);
    let server = Server::start_with(limited(), options).await;
    let large = "x".repeat(16 * 1024);
    let request = format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Large: {large}\r\n\r\n");
    let answer = Raw::exchange(server.address(), request).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = "X-Many: 1\r\n".repeat(200);
    let request = format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    let answer = Raw::exchange(server.address(), request).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_let_go() {
    let options = Options::new().set("ROOKERY_HEADER_TIMEOUT_SECS", 1);
    let server = Server::start_with(limited(), options).await;
    let begun = Instant::now();
    let mut slow = Raw::connect(server.address()).await;
    slow.send("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow").await;
    slow.until_closed().await;
    assert!(begun.elapsed().as_millis() >= 900, "{:?}", begun.elapsed());
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_is_no_http_is_answered_or_closed_and_never_harms() {
    let server = Server::start(limited()).await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /kitchen/length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\xff\xff\xff\xff\xff\xff",
    ] {
        let answer = Raw::exchange(server.address(), bytes).await;
        let sent = String::from_utf8_lossy(bytes);
        assert!(!answer.contains(" 500 "), "{sent:?}: {answer}");
    }
    assert_eq!(server.get("/kitchen/hello").await.status, 200);
}

/// One worker and nobody may wait: the second request is told to come back.
#[tokio::test]
async fn a_full_queue_answers_503_and_when_to_come_back() {
    let manifest = json!({ "workers": { "max": 1 }, "queue": { "length": 0 } });
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
    assert!(upload.send("busy").await);
    let mut busy = call.open().await;
    assert_eq!(busy.chunk().await.unwrap(), "busy");
    let refused = server.get("/kitchen/hello").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (503, &"QUEUE_FULL".into())
    );
    assert!(refused.header("retry-after").parse::<u32>().is_ok());
    drop(upload);
    assert!(busy.rest().await.is_empty());
}
