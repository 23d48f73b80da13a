//! What is reserved is not used: bits and opcodes (RFC 6455, 5.2).

use rookery_tests::Frame;

use super::{BINARY, CLOSE, FIN, PING, TEXT, broken, part, reserved, server};

fn hello() -> Frame {
    Frame::whole(TEXT, "hello")
}

#[tokio::test]
async fn a_reserved_bit_closes_with_1002() {
    let server = server().await;
    for bits in 1..=7 {
        for opcode in [TEXT, BINARY, PING, CLOSE] {
            broken(&server, &[], &[reserved(opcode, bits, "")], 1002).await;
            broken(&server, &[hello()], &[reserved(opcode, bits, "x")], 1002).await;
        }
    }
}

#[tokio::test]
async fn a_reserved_bit_in_a_part_closes_with_1002() {
    let server = server().await;
    let mut second = Frame::whole(0, "y");
    second.first |= 0x40;
    broken(&server, &[], &[part(TEXT, "x"), second], 1002).await;
}

#[tokio::test]
async fn an_opcode_that_means_nothing_closes_with_1002() {
    let server = server().await;
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        broken(&server, &[], &[Frame::whole(opcode, "")], 1002).await;
        broken(&server, &[hello()], &[Frame::whole(opcode, "x")], 1002).await;
        let mut partial = Frame::whole(opcode, "x");
        partial.first &= !FIN;
        broken(&server, &[hello()], &[partial], 1002).await;
    }
}

#[tokio::test]
async fn a_frame_that_is_not_masked_closes_with_1002() {
    let server = server().await;
    for opcode in [TEXT, BINARY, PING] {
        let mut frame = Frame::whole(opcode, "bare");
        frame.mask = None;
        broken(&server, &[hello()], &[frame], 1002).await;
    }
}
