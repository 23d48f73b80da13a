//! Messages in parts, with control frames between them, and large ones.

use rookery_tests::Frame;

use super::{BINARY, CONTINUATION, PING, PONG, TEXT, broken, part, parts, server, sound};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn parts_make_one_message() {
    let server = server().await;
    for opcode in [TEXT, BINARY] {
        for bytes in [1, 2, 7, 100] {
            let frames = parts(opcode, b"one message in parts", bytes);
            sound(&server, &frames, &[(opcode, b"one message in parts")]).await;
        }
    }
    let empty = [
        part(TEXT, ""),
        part(CONTINUATION, ""),
        Frame::whole(CONTINUATION, ""),
    ];
    sound(&server, &empty, &[(TEXT, b"")]).await;
    let mostly_empty = [
        part(TEXT, ""),
        part(CONTINUATION, "all of it"),
        Frame::whole(CONTINUATION, ""),
    ];
    sound(&server, &mostly_empty, &[(TEXT, b"all of it")]).await;
}

#[tokio::test]
async fn pings_between_parts_are_answered_at_once() {
    let server = server().await;
    let frames = [
        part(TEXT, "a"),
        Frame::whole(PING, "1"),
        part(CONTINUATION, "b"),
        Frame::whole(PING, "2"),
        Frame::whole(PONG, "unasked"),
        Frame::whole(CONTINUATION, "c"),
        Frame::whole(BINARY, "d"),
    ];
    let expected: [(u8, &[u8]); 4] = [(PONG, b"1"), (PONG, b"2"), (TEXT, b"abc"), (BINARY, b"d")];
    sound(&server, &frames, &expected).await;
}

#[tokio::test]
async fn a_control_frame_in_parts_closes_with_1002() {
    let server = server().await;
    for opcode in [PING, PONG, super::CLOSE] {
        broken(&server, &[], &[part(opcode, "x")], 1002).await;
    }
}

#[tokio::test]
async fn a_part_that_continues_nothing_closes_with_1002() {
    let server = server().await;
    let hello = Frame::whole(TEXT, "hello");
    for continuation in [part(CONTINUATION, "x"), Frame::whole(CONTINUATION, "x")] {
        broken(&server, &[], std::slice::from_ref(&continuation), 1002).await;
        broken(&server, std::slice::from_ref(&hello), &[continuation], 1002).await;
    }
    let whole = parts(TEXT, b"whole", 2);
    let more = [whole, vec![part(CONTINUATION, "x")]].concat();
    broken(
        &server,
        std::slice::from_ref(&Frame::whole(TEXT, "whole")),
        &more,
        1002,
    )
    .await;
}

#[tokio::test]
async fn a_message_within_another_closes_with_1002() {
    let server = server().await;
    for second in [Frame::whole(TEXT, "y"), part(BINARY, "y")] {
        broken(&server, &[], &[part(TEXT, "x"), second], 1002).await;
    }
}

#[tokio::test]
async fn a_message_of_65536_parts_comes_back() {
    let server = server().await;
    let payload: Vec<u8> = (0..=255).cycle().take(65_536).collect();
    sound(&server, &parts(BINARY, &payload, 1), &[(BINARY, &payload)]).await;
}

#[tokio::test]
async fn messages_of_16_mib_come_back() {
    let server = server().await;
    let text = "0123456789abcdef".repeat(MIB).into_bytes();
    sound(
        &server,
        &[Frame::whole(TEXT, text.clone())],
        &[(TEXT, &text)],
    )
    .await;
    let bytes: Vec<u8> = (0..=250).cycle().take(16 * MIB).collect();
    sound(&server, &parts(BINARY, &bytes, 256), &[(BINARY, &bytes)]).await;
}

#[tokio::test]
async fn a_message_over_16_mib_closes_with_1009() {
    let server = server().await;
    let mut frame = Frame::whole(BINARY, "few");
    frame.declared = Some(16 * MIB as u64 + 1);
    let mut session = super::session(&server).await;
    session.send(frame).await;
    assert_eq!(session.close_code().await, 1009);
}
