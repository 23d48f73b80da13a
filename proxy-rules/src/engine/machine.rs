//! A backtracking machine that counts its steps.
//!
//! **Invariant:** a run takes at most `steps_max` steps and keeps at most one entry a step; at the limit it gives up,
//! which is no match. What it finds before is what JavaScript finds.
//! **Absent on purpose:** recursion. What is still to be tried is a list on the heap.

use super::Groups;
use super::program::{Program, Step};
use crate::pattern::{Assertion, Case, Direction, Set, Wanted};

/// What a run came to, and how many steps it took that have to be counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) steps: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Matched(Groups),
    Missed,
    /// The limit came first.
    GaveUp,
}

/// A slot that holds nothing.
const EMPTY: u32 = u32::MAX;

/// What is undone or tried when a way fails, the latest first.
enum Entry {
    /// Another way, from here.
    Way { place: u32, at: u32 },
    /// A slot as it was.
    Slot { slot: u32, was: u32 },
    /// All slots as they were.
    Slots(Box<[u32]>),
    /// The start of a look-around: the entries above it are the look's own.
    Look {
        wanted: Wanted,
        next: u32,
        at: u32,
        slots: Box<[u32]>,
    },
}

struct Machine<'a> {
    program: &'a Program,
    path: &'a [u8],
    slots: Vec<u32>,
    entries: Vec<Entry>,
    /// Where among the entries the open look-arounds begin.
    looks: Vec<usize>,
    steps_left: u64,
}

struct Exhausted;

/// Runs a program on a path, from each place in turn.
pub(super) fn run(program: &Program, read: &[u32], path: &[u8], steps_max: u64) -> Outcome {
    let mut machine = Machine {
        program,
        path,
        slots: vec![EMPTY; program.slots],
        // Most paths need no more of them.
        entries: Vec::with_capacity(32),
        looks: Vec::new(),
        steps_left: steps_max,
    };
    let verdict = machine.search(read);
    Outcome {
        verdict: verdict.unwrap_or(Verdict::GaveUp),
        steps: steps_max - machine.steps_left,
    }
}

impl Machine<'_> {
    fn search(&mut self, read: &[u32]) -> Result<Verdict, Exhausted> {
        let last = if self.program.is_anchored {
            0
        } else {
            u32::try_from(self.path.len()).map_err(|_| Exhausted)?
        };
        for start in 0..=last {
            if let Some(end) = self.attempt(start)? {
                self.slots[0] = start;
                self.slots[1] = end;
                return Ok(Verdict::Matched(self.groups(read)));
            }
        }
        Ok(Verdict::Missed)
    }

    fn groups(&self, read: &[u32]) -> Groups {
        let found = read
            .iter()
            .filter_map(|&group| Some((group, self.matched(group)?)));
        Groups(found.collect())
    }

    fn matched(&self, group: u32) -> Option<std::ops::Range<usize>> {
        let slot = 2 * group as usize;
        let (start, end) = (self.slots[slot], self.slots[slot + 1]);
        (start != EMPTY && end != EMPTY).then_some(start as usize..end as usize)
    }

    fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        let left = self.steps_left.checked_sub(steps as u64);
        self.steps_left = left.ok_or(Exhausted)?;
        Ok(())
    }

    /// Where a match that starts here ends.
    fn attempt(&mut self, start: u32) -> Result<Option<u32>, Exhausted> {
        let (mut place, mut at) = (0, start);
        loop {
            self.spend(1)?;
            let next = match self.program.steps[place as usize] {
                Step::Match => return Ok(Some(at)),
                Step::Seen => self.seen(),
                Step::Look(wanted, next) => {
                    self.look(wanted, next, at)?;
                    Some((place + 1, at))
                }
                Step::Split(first, second) => {
                    self.entries.push(Entry::Way { place: second, at });
                    Some((first, at))
                }
                Step::Jump(next) => Some((next, at)),
                Step::Keep(slot) => {
                    self.set(slot, at);
                    Some((place + 1, at))
                }
                Step::Clear(first, end) => {
                    self.spend((end - first) as usize)?;
                    (first..end).for_each(|slot| self.set(slot, EMPTY));
                    Some((place + 1, at))
                }
                Step::Progress(slot) => {
                    (self.slots[slot as usize] != at).then_some((place + 1, at))
                }
                Step::One(set, direction) => self.one(set, direction, at).map(|at| (place + 1, at)),
                Step::Assert(assertion) => self.holds(assertion, at).then_some((place + 1, at)),
                Step::Back(group, case, direction) => {
                    self.spend(self.matched(group).map_or(0, |range| range.len()))?;
                    self.back(group, case, direction, at)
                        .map(|at| (place + 1, at))
                }
            };
            match next.or_else(|| self.fail()) {
                Some(next) => (place, at) = next,
                None => return Ok(None),
            }
        }
    }

    fn set(&mut self, slot: u32, at: u32) {
        let was = std::mem::replace(&mut self.slots[slot as usize], at);
        if was != at {
            self.entries.push(Entry::Slot { slot, was });
        }
    }

    fn one(&self, set: Set, direction: Direction, at: u32) -> Option<u32> {
        let (index, next) = match direction {
            Direction::Ahead => (at, at + 1),
            Direction::Behind => (at.checked_sub(1)?, at - 1),
        };
        let c = *self.path.get(index as usize)?;
        set.contains(c).then_some(next)
    }

    fn holds(&self, assertion: Assertion, at: u32) -> bool {
        let at = at as usize;
        let is_word = |index: usize| self.path.get(index).is_some_and(|&c| Set::WORD.contains(c));
        let is_boundary = (at > 0 && is_word(at - 1)) != is_word(at);
        match assertion {
            Assertion::Start => at == 0,
            Assertion::End => at == self.path.len(),
            Assertion::Boundary => is_boundary,
            Assertion::NoBoundary => !is_boundary,
        }
    }

    /// Where the position is after a group's text was met again. A group that took no part is no text.
    fn back(&self, group: u32, case: Case, direction: Direction, at: u32) -> Option<u32> {
        let Some(range) = self.matched(group) else {
            return Some(at);
        };
        let len = u32::try_from(range.len()).ok()?;
        let text = &self.path[range];
        let (from, next) = match direction {
            Direction::Ahead => (at, at + len),
            Direction::Behind => (at.checked_sub(len)?, at - len),
        };
        let met = self.path.get(from as usize..(from + len) as usize)?;
        let is_same = match case {
            Case::Exact => met == text,
            Case::Ignored => met.eq_ignore_ascii_case(text),
        };
        is_same.then_some(next)
    }

    fn look(&mut self, wanted: Wanted, next: u32, at: u32) -> Result<(), Exhausted> {
        self.spend(self.slots.len())?;
        self.looks.push(self.entries.len());
        self.entries.push(Entry::Look {
            wanted,
            next,
            at,
            slots: self.slots.as_slice().into(),
        });
        Ok(())
    }

    /// The innermost look-around found what it looked for. Its other ways are never tried.
    fn seen(&mut self) -> Option<(u32, u32)> {
        let start = self.looks.pop().expect("a look was begun");
        self.entries.truncate(start + 1);
        let Some(Entry::Look {
            wanted,
            next,
            at,
            slots,
        }) = self.entries.pop()
        else {
            unreachable!("looks are where `looks` says")
        };
        match wanted {
            Wanted::Present => {
                self.entries.push(Entry::Slots(slots));
                Some((next, at))
            }
            Wanted::Missing => {
                self.slots.copy_from_slice(&slots);
                None
            }
        }
    }

    /// Goes back to the latest way that is left.
    fn fail(&mut self) -> Option<(u32, u32)> {
        while let Some(entry) = self.entries.pop() {
            match entry {
                Entry::Way { place, at } => return Some((place, at)),
                Entry::Slot { slot, was } => self.slots[slot as usize] = was,
                Entry::Slots(slots) => self.slots.copy_from_slice(&slots),
                Entry::Look {
                    wanted, next, at, ..
                } => {
                    self.looks.pop();
                    if wanted == Wanted::Missing {
                        return Some((next, at));
                    }
                }
            }
        }
        None
    }
}
