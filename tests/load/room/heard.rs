//! What one member heard: who said what, each in order, and nothing else.
//!
//! A text is the speaker's number (four hexadecimal digits), the message's number (eight), and padding. What everybody hears
//! has the same length, so places are known and a message is checked in nanoseconds: the client shares the machine with the
//! server.

/// The most members whose numbers fit.
pub const MEMBERS_MAX: usize = 0x1_0000;
/// The shortest text.
pub const TEXT_BYTES_MIN: usize = 12;
/// The number of messages that only find out whether their speaker is in the room already.
pub const KNOCK: u32 = u32::MAX;

const BEFORE_NAME: &[u8] = b"{\"name\":\"";
const NAME_BYTES: usize = 4;
const BEFORE_TEXT: &[u8] = b"\",\"text\":\"";
const TEXT_AT: usize = BEFORE_NAME.len() + NAME_BYTES + BEFORE_TEXT.len();

/// The name of a member.
pub fn name(nth: usize) -> String {
    format!("{nth:04x}")
}

/// What a member says.
pub fn said(nth: usize, message: u32, bytes: usize) -> String {
    format!(
        "{{\"text\":\"{nth:04x}{message:08x}{:x<1$}\"}}",
        "",
        bytes - TEXT_BYTES_MIN
    )
}

/// Checks what a member hears.
pub struct Heard {
    /// The number of each member's next message.
    next: Vec<u32>,
    own: usize,
    text_bytes: usize,
}

/// What was in a piece of the stream.
#[derive(Default)]
pub struct Piece {
    /// How much of it was whole frames.
    pub taken: usize,
    /// Messages that count.
    pub messages: u64,
    /// Own ones among them.
    pub own: u32,
    /// Whether an own [`KNOCK`] was there.
    pub knocked: bool,
}

impl Heard {
    /// The member of this number heard nothing yet.
    pub fn new(own: usize, members: usize, text_bytes: usize) -> Heard {
        Heard {
            next: vec![0; members],
            own,
            text_bytes,
        }
    }

    /// Takes all whole frames from the beginning of what came.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Piece, String> {
        let mut piece = Piece::default();
        while let Some((payload, taken)) = frame(&bytes[piece.taken..])? {
            piece.taken += taken;
            self.message(payload, &mut piece)?;
        }
        Ok(piece)
    }

    fn message(&mut self, payload: &[u8], piece: &mut Piece) -> Result<(), String> {
        let wrong = || format!("unexpected: {}", String::from_utf8_lossy(payload));
        if payload.len() != TEXT_AT + self.text_bytes + 2 || !payload.starts_with(BEFORE_NAME) {
            return Err(wrong());
        }
        let name = &payload[BEFORE_NAME.len()..][..NAME_BYTES];
        let (speaker, text) = payload[TEXT_AT..].split_at(NAME_BYTES);
        let (Some(nth), Some(message)) = (number(speaker), number(&text[..8])) else {
            return Err(wrong());
        };
        if name != speaker {
            return Err(wrong());
        }
        let is_own = nth as usize == self.own;
        if message == KNOCK {
            piece.knocked |= is_own;
            return Ok(());
        }
        let next = self.next.get_mut(nth as usize).ok_or_else(wrong)?;
        if message != *next {
            return Err(format!("of {nth} message {message} came instead of {next}"));
        }
        *next += 1;
        piece.messages += 1;
        piece.own += u32::from(is_own);
        Ok(())
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let mut number = 0;
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        number = number << 4 | u32::from(value);
    }
    Some(number)
}

/// The text frame at the beginning and its length, once all of it is there. Others end the run: nobody is silent for so long
/// that it would be pinged.
fn frame(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, String> {
    let (head, length) = match bytes {
        [0x81, length @ 0..=125, ..] => (2, usize::from(*length)),
        [0x81, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        [0x81, 127, ..] => return Err("a message is too long".to_owned()),
        [0x88, _, high, low, ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            return Err(format!("a session was closed with {code}"));
        }
        [] | [0x81 | 0x88, ..] => return Ok(None),
        [first, ..] => return Err(format!("a frame begins with {first:#x}")),
    };
    let end = head + length;
    Ok(bytes.get(head..end).map(|payload| (payload, end)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn told(name: &str, text: &str) -> Vec<u8> {
        let payload = format!("{{\"name\":\"{name}\",\"text\":\"{text}\"}}");
        let mut frame = vec![0x81, payload.len() as u8];
        frame.extend_from_slice(payload.as_bytes());
        frame
    }

    fn heard(frames: &[Vec<u8>]) -> Result<Piece, String> {
        Heard::new(1, 2, TEXT_BYTES_MIN).take(&frames.concat())
    }

    #[test]
    fn what_was_said_is_heard_once_and_in_order() {
        let zero = told("0000", "000000000000");
        let one = told("0001", "000100000000");
        let next = told("0001", "000100000001");
        let knock = told("0001", "0001ffffffff");
        let piece = heard(&[one.clone(), knock, zero.clone(), next.clone()]).unwrap();
        assert_eq!((piece.messages, piece.own, piece.knocked), (3, 2, true));
        assert!(heard(&[next]).is_err(), "one is missing");
        assert!(
            heard(&[one.clone(), one.clone()]).is_err(),
            "one came twice"
        );
        assert!(
            heard(&[told("0000", "000100000000")]).is_err(),
            "somebody else's name"
        );
    }

    #[test]
    fn what_is_cut_waits_for_its_rest() {
        let whole = told("0000", "000000000000");
        let length = whole.len();
        let piece = heard(&[whole.clone(), whole[..length - 1].to_vec()]).unwrap();
        assert_eq!((piece.taken, piece.messages), (length, 1));
    }

    #[test]
    fn a_text_has_the_length_that_was_asked_for() {
        assert_eq!(said(1, 2, 16), r#"{"text":"000100000002xxxx"}"#);
    }
}
