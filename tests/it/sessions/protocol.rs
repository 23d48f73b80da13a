//! The WebSocket protocol, kept and broken (RFC 6455).

use rookery_tests::{Apps, Bundle, Frame, RawSession, Server, Ws, kitchen};
use serde_json::json;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

async fn server() -> Server {
    let bundle =
        Bundle::component(kitchen()).manifest(json!({ "sessions": { "maxMessageSize": "64kb" } }));
    Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await
}

async fn session(server: &Server) -> RawSession {
    RawSession::open(server, "/kitchen/ws").await
}

/// Sends frames that break a rule, and checks what the session is closed with. Others do not notice.
async fn check(frames: &[Frame], code: u16) {
    let server = server().await;
    let mut neighbour = Ws::open(&server, "/kitchen/ws").await;
    let mut session = session(&server).await;
    for frame in frames {
        session.send(frame.clone()).await;
    }
    assert_eq!(session.close_code().await, code, "{frames:?}");
    assert_eq!(neighbour.ask("echo here").await, "here");
}

fn part(opcode: u8, payload: &str) -> Frame {
    let mut frame = Frame::whole(opcode, payload);
    frame.first &= 0x7f;
    frame
}

#[tokio::test]
async fn a_frame_that_is_not_masked_closes_with_1002() {
    let mut frame = Frame::whole(TEXT, "echo");
    frame.mask = None;
    check(&[frame], 1002).await;
}

#[tokio::test]
async fn a_reserved_bit_or_opcode_closes_with_1002() {
    for first in [0xc1, 0xa1, 0x91, 0x83, 0x8b] {
        let mut frame = Frame::whole(TEXT, "echo");
        frame.first = first;
        check(&[frame], 1002).await;
    }
}

#[tokio::test]
async fn a_control_frame_that_is_long_or_in_parts_closes_with_1002() {
    check(&[Frame::whole(PING, vec![0; 126])], 1002).await;
    check(&[part(PING, "x")], 1002).await;
}

#[tokio::test]
async fn parts_out_of_order_close_with_1002() {
    check(&[Frame::whole(CONTINUATION, "x")], 1002).await;
    check(&[part(TEXT, "x"), Frame::whole(TEXT, "y")], 1002).await;
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007() {
    check(&[Frame::whole(TEXT, b"echo \xff\xfe".to_vec())], 1007).await;
    check(
        &[part(TEXT, "echo "), Frame::whole(CONTINUATION, vec![0xc3])],
        1007,
    )
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_large_closes_with_1009() {
    check(&[Frame::whole(TEXT, vec![b'x'; 64 * 1024 + 1])], 1009).await;
    let half = "x".repeat(40 * 1024);
    check(
        &[part(TEXT, &half), Frame::whole(CONTINUATION, half.as_str())],
        1009,
    )
    .await;
}

/// A length is believed before its bytes are there, and costs nothing.
#[tokio::test]
async fn a_length_that_is_only_claimed_closes_with_1009() {
    for claimed in [64 * 1024 + 1, u64::from(u32::MAX), i64::MAX as u64] {
        let mut frame = Frame::whole(BINARY, "few");
        frame.declared = Some(claimed);
        check(&[frame], 1009).await;
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_bytes() {
    let server = server().await;
    let mut session = session(&server).await;
    session.send(Frame::whole(PING, "are you there")).await;
    assert_eq!(
        session.next().await,
        Some((0x80 | PONG, b"are you there".to_vec()))
    );
    session.send(Frame::whole(PONG, "nobody asked")).await;
    session.send(Frame::whole(TEXT, "echo and on")).await;
    assert_eq!(
        session.next().await,
        Some((0x80 | TEXT, b"and on".to_vec()))
    );
}

#[tokio::test]
async fn a_message_in_parts_is_one_message_with_pings_between() {
    let server = server().await;
    let mut session = session(&server).await;
    session.send(part(TEXT, "echo one")).await;
    session.send(part(CONTINUATION, ", two")).await;
    session.send(Frame::whole(PING, "now")).await;
    session.send(Frame::whole(CONTINUATION, ", three")).await;
    assert_eq!(session.next().await, Some((0x80 | PONG, b"now".to_vec())));
    assert_eq!(
        session.next().await,
        Some((0x80 | TEXT, b"one, two, three".to_vec()))
    );
}

#[tokio::test]
async fn a_close_is_answered_and_then_the_connection_ends() {
    let server = server().await;
    for (payload, code) in [
        (&b"\x0f\xa0bye"[..], 4000),
        (b"\x03\xe8", 1000),
        (b"", 1000),
    ] {
        let mut session = session(&server).await;
        session.send(Frame::whole(CLOSE, payload)).await;
        let (first, answer) = session.next().await.unwrap();
        assert_eq!(first, 0x80 | CLOSE);
        if !answer.is_empty() {
            assert_eq!(u16::from_be_bytes([answer[0], answer[1]]), code);
        }
        assert_eq!(session.next().await, None);
    }
}

#[tokio::test]
async fn a_close_with_half_a_code_or_a_forbidden_one_closes_with_1002() {
    check(&[Frame::whole(CLOSE, vec![3])], 1002).await;
    check(&[Frame::whole(CLOSE, 1006_u16.to_be_bytes())], 1002).await;
}

/// A client that says nothing and answers no ping is let go; one that answers stays.
#[tokio::test]
async fn a_silent_client_is_pinged_and_then_let_go() {
    let bundle =
        Bundle::component(kitchen()).manifest(json!({ "sessions": { "idleTimeout": "1s" } }));
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    let mut session = session(&server).await;
    let (first, _) = session.next().await.unwrap();
    assert_eq!(first, 0x80 | PING);
    // An answer buys time: the next thing to come is another ping, not the end.
    session.send(Frame::whole(PONG, "")).await;
    let (first, _) = session.next().await.unwrap();
    assert_eq!(first, 0x80 | PING);
    assert_eq!(session.close_code().await, 3002);
}
