//! What runs a pattern: the linear engine of the `regex` crate where it finds exactly what JavaScript would, and a
//! machine that counts its steps everywhere else.
//!
//! **Invariant:** both give what JavaScript gives, or the machine gives up at its limit; neither runs without bound.
//! **Absent on purpose:** captures that nobody reads. A group that the rewrite does not name is not captured, which
//! lets most patterns with unusual groups run in linear time.

mod capture;
mod choose;
mod linear;
mod machine;
mod program;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::pattern::Tree;

use capture::Capture;
pub(crate) use linear::{Filter, NEST_MAX};
pub(crate) use machine::{Outcome, Verdict};
use program::Program;

/// Which engine a rule needs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Engine {
    /// The `regex` crate: time linear in the path.
    Linear,
    /// The machine that counts its steps: look-around, back-references, and groups in repetitions whose content the two
    /// would tell differently.
    Bounded,
}

impl Engine {
    /// The engine for a pattern of whose groups these are read.
    pub(crate) fn of(tree: &Tree, read: &BTreeSet<u32>) -> Self {
        if choose::is_linear(&tree.root, read) {
            Self::Linear
        } else {
            Self::Bounded
        }
    }
}

/// Where the groups that are read matched, in bytes; 0 is the whole match.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Groups(Vec<(u32, Range<usize>)>);

impl Groups {
    /// None for a group that took no part.
    pub(crate) fn get(&self, group: u32) -> Option<Range<usize>> {
        let found = self.0.iter().find(|(index, _)| *index == group);
        found.map(|(_, range)| range.clone())
    }
}

/// A pattern that can be run.
#[derive(Debug)]
pub(crate) enum Matcher {
    /// Everything that is asked of it is whether it matches, which the rules' common filter has answered.
    Decided,
    Linear(Box<Capture>),
    Bounded(Program, Vec<u32>),
}

impl Matcher {
    /// Prepares a pattern of whose groups these are read, 0 for the whole match.
    pub(crate) fn new(tree: &Arc<Tree>, read: &BTreeSet<u32>, filter: &Filter) -> Self {
        match Engine::of(tree, read) {
            Engine::Linear if read.is_empty() && filter.is_exact => Self::Decided,
            Engine::Linear => Self::Linear(Box::new(Capture::new(tree, read))),
            Engine::Bounded => Self::Bounded(Program::new(tree), read.iter().copied().collect()),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Decided | Self::Linear(_) => Engine::Linear,
            Self::Bounded(..) => Engine::Bounded,
        }
    }

    /// Whether it finds by itself, and in linear time, what does not match.
    pub(crate) fn needs_no_filter(&self) -> bool {
        matches!(self, Self::Linear(_))
    }

    /// Runs on a path that the filter has let through, if it [needs](Self::needs_no_filter) one.
    pub(crate) fn run(&self, path: &str, steps_max: u64) -> Outcome {
        match self {
            Self::Decided => Outcome {
                verdict: Verdict::Matched(Groups::default()),
                steps: 0,
            },
            Self::Linear(capture) => capture.run(path),
            Self::Bounded(program, read) => machine::run(program, read, path.as_bytes(), steps_max),
        }
    }
}

#[cfg(test)]
mod tests;
