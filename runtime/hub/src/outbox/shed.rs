//! Drops what may be dropped when an outbox is full: what is out of date first, then the oldest.
//!
//! **Invariant:** what stays is in its order, whole frames, behind the same holds.
//! **Invariant:** what stays of a chunk that lost something is copied, so that an outbox never keeps much more memory alive
//! than its bound. At least a quarter of the room is free afterwards, so this happens once in as many bytes, and costs
//! each of them little.
//! **Absent on purpose:** messages that the writer has. They are on their way.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::mark::{Key, Mark, Marked, within};
use crate::outbox::aside::{Aside, MarkedChunk};

/// What is copied is joined to chunks of this size, or less in a small outbox; a larger chunk that lost nothing is not
/// copied.
const JOINED_BYTES_MAX: usize = 16 * 1024;

/// How many messages were dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Shed {
    /// Because they were the oldest.
    pub(crate) dropped: u64,
    /// Because a later one has the same key.
    pub(crate) conflated: u64,
}

/// A message that may be dropped.
struct Candidate {
    chunk: usize,
    marked: Marked,
    stays: bool,
}

/// Makes room, so that a quarter of it is free, and says what was dropped and how many bytes that was. `None` if that cannot
/// be: then the queue is to be given up.
pub(super) fn shed(
    chunks: &mut VecDeque<Bytes>,
    aside: &mut Aside,
    waiting: usize,
    room: usize,
) -> Option<(Shed, usize)> {
    let goal = room - room / 4;
    let (barriers, marked) = aside.begin_anew();
    let mut candidates = candidates(chunks, &marked);
    let (mut shed, mut freed) = (Shed::default(), 0);
    let mut newer: HashSet<Arc<Key>> = HashSet::new();
    for candidate in candidates.iter_mut().rev() {
        if let Mark::Key(key) = &candidate.marked.mark
            && !newer.insert(Arc::clone(key))
        {
            candidate.stays = false;
            freed += candidate.marked.range.len();
            shed.conflated += 1;
        }
    }
    for candidate in &mut candidates {
        if waiting - freed > goal && candidate.marked.mark == Mark::Oldest {
            candidate.stays = false;
            freed += candidate.marked.range.len();
            shed.dropped += 1;
        }
    }
    if waiting - freed > goal {
        return None;
    }
    let mut rebuilt = Rebuilt {
        joined_bytes_max: JOINED_BYTES_MAX.min(room / 4),
        ..Rebuilt::default()
    };
    let (mut barriers, mut marked) = (
        barriers.into_iter().peekable(),
        marked.into_iter().peekable(),
    );
    let mut candidates = &candidates[..];
    for (index, chunk) in chunks.drain(..).enumerate() {
        while let Some(mut barrier) = barriers.next_if(|barrier| barrier.at == index) {
            barrier.at = rebuilt.seal();
            aside.barriers.push_back(barrier);
        }
        let own = candidates.partition_point(|candidate| candidate.chunk == index);
        let (own, rest) = candidates.split_at(own);
        candidates = rest;
        match marked.next_if(|marked| marked.at == index) {
            Some(marks) => rebuilt.add_marked(chunk, marks, own),
            None => rebuilt.add_whole(chunk),
        }
    }
    for mut barrier in barriers {
        barrier.at = rebuilt.seal();
        aside.barriers.push_back(barrier);
    }
    rebuilt.seal();
    *chunks = rebuilt.chunks;
    aside.marked = rebuilt.marked;
    Some((shed, freed))
}

fn candidates(chunks: &VecDeque<Bytes>, marked: &VecDeque<MarkedChunk>) -> Vec<Candidate> {
    let of_chunk = |of: &MarkedChunk| {
        let (chunk, part) = (of.at, of.part(chunks[of.at].len()));
        let own: Vec<Candidate> = within(&of.marks, part)
            .map(|marked| Candidate {
                chunk,
                marked,
                stays: true,
            })
            .collect();
        own
    };
    marked.iter().flat_map(of_chunk).collect()
}

/// The queue as it is put together again.
#[derive(Default)]
struct Rebuilt {
    chunks: VecDeque<Bytes>,
    marked: VecDeque<MarkedChunk>,
    joined_bytes_max: usize,
    /// What is being joined.
    joined: BytesMut,
    joined_marks: Vec<Marked>,
}

impl Rebuilt {
    /// Ends the chunk that is being joined. Gives the place of the next one.
    fn seal(&mut self) -> usize {
        let joined = std::mem::take(&mut self.joined);
        let marks = std::mem::take(&mut self.joined_marks);
        if !joined.is_empty() {
            if !marks.is_empty() {
                self.marked.push_back(MarkedChunk {
                    at: self.chunks.len(),
                    from: 0,
                    marks: marks.into(),
                });
            }
            self.chunks.push_back(joined.freeze());
        }
        self.chunks.len()
    }

    fn add_whole(&mut self, chunk: Bytes) {
        self.seal();
        self.chunks.push_back(chunk);
    }

    fn add_marked(&mut self, chunk: Bytes, mut marks: MarkedChunk, own: &[Candidate]) {
        let lost_nothing = own.iter().all(|candidate| candidate.stays);
        if lost_nothing && chunk.len() >= self.joined_bytes_max {
            marks.at = self.seal();
            self.marked.push_back(marks);
            self.chunks.push_back(chunk);
            return;
        }
        let mut at = 0;
        for candidate in own {
            let Range { start, end } = candidate.marked.range;
            self.copy(&chunk[at..start]);
            if candidate.stays {
                let place = self.copy(&chunk[start..end]);
                self.joined_marks.push(Marked {
                    range: place,
                    mark: candidate.marked.mark.clone(),
                });
            }
            at = end;
        }
        self.copy(&chunk[at..]);
    }

    /// Copies whole frames; their place in the chunk that is being joined.
    fn copy(&mut self, frames: &[u8]) -> Range<usize> {
        if self.joined.len() + frames.len() > self.joined_bytes_max {
            self.seal();
        }
        let start = self.joined.len();
        self.joined.extend_from_slice(frames);
        start..self.joined.len()
    }
}
