//! Finds the groups of a pattern that the linear engine can run.
//!
//! The machine is asked first: on nearly every path it is done after a few steps, and it is a kilobyte, where a compiled
//! regex is thirty. Only when it has taken more steps than a linear engine would is the regex asked. It is compiled with
//! the rule, not on the way of a request, wherever the machine may come to that.
//!
//! **Invariant:** both find the same, which is what makes a pattern linear; so who answered cannot be told.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::linear::Linear;
use super::machine::{self, Outcome, Verdict};
use super::program::Program;
use crate::pattern::{Assertion, Node, Tree};

/// How many steps the machine has for each character of the path: a character in a repetition takes three.
const STEPS_PER_CHARACTER: u64 = 8;
/// How many it has on top.
const STEPS_MIN: u64 = 500;

#[derive(Debug)]
pub(crate) struct Capture {
    tree: Arc<Tree>,
    read: Vec<u32>,
    program: Program,
    /// Empty where the machine should never need it. None inside: it could not be compiled, which the bounds on patterns
    /// are there to prevent.
    regex: OnceLock<Option<Linear>>,
}

impl Capture {
    pub(super) fn new(tree: &Arc<Tree>, read: &BTreeSet<u32>) -> Self {
        let capture = Self {
            tree: Arc::clone(tree),
            read: read.iter().copied().collect(),
            program: Program::new(tree),
            regex: OnceLock::new(),
        };
        if !is_brief(&tree.root) {
            // What it allocates at its first run, too.
            let _ = capture.run_regex("/");
        }
        capture
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

    /// Whether the regex is there.
    #[cfg(test)]
    pub(crate) fn is_compiled(&self) -> bool {
        self.regex.get().is_some()
    }

    fn run_regex(&self, path: &str) -> Verdict {
        let compile = || Linear::new(&self.tree, &self.read.iter().copied().collect()).ok();
        match self.regex.get_or_init(compile) {
            Some(regex) => regex.run(path).map_or(Verdict::Missed, Verdict::Matched),
            None => Verdict::GaveUp,
        }
    }
}

/// How much may stand before the repetition, where the steps are spent once.
const BEFORE_MAX: u32 = 100;
/// How much may stand after it, where they are spent for each character that it took: with the three for the character
/// itself, as many as the machine has.
const AFTER_MAX: u32 = 5;

/// Whether the machine is done with any path before its steps are used up: it begins at one place, goes along the path
/// once, and what it may have to take back is one repetition of a character with little after it.
fn is_brief(root: &Node) -> bool {
    let Node::Concat(nodes) = root else {
        return false;
    };
    let Some((Node::Assert(Assertion::Start), nodes)) = nodes.split_first() else {
        return false;
    };
    let mut line = Line {
        before: 0,
        after: None,
        ways: 1,
    };
    nodes.iter().all(|node| line.goes_on(node))
}

/// A pattern as it is walked through, as far as that is simple.
struct Line {
    /// The steps before the repetition.
    before: u32,
    /// The steps after it, once it was met.
    after: Option<u32>,
    /// How often what comes now may be tried.
    ways: u32,
}

impl Line {
    fn goes_on(&mut self, node: &Node) -> bool {
        match node {
            Node::Empty => true,
            Node::One(_) | Node::Assert(_) => self.adds(1),
            Node::Concat(nodes) => nodes.iter().all(|node| self.goes_on(node)),
            Node::Group(_, body) => self.adds(1) && self.goes_on(body) && self.adds(1),
            Node::Repeat(repeat) if (repeat.min, repeat.max) == (0, Some(1)) => {
                self.may_skip(&repeat.body)
            }
            Node::Repeat(repeat) if matches!(repeat.body, Node::One(_)) => {
                self.ways == 1 && self.after.replace(0).is_none()
            }
            Node::Repeat(_) | Node::Alternate(_) | Node::Look(..) | Node::Back(..) => false,
        }
    }

    /// What follows is tried with this and without it. If the repetition is in it, the second try has none.
    fn may_skip(&mut self, body: &Node) -> bool {
        let was_met = self.after.is_some();
        let goes_on = self.adds(1) && self.goes_on(body);
        if self.after.is_some() == was_met {
            self.ways = self.ways.saturating_mul(2);
        }
        goes_on
    }

    fn adds(&mut self, steps: u32) -> bool {
        let (sum, max) = match &mut self.after {
            Some(after) => (after, AFTER_MAX),
            None => (&mut self.before, BEFORE_MAX),
        };
        *sum = sum.saturating_add(steps.saturating_mul(self.ways));
        *sum <= max
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::pattern::Pattern;

    fn capture(pattern: &str) -> Capture {
        let pattern = Pattern::parse(pattern).unwrap();
        let tree = pattern.tree();
        Capture::new(tree, &(0..=tree.groups).collect())
    }

    /// Long paths that reach the repetition of one pattern or the other, and then match or do not.
    fn hardest() -> impl Iterator<Item = String> {
        const BYTES: usize = 2048;
        let start = ["/", "/api/", "/api/v1/", "/api/v1/x"];
        let pump = ["a", "/", "ab", "1", "a/", "a\n"];
        let end = ["", "!", "\n", "b", "/"];
        start.into_iter().flat_map(move |start| {
            pump.into_iter().flat_map(move |pump| {
                end.into_iter().map(move |end| {
                    let room = BYTES - start.len() - end.len();
                    format!("{start}{}{end}", pump.repeat(room / pump.len()))
                })
            })
        })
    }

    #[test]
    fn a_pattern_is_compiled_with_its_rule_or_never() {
        let rules = [
            ("^/api/(.*)$", true),
            ("^/api(/.*)?$", true),
            ("^/api/v1/x", true),
            ("^/api/([^/]+)/?$", true),
            (r"^/(\d+)b$", true),
            ("^/v1?/?x", true),
            ("^/api/v1?/?(.*)$", false),
            ("^/([^/]+)/(.*)$", false),
            ("^/(a|b)/(.*)$", false),
            ("^/((?:a|aa)+)$", false),
            ("^(.*)abcdef$", false),
            ("/api/(.*)", false),
            ("^/(a{2,30})b?c?d?$", false),
        ];
        for (pattern, is_brief) in rules {
            let capture = capture(pattern);
            assert_eq!(capture.is_compiled(), !is_brief, "{pattern}");
            if !is_brief {
                continue;
            }
            for path in hardest() {
                let _ = capture.run(&path);
                assert!(!capture.is_compiled(), "{pattern} on {}…", &path[..20]);
            }
        }
    }
}
