//! Text is UTF-8, however it is cut (RFC 6455, 8.1; Unicode 16, table 3-7).

use rookery_tests::Frame;

use super::{CONTINUATION, TEXT, broken, part, parts, server, session, sound};

/// The first and the last code point of each length, those beside the surrogates, noncharacters, and words.
const VALID: [&str; 14] = [
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    "\u{0}",
    "\u{7f}",
    "\u{80}",
    "\u{7ff}",
    "\u{800}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
    "\u{1f426}\u{200d}\u{2b1b}",
];

/// Bytes that begin nothing, sequences cut short, overlong ones, surrogates, and what lies above U+10FFFF.
const INVALID: [&[u8]; 24] = [
    b"\x80",
    b"\xbf",
    b"\x80\xbf\x80",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xc3",
    b"\xc3(",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xe2\x82",
    b"\xe2(\xa1",
    b"\xe2\x82(",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xf0\x9f\x90",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xfe",
    b"\xff",
];

#[tokio::test]
async fn text_that_is_utf8_comes_back_wherever_it_is_cut() {
    let server = server().await;
    for text in VALID {
        let text = text.as_bytes();
        for bytes in 1..=text.len().min(5) {
            sound(&server, &parts(TEXT, text, bytes), &[(TEXT, text)]).await;
        }
        sound(&server, &[Frame::whole(TEXT, text)], &[(TEXT, text)]).await;
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007_wherever_it_is_cut() {
    let server = server().await;
    for invalid in INVALID {
        let text = [b"\xce\xbaok ", invalid].concat();
        broken(&server, &[], &[Frame::whole(TEXT, text.clone())], 1007).await;
        for bytes in [1, text.len() - 1] {
            broken(&server, &[], &parts(TEXT, &text, bytes), 1007).await;
        }
        // Followed by what would be fine.
        let text = [invalid, b" and on"].concat();
        broken(&server, &[], &[Frame::whole(TEXT, text)], 1007).await;
    }
}

/// Nobody waits for the rest of a message that is lost already.
#[tokio::test]
async fn a_part_that_cannot_become_utf8_closes_before_the_message_ends() {
    let server = server().await;
    for frames in [
        vec![
            part(TEXT, "fine "),
            part(CONTINUATION, b"\xed\xa0\x80".as_slice()),
        ],
        vec![
            part(TEXT, b"\xf4".as_slice()),
            part(CONTINUATION, b"\x90".as_slice()),
        ],
    ] {
        let mut session = session(&server).await;
        for frame in frames {
            session.send(frame).await;
        }
        assert_eq!(session.close_code().await, 1007);
    }
}

/// Nor for the rest of a frame.
#[tokio::test]
async fn a_frame_that_cannot_become_utf8_closes_before_it_is_there() {
    let server = server().await;
    for cut in [b"\xed\xa0".as_slice(), b"\xf4\x90", b"\xff"] {
        let payload = [b"\xce\xba\xe1\xbd\xb9", cut, b" and the rest of it"].concat();
        let bytes = Frame::whole(TEXT, payload).encode();
        let mut session = session(&server).await;
        // What comes before it is whole.
        session.send(Frame::whole(TEXT, "fine")).await;
        assert_eq!(session.next().await, Some((0x80 | TEXT, b"fine".to_vec())));
        session
            .0
            .send(&bytes[..bytes.len() - " and the rest of it".len()])
            .await;
        assert_eq!(session.close_code().await, 1007, "{cut:x?}");
    }
}

/// Only text has to be.
#[tokio::test]
async fn bytes_that_are_no_text_come_back_as_bytes() {
    let server = server().await;
    for invalid in INVALID {
        let frame = Frame::whole(super::BINARY, invalid);
        sound(&server, &[frame], &[(super::BINARY, invalid)]).await;
    }
}
