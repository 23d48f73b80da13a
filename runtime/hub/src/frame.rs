//! WebSocket frames as a server sends them (RFC 6455, 5.2): one frame a message, unmasked, without extensions.
//!
//! **Invariant:** what is appended is always a whole frame, so buffers of frames can be joined and cut between frames.
//! **Absent on purpose:** reading, masking, fragments and compression. The gateway reads with tungstenite; a message
//! that is encoded once for everybody cannot be compressed for each.

use bytes::{BufMut, Bytes, BytesMut};
use rookery_contract::Payload;

use crate::close::CloseFrame;

/// The longest header of an unmasked frame.
pub const HEADER_BYTES_MAX: usize = 10;
/// The most that a control frame carries (RFC 6455, 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;

const FIN: u8 = 0x80;

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Opcode {
    /// A text message.
    Text = 0x1,
    /// A binary message.
    Binary = 0x2,
    /// The last frame of a side.
    Close = 0x8,
    /// A question whether the other side is there.
    Ping = 0x9,
    /// The answer to it.
    Pong = 0xA,
}

/// Appends one whole frame.
pub fn encode(opcode: Opcode, payload: &[u8], out: &mut BytesMut) {
    out.reserve(HEADER_BYTES_MAX + payload.len());
    let first = FIN | opcode as u8;
    match payload.len() {
        length @ ..=125 => out.put_slice(&[first, length as u8]),
        length @ ..=0xFFFF => {
            let [high, low] = (length as u16).to_be_bytes();
            out.put_slice(&[first, 126, high, low]);
        }
        length => {
            out.put_slice(&[first, 127]);
            out.put_u64(length as u64);
        }
    }
    out.put_slice(payload);
}

/// Appends a message.
pub fn encode_message(payload: &Payload, out: &mut BytesMut) {
    encode(opcode(payload), payload.as_bytes(), out);
}

/// A message as a buffer of its own.
pub fn message(payload: &Payload) -> Bytes {
    alone(opcode(payload), payload.as_bytes())
}

/// A ping; what exceeds [`CONTROL_BYTES_MAX`] is left out.
pub fn ping(data: &[u8]) -> Bytes {
    alone(Opcode::Ping, control(data))
}

/// A pong; what exceeds [`CONTROL_BYTES_MAX`] is left out.
pub fn pong(data: &[u8]) -> Bytes {
    alone(Opcode::Pong, control(data))
}

/// A close frame (RFC 6455, 5.5.1).
pub fn close(frame: &CloseFrame) -> Bytes {
    let mut body = Vec::with_capacity(2 + frame.reason().len());
    body.extend_from_slice(&frame.code().to_be_bytes());
    body.extend_from_slice(frame.reason().as_bytes());
    alone(Opcode::Close, &body)
}

fn opcode(payload: &Payload) -> Opcode {
    match payload {
        Payload::Text(_) => Opcode::Text,
        Payload::Binary(_) => Opcode::Binary,
    }
}

fn control(data: &[u8]) -> &[u8] {
    &data[..data.len().min(CONTROL_BYTES_MAX)]
}

fn alone(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(HEADER_BYTES_MAX + payload.len());
    encode(opcode, payload, &mut out);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(length: usize, header: &[u8]) {
        let payload = vec![b'x'; length];
        let mut out = BytesMut::from(&b"before"[..]);
        encode(Opcode::Binary, &payload, &mut out);
        assert_eq!(&out[6..6 + header.len()], header);
        assert_eq!(&out[6 + header.len()..], &payload[..]);
    }

    #[test]
    fn the_length_takes_as_few_bytes_as_it_can() {
        check(0, &[0x82, 0]);
        check(125, &[0x82, 125]);
        check(126, &[0x82, 126, 0, 126]);
        check(0xFFFF, &[0x82, 126, 0xFF, 0xFF]);
        check(0x1_0000, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn the_examples_of_rfc_6455_5_7_come_out() {
        assert_eq!(
            &message(&Payload::Text("Hello".into()))[..],
            b"\x81\x05Hello"
        );
        assert_eq!(&ping(b"Hello")[..], b"\x89\x05Hello");
        assert_eq!(&pong(b"Hello")[..], b"\x8a\x05Hello");
    }

    #[test]
    fn a_close_frame_carries_code_and_reason() {
        assert_eq!(
            &close(&CloseFrame::new(4001, "no"))[..],
            b"\x88\x04\x0f\xa1no"
        );
    }

    #[test]
    fn a_control_frame_is_never_too_long() {
        assert_eq!(pong(&[7; 1000]).len(), 2 + CONTROL_BYTES_MAX);
        assert_eq!(
            close(&CloseFrame::new(1000, &"x".repeat(500))).len(),
            2 + 125
        );
    }
}
