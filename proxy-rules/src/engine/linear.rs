//! A pattern in the syntax of the `regex` crate.
//!
//! **Invariant:** every class is written out as ASCII ranges, so nothing depends on what that crate takes `\d`, `.` or
//! a case to mean.

use std::collections::BTreeSet;
use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use super::Groups;
use crate::pattern::{Assertion, Greed, Node, Repeat, Set, Tree};

/// How deep groups may stand in each other here: more than a pattern can make them.
pub(crate) const NEST_MAX: u32 = 1000;

/// How heavy a counted repetition may be in a filter, of which a path meets those of all rules at once.
const FILTER_COUNTS_MAX: u64 = 64;

/// Text that stands for any text.
const ANYTHING: &str = r"[\x00-\x7F]*";

/// A pattern that [`super::Engine::of`] calls linear.
#[derive(Debug)]
pub(crate) struct Linear {
    regex: Regex,
    /// The group of the pattern that each capture of the regex is; nobody reads the others.
    groups: Vec<u32>,
    reads_whole: bool,
}

impl Linear {
    pub(super) fn new(tree: &Tree, read: &BTreeSet<u32>) -> Result<Self, regex::Error> {
        let mut writer = Writer::new(read);
        writer.node(&tree.root);
        // What a pattern may become is bounded where it is read.
        let regex = RegexBuilder::new(&writer.out)
            .unicode(false)
            .size_limit(usize::MAX)
            .nest_limit(NEST_MAX)
            .build()?;
        Ok(Self {
            regex,
            groups: writer.groups,
            reads_whole: read.contains(&0),
        })
    }

    pub(super) fn run(&self, path: &str) -> Option<Groups> {
        let captures = self.regex.captures(path)?;
        let found = self.groups.iter().zip(captures.iter());
        let found = found.skip(usize::from(!self.reads_whole));
        let found = found.filter_map(|(&group, matched)| Some((group, matched?.range())));
        Some(Groups(found.collect()))
    }
}

/// A linear pattern that matches wherever another does.
pub(crate) struct Filter {
    pub(crate) text: String,
    /// Whether it matches nowhere else.
    pub(crate) is_exact: bool,
}

impl Filter {
    /// Look-around is left out, a back-reference is any text, and what is counted far is not counted.
    pub(crate) fn new(tree: &Tree) -> Self {
        let nothing = BTreeSet::new();
        let mut writer = Writer {
            counts_max: FILTER_COUNTS_MAX,
            ..Writer::new(&nothing)
        };
        writer.node(&tree.root);
        Self {
            text: writer.out,
            is_exact: writer.is_exact,
        }
    }
}

struct Writer<'a> {
    out: String,
    read: &'a BTreeSet<u32>,
    /// The groups that were written as such, in order.
    groups: Vec<u32>,
    /// How heavy a counted repetition may be.
    counts_max: u64,
    is_exact: bool,
}

impl<'a> Writer<'a> {
    fn new(read: &'a BTreeSet<u32>) -> Self {
        Self {
            out: String::new(),
            read,
            groups: vec![0],
            counts_max: u64::MAX,
            is_exact: true,
        }
    }
}

impl Writer<'_> {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Empty => {}
            Node::Look(..) => self.is_exact = false,
            Node::One(set) => self.set(*set),
            Node::Assert(assertion) => self.out.push_str(match assertion {
                Assertion::Start => r"\A",
                Assertion::End => r"\z",
                Assertion::Boundary => r"\b",
                Assertion::NoBoundary => r"\B",
            }),
            Node::Concat(nodes) => nodes.iter().for_each(|node| self.node(node)),
            Node::Alternate(nodes) => {
                for (i, node) in nodes.iter().enumerate() {
                    self.out.push_str(if i == 0 { "(?:" } else { "|" });
                    self.node(node);
                }
                self.out.push(')');
            }
            Node::Repeat(repeat) => self.repeat(repeat),
            Node::Group(index, body) => {
                if self.read.contains(index) {
                    self.groups.push(*index);
                    self.out.push('(');
                } else {
                    self.out.push_str("(?:");
                }
                self.node(body);
                self.out.push(')');
            }
            Node::Back(..) => {
                self.is_exact = false;
                self.out.push_str(ANYTHING);
            }
        }
    }

    fn repeat(&mut self, repeat: &Repeat) {
        self.out.push_str("(?:");
        self.node(&repeat.body);
        self.out.push(')');
        match (repeat.min, repeat.max) {
            (0, None) => self.out.push('*'),
            (1, None) => self.out.push('+'),
            (0, Some(1)) => self.out.push('?'),
            (min, _) if repeat.copies_weight() > self.counts_max => {
                self.is_exact = false;
                self.out.push(if min == 0 { '*' } else { '+' });
            }
            (min, None) => _ = write!(self.out, "{{{min},}}"),
            (min, Some(max)) => _ = write!(self.out, "{{{min},{max}}}"),
        }
        if repeat.greed == Greed::Lazy {
            self.out.push('?');
        }
    }

    fn set(&mut self, set: Set) {
        if set == Set::NONE {
            // An intersection of nothing: the only class that the crate lets be empty.
            self.out.push_str("[a&&b]");
            return;
        }
        let mut ranges = set.ranges();
        if let (Some((low, high)), None) = (ranges.next(), ranges.next())
            && low == high
            && (low.is_ascii_alphanumeric() || b"/_".contains(&low))
        {
            self.out.push(low.into());
            return;
        }
        self.out.push('[');
        for (low, high) in set.ranges() {
            _ = write!(self.out, r"\x{low:02X}-\x{high:02X}");
        }
        self.out.push(']');
    }
}
