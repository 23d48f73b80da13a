//! Sets of ASCII characters: what one position of a pattern may be.
//!
//! **Invariant:** a path is ASCII before it is matched (`path.rs`), so 128 bits say all there is to say about a class,
//! and what a pattern says about other characters is that they never come.
//! **Absent on purpose:** Unicode. JavaScript folds no other letter onto an ASCII one without its flag `u`, which a
//! pattern in a manifest cannot set.

/// ASCII characters, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Set(u128);

impl Set {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u128::MAX);
    /// `.`: all but JavaScript's line terminators.
    pub(crate) const DOT: Self = Self::of(b"\n\r").complement();
    /// `\d`.
    pub(crate) const DIGIT: Self = Self::span(b'0', b'9');
    /// `\w`.
    pub(crate) const WORD: Self = Self::DIGIT
        .or(Self::span(b'a', b'z'))
        .or(Self::span(b'A', b'Z'))
        .or(Self::of(b"_"));
    /// `\s`; vertical tabs and form feeds count.
    pub(crate) const SPACE: Self = Self::of(b"\t\n\x0b\x0c\r ");

    /// The character, or nothing when it is not ASCII.
    pub(crate) fn one(c: u32) -> Self {
        Self::range(c, c)
    }

    /// What of a range of code points is ASCII.
    pub(crate) fn range(low: u32, high: u32) -> Self {
        match u8::try_from(low) {
            Ok(low) if low < 128 => Self::span(low, u8::try_from(high).map_or(127, |h| h.min(127))),
            _ => Self::NONE,
        }
    }

    const fn span(low: u8, high: u8) -> Self {
        let mut bits = 0;
        let mut c = low;
        while c <= high {
            bits |= 1 << c;
            c += 1;
        }
        Self(bits)
    }

    const fn of(chars: &[u8]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < chars.len() {
            bits |= 1 << chars[i];
            i += 1;
        }
        Self(bits)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn complement(self) -> Self {
        Self(!self.0)
    }

    /// With the other case of every letter.
    pub(crate) fn folded(self) -> Self {
        let small = Self::span(b'a', b'z').0;
        Self(self.0 | (self.0 & small) >> 32 | (self.0 << 32) & small)
    }

    pub(crate) const fn contains(self, c: u8) -> bool {
        c < 128 && self.0 & (1 << c) != 0
    }

    /// The characters in order, as ranges with both ends.
    pub(crate) fn ranges(self) -> impl Iterator<Item = (u8, u8)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let low = (next..128).find(|&c| self.contains(c))?;
            let end = (low..128).find(|&c| !self.contains(c)).unwrap_or(128);
            next = end;
            Some((low, end - 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_its_ranges() {
        let set = Set::range(0x61, 0x63).or(Set::one(0x41)).or(Set::one(0x7f));
        assert_eq!(
            set.ranges().collect::<Vec<_>>(),
            [(b'A', b'A'), (b'a', b'c'), (127, 127)]
        );
        assert_eq!(Set::ALL.ranges().collect::<Vec<_>>(), [(0, 127)]);
        assert_eq!(Set::NONE.ranges().count(), 0);
    }

    #[test]
    fn only_what_is_ascii_is_kept() {
        assert_eq!(Set::range(0x7a, 0x1_f4a9), Set::range(0x7a, 0x7f));
        assert_eq!(Set::one(0xe9), Set::NONE);
        assert_eq!(Set::range(0x100, 0x200), Set::NONE);
    }

    #[test]
    fn folding_adds_the_other_case_and_nothing_else() {
        for c in 0..128_u8 {
            let expected =
                Set::one(c.to_ascii_lowercase().into()).or(Set::one(c.to_ascii_uppercase().into()));
            assert_eq!(Set::one(c.into()).folded(), expected, "{c}");
        }
    }
}
