//! Just enough of WebSocket frames (RFC 6455, 5.2) to know where one ends.
//!
//! **Invariant:** however the bytes are cut into pieces, the same places are found between frames.

/// The opcode of a close frame.
const CLOSE: u8 = 8;

/// Where in the stream of frames a side is.
#[derive(Debug)]
pub(super) struct Frames {
    place: Place,
    /// The frame that is being read is a close frame.
    closing: bool,
    /// A whole close frame passed.
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Between,
    /// The first byte was read.
    Length,
    /// So many bytes of a long length are to come; and the length so far; and whether a mask follows.
    LongLength {
        left: u8,
        so_far: u64,
        mask: u8,
    },
    /// So many bytes of mask and payload are to come, at least one.
    Within {
        left: u64,
    },
}

impl Frames {
    pub fn new() -> Self {
        Frames {
            place: Place::Between,
            closing: false,
            closed: false,
        }
    }

    /// Whether the next byte would begin a frame.
    pub fn between(&self) -> bool {
        self.place == Place::Between
    }

    /// Whether a close frame passed, after which there is none (5.5.1).
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// Takes bytes that passed.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.step(bytes);
            bytes = &bytes[taken..];
        }
    }

    /// How many of these bytes belong to the frame that has begun; all of them if it does not end here. Takes them.
    pub fn pass_to_end(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() && !self.between() {
            passed += self.step(&bytes[passed..]);
        }
        passed
    }

    /// Takes as many bytes as one step needs: at least one.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let first = bytes[0];
        match self.place {
            Place::Between => {
                self.closing = first & 0x0f == CLOSE;
                self.place = Place::Length;
                1
            }
            Place::Length => {
                let mask = if first & 0x80 == 0 { 0 } else { 4 };
                self.place = match first & 0x7f {
                    126 => long_length(2, mask),
                    127 => long_length(8, mask),
                    length => self.begin(u64::from(length), mask),
                };
                1
            }
            Place::LongLength { left, so_far, mask } => {
                let so_far = so_far << 8 | u64::from(first);
                self.place = match left {
                    1 => self.begin(so_far, mask),
                    left => Place::LongLength {
                        left: left - 1,
                        so_far,
                        mask,
                    },
                };
                1
            }
            Place::Within { left } => {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                self.place = self.within(left - count as u64);
                count
            }
        }
    }

    fn begin(&mut self, length: u64, mask: u8) -> Place {
        // A length with its highest bit set is not allowed; as a number without end it does no harm.
        self.within(length.saturating_add(u64::from(mask)))
    }

    fn within(&mut self, left: u64) -> Place {
        if left > 0 {
            return Place::Within { left };
        }
        self.closed |= self.closing;
        Place::Between
    }
}

fn long_length(left: u8, mask: u8) -> Place {
    Place::LongLength {
        left,
        so_far: 0,
        mask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: u8, length: usize, masked: bool) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode];
        let mask = if masked { 0x80 } else { 0 };
        match length {
            0..=125 => bytes.push(mask | length as u8),
            126..=0xffff => {
                bytes.push(mask | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        bytes.extend(std::iter::repeat_n(
            0xff,
            length + if masked { 4 } else { 0 },
        ));
        bytes
    }

    #[test]
    fn the_ends_of_frames_are_found_however_the_bytes_are_cut() {
        let frames: Vec<Vec<u8>> = [0, 1, 125, 126, 65_535, 65_536]
            .into_iter()
            .flat_map(|length| [frame(1, length, false), frame(2, length, true)])
            .collect();
        let ends: Vec<usize> = frames
            .iter()
            .scan(0, |end, frame| {
                *end += frame.len();
                Some(*end)
            })
            .collect();
        let bytes = frames.concat();
        for piece in [1, 2, 3, 7, 1000, bytes.len()] {
            let mut tracked = Frames::new();
            let mut passed = 0;
            for chunk in bytes.chunks(piece) {
                tracked.pass(chunk);
                passed += chunk.len();
                assert_eq!(
                    tracked.between(),
                    ends.contains(&passed),
                    "{passed} in pieces of {piece}"
                );
            }
            assert!(!tracked.closed());
        }
    }

    #[test]
    fn a_close_frame_counts_when_all_of_it_passed() {
        for close in [frame(8, 0, false), frame(8, 2, false), frame(8, 2, true)] {
            let mut frames = Frames::new();
            frames.pass(&frame(1, 5, false));
            let (last, rest) = close.split_last().unwrap_or((&0, &[]));
            frames.pass(rest);
            assert!(!frames.closed() && !frames.between());
            frames.pass(&[*last]);
            assert!(frames.closed() && frames.between());
        }
    }

    #[test]
    fn only_the_frame_that_has_begun_is_passed_to_its_end() {
        let mut frames = Frames::new();
        let bytes = [frame(1, 300, false), frame(1, 5, false)].concat();
        assert_eq!(frames.pass_to_end(&bytes), 0, "none has begun");
        frames.pass(&bytes[..10]);
        assert_eq!(frames.pass_to_end(&bytes[10..50]), 40);
        assert_eq!(frames.pass_to_end(&bytes[50..]), 304 - 50);
        assert!(frames.between());
    }

    #[test]
    fn a_length_that_no_frame_may_have_is_no_panic() {
        let mut frames = Frames::new();
        frames.pass(&[0x82, 0xff]);
        frames.pass(&[0xff; 64]);
        assert!(!frames.between());
    }
}
