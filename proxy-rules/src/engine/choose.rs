//! Whether the linear engine finds exactly what JavaScript would.
//!
//! It has no look-around and no back-references. And it differs in two more things. JavaScript forgets, at the start of
//! each round of a repetition, what the groups in it matched in the round before; and it does not accept a round that
//! takes no character. Neither changes whether a pattern matches, only what groups hold and how far a match goes, so
//! it matters for groups that are read and for a match whose length is. Patterns that count very far are for the other
//! engine, too, because it stops.

use std::collections::BTreeSet;

use crate::pattern::{Greed, Node};

/// How much counted repetitions may add to a pattern for the linear engine. Its time is linear in the path, but also in
/// the pattern: with `.{0,2000}x`, a path of 4 KiB takes it 80 ms.
const SURPLUS_MAX: u64 = 1000;

/// Whether a node stands in a repetition, and whether a round may leave it out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Outside,
    Always,
    Maybe,
}

pub(super) fn is_linear(node: &Node, read: &BTreeSet<u32>) -> bool {
    node.surplus() <= SURPLUS_MAX && is_faithful(node, read, Round::Outside)
}

fn is_faithful(node: &Node, read: &BTreeSet<u32>, round: Round) -> bool {
    match node {
        Node::Empty | Node::One(_) | Node::Assert(_) => true,
        Node::Look(..) | Node::Back(..) => false,
        Node::Concat(nodes) => nodes.iter().all(|node| is_faithful(node, read, round)),
        Node::Alternate(nodes) => {
            let round = match round {
                Round::Outside => Round::Outside,
                Round::Always | Round::Maybe => Round::Maybe,
            };
            nodes.iter().all(|node| is_faithful(node, read, round))
        }
        Node::Group(index, body) => {
            (round != Round::Maybe || !read.contains(index)) && is_faithful(body, read, round)
        }
        Node::Repeat(repeat) => {
            let reads_groups = read.range(repeat.groups.clone()).next().is_some();
            let is_same_length = read.is_empty() || prefers_characters(&repeat.body);
            if repeat.body.is_nullable() && (reads_groups || !is_same_length) {
                return false;
            }
            let round = match round {
                Round::Always | Round::Maybe if repeat.min == 0 => Round::Maybe,
                Round::Outside if repeat.max != Some(1) => Round::Always,
                round => round,
            };
            is_faithful(&repeat.body, read, round)
        }
    }
}

/// Whether taking no character is the last thing that the node tries, if it does so at all.
fn prefers_characters(node: &Node) -> bool {
    match node {
        Node::Empty | Node::One(_) | Node::Assert(_) => true,
        Node::Look(..) | Node::Back(..) => false,
        Node::Concat(nodes) => !node.is_nullable() || nodes.iter().all(prefers_characters),
        Node::Alternate(nodes) => nodes.split_last().is_none_or(|(last, others)| {
            prefers_characters(last) && !others.iter().any(Node::is_nullable)
        }),
        Node::Repeat(repeat) => {
            !node.is_nullable() || repeat.greed == Greed::Greedy && prefers_characters(&repeat.body)
        }
        Node::Group(_, body) => prefers_characters(body),
    }
}
