//! Finds the groups of a pattern that the linear engine can run.
//!
//! The machine is asked first: on nearly every path it is done after a few steps, and it is a kilobyte, where a compiled
//! regex is thirty. Only when it has taken more steps than a linear engine would is the regex compiled, and kept.
//!
//! **Invariant:** both find the same, which is what makes a pattern linear; so who answered cannot be told.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::linear::Linear;
use super::machine::{self, Outcome, Verdict};
use super::program::Program;
use crate::pattern::Tree;

/// How many steps the machine has for each character of the path: a character in a repetition takes three.
const STEPS_PER_CHARACTER: u64 = 8;
/// How many it has on top.
const STEPS_MIN: u64 = 500;

#[derive(Debug)]
pub(crate) struct Capture {
    tree: Arc<Tree>,
    read: Vec<u32>,
    program: Program,
    /// None inside: it could not be compiled, which the bounds on patterns are there to prevent.
    regex: OnceLock<Option<Linear>>,
}

impl Capture {
    pub(super) fn new(tree: &Arc<Tree>, read: &BTreeSet<u32>) -> Self {
        Self {
            tree: Arc::clone(tree),
            read: read.iter().copied().collect(),
            program: Program::new(tree),
            regex: OnceLock::new(),
        }
    }

    pub(super) fn run(&self, path: &str) -> Outcome {
        let steps_max = STEPS_PER_CHARACTER * path.len() as u64 + STEPS_MIN;
        let verdict =
            match machine::run(&self.program, &self.read, path.as_bytes(), steps_max).verdict {
                Verdict::GaveUp => self.run_regex(path),
                known => known,
            };
        // In proportion to the path: nothing that has to be counted.
        Outcome { verdict, steps: 0 }
    }

    fn run_regex(&self, path: &str) -> Verdict {
        let compile = || Linear::new(&self.tree, &self.read.iter().copied().collect()).ok();
        match self.regex.get_or_init(compile) {
            Some(regex) => regex.run(path).map_or(Verdict::Missed, Verdict::Matched),
            None => Verdict::GaveUp,
        }
    }
}
