//! Sees that a text cannot become UTF-8 before its frame is complete, so that nobody sends the rest for nothing
//! (RFC 6455, 8.1).
//!
//! It follows the frames beside the protocol's own reader, which checks a frame when it is there. What is whole in one
//! read is left to that; only what is cut is looked at here.
//!
//! **Invariant:** what it condemns is invalid, whatever follows. What breaks another rule makes it blind: the reader
//! tells that.

/// How much of a payload is unmasked at a time.
const PIECE_BYTES: usize = 1024;
/// The longest beginning of a sequence that may still become one.
const TAIL_BYTES_MAX: usize = 3;
/// The longest header of a client's frame: two bytes, eight of length, four of mask.
const HEADER_BYTES_MAX: usize = 14;

/// Where in the client's bytes it is.
#[derive(Default)]
pub(super) struct Foresight {
    at: At,
    /// Whether the message that is under way is text.
    in_text: bool,
    /// The end of what was checked of it, when that was cut within a sequence.
    tail: [u8; TAIL_BYTES_MAX],
    tail_len: usize,
}

enum At {
    Header {
        read: [u8; HEADER_BYTES_MAX],
        len: usize,
    },
    Payload {
        frame: Frame,
        left: u64,
    },
    /// The message is no text, or a rule was broken.
    Over(Verdict),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    NotText,
    Blind,
}

#[derive(Clone, Copy)]
struct Frame {
    mask: [u8; 4],
    /// How much of the payload was taken, for the mask.
    taken: usize,
    is_data: bool,
    is_last: bool,
}

impl Default for At {
    fn default() -> At {
        At::Header {
            read: [0; HEADER_BYTES_MAX],
            len: 0,
        }
    }
}

impl Foresight {
    /// Whether a text is under way that cannot become UTF-8 any more.
    pub fn is_condemned(&self) -> bool {
        matches!(self.at, At::Over(Verdict::NotText))
    }

    /// The client's next bytes.
    pub fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.at {
                At::Header { read, len } => {
                    read[*len] = bytes[0];
                    *len += 1;
                    bytes = &bytes[1..];
                    let read = &read[..*len];
                    if let Some(header) = Header::parse(read) {
                        self.begin(&header, bytes.len());
                    }
                }
                At::Payload { left, .. } => {
                    let count =
                        usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    let (payload, rest) = bytes.split_at(count);
                    self.take(payload);
                    bytes = rest;
                }
                At::Over(_) => return,
            }
        }
    }

    /// A header is complete, and so many bytes are there behind it.
    fn begin(&mut self, header: &Header, there: usize) {
        let is_data = match header.opcode {
            0 => self.in_text,
            1 => {
                (self.in_text, self.tail_len) = (true, 0);
                true
            }
            2 => {
                self.in_text = false;
                false
            }
            8..=10 => false,
            _ => return self.at = At::Over(Verdict::Blind),
        };
        let Some(mask) = header.mask else {
            return self.at = At::Over(Verdict::Blind);
        };
        let is_whole = header.opcode == 1 && header.is_last && header.length <= there as u64;
        let frame = Frame {
            mask,
            taken: 0,
            is_data: is_data && !is_whole,
            is_last: header.is_last && header.opcode <= 2,
        };
        self.at = At::Payload {
            frame,
            left: header.length,
        };
        if header.length == 0 {
            self.end(frame);
        }
    }

    /// Some of a payload, and no more than there is.
    fn take(&mut self, payload: &[u8]) {
        let At::Payload { frame, left } = &mut self.at else {
            return;
        };
        *left -= payload.len() as u64;
        let (now, left) = (*frame, *left);
        frame.taken = (frame.taken + payload.len()) % 4;
        if now.is_data && !self.check(now, payload) {
            self.at = At::Over(Verdict::NotText);
        } else if left == 0 {
            self.end(now);
        }
    }

    fn end(&mut self, frame: Frame) {
        if frame.is_last {
            self.in_text = false;
        }
        self.at = At::default();
    }

    /// Whether this may still become text.
    fn check(&mut self, frame: Frame, payload: &[u8]) -> bool {
        let mut phase = frame.taken;
        let mut buffer = [0; TAIL_BYTES_MAX + PIECE_BYTES];
        for piece in payload.chunks(PIECE_BYTES) {
            let head = self.tail_len;
            buffer[..head].copy_from_slice(&self.tail[..head]);
            let end = head + piece.len();
            for (plain, masked) in buffer[head..end].iter_mut().zip(piece) {
                *plain = masked ^ frame.mask[phase % 4];
                phase += 1;
            }
            let text = &buffer[..end];
            let valid = match std::str::from_utf8(text) {
                Ok(_) => end,
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                Err(_) => return false,
            };
            let cut = &text[valid..];
            self.tail[..cut.len()].copy_from_slice(cut);
            self.tail_len = cut.len();
        }
        true
    }
}

/// A frame's header (RFC 6455, 5.2).
struct Header {
    opcode: u8,
    is_last: bool,
    length: u64,
    mask: Option<[u8; 4]>,
}

impl Header {
    /// None while more is to come.
    fn parse(read: &[u8]) -> Option<Header> {
        let [first, second, rest @ ..] = read else {
            return None;
        };
        let (length, rest) = match second & 0x7f {
            126 => {
                let (length, rest) = rest.split_first_chunk::<2>()?;
                (u16::from_be_bytes(*length).into(), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                (u64::from_be_bytes(*length), rest)
            }
            length => (length.into(), rest),
        };
        let mask = match second & 0x80 {
            0 => None,
            _ => Some(*rest.first_chunk::<4>()?),
        };
        Some(Header {
            opcode: first & 0x0f,
            is_last: first & 0x80 != 0,
            length,
            mask,
        })
    }
}

#[cfg(test)]
mod tests;
