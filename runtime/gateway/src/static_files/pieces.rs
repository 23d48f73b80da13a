//! What a response is made of: bytes in memory and stretches of a file, in order.
//!
//! A page with a base in it is three pieces, so a range of it is cut like a range of anything else.

use std::ops::Range;

use bytes::Bytes;

/// One stretch of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes at hand.
    Memory(Bytes),
    /// A part of the file on disk.
    Disk(Range<u64>),
}

impl Piece {
    /// Its length in bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Piece::Memory(bytes) => bytes.len() as u64,
            Piece::Disk(range) => range.end - range.start,
        }
    }

    /// The part of it within `range`, which counts from its own beginning and may reach beyond its end.
    fn slice(&self, range: Range<u64>) -> Piece {
        let (start, end) = (range.start.min(self.len()), range.end.min(self.len()));
        match self {
            // Both ends are at most the length of a buffer in memory, so they fit.
            Piece::Memory(bytes) => Piece::Memory(bytes.slice(start as usize..end as usize)),
            Piece::Disk(whole) => Piece::Disk(whole.start + start..whole.start + end),
        }
    }
}

/// The length of all of them.
pub(super) fn total_len(pieces: &[Piece]) -> u64 {
    pieces.iter().map(Piece::len).sum()
}

/// The bytes in `range` of all of them, without empty pieces.
pub(super) fn slice(pieces: &[Piece], range: Range<u64>) -> Vec<Piece> {
    let mut start = 0;
    let mut parts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let within = range.start.saturating_sub(start)..range.end.saturating_sub(start);
        start += piece.len();
        let part = piece.slice(within);
        if part.len() > 0 {
            parts.push(part);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces as one string, with the file on disk being the alphabet.
    fn text(pieces: &[Piece]) -> Vec<u8> {
        let disk = b"abcdefghijklmnopqrstuvwxyz";
        pieces.iter().fold(Vec::new(), |mut text, piece| {
            match piece {
                Piece::Memory(bytes) => text.extend_from_slice(bytes),
                Piece::Disk(range) => {
                    text.extend_from_slice(&disk[range.start as usize..range.end as usize])
                }
            }
            text
        })
    }

    proptest! {
        #[test]
        fn a_slice_of_pieces_is_the_slice_of_their_text(
            cut in 0u64..=26, start in 0u64..40, len in 0u64..40,
        ) {
            let pieces = [Piece::Disk(0..cut), Piece::Memory(Bytes::from_static(b"<base>")), Piece::Disk(cut..26)];
            let whole = text(&pieces);
            prop_assert_eq!(total_len(&pieces), whole.len() as u64);
            let end = (start + len).min(32);
            let start = start.min(end);
            let part = slice(&pieces, start..end);
            prop_assert_eq!(total_len(&part), end - start);
            prop_assert_eq!(text(&part), &whole[start as usize..end as usize]);
        }
    }
}
