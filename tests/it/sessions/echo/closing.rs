//! The end: codes and reasons, and what comes after it (RFC 6455, 5.5.1 and 7.4).

use rookery_tests::Frame;

use super::{CLOSE, CONTINUATION, FIN, PING, TEXT, broken, part, server, session, talk};

/// Those of the protocol that may be sent, of the registry, and of apps.
const VALID: [u16; 15] = [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999,
];
/// Those that only describe, that nobody registered, and that are out of range.
const INVALID: [u16; 13] = [
    0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
];

fn close(code: u16, reason: &[u8]) -> Frame {
    Frame::whole(CLOSE, [&code.to_be_bytes(), reason].concat())
}

#[tokio::test]
async fn a_valid_code_comes_back_and_the_connection_ends() {
    let server = server().await;
    for code in VALID {
        let answer = talk(&server, &[close(code, b"")]).await;
        let [(first, payload)] = answer.as_slice() else {
            panic!("{code}: {answer:?}");
        };
        assert_eq!(
            (*first, &payload[..2]),
            (FIN | CLOSE, &code.to_be_bytes()[..])
        );
    }
}

#[tokio::test]
async fn a_close_without_a_code_is_answered() {
    let server = server().await;
    let answer = talk(&server, &[Frame::whole(CLOSE, "")]).await;
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].0, FIN | CLOSE);
}

#[tokio::test]
async fn an_invalid_code_or_half_of_one_closes_with_1002() {
    let server = server().await;
    for code in INVALID {
        broken(&server, &[], &[close(code, b"")], 1002).await;
        broken(&server, &[], &[close(code, b"why")], 1002).await;
    }
    broken(&server, &[], &[Frame::whole(CLOSE, "x")], 1002).await;
}

#[tokio::test]
async fn a_reason_is_utf8_and_of_123_bytes_at_most() {
    let server = server().await;
    for reason in ["", "enough", "genug für heute", &"x".repeat(123)] {
        let answer = talk(&server, &[close(1000, reason.as_bytes())]).await;
        assert_eq!(answer.len(), 1, "{reason}");
        assert_eq!(answer[0].1[..2], 1000_u16.to_be_bytes(), "{reason}");
    }
    broken(&server, &[], &[close(1000, &[b'x'; 124])], 1002).await;
    broken(&server, &[], &[close(1000, b"\xce\xba\xed\xa0\x80")], 1007).await;
}

#[tokio::test]
async fn nothing_is_heard_after_a_close() {
    let server = server().await;
    for after in [
        close(1001, b"again"),
        Frame::whole(TEXT, "too late"),
        Frame::whole(PING, "too late"),
        Frame::whole(7, "and broken"),
    ] {
        let answer = talk(&server, &[close(1000, b""), after]).await;
        let expected = (FIN | CLOSE, 1000_u16.to_be_bytes().to_vec());
        assert_eq!(answer, [expected]);
    }
}

/// The message that it interrupts never was one.
#[tokio::test]
async fn a_close_between_parts_ends_the_session() {
    let server = server().await;
    let frames = [
        part(TEXT, "half a"),
        close(1000, b""),
        Frame::whole(CONTINUATION, "message"),
    ];
    let answer = talk(&server, &frames).await;
    assert_eq!(answer, [(FIN | CLOSE, 1000_u16.to_be_bytes().to_vec())]);
}

#[tokio::test]
async fn what_was_said_and_answered_before_a_close_stands() {
    let server = server().await;
    let mut session = session(&server).await;
    let long = "x".repeat(256 * 1024);
    session.send(Frame::whole(TEXT, long.as_str())).await;
    let (first, payload) = session.next().await.unwrap();
    assert!(first == FIN | TEXT && payload == long.as_bytes());
    session.send(close(1000, b"")).await;
    assert_eq!(session.close_code().await, 1000);
}
