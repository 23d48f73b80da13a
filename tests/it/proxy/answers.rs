//! Requests through a rule and what comes back, against upstreams that behave and that do not.

use std::sync::Arc;

use bytes::Bytes;
use rookery_tests::{Apps, Bundle, Raw, Server, Versions, kitchen, within};
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use super::stage::{next, nobody, recorder, server, server_for, server_with, upstream};

/// An upstream that reads a head and then says this, and no more.
async fn saying(answer: &'static str) -> Server {
    let address = upstream(move |mut connection| async move {
        while connection.next_head().await.is_some() {
            connection.send(answer).await;
        }
    })
    .await;
    server_for(address).await
}

#[tokio::test]
async fn rules_come_before_files_and_workers() {
    let (address, mut told) = recorder().await;
    let target = format!("http://{address}");
    let bundle = Bundle::component(kitchen())
        .manifest(json!({
            "static": "public",
            "proxy": { "^/(index.html|hello|health)$": { "target": target } },
        }))
        .file("public/index.html", "a file")
        .file("public/other.html", "another file");
    let server = Server::start(Apps::new().with("px/1.0.0", bundle)).await;
    for path in ["/index.html", "/hello", "/health"] {
        let answer = server.get(&format!("/px{path}")).await;
        assert_eq!(answer.text(), "a", "{path}");
        assert_eq!(answer.header("x-rookery-version"), "1.0.0");
        assert_eq!(next(&mut told).await.path, path);
    }
    assert_eq!(server.get("/px/other.html").await.text(), "another file");
}

/// Buntime 60.
#[tokio::test]
async fn an_answer_passes_as_it_is() {
    let server = saying(
        "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/next\r\nSet-Cookie: a=1\r\n\
         Set-Cookie: b=2\r\nContent-Encoding: made-up\r\nX-Odd:  spaced \r\nConnection: x-hop\r\nX-Hop: 1\r\n\
         Keep-Alive: timeout=5\r\nContent-Length: 4\r\n\r\n\x01\x02\x03\x04",
    )
    .await;
    let answer = server.get("/px/x").await;
    assert_eq!(answer.status, 302, "a redirect is the client's to follow");
    assert_eq!(answer.header("location"), "http://elsewhere.example/next");
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(answer.header("content-encoding"), "made-up");
    assert_eq!(answer.header("x-odd"), "spaced");
    assert_eq!(answer.body, &b"\x01\x02\x03\x04"[..]);
    for hop in ["x-hop", "keep-alive", "connection"] {
        assert_eq!(answer.header(hop), "", "{hop} is of another connection");
    }
    assert!(!answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn a_head_request_keeps_the_length_of_the_answer_it_stands_for() {
    let server = saying("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n").await;
    for _ in 0..2 {
        let answer = server.call("HEAD", "/px/x").send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-length")),
            (200, "1234")
        );
    }
}

/// Buntime 58.
#[tokio::test]
async fn an_upstream_learns_who_asks_and_how() {
    let (address, mut told) = recorder().await;
    let server = server_for(address).await;
    let host = server.address().to_string();
    let call = server
        .call("GET", "/px/x")
        .header("x-forwarded-for", "1.1.1.1")
        .header("forwarded", "for=1.1.1.1")
        .header("x-forwarded-prefix", "/evil")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .header("x-request-id", "mine-1");
    assert_eq!(call.send().await.status, 200);
    let seen = next(&mut told).await;
    assert_eq!(
        seen.all("host"),
        [host.as_str()],
        "the client's, without changeOrigin"
    );
    assert_eq!(seen.all("x-forwarded-for"), ["1.1.1.1, 127.0.0.1"]);
    assert_eq!(seen.all("x-forwarded-host"), [host.as_str()]);
    assert_eq!(seen.all("x-forwarded-proto"), ["http"]);
    let expected = format!("for=1.1.1.1, for=127.0.0.1;host=\"{host}\";proto=http");
    assert_eq!(seen.all("forwarded"), [expected.as_str()]);
    assert_eq!(seen.all("x-forwarded-prefix"), ["/px"]);
    assert_eq!(seen.all("x-request-id"), ["mine-1"]);
    assert!(seen.all("traceparent")[0].starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
}

#[tokio::test]
async fn a_client_of_http2_is_the_same_to_the_upstream() {
    let (address, mut told) = recorder().await;
    let server = server_for(address).await;
    let call = server.call("POST", "/px/x?y=%20").version(Versions::Http2);
    let answer = call
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body("body")
        .send()
        .await;
    assert_eq!(answer.text(), "a");
    let seen = next(&mut told).await;
    assert_eq!(seen.path, "/x?y=%20");
    assert_eq!(seen.all("host"), [server.address().to_string()]);
    assert_eq!(seen.all("cookie"), ["a=1; b=2"]);
    assert_eq!(seen.all("content-length"), ["4"]);
}

/// The upstream makes a chunk of each piece that the client sends, and the client sends the next only when it has the one
/// before: if anything on the way waited for more, this would wait for ever.
#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let address = upstream(async |mut connection| {
        let head = connection.head().await;
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        connection
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        loop {
            let piece = connection.chunk().await;
            connection.send(format!("{:x}\r\n", piece.len())).await;
            connection.send([&piece[..], b"\r\n"].concat()).await;
            if piece.is_empty() {
                return;
            }
        }
    })
    .await;
    let server = server_for(address).await;
    let (mut upload, call) = server.call("POST", "/px/x").upload();
    let mut answer = call.open().await;
    for number in 0..20 {
        let piece = format!("piece {number}");
        assert!(upload.send(piece.clone()).await);
        assert_eq!(answer.chunk().await.unwrap(), piece);
    }
    drop(upload);
    assert!(answer.rest().await.is_empty());
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let address = upstream(move |mut connection| {
        let tell = tell.clone();
        async move {
            let head = connection.head().await;
            assert!(head.contains("te: trailers\r\n"), "{head}");
            assert_eq!(connection.chunk().await, b"body");
            assert!(connection.chunk().await.is_empty());
            tell.send(connection.head().await).unwrap();
            let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-down\r\n\r\n\
                          2\r\nok\r\n0\r\nX-Down: 2\r\n\r\n";
            connection.send(answer).await;
            connection.until_closed().await;
        }
    })
    .await;
    let server = server_for(address).await;
    let mut raw = Raw::connect(server.address()).await;
    raw.send(
        "POST /px/x HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTrailer: x-up\r\nConnection: TE\r\n\
         Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Up: 1\r\n\r\n",
    )
    .await;
    assert_eq!(
        within("the upstream is asked", told.recv())
            .await
            .unwrap()
            .to_ascii_lowercase(),
        "x-up: 1\r\n\r\n"
    );
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(raw.chunk().await, b"ok");
    assert!(raw.chunk().await.is_empty());
    assert_eq!(raw.head().await.to_ascii_lowercase(), "x-down: 2\r\n\r\n");
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_is_told_to_go_on() {
    let (address, mut told) = recorder().await;
    let down = format!("http://{}", nobody().await);
    let server = server(json!({
        "^/up": { "target": format!("http://{address}") },
        "^/down": { "target": down },
    }))
    .await;
    let head = |path| {
        format!(
            "POST /px{path} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
    };
    let mut raw = Raw::connect(server.address()).await;
    raw.send(head("/up")).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 100 "));
    raw.send("ok").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
    assert!(next(&mut told).await.all("expect").is_empty());
    // Whom nobody will listen to is spared its body.
    let mut raw = Raw::connect(server.address()).await;
    raw.send(head("/down")).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 502 "));
}

/// Buntime 60.
#[tokio::test]
async fn an_upstream_that_is_down_is_a_502_in_the_common_words() {
    let server = server_for(nobody().await).await;
    let answer = server.get("/px/x").await;
    assert_eq!(answer.status, 502);
    let body = answer.json();
    assert_eq!(body["code"], "UPSTREAM_UNREACHABLE");
    assert_eq!(body["requestId"], answer.header("x-request-id"));
    assert!(
        !body["error"].as_str().unwrap().contains("127.0.0.1"),
        "{body}"
    );
}

/// Buntime 60.
#[tokio::test]
async fn an_upstream_that_stalls_is_a_504_after_the_bundles_timeout() {
    let address = upstream(async |mut connection| {
        connection.head().await;
        connection.until_closed().await;
    })
    .await;
    let rules = json!({ "^/": { "target": format!("http://{address}") } });
    let server = server_with(json!({ "timeout": "100ms", "proxy": rules })).await;
    let answer = server.get("/px/x").await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.json()["code"], "UPSTREAM_TIMEOUT");
}

#[tokio::test]
async fn an_answer_that_stalls_or_breaks_off_is_cut_and_not_ended() {
    let stalls = upstream(async |mut connection| {
        connection.head().await;
        connection
            .send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            .await;
        connection.until_closed().await;
    })
    .await;
    let breaks = upstream(async |mut connection| {
        connection.head().await;
        connection
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
            .await;
    })
    .await;
    for address in [stalls, breaks] {
        let rules = json!({ "^/": { "target": format!("http://{address}") } });
        let server = server_with(json!({ "timeout": "200ms", "proxy": rules })).await;
        let mut answer = server.call("GET", "/px/x").open().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.chunk().await.unwrap(), "half");
        assert!(answer.try_chunk().await.unwrap().is_err(), "{address}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_502() {
    let server = saying("SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    let answer = server.get("/px/x").await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["code"], "UPSTREAM_FAILED");
}

/// A client that leaves ends the work at the upstream, before the head of an answer and within its body.
#[tokio::test]
async fn a_client_that_leaves_ends_the_upstreams_work() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"] {
        let (asked, left) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (has_asked, has_left) = (Arc::clone(&asked), Arc::clone(&left));
        let address = upstream(move |mut connection| {
            let (asked, left) = (Arc::clone(&asked), Arc::clone(&left));
            async move {
                connection.head().await;
                connection.send(answer).await;
                asked.notify_one();
                connection.until_closed().await;
                left.notify_one();
            }
        })
        .await;
        let server = server_for(address).await;
        let mut raw = Raw::connect(server.address()).await;
        raw.send("GET /px/x HTTP/1.1\r\nHost: h\r\n\r\n").await;
        within("the upstream is asked", has_asked.notified()).await;
        if !answer.is_empty() {
            raw.head().await;
        }
        drop(raw);
        within("the upstream is left", has_left.notified()).await;
    }
}

#[tokio::test]
async fn a_body_beyond_the_bundles_limit_is_refused_wherever_it_shows() {
    let (address, _told) = recorder().await;
    let rules = json!({ "^/": { "target": format!("http://{address}") } });
    let server = server_with(json!({ "maxBodySize": 8, "proxy": rules })).await;
    let declared = server.call("POST", "/px/x").body("123456789").send().await;
    assert_eq!(declared.status, 413);
    let allowed = server.call("POST", "/px/x").body("12345678").send().await;
    assert_eq!(allowed.status, 200);
    let stalls = upstream(async |mut connection| {
        connection.head().await;
        connection.until_closed().await;
    })
    .await;
    let rules = json!({ "^/": { "target": format!("http://{stalls}") } });
    let server = server_with(json!({ "maxBodySize": 8, "proxy": rules })).await;
    let (mut upload, call) = server.call("POST", "/px/x").upload();
    let answer = tokio::spawn(call.send());
    assert!(upload.send("12345").await);
    assert!(upload.send("6789").await);
    let answer = answer.await.unwrap();
    assert_eq!(answer.json()["code"], "BODY_TOO_LARGE");
    drop(upload);
}

/// Far less than the body, which would be held at least once if it were held at all.
#[tokio::test]
async fn a_body_of_100_mb_passes_in_little_memory() {
    const MIB: usize = 1024 * 1024;
    let address = upstream(async |mut connection| {
        while connection.next_head().await.is_some() {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 100 * MIB);
            connection.send(head).await;
            let piece = Bytes::from(vec![b'p'; MIB]);
            for _ in 0..100 {
                connection.send(&piece).await;
            }
        }
    })
    .await;
    let server = server_for(address).await;
    assert_eq!(server.get("/px/x").await.body.len(), 100 * MIB);
    let before = server.memory_peak_bytes();
    let mut answer = server.call("GET", "/px/x").open().await;
    let mut received = 0;
    while let Some(chunk) = answer.chunk().await {
        received += chunk.len();
    }
    assert_eq!(received, 100 * MIB);
    assert!(server.memory_peak_bytes() < 200 * MIB as u64);
    assert!(server.memory_peak_bytes() - before < 32 * MIB as u64);
}
