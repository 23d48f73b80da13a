//! WebSockets through a rule.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rookery_tests::{
    Apps, Bundle, Closed, Connect, Frame, Options, Raw, RawSession, Server, Ws, until, within,
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::stage::{Seen, nobody, server_for, upstream};

/// What one close frame said.
type Heard = Option<(u16, String)>;

/// Echoes every message, closes with 4001 "as you wish" when it hears "bye", and tells how each client closed.
pub async fn echo() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut ws = tokio_tungstenite::accept_async(stream).await.unwrap();
                while let Some(Ok(message)) = ws.next().await {
                    match message {
                        Message::Text(text) if text == "bye" => {
                            let frame = CloseFrame {
                                code: 4001.into(),
                                reason: "as you wish".into(),
                            };
                            ws.close(Some(frame)).await.unwrap();
                        }
                        Message::Text(_) | Message::Binary(_) => ws.send(message).await.unwrap(),
                        Message::Close(frame) => {
                            let heard =
                                frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                            let _ = tell.send(heard);
                        }
                        _ => {}
                    }
                }
            });
        }
    });
    (address, told)
}

/// Buntime 61.
#[tokio::test]
async fn messages_and_close_frames_pass_both_ways() {
    let (address, mut told) = echo().await;
    let server = server_for(address).await;
    let mut ws = Ws::open(&server, "/px/ws").await;
    assert_eq!(ws.ask("hello").await, "hello");
    let bytes = Message::binary(vec![0, 159, 146, 150]);
    ws.send(bytes.clone()).await;
    assert_eq!(ws.next().await, bytes);
    let large = "l".repeat(1_000_000);
    assert_eq!(ws.ask(&large).await, large);
    ws.say("bye").await;
    let expected = Closed {
        code: 4001,
        reason: "as you wish".to_owned(),
    };
    assert_eq!(ws.ended().await, expected);
    assert_eq!(
        within("the upstream is asked", told.recv()).await.unwrap(),
        Some((4001, "as you wish".to_owned()))
    );

    let mut ws = Ws::open(&server, "/px/ws").await;
    ws.close(4002, "enough").await;
    assert_eq!(
        within("the upstream is asked", told.recv()).await.unwrap(),
        Some((4002, "enough".to_owned()))
    );
    assert_eq!(ws.ended().await.code, 4002);
}

/// Buntime 61. Everything of the handshake that is between the two ends, and everything that is not.
#[tokio::test]
async fn the_handshake_is_between_the_two_ends() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let address = upstream(move |mut connection| {
        let tell = tell.clone();
        async move {
            tell.send(Seen::parse("a", &connection.head().await)).unwrap();
            connection
                .send(
                    "HTTP/1.1 101 Whatever\r\nConnection: Upgrade, x-hop\r\nUpgrade: WebSocket\r\nX-Hop: 1\r\n\
                     Sec-WebSocket-Accept: theirs\r\nSec-WebSocket-Protocol: second\r\n\
                     Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n\
                     Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
                )
                .await;
            connection.until_closed().await;
        }
    })
    .await;
    let server = server_for(address).await;
    let mut raw = Raw::connect(server.address()).await;
    raw.send(
        "GET /px/ws?a=1&b=%20 HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: first, second\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
         Cookie: c=3\r\nAuthorization: Bearer t\r\nOrigin: http://page.example\r\n\r\n",
    )
    .await;
    let answer = raw.head().await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-accept: theirs",
        "sec-websocket-protocol: second",
        "sec-websocket-extensions: permessage-deflate; client_no_context_takeover",
        "set-cookie: a=1",
        "set-cookie: b=2",
        "x-rookery-version: 1.0.0",
    ] {
        assert_eq!(
            answer.matches(&format!("{line}\r\n")).count(),
            1,
            "{line}: {answer}"
        );
    }
    assert!(!answer.contains("x-hop"), "{answer}");
    let seen = within("the upstream is asked", told.recv()).await.unwrap();
    assert_eq!(seen.path, "/ws?a=1&b=%20");
    for (field, value) in [
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "first, second"),
        (
            "sec-websocket-extensions",
            "permessage-deflate; client_max_window_bits",
        ),
        ("cookie", "c=3"),
        ("authorization", "Bearer t"),
        ("origin", "http://page.example"),
        ("x-forwarded-for", "127.0.0.1"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
    ] {
        assert_eq!(seen.all(field), [value], "{field}");
    }
}

/// Frames that a client sends with its handshake, before it knows whether it is accepted, and frames that the upstream
/// sends with its answer.
#[tokio::test]
async fn early_frames_of_both_sides_arrive() {
    let address = upstream(async |mut connection| {
        let head = connection.head().await;
        let seen = Seen::parse("a", &head);
        let accept = derive_accept_key(seen.all("sec-websocket-key")[0].as_bytes());
        let early = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        // One write, so that the frame comes with the head.
        connection
            .send([early.as_bytes(), b"\x81\x05early"].concat())
            .await;
        let frame = Frame::whole(1, "first").encode();
        assert_eq!(connection.bytes(frame.len()).await, frame);
        connection.send(b"\x81\x04seen").await;
        connection.until_closed().await;
    })
    .await;
    let server = server_for(address).await;
    let mut raw = Raw::connect(server.address()).await;
    let handshake = "GET /px/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let early = Frame::whole(1, "first").encode();
    raw.send([handshake.as_bytes(), &early].concat()).await;
    raw.head().await;
    let mut session = RawSession(raw);
    assert_eq!(session.next().await.unwrap().1, b"early");
    assert_eq!(session.next().await.unwrap().1, b"seen");
}

/// Buntime 61.
#[tokio::test]
async fn a_client_is_refused_as_the_upstream_refuses() {
    let address = upstream(async |mut connection| {
        connection.head().await;
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 8\r\n\r\nnot here";
        connection.send(refusal).await;
    })
    .await;
    let server = server_for(address).await;
    let answer = Raw::exchange(
        server.address(),
        "GET /px/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\
         GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(
        answer.contains("www-authenticate: Bearer\r\n") && answer.contains("not here"),
        "{answer}"
    );
    assert!(
        answer.contains("HTTP/1.1 200 OK"),
        "the connection goes on: {answer}"
    );

    let server = server_for(nobody().await).await;
    assert_eq!(Connect::to(&server, "/px/ws").refused().await, 502);
    let server = server_for(
        upstream(async |mut connection| {
            connection.head().await;
            let other =
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
            connection.send(other).await;
            connection.until_closed().await;
        })
        .await,
    )
    .await;
    assert_eq!(Connect::to(&server, "/px/ws").refused().await, 502);
}

/// Accepts a WebSocket, sends these bytes, and is gone when it is told.
async fn dying(bytes: &'static [u8]) -> (std::net::SocketAddr, Arc<Notify>) {
    let die = Arc::new(Notify::new());
    let told = Arc::clone(&die);
    let address = upstream(move |mut connection| {
        let die = Arc::clone(&told);
        async move {
            connection.head().await;
            let accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                            Sec-WebSocket-Accept: x\r\n\r\n";
            connection.send(accepted).await;
            connection.send(bytes).await;
            die.notified().await;
        }
    })
    .await;
    (address, die)
}

/// Buntime 61.
#[tokio::test]
async fn an_upstream_that_dies_closes_with_1011_or_cuts_its_frame() {
    let (address, die) = dying(b"\x81\x02hi").await;
    let server = server_for(address).await;
    let mut session = RawSession::open(&server, "/px/ws").await;
    assert_eq!(session.next().await.unwrap(), (0x81, b"hi".to_vec()));
    die.notify_one();
    let (first, payload) = session.next().await.unwrap();
    assert_eq!((first, &payload[..2]), (0x88, &1011_u16.to_be_bytes()[..]));
    assert!(session.next().await.is_none());

    let (address, die) = dying(b"\x81\x0ahalf").await;
    let server = server_for(address).await;
    let mut session = RawSession::open(&server, "/px/ws").await;
    assert_eq!(session.0.bytes(6).await, b"\x81\x0ahalf");
    die.notify_one();
    assert!(
        session.0.until_closed().await.is_empty(),
        "nothing is put into the frame"
    );
}

#[tokio::test]
async fn a_server_that_goes_tells_its_tunnels_so() {
    let (address, mut told) = echo().await;
    let mut server = server_for(address).await;
    let mut ws = Ws::open(&server, "/px/ws").await;
    assert_eq!(ws.ask("hello").await, "hello");
    server.signal("TERM");
    assert_eq!(ws.ended().await.code, 1001);
    assert!(server.exited().await.success());
    // The client's answer to that went on to the upstream.
    assert_eq!(
        within("the end", told.recv()).await.unwrap().unwrap().0,
        1001
    );
}

#[tokio::test]
async fn a_bundle_that_goes_ends_its_tunnels_after_the_grace() {
    let (address, _told) = echo().await;
    let rules = json!({ "^/": { "target": format!("http://{address}") } });
    let bundle = Bundle::empty().manifest(json!({ "proxy": rules }));
    let options = Options::new().set("ROOKERY_DRAIN_GRACE_SECS", 1);
    let server = Server::start_with(Apps::new().with("px/1.0.0", bundle), options).await;
    let mut ws = Ws::open(&server, "/px/ws").await;
    server.apps().remove("px/1.0.0");
    until("the bundle is gone", async || {
        (server.get("/px/x").await.status == 404).then_some(())
    })
    .await;
    assert_eq!(ws.ended().await.code, 1012);
}

#[tokio::test]
async fn a_client_that_leaves_leaves_the_upstream() {
    let (address, mut told) = {
        let (tell, told) = mpsc::unbounded_channel();
        let address = upstream(move |mut connection| {
            let tell = tell.clone();
            async move {
                connection.head().await;
                let accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                                Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";
                connection.send(accepted).await;
                tell.send(connection.until_closed().await).unwrap();
            }
        })
        .await;
        (address, told)
    };
    let server = server_for(address).await;
    let mut session = RawSession::open(&server, "/px/ws").await;
    let last = Frame::whole(1, "last words");
    session.send(last.clone()).await;
    drop(session);
    assert_eq!(
        within("the upstream is left", told.recv()).await.unwrap(),
        last.encode()
    );
}
