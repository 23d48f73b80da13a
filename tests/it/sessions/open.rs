//! How a session begins and ends.

use rookery_tests::{Apps, Bundle, Closed, Connect, Raw, Server, Ws, kitchen};
use serde_json::json;

async fn server() -> Server {
    Server::start(Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()))).await
}

#[tokio::test]
async fn a_session_learns_how_its_client_came() {
    let server = server().await;
    let connect = Connect::to(&server, "/kitchen@1/a%20b/ws?tell=1&x=%20");
    let connect = connect
        .header("sec-websocket-protocol", "chat.v2, chat.v1")
        .header("x-app-name", "forged");
    let (mut ws, response) = connect.open().await;
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v2");
    assert_eq!(response.headers()["x-rookery-version"], "1.0.0");
    let expected = json!({
        "path": "/a%20b/ws",
        "query": "tell=1&x=%20",
        "prefix": "/kitchen@1",
        "app": "kitchen",
        "subprotocols": ["chat.v2", "chat.v1"],
    });
    assert_eq!(ws.hear_json().await, expected);
}

#[tokio::test]
async fn text_comes_back_as_text_and_bytes_as_bytes() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(ws.ask("echo hello ☕").await, "hello ☕");
    assert_eq!(ws.ask("echo ").await, "");
    let bytes: Vec<u8> = (0..=255).collect();
    ws.send(bytes.clone().into()).await;
    assert_eq!(ws.next().await, bytes.into());
    let long = "x".repeat(500_000);
    assert_eq!(ws.ask(&format!("echo {long}")).await, long);
}

#[tokio::test]
async fn a_guest_ends_a_session_with_its_own_code_and_reason() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    ws.say("echo last words").await;
    ws.say("close 4321 enough for today").await;
    assert_eq!(ws.hear().await, "last words");
    let expected = Closed {
        code: 4321,
        reason: "enough for today".into(),
    };
    assert_eq!(ws.ended().await, expected);
}

#[tokio::test]
async fn a_guest_refuses_a_session_as_it_opens() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/kitchen/ws?refuse=4403").await;
    assert_eq!(ws.closed().await, 4403);
}

#[tokio::test]
async fn a_guest_hears_how_its_client_left() {
    let server = server().await;
    let mut witness = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(witness.ask("join ends").await, "joined ends");
    let mut polite = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(polite.ask("attach polite").await, "attached");
    polite.close(4000, "goodbye").await;
    assert_eq!(witness.hear().await, "4000 goodbye polite");
    assert_eq!(
        polite.ended().await.code,
        4000,
        "a close is answered with its own code"
    );
    let mut rude = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(rude.ask("attach rude").await, "attached");
    drop(rude);
    assert_eq!(witness.hear().await, "1006  rude");
    let mut sent_away = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(sent_away.ask("attach away").await, "attached");
    sent_away.say("close 4001 off").await;
    assert_eq!(sent_away.closed().await, 4001);
    assert_eq!(witness.hear().await, "4001 off away");
}

#[tokio::test]
async fn a_handshake_that_is_none_is_400() {
    let server = server().await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    for headers in [
        key.to_owned(),
        version.to_owned(),
        format!("{key}Sec-WebSocket-Version: 8\r\n"),
        format!("{version}Sec-WebSocket-Key: short\r\n"),
    ] {
        let request = format!(
            "GET /kitchen/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n{headers}\r\n"
        );
        let answer = Raw::exchange(server.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{headers}: {answer}");
        assert!(answer.contains("BAD_HANDSHAKE"), "{headers}: {answer}");
    }
}

/// A client may send its first message with its handshake, before it has an answer to it.
#[tokio::test]
async fn what_a_client_sends_early_is_not_lost() {
    let server = server().await;
    let mut raw = Raw::connect(server.address()).await;
    let handshake = "GET /kitchen/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let early = rookery_tests::Frame::whole(1, "echo early");
    raw.send([handshake.as_bytes(), &early.encode()].concat())
        .await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101"));
    let mut session = rookery_tests::RawSession(raw);
    assert_eq!(session.next().await, Some((0x81, b"early".to_vec())));
}

#[tokio::test]
async fn a_session_of_a_version_that_is_removed_is_told_to_come_again() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(ws.ask("echo here").await, "here");
    server.apps().remove("kitchen/1.0.0");
    assert_eq!(ws.closed().await, 1012);
}
