//! A pattern as instructions for the machine that counts its steps.
//!
//! **Invariant:** counted repetitions are written out, so an instruction has no counter; a program is as long as its
//! pattern is heavy. What a repetition does is ECMA-262's RepeatMatcher: the groups in it are forgotten at the start of
//! a round, and a round that was not required and takes no character fails.

use crate::pattern::{Assertion, Case, Direction, Greed, Look, Node, Repeat, Set, Tree, Wanted};

/// One step of the machine. Numbers are places in the program, or slots.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// One character of the set, in this direction.
    One(Set, Direction),
    Assert(Assertion),
    /// Goes on at the first, and at the second when that fails.
    Split(u32, u32),
    Jump(u32),
    /// Keeps the position in a slot.
    Keep(u32),
    /// Empties the slots from the first up to the second.
    Clear(u32, u32),
    /// Fails when the position is the one in the slot.
    Progress(u32),
    /// What a group matched, again.
    Back(u32, Case, Direction),
    /// Looks around with what follows, up to its `Seen`, and goes on at this place.
    Look(Wanted, u32),
    Seen,
    Match,
}

/// Instructions, how many slots they need, and whether they can match at the start only.
#[derive(Debug)]
pub(crate) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) slots: usize,
    pub(super) is_anchored: bool,
}

impl Program {
    pub(super) fn new(tree: &Tree) -> Self {
        let captures = 2 * (tree.groups + 1);
        let mut writer = Writer {
            steps: Vec::new(),
            next_slot: captures,
            slots: captures,
        };
        writer.node(&tree.root, Direction::Ahead);
        writer.steps.push(Step::Match);
        Self {
            steps: writer.steps,
            slots: writer.slots as usize,
            is_anchored: is_anchored(&tree.root),
        }
    }
}

/// Whether the node can match nowhere but at the start.
fn is_anchored(node: &Node) -> bool {
    match node {
        Node::Assert(assertion) => *assertion == Assertion::Start,
        Node::Concat(nodes) => nodes.first().is_some_and(is_anchored),
        Node::Alternate(nodes) => nodes.iter().all(is_anchored),
        Node::Group(_, body) => is_anchored(body),
        Node::Empty | Node::One(_) | Node::Repeat(_) | Node::Look(..) | Node::Back(..) => false,
    }
}

struct Writer {
    steps: Vec<Step>,
    next_slot: u32,
    slots: u32,
}

impl Writer {
    fn here(&self) -> u32 {
        u32::try_from(self.steps.len()).expect("a pattern's weight is bounded")
    }

    /// Writes a step that is completed once what follows it is written.
    fn hole(&mut self) -> usize {
        self.steps.push(Step::Match);
        self.steps.len() - 1
    }

    fn node(&mut self, node: &Node, direction: Direction) {
        match node {
            Node::Empty => {}
            Node::One(set) => self.steps.push(Step::One(*set, direction)),
            Node::Assert(assertion) => self.steps.push(Step::Assert(*assertion)),
            Node::Back(group, case) => self.steps.push(Step::Back(*group, *case, direction)),
            Node::Concat(nodes) => match direction {
                Direction::Ahead => nodes.iter().for_each(|node| self.node(node, direction)),
                Direction::Behind => nodes
                    .iter()
                    .rev()
                    .for_each(|node| self.node(node, direction)),
            },
            Node::Alternate(nodes) => self.alternate(nodes, direction),
            Node::Repeat(repeat) => self.repeat(repeat, direction),
            Node::Group(index, body) => {
                let (first, last) = match direction {
                    Direction::Ahead => (2 * index, 2 * index + 1),
                    Direction::Behind => (2 * index + 1, 2 * index),
                };
                self.steps.push(Step::Keep(first));
                self.node(body, direction);
                self.steps.push(Step::Keep(last));
            }
            Node::Look(look, body) => self.look(*look, body),
        }
    }

    fn alternate(&mut self, nodes: &[Node], direction: Direction) {
        let mut ends = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            if i + 1 == nodes.len() {
                self.node(node, direction);
                break;
            }
            let split = self.hole();
            self.node(node, direction);
            ends.push(self.hole());
            self.steps[split] = Step::Split(split_next(split), self.here());
        }
        for end in ends {
            self.steps[end] = Step::Jump(self.here());
        }
    }

    fn look(&mut self, look: Look, body: &Node) {
        let start = self.hole();
        self.node(body, look.direction);
        self.steps.push(Step::Seen);
        self.steps[start] = Step::Look(look.wanted, self.here());
    }

    fn repeat(&mut self, repeat: &Repeat, direction: Direction) {
        let slot = repeat.body.is_nullable().then(|| {
            self.next_slot += 1;
            self.slots = self.slots.max(self.next_slot);
            self.next_slot - 1
        });
        for _ in 0..repeat.min {
            self.round(repeat, direction, None);
        }
        let mut exits = Vec::new();
        match repeat.max {
            None => {
                let start = self.hole();
                self.round(repeat, direction, slot);
                self.steps.push(Step::Jump(u32_of(start)));
                exits.push(start);
            }
            Some(max) => {
                for _ in repeat.min..max {
                    exits.push(self.hole());
                    self.round(repeat, direction, slot);
                }
            }
        }
        let end = self.here();
        for exit in exits {
            let body = split_next(exit);
            self.steps[exit] = match repeat.greed {
                Greed::Greedy => Step::Split(body, end),
                Greed::Lazy => Step::Split(end, body),
            };
        }
        self.next_slot -= u32::from(slot.is_some());
    }

    /// One round of a repetition. With a slot, it has to take a character.
    fn round(&mut self, repeat: &Repeat, direction: Direction, slot: Option<u32>) {
        if !repeat.groups.is_empty() {
            let (first, end) = (2 * repeat.groups.start, 2 * repeat.groups.end);
            self.steps.push(Step::Clear(first, end));
        }
        self.steps.extend(slot.map(Step::Keep));
        self.node(&repeat.body, direction);
        self.steps.extend(slot.map(Step::Progress));
    }
}

fn split_next(split: usize) -> u32 {
    u32_of(split) + 1
}

fn u32_of(place: usize) -> u32 {
    u32::try_from(place).expect("a pattern's weight is bounded")
}
