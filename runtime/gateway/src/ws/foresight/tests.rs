//! Claims about texts that are cut.

use super::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    let masked = payload.iter().zip(MASK.iter().cycle());
    bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
    bytes
}

/// After how many of these bytes, which come in pieces of this size, it is sure; none when never.
fn condemned_after(bytes: &[u8], size: usize) -> Option<usize> {
    let mut foresight = Foresight::default();
    let mut read = 0;
    for piece in bytes.chunks(size) {
        foresight.follow(piece);
        read += piece.len();
        if foresight.is_condemned() {
            return Some(read);
        }
    }
    None
}

#[test]
fn a_text_is_condemned_at_the_byte_that_it_cannot_survive() {
    for (valid, cut) in [
        ("κόσμε", &b"\xed\xa0"[..]),
        ("κόσμε", b"\xf4\x90"),
        ("", b"\xff"),
        ("", b"\xc0"),
        (&"x".repeat(70_000), b"\xe2\x28"),
    ] {
        let payload = [valid.as_bytes(), cut, b" and so on"].concat();
        let bytes = frame(0x81, &payload);
        let fatal = bytes.len() - " and so on".len();
        assert_eq!(condemned_after(&bytes, 1), Some(fatal), "{cut:x?}");
        let mut begun = Foresight::default();
        begun.follow(&bytes[..fatal]);
        assert!(begun.is_condemned(), "{cut:x?}");
    }
}

#[test]
fn text_in_parts_is_one_text_with_pings_between() {
    let bytes = [
        frame(0x01, b"\xe2\x82"),
        frame(0x89, b"\xff\xff"),
        frame(0x00, b""),
        frame(0x00, b"\xac \xf0\x9f"),
        frame(0x80, b"\x90\xa6"),
        frame(0x81, "and another: ☕".as_bytes()),
    ]
    .concat();
    for size in 1..bytes.len() {
        assert_eq!(condemned_after(&bytes, size), None, "in pieces of {size}");
    }
    let broken = [frame(0x01, b"\xe2\x82"), frame(0x80, b"(")].concat();
    assert_eq!(condemned_after(&broken, 1), Some(broken.len()));
}

#[test]
fn what_is_no_text_is_not_looked_at() {
    let bytes = [
        frame(0x02, b"\xff"),
        frame(0x80, b"\xff"),
        frame(0x82, &[0xff; 300]),
        frame(0x88, b"\x03\xe8\xff"),
    ]
    .concat();
    for size in [1, 2, 7, 100] {
        assert_eq!(condemned_after(&bytes, size), None, "in pieces of {size}");
    }
}

/// The reader checks it, and says so.
#[test]
fn a_text_that_is_there_at_once_is_left_to_the_reader() {
    let bytes = frame(0x81, b"\xff");
    assert_eq!(condemned_after(&bytes, bytes.len()), None);
}

#[test]
fn other_broken_rules_make_it_blind() {
    let mut bare = frame(0x81, b"");
    bare[1] = 0;
    for breach in [bare, frame(0x83, b"x")] {
        let bytes = [breach, frame(0x81, b"\xff\xff")].concat();
        assert_eq!(condemned_after(&bytes, 1), None);
    }
}
