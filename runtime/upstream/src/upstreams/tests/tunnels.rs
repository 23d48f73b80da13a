//! Tunnels: a handshake over a connection of its own, and what passes after it.
//!
//! **Absent on purpose:** what the relay does with frames and ends; its own tests say so.

use super::*;
use crate::Dialled;
use crate::tunnel::{Close, Ended};

/// The two sockets of one connection.
async fn pair() -> (TcpStream, TcpStream) {
    let (listener, target) = server().await;
    let Target::Tcp { port, .. } = target else {
        unreachable!("it is TCP")
    };
    let ours = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    (ours, listener.accept().await.unwrap().0)
}

fn upgrade() -> Request<()> {
    let request = Request::builder()
        .uri("/ws")
        .header("sec-websocket-key", "abc");
    request.body(()).unwrap()
}

#[tokio::test]
async fn a_tunnel_passes_what_was_said_with_the_handshake() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = head(&mut stream).await;
        for field in [
            "connection: Upgrade",
            "upgrade: websocket",
            "sec-websocket-key: abc",
        ] {
            assert!(head.contains(field), "{head}");
        }
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Accept: xyz\r\n\r\n\x82\x05early";
        stream.write_all(answer).await.unwrap();
        let mut said = [0; 2];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"up");
    });
    let dialled = upstreams
        .tunnel(&target, upgrade(), TIMEOUTS)
        .await
        .unwrap();
    let Dialled::Accepted(accepted) = dialled else {
        panic!("refused");
    };
    assert_eq!(accepted.head.headers()["sec-websocket-accept"], "xyz");
    assert!(!accepted.head.headers().contains_key("connection"));
    let (mut client, server) = pair().await;
    let relay = tokio::spawn(crate::tunnel::run(
        server,
        accepted.io,
        std::future::pending::<Close>(),
    ));
    let mut early = [0; 7];
    client.read_exact(&mut early).await.unwrap();
    assert_eq!(&early, b"\x82\x05early");
    client.write_all(b"up").await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest[..4], [0x88, 2 + 20, 0x03, 0xf3], "1011");
    drop(client);
    assert_eq!(relay.await.unwrap(), Ended::UpstreamGone);
}

#[tokio::test]
async fn a_refused_handshake_is_an_answer() {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let (listener, target) = server().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let refusal = b"HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 3\r\n\r\nno!";
        stream.write_all(refusal).await.unwrap();
    });
    let dialled = upstreams
        .tunnel(&target, upgrade(), TIMEOUTS)
        .await
        .unwrap();
    let Dialled::Refused(answer) = dialled else {
        panic!("accepted");
    };
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.headers()["x-why"], "no");
    assert_eq!(text(answer).await, "no!");
}
