//! What an outbox knows of a few of its chunks: where the writer stops, and which messages may be dropped.
//!
//! **Invariant:** places are counted from the beginning of this value's life, so that taking chunks moves nothing.

use std::collections::VecDeque;
use std::ops::Range;

use crate::hold::Holds;
use crate::mark::Marks;

/// Absent in nearly all outboxes.
#[derive(Default)]
pub(super) struct Aside {
    /// How many chunks were taken since the beginning.
    passed: usize,
    pub(super) barriers: VecDeque<Barrier>,
    pub(super) marked: VecDeque<MarkedChunk>,
}

/// Where the writer stops until the holds are settled.
pub(super) struct Barrier {
    /// The chunk that it is in front of.
    pub(super) at: usize,
    pub(super) holds: Holds,
}

/// A chunk with messages that may be dropped.
pub(super) struct MarkedChunk {
    pub(super) at: usize,
    /// Where it begins in the buffer that the marks are of.
    pub(super) from: usize,
    pub(super) marks: Marks,
}

impl Aside {
    /// What comes as the chunk `index` waits for these.
    pub(super) fn bar(&mut self, index: usize, holds: &Holds) {
        // Behind a barrier that waits for the same, everything waits already.
        let last = self.barriers.back();
        if last.is_none_or(|last| !last.holds.covers(holds)) {
            self.barriers.push_back(Barrier {
                at: self.passed + index,
                holds: holds.clone(),
            });
        }
    }

    /// Some messages of the chunk `index` may be dropped.
    pub(super) fn mark(&mut self, index: usize, from: usize, marks: &Marks) {
        self.marked.push_back(MarkedChunk {
            at: self.passed + index,
            from,
            marks: Marks::clone(marks),
        });
    }

    pub(super) fn has_marks(&self) -> bool {
        !self.marked.is_empty()
    }

    /// Whether the writer must stop after so many more chunks.
    pub(super) fn is_barred_behind(&mut self, chunks: usize) -> bool {
        let next = self.passed + chunks;
        while let Some(front) = self.barriers.front()
            && front.at <= next
        {
            if !front.holds.are_kept() {
                return true;
            }
            self.barriers.pop_front();
        }
        false
    }

    /// Whether the chunk behind so many more has marks. Asked for in ascending order, up to what is passed then.
    pub(super) fn is_marked(&self, chunks: usize) -> bool {
        let place = self.passed + chunks;
        let found = self.marked.binary_search_by_key(&place, |marked| marked.at);
        found.is_ok()
    }

    /// So many chunks were taken.
    pub(super) fn pass(&mut self, chunks: usize) {
        self.passed += chunks;
        while self
            .marked
            .front()
            .is_some_and(|front| front.at < self.passed)
        {
            self.marked.pop_front();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.barriers.is_empty() && self.marked.is_empty()
    }

    /// Begins to count anew, with nothing taken. Gives what was known, by index.
    pub(super) fn begin_anew(&mut self) -> (VecDeque<Barrier>, VecDeque<MarkedChunk>) {
        let passed = std::mem::take(&mut self.passed);
        let mut barriers = std::mem::take(&mut self.barriers);
        let mut marked = std::mem::take(&mut self.marked);
        for barrier in &mut barriers {
            // One that is settled and was not looked at may lie behind.
            barrier.at = barrier.at.saturating_sub(passed);
        }
        for chunk in &mut marked {
            chunk.at -= passed;
        }
        (barriers, marked)
    }
}

impl MarkedChunk {
    /// The part of the marked buffer that the chunk is.
    pub(super) fn part(&self, bytes: usize) -> Range<usize> {
        self.from..self.from + bytes
    }
}
