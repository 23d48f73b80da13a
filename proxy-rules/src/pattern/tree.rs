//! A pattern as a tree.
//!
//! **Invariant:** no tree is deeper than [`NEST_MAX`] groups, so walking it by recursion is safe.
//! **Absent on purpose:** flags. Case and dots are resolved into sets while the text is read; a path has no line
//! terminators, so `m` changes nothing.

use std::ops::Range;

use super::set::Set;

/// How deep groups may stand in each other.
pub(crate) const NEST_MAX: usize = 100;

/// What a text means as a pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tree {
    pub(crate) root: Node,
    /// How many capture groups there are; they are numbered from 1.
    pub(crate) groups: u32,
    /// The groups that have a name.
    pub(crate) names: Vec<(String, u32)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Node {
    Empty,
    /// One character.
    One(Set),
    Assert(Assertion),
    Concat(Vec<Node>),
    /// At least two branches.
    Alternate(Vec<Node>),
    Repeat(Box<Repeat>),
    /// A capture group.
    Group(u32, Box<Node>),
    Look(Look, Box<Node>),
    /// What a group matched, again; nothing when it took no part.
    Back(u32, Case),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Assertion {
    Start,
    End,
    Boundary,
    NoBoundary,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Repeat {
    pub(crate) body: Node,
    pub(crate) min: u32,
    /// None: as often as there is room.
    pub(crate) max: Option<u32>,
    pub(crate) greed: Greed,
    /// The capture groups in the body; each round starts without what they matched in the one before.
    pub(crate) groups: Range<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Greed {
    Greedy,
    Lazy,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Look {
    pub(crate) direction: Direction,
    pub(crate) wanted: Wanted,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Ahead,
    Behind,
}

/// Whether what is looked for must be there or must not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    Present,
    Missing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Case {
    Exact,
    Ignored,
}

impl Repeat {
    /// How many instructions it becomes when it is written out.
    pub(crate) fn copies_weight(&self) -> u64 {
        let copies = self.max.unwrap_or(self.min.saturating_add(1)).max(1);
        let copy = self.body.weight().saturating_add(5);
        copy.saturating_mul(copies.into())
    }
}

impl Node {
    /// How many instructions the node becomes when every counted repetition is written out.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::One(_) | Self::Assert(_) | Self::Back(..) => 1,
            Self::Concat(nodes) => nodes.iter().map(Self::weight).fold(0, u64::saturating_add),
            Self::Alternate(nodes) => nodes
                .iter()
                .map(|node| node.weight().saturating_add(2))
                .fold(0, u64::saturating_add),
            Self::Repeat(repeat) => repeat.copies_weight(),
            Self::Group(_, body) | Self::Look(_, body) => body.weight().saturating_add(2),
        }
    }

    /// How much of the weight is there because counted repetitions are written out.
    pub(crate) fn surplus(&self) -> u64 {
        match self {
            Self::Empty | Self::One(_) | Self::Assert(_) | Self::Back(..) => 0,
            Self::Concat(nodes) | Self::Alternate(nodes) => {
                nodes.iter().map(Self::surplus).fold(0, u64::saturating_add)
            }
            Self::Repeat(repeat) => {
                let body = repeat.body.weight();
                self.weight()
                    .saturating_sub(body)
                    .saturating_add(repeat.body.surplus())
            }
            Self::Group(_, body) | Self::Look(_, body) => body.surplus(),
        }
    }

    /// Whether the node can match without taking a character.
    pub(crate) fn is_nullable(&self) -> bool {
        match self {
            Self::Empty | Self::Assert(_) | Self::Look(..) | Self::Back(..) => true,
            Self::One(_) => false,
            Self::Concat(nodes) => nodes.iter().all(Self::is_nullable),
            Self::Alternate(nodes) => nodes.iter().any(Self::is_nullable),
            Self::Repeat(repeat) => repeat.min == 0 || repeat.body.is_nullable(),
            Self::Group(_, body) => body.is_nullable(),
        }
    }
}
