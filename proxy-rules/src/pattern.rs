//! A JavaScript regex, read.
//!
//! **Invariant:** a pattern has JavaScript's syntax and becomes at most [`WEIGHT_MAX`] instructions.
//! **Absent on purpose:** matching; `engine` does that.

mod escape;
mod groups;
mod parser;
mod set;
mod tree;

use std::sync::Arc;

pub(crate) use set::Set;
pub(crate) use tree::{Assertion, Case, Direction, Greed, Look, Node, Repeat, Tree, Wanted};

/// The longest pattern that is taken, in bytes.
pub const PATTERN_BYTES_MAX: usize = 4096;
/// How many instructions a pattern may become. Only counted repetitions make it more than the pattern is long.
const WEIGHT_MAX: u64 = 4 * PATTERN_BYTES_MAX as u64;

/// A pattern with the syntax of a JavaScript regex without flags (ECMA-262, 22.2.1 and annex B).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    source: String,
    tree: Arc<Tree>,
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
    /// Groups in groups in groups.
    #[error("the group at {at} stands in too many others")]
    TooDeep {
        /// Where the innermost group stands.
        at: usize,
    },
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
    /// `{3,2}` or `[z-a]`.
    #[error("the bounds at {at} are out of order")]
    OutOfOrder {
        /// Where the first bound stands.
        at: usize,
    },
    /// A `(?` that JavaScript does not know.
    #[error("\"(?\" at {at} starts no group that JavaScript knows")]
    UnknownGroup {
        /// Where the group stands.
        at: usize,
    },
    /// Two groups of one name.
    #[error("the group at {at} has the name of an earlier one")]
    SameName {
        /// Where the second group stands.
        at: usize,
    },
    /// `\k` without the name of a group.
    #[error("\"\\k\" at {at} names no group")]
    UnknownName {
        /// Where the `k` stands.
        at: usize,
    },
    /// The last character is a lone `\`.
    #[error("the pattern ends in \"\\\"")]
    TrailingBackslash,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        if source.is_empty() {
            return Err(PatternError::Empty);
        }
        if source.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        let tree = parser::parse(source)?;
        if tree.root.weight() > WEIGHT_MAX {
            return Err(PatternError::TooLarge);
        }
        Ok(Self {
            source: source.to_owned(),
            tree: Arc::new(tree),
        })
    }

    /// The pattern as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// How many instructions it becomes at most.
    pub(crate) fn weight(&self) -> u64 {
        self.tree.root.weight()
    }

    pub(crate) fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }
}

#[cfg(test)]
mod tests;
