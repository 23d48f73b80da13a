//! Lengths of every kind, in one write and in many; pings and pongs.

use rookery_tests::Frame;

use super::{BINARY, PING, PONG, TEXT, broken, server, session, sound};

/// Around every bound of the length's encoding (RFC 6455, 5.2).
const LENGTHS: [usize; 10] = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 131_072];

#[tokio::test]
async fn a_message_of_any_length_comes_back() {
    let server = server().await;
    for length in LENGTHS {
        let payload = vec![b'*'; length];
        for opcode in [TEXT, BINARY] {
            let frame = Frame::whole(opcode, payload.clone());
            sound(&server, &[frame], &[(opcode, &payload)]).await;
        }
    }
}

/// TCP may cut a frame anywhere, its header included.
#[tokio::test]
async fn a_message_that_comes_byte_by_byte_comes_back() {
    let server = server().await;
    for (length, piece) in [(3, 1), (126, 1), (300, 1), (65_536, 997)] {
        let payload = vec![0xfe; length];
        let mut session = session(&server).await;
        for piece in Frame::whole(BINARY, payload.clone()).encode().chunks(piece) {
            session.0.send(piece).await;
        }
        assert!(
            session.next().await == Some((0x80 | BINARY, payload)),
            "{length}"
        );
    }
}

#[tokio::test]
async fn a_mask_of_zeros_masks() {
    let server = server().await;
    let mut frame = Frame::whole(TEXT, "plain to see");
    frame.mask = Some([0; 4]);
    sound(&server, &[frame], &[(TEXT, b"plain to see")]).await;
}

#[tokio::test]
async fn a_ping_of_any_length_is_answered_with_its_own_bytes() {
    let server = server().await;
    for length in [0, 1, 124, 125] {
        let payload = vec![0xff; length];
        let ping = Frame::whole(PING, payload.clone());
        sound(&server, &[ping], &[(PONG, &payload)]).await;
    }
    broken(&server, &[], &[Frame::whole(PING, vec![0; 126])], 1002).await;
}

#[tokio::test]
async fn pings_are_answered_in_order_and_pongs_that_nobody_asked_for_are_passed_over() {
    let server = server().await;
    let payloads: Vec<String> = (0..10).map(|number| format!("ping {number}")).collect();
    let mut frames = vec![Frame::whole(PONG, "unasked"), Frame::whole(PONG, "")];
    frames.extend(
        payloads
            .iter()
            .map(|payload| Frame::whole(PING, payload.as_str())),
    );
    let expected: Vec<(u8, &[u8])> = (payloads.iter())
        .map(|payload| (PONG, payload.as_bytes()))
        .collect();
    sound(&server, &frames, &expected).await;
}

#[tokio::test]
async fn a_ping_that_comes_byte_by_byte_is_answered() {
    let server = server().await;
    let mut session = session(&server).await;
    for byte in Frame::whole(PING, vec![0xfe; 125]).encode() {
        session.0.send([byte]).await;
    }
    assert_eq!(session.next().await, Some((0x80 | PONG, vec![0xfe; 125])));
}
