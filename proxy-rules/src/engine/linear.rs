//! A pattern in the syntax of the `regex` crate.
//!
//! **Invariant:** every class is written out as ASCII ranges, so nothing depends on what that crate takes `\d`, `.` or
//! a case to mean.

use std::collections::BTreeSet;
use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use super::Groups;
use crate::pattern::{Assertion, Greed, Node, Repeat, Set, Tree};

/// Text that stands for any text.
const ANYTHING: &str = r"[\x00-\x7F]*";

/// Compiles a pattern that [`super::Engine::of`] calls linear.
pub(super) fn compile(tree: &Tree, read: &BTreeSet<u32>) -> Result<Regex, regex::Error> {
    let mut text = String::new();
    write_node(&mut text, &tree.root, read);
    // What a pattern may become is bounded where it is read.
    RegexBuilder::new(&text)
        .unicode(false)
        .size_limit(usize::MAX)
        .build()
}

pub(super) fn run(regex: &Regex, read: &[u32], path: &str) -> Option<Groups> {
    let captures = regex.captures(path)?;
    // The groups that are read are the only ones that capture; 0 comes first whether it is read or not.
    let skipped = usize::from(read.first() != Some(&0));
    let found = read.iter().enumerate().filter_map(|(i, &group)| {
        let matched = captures.get(i + skipped)?;
        Some((group, matched.range()))
    });
    Some(Groups(found.collect()))
}

/// A linear pattern that matches wherever this one does: look-around is left out, and a back-reference is any text.
/// Without either, it matches exactly there.
pub(crate) fn over_approximation(tree: &Tree) -> String {
    let mut text = String::new();
    write_node(&mut text, &tree.root, &BTreeSet::new());
    text
}

fn write_node(out: &mut String, node: &Node, read: &BTreeSet<u32>) {
    match node {
        Node::Empty | Node::Look(..) => {}
        Node::One(set) => write_set(out, *set),
        Node::Assert(assertion) => out.push_str(match assertion {
            Assertion::Start => r"\A",
            Assertion::End => r"\z",
            Assertion::Boundary => r"\b",
            Assertion::NoBoundary => r"\B",
        }),
        Node::Concat(nodes) => nodes.iter().for_each(|node| write_node(out, node, read)),
        Node::Alternate(nodes) => {
            out.push_str("(?:");
            for (i, node) in nodes.iter().enumerate() {
                if i > 0 {
                    out.push('|');
                }
                write_node(out, node, read);
            }
            out.push(')');
        }
        Node::Repeat(repeat) => write_repeat(out, repeat, read),
        Node::Group(index, body) => {
            out.push_str(if read.contains(index) { "(" } else { "(?:" });
            write_node(out, body, read);
            out.push(')');
        }
        Node::Back(..) => out.push_str(ANYTHING),
    }
}

fn write_repeat(out: &mut String, repeat: &Repeat, read: &BTreeSet<u32>) {
    out.push_str("(?:");
    write_node(out, &repeat.body, read);
    out.push(')');
    match (repeat.min, repeat.max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (min, None) => _ = write!(out, "{{{min},}}"),
        (min, Some(max)) => _ = write!(out, "{{{min},{max}}}"),
    }
    if repeat.greed == Greed::Lazy {
        out.push('?');
    }
}

fn write_set(out: &mut String, set: Set) {
    if set == Set::NONE {
        // An intersection of nothing: the only class that the crate lets be empty.
        out.push_str("[a&&b]");
        return;
    }
    out.push('[');
    for (low, high) in set.ranges() {
        _ = write!(out, r"\x{low:02X}-\x{high:02X}");
    }
    out.push(']');
}
