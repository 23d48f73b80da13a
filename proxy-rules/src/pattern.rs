//! A JavaScript regex, checked for syntax and marked with the kind of engine that can run it.
//!
//! **Invariant:** groups and classes are closed, every quantifier has something to repeat, and no pattern is longer than
//! [`PATTERN_BYTES_MAX`]. A pattern marked [`Engine::Linear`] is one that the `regex` crate compiles within
//! `PROGRAM_BYTES_MAX`.
//! **Absent on purpose:** matching, and the small differences in meaning between JavaScript and the `regex` crate
//! (`\d`, `[a&&b]`, `$`): the translation belongs to the matcher.

use std::iter::Peekable;
use std::str::CharIndices;

/// The longest pattern that is taken, in bytes.
pub const PATTERN_BYTES_MAX: usize = 4096;
/// The largest program that the `regex` crate may make of a pattern, in bytes.
const PROGRAM_BYTES_MAX: usize = 1 << 20;

/// A pattern with the syntax of a JavaScript regex (ECMA-262, 22.2.1 and annex B).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    source: String,
    engine: Engine,
}

/// Which kind of engine a pattern needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// The `regex` crate takes it: time linear in the path.
    Linear,
    /// Look-around, a back-reference, or syntax that only JavaScript has: an engine that counts its steps.
    Bounded,
}

/// Why a text is not a pattern. Positions are byte offsets.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PatternError {
    /// No text at all; it would match everything.
    #[error("the pattern is empty")]
    Empty,
    /// Longer than [`PATTERN_BYTES_MAX`].
    #[error("the pattern is longer than {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// Repetitions make it a program that is too large.
    #[error("the pattern repeats so much that it becomes too large")]
    TooLarge,
    /// A `(` or `[` without its end.
    #[error("\"{open}\" at {at} is not closed")]
    Unclosed {
        /// The bracket.
        open: char,
        /// Where it stands.
        at: usize,
    },
    /// A `)` without its start.
    #[error("\")\" at {at} closes nothing")]
    Unopened {
        /// Where it stands.
        at: usize,
    },
    /// A quantifier with nothing before it.
    #[error("nothing to repeat at {at}")]
    NothingToRepeat {
        /// Where the quantifier stands.
        at: usize,
    },
    /// A `(?` that JavaScript does not know.
    #[error("\"(?\" at {at} starts no group that JavaScript knows")]
    UnknownGroup {
        /// Where the group stands.
        at: usize,
    },
    /// The last character is a lone `\`.
    #[error("the pattern ends in \"\\\"")]
    TrailingBackslash,
}

impl Pattern {
    /// Checks a pattern and finds out which engine it needs.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        if source.is_empty() {
            return Err(PatternError::Empty);
        }
        if source.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        let engine = match Scan::new(source).run()? {
            Engine::Bounded => Engine::Bounded,
            Engine::Linear => compiles(source)?,
        };
        Ok(Self {
            source: source.to_owned(),
            engine,
        })
    }

    /// The pattern as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Which engine it needs.
    pub fn engine(&self) -> Engine {
        self.engine
    }
}

fn compiles(source: &str) -> Result<Engine, PatternError> {
    match regex::RegexBuilder::new(source)
        .size_limit(PROGRAM_BYTES_MAX)
        .build()
    {
        Ok(_) => Ok(Engine::Linear),
        Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooLarge),
        Err(_) => Ok(Engine::Bounded),
    }
}

/// One pass over a pattern, without recursion: the nesting of groups is a stack on the heap.
struct Scan<'a> {
    rest: Peekable<CharIndices<'a>>,
    open: Vec<Group>,
    /// Whether what stands just before can be repeated.
    repeatable: bool,
    engine: Engine,
}

struct Group {
    at: usize,
    repeatable: bool,
}

impl<'a> Scan<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            rest: source.char_indices().peekable(),
            open: Vec::new(),
            repeatable: false,
            engine: Engine::Linear,
        }
    }

    fn run(mut self) -> Result<Engine, PatternError> {
        while let Some((at, c)) = self.rest.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class(at)?,
                '(' => self.group(at)?,
                ')' => {
                    let group = self.open.pop().ok_or(PatternError::Unopened { at })?;
                    self.repeatable = group.repeatable;
                }
                '*' | '+' | '?' => self.quantifier(at)?,
                '{' if self.braces() => self.quantifier(at)?,
                '|' | '^' | '$' => self.repeatable = false,
                _ => self.repeatable = true,
            }
        }
        match self.open.pop() {
            Some(group) => Err(PatternError::Unclosed {
                open: '(',
                at: group.at,
            }),
            None => Ok(self.engine),
        }
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        let (_, c) = self.rest.next().ok_or(PatternError::TrailingBackslash)?;
        self.repeatable = !matches!(c, 'b' | 'B');
        let named = c == 'k' && self.rest.peek().is_some_and(|&(_, next)| next == '<');
        if named || matches!(c, '1'..='9') {
            self.engine = Engine::Bounded;
        }
        Ok(())
    }

    fn class(&mut self, at: usize) -> Result<(), PatternError> {
        while let Some((_, c)) = self.rest.next() {
            match c {
                '\\' => _ = self.rest.next().ok_or(PatternError::TrailingBackslash)?,
                ']' => {
                    self.repeatable = true;
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(PatternError::Unclosed { open: '[', at })
    }

    fn group(&mut self, at: usize) -> Result<(), PatternError> {
        let mut repeatable = true;
        if self.skip('?') {
            if self.skip('=') || self.skip('!') {
                self.engine = Engine::Bounded;
            } else if self.skip('<') {
                if self.skip('=') || self.skip('!') {
                    self.engine = Engine::Bounded;
                    repeatable = false;
                } else if !self.name() {
                    return Err(PatternError::UnknownGroup { at });
                }
            } else if !self.flags() {
                return Err(PatternError::UnknownGroup { at });
            }
        }
        self.open.push(Group { at, repeatable });
        self.repeatable = false;
        Ok(())
    }

    /// Takes the rest of `(?<name>`.
    fn name(&mut self) -> bool {
        let starts = |c: char| c.is_alphabetic() || matches!(c, '_' | '$');
        if self.rest.next_if(|&(_, c)| starts(c)).is_none() {
            return false;
        }
        while self
            .rest
            .next_if(|&(_, c)| starts(c) || c.is_numeric())
            .is_some()
        {}
        self.skip('>')
    }

    /// Takes the rest of `(?:` or `(?ims-ims:`.
    fn flags(&mut self) -> bool {
        while self
            .rest
            .next_if(|&(_, c)| matches!(c, 'i' | 'm' | 's' | '-'))
            .is_some()
        {}
        self.skip(':')
    }

    fn quantifier(&mut self, at: usize) -> Result<(), PatternError> {
        if !self.repeatable {
            return Err(PatternError::NothingToRepeat { at });
        }
        self.skip('?');
        self.repeatable = false;
        Ok(())
    }

    /// Takes `n}`, `n,}` or `n,m}` when it is there; any other `{` is a plain character in annex B.
    fn braces(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        let mut digits = 0_usize;
        let mut commas = 0_usize;
        for (_, c) in ahead.by_ref() {
            match c {
                '0'..='9' => digits += 1,
                ',' if digits > 0 && commas == 0 => commas = 1,
                '}' if digits > 0 => {
                    self.rest = ahead;
                    return true;
                }
                _ => return false,
            }
        }
        false
    }

    fn skip(&mut self, wanted: char) -> bool {
        self.rest.next_if(|&(_, c)| c == wanted).is_some()
    }
}

#[cfg(test)]
mod tests;
