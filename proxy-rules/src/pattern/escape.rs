//! Reads what follows a `\`, and classes.
//!
//! An escape that means nothing in JavaScript stands for its character (annex B): `\-` is `-`, and `\q` is `q`.

use super::PatternError;
use super::parser::{Atom, Modes, Parser};
use super::set::Set;
use super::tree::{Assertion, Node};

/// One part of a class.
enum Member {
    Code(u32),
    Set(Set),
}

impl Parser<'_> {
    /// An escape outside of a class; the `\` has been taken.
    pub(super) fn escape(&mut self, modes: Modes) -> Result<Atom, PatternError> {
        let mark = self.mark();
        let (at, c) = self.take().ok_or(PatternError::TrailingBackslash)?;
        let node = match c {
            'b' => return Ok(Atom::Fixed(Node::Assert(Assertion::Boundary))),
            'B' => return Ok(Atom::Fixed(Node::Assert(Assertion::NoBoundary))),
            '1'..='9' => {
                self.back_to(mark);
                let group = self.number().expect("a digit was peeked");
                if group <= self.groups.count {
                    modes.back(group)
                } else {
                    self.back_to(mark);
                    modes.code(self.octal())
                }
            }
            'k' if !self.groups.names.is_empty() => {
                let name = self.skip('<').then(|| self.name()).flatten();
                let name = name.ok_or(PatternError::UnknownName { at })?;
                let group = self.groups.named(&name);
                modes.back(group.ok_or(PatternError::UnknownName { at })?)
            }
            _ => {
                self.back_to(mark);
                match self.member()? {
                    Member::Code(code) => modes.code(code),
                    Member::Set(set) => Node::One(modes.fold(set)),
                }
            }
        };
        Ok(Atom::Repeatable(node))
    }

    /// What an escape means both inside and outside of a class.
    fn member(&mut self) -> Result<Member, PatternError> {
        let mark = self.mark();
        let (_, c) = self.take().ok_or(PatternError::TrailingBackslash)?;
        let code = match c {
            'd' => return Ok(Member::Set(Set::DIGIT)),
            'D' => return Ok(Member::Set(Set::DIGIT.complement())),
            's' => return Ok(Member::Set(Set::SPACE)),
            'S' => return Ok(Member::Set(Set::SPACE.complement())),
            'w' => return Ok(Member::Set(Set::WORD)),
            'W' => return Ok(Member::Set(Set::WORD.complement())),
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            'x' => self.hex(2).unwrap_or_else(|| c.into()),
            'u' => self.hex(4).unwrap_or_else(|| c.into()),
            'c' => match self.peek_char() {
                Some(letter) if letter.is_ascii_alphabetic() => {
                    self.take();
                    u32::from(letter) % 32
                }
                // No control character: the `\` is one of its own, and the `c` comes again.
                _ => {
                    self.back_to(mark);
                    u32::from('\\')
                }
            },
            '0'..='9' => {
                self.back_to(mark);
                self.octal()
            }
            _ => c.into(),
        };
        Ok(Member::Code(code))
    }

    /// Exactly so many hexadecimal digits, or nothing is taken.
    fn hex(&mut self, digits: usize) -> Option<u32> {
        let mark = self.mark();
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.take().and_then(|(_, c)| c.to_digit(16));
            let Some(digit) = digit else {
                self.back_to(mark);
                return None;
            };
            code = code * 16 + digit;
        }
        Some(code)
    }

    /// Up to three octal digits, at most `\377`; `8` and `9` stand for themselves.
    fn octal(&mut self) -> u32 {
        let (_, first) = self.take().expect("a digit was peeked");
        let Some(mut code) = first.to_digit(8) else {
            return first.into();
        };
        let more = if code <= 3 { 2 } else { 1 };
        for _ in 0..more {
            let Some(digit) = self.peek_char().and_then(|c| c.to_digit(8)) else {
                break;
            };
            self.take();
            code = code * 8 + digit;
        }
        code
    }

    /// A class; its `[` has been taken.
    pub(super) fn class(&mut self, at: usize, modes: Modes) -> Result<Set, PatternError> {
        let unclosed = || PatternError::Unclosed { open: '[', at };
        let negated = self.skip('^');
        let mut set = Set::NONE;
        loop {
            if self.skip(']') {
                let folded = modes.fold(set);
                return Ok(if negated { folded.complement() } else { folded });
            }
            let (from, _) = self.peek().ok_or_else(unclosed)?;
            let low = self.class_member().ok_or_else(unclosed)??;
            let mark = self.mark();
            if !self.skip('-') || self.peek_char() == Some(']') {
                self.back_to(mark);
                set = set.or(low.into_set());
                continue;
            }
            let high = self.class_member().ok_or_else(unclosed)??;
            set = set.or(match (low, high) {
                (Member::Code(low), Member::Code(high)) if last_unit(low) > first_unit(high) => {
                    return Err(PatternError::OutOfOrder { at: from });
                }
                (Member::Code(low), Member::Code(high)) => Set::range(low, high),
                (low, high) => low.into_set().or(high.into_set()).or(Set::one('-'.into())),
            });
        }
    }

    fn class_member(&mut self) -> Option<Result<Member, PatternError>> {
        let (_, c) = self.take()?;
        if c != '\\' {
            return Some(Ok(Member::Code(c.into())));
        }
        let mark = self.mark();
        match self.peek_char() {
            Some('b') => {
                self.take();
                return Some(Ok(Member::Code(8)));
            }
            // In a class, digits and `_` name control characters, too.
            Some('c') => {
                self.take();
                if let Some(named) = self.peek_char()
                    && (named.is_ascii_digit() || named == '_')
                {
                    self.take();
                    return Some(Ok(Member::Code(u32::from(named) % 32)));
                }
                self.back_to(mark);
            }
            _ => {}
        }
        Some(self.member())
    }
}

/// What JavaScript sees of a character at the end of a range: one beyond 16 bits is two units.
fn first_unit(code: u32) -> u32 {
    if code > 0xFFFF {
        0xD800 + ((code - 0x1_0000) >> 10)
    } else {
        code
    }
}

/// The same at the start of a range.
fn last_unit(code: u32) -> u32 {
    if code > 0xFFFF {
        0xDC00 + (code & 0x3FF)
    } else {
        code
    }
}

impl Member {
    fn into_set(self) -> Set {
        match self {
            Self::Code(code) => Set::one(code),
            Self::Set(set) => set,
        }
    }
}
