//! What a client, a path or an upstream may not do.

use rookery_tests::{Apps, Bundle, Options, Raw, Server, within};
use serde_json::json;
use tokio::sync::mpsc;

use super::stage::{Seen, next, record, recorder, server, server_for, upstream};

/// Two requests in one, as the next server might count them. Whatever is answered, the upstream sees one at most, with one
/// length.
#[tokio::test]
async fn no_request_is_smuggled_in_another() {
    let (address, mut told) = recorder().await;
    let server = server_for(address).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    let chunked = format!("0\r\n\r\n{smuggled}");
    let length = chunked.len();
    let attempts = [
        (
            "Content-Length: 4\r\nContent-Length: 0\r\n".to_owned(),
            "body",
        ),
        ("Content-Length: 4, 0\r\n".to_owned(), "body"),
        ("Content-Length: +4\r\n".to_owned(), "body"),
        (
            "Content-Length: 4\r\nTransfer-Encoding: identity\r\n".to_owned(),
            "body",
        ),
        (
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
            chunked.as_str(),
        ),
        (
            "Transfer-Encoding: \x0bchunked\r\n".to_owned(),
            chunked.as_str(),
        ),
        (
            "Transfer-Encoding: xchunked\r\n".to_owned(),
            chunked.as_str(),
        ),
        (
            "Transfer-Encoding : chunked\r\n".to_owned(),
            chunked.as_str(),
        ),
        (
            format!("Content-Length: {length}\r\n Transfer-Encoding: chunked\r\n"),
            chunked.as_str(),
        ),
        (
            format!("X: y\nContent-Length: {length}\r\n"),
            chunked.as_str(),
        ),
    ];
    for (fields, body) in attempts {
        let request = format!(
            "POST /px/outer HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n{body}"
        );
        let answer = Raw::exchange(server.address(), &request).await;
        let mut paths = Vec::new();
        while let Ok(seen) = told.try_recv() {
            let framings = seen.all("content-length").len() + seen.all("transfer-encoding").len();
            assert!(framings <= 1, "{fields:?}: {seen:?}");
            paths.push(seen.path);
        }
        assert!(
            paths.iter().all(|path| path == "/outer"),
            "{fields:?}: {paths:?}"
        );
        assert!(paths.len() <= 1, "{fields:?}: {paths:?}");
        let served = answer.matches("HTTP/1.1 200").count();
        assert_eq!(served, paths.len(), "{fields:?}: {answer}");
    }
    // Lengths that contradict each other are refused outright.
    let request =
        "POST /px/x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbodyx";
    let answer = Raw::exchange(server.address(), request).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

/// RFC 9112, 6.1: where both are, the transfer coding counts, and the length must not go on.
#[tokio::test]
async fn of_two_framings_one_goes_on() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let address = upstream(move |mut connection| {
        let tell = tell.clone();
        async move {
            let head = connection.head().await;
            let mut body = Vec::new();
            loop {
                let piece = connection.chunk().await;
                if piece.is_empty() {
                    break;
                }
                body.extend_from_slice(&piece);
            }
            tell.send((Seen::parse("a", &head), body)).unwrap();
            connection.send("HTTP/1.1 204 No Content\r\n\r\n").await;
            connection.until_closed().await;
        }
    })
    .await;
    let server = server_for(address).await;
    let request = "POST /px/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\
                   Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    let answer = Raw::exchange(server.address(), request).await;
    if answer.starts_with("HTTP/1.1 400") {
        // To refuse it is as right.
        return;
    }
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let (seen, body) = within("the upstream is asked", told.recv()).await.unwrap();
    assert!(seen.all("content-length").is_empty(), "{seen:?}");
    assert_eq!(body, b"body");
}

#[tokio::test]
async fn a_client_cannot_name_away_what_the_server_or_the_rule_says() {
    let (address, mut told) = recorder().await;
    let server = server(json!({ "^/": {
        "target": format!("http://{address}"),
        "headers": { "X-Secret": "s" },
    } }))
    .await;
    let answer = Raw::exchange(
        server.address(),
        "GET /px/x HTTP/1.1\r\nHost: h\r\nX-Mine: 1\r\nCookie: c\r\nX-Secret: guess\r\n\
         Connection: close, x-mine, x-forwarded-for, x-secret, host, cookie, x-request-id\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let seen = next(&mut told).await;
    assert!(seen.all("x-mine").is_empty());
    assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.all("x-secret"), ["s"]);
    assert_eq!(seen.all("host"), ["h"]);
    assert_eq!(seen.all("cookie"), ["c"]);
    assert_eq!(seen.all("x-request-id").len(), 1);
}

#[tokio::test]
async fn a_path_never_chooses_the_server() {
    let (address, mut told) = recorder().await;
    let (other, mut never) = recorder().await;
    let server = server_for(address).await;
    let paths = [
        format!("//{other}/x"),
        format!("/http://{other}/x"),
        format!("/\\{other}/x"),
        format!("/@{other}/x"),
        format!("/x?u=http://{other}/"),
        "/%2e%2e/%2e%2e/x".to_owned(),
    ];
    for path in paths {
        let request = format!("GET /px{path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let answer = Raw::exchange(server.address(), &request).await;
        if answer.starts_with("HTTP/1.1 200") {
            let seen = next(&mut told).await;
            assert!(seen.path.starts_with('/'), "{path}: {seen:?}");
        } else {
            assert!(answer.starts_with("HTTP/1.1 40"), "{path}: {answer}");
        }
        assert!(never.try_recv().is_err(), "{path} chose its server");
    }
    // In the absolute form the authority is the Host, and no more.
    let request =
        format!("GET http://{other}/px/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let answer = Raw::exchange(server.address(), &request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(next(&mut told).await.all("host"), [other.to_string()]);
    assert!(never.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_cannot_bring_a_second_one() {
    let address = upstream(async |mut connection| {
        connection.head().await;
        connection
            .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            .await;
        connection.until_closed().await;
    })
    .await;
    let server = server_for(address).await;
    for _ in 0..3 {
        assert_eq!(server.get("/px/x").await.text(), "ok");
    }
}

/// Buntime 57.
#[tokio::test]
async fn a_variable_that_is_missing_refuses_the_bundle_by_name() {
    let (tell, _told) = mpsc::unbounded_channel();
    let address = upstream(move |connection| record("a", connection, tell.clone())).await;
    let rule = |target: &str| json!({ "^/": { "target": target } });
    let bundle = |target, granted: &[&str]| {
        let manifest = json!({ "proxy": rule(target), "grants": { "env": granted } });
        Bundle::empty().manifest(manifest)
    };
    let apps = Apps::new()
        .with(
            "good/1.0.0",
            bundle("${PROXY_TEST_URL}/base", &["PROXY_TEST_URL"]),
        )
        .with(
            "absent/1.0.0",
            bundle("${PROXY_TEST_NONE}", &["PROXY_TEST_NONE"]),
        )
        .with("denied/1.0.0", bundle("${PROXY_TEST_URL}", &[]));
    let options = Options::new().set("PROXY_TEST_URL", format!("http://{address}"));
    let server = Server::start_with(apps, options).await;
    assert_eq!(server.get("/good/x").await.text(), "a");
    for (app, name) in [("absent", "PROXY_TEST_NONE"), ("denied", "PROXY_TEST_URL")] {
        let answer = server.get(&format!("/{app}/x")).await;
        assert!(
            answer.status.is_server_error() || answer.status == 404,
            "{}",
            answer.status
        );
        let log = server.log();
        let refused = |line: &&str| line.contains("refused") && line.contains(app);
        let line = log.lines().find(refused).unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains(name) && line.contains("target"), "{line}");
    }
}

/// Buntime 62. Without an engine that counts its steps, the first of these would take longer than the universe will.
#[tokio::test]
async fn a_catastrophic_pattern_stalls_nobody() {
    let (address, mut told) = recorder().await;
    let target = format!("http://{address}");
    let server = server(json!([
        { "pattern": "^/(a+)+$", "target": target, "rewrite": "/linear" },
        { "pattern": "^/(?=(b+)+c)(b|bb)+\\1$", "target": target, "rewrite": "/bounded" },
        { "pattern": "^/", "target": target, "rewrite": "/last" },
    ]))
    .await;
    let path = |letter: &str| format!("/px/{}!", letter.repeat(5000));
    for letter in ["a", "b"] {
        assert_eq!(server.get(&path(letter)).await.text(), "a");
        assert_eq!(next(&mut told).await.path, "/last");
    }
}
