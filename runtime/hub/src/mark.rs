//! Which of a buffer's messages may be dropped for a session that does not keep up, and when.
//!
//! **Invariant:** marks are in the order of their messages, do not overlap, and each covers one whole frame.

use std::ops::Range;
use std::sync::Arc;

use rookery_contract::WhenSlow;

/// When a message may be dropped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    /// Whenever room is needed; the oldest goes first.
    Oldest,
    /// When a later one of the key waits, too.
    Key(Arc<Key>),
}

/// What a message tells of. Topics do not share keys.
#[derive(PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key {
    stream: u64,
    name: Box<str>,
}

/// A message with a mark, by its place in a buffer.
#[derive(Clone, Debug)]
pub(crate) struct Marked {
    pub(crate) range: Range<usize>,
    pub(crate) mark: Mark,
}

impl Mark {
    /// The mark of a message of this stream. One without has to stay.
    pub(crate) fn of(stream: u64, when_slow: &WhenSlow) -> Option<Mark> {
        match when_slow {
            WhenSlow::Close => None,
            WhenSlow::DropOldest => Some(Mark::Oldest),
            WhenSlow::Conflate(key) => Some(Mark::Key(Arc::new(Key {
                stream,
                name: key.as_str().into(),
            }))),
        }
    }
}

impl Marked {
    /// The same with a place so much further on.
    pub(crate) fn moved_by(mut self, bytes: usize) -> Marked {
        self.range = self.range.start + bytes..self.range.end + bytes;
        self
    }
}

/// The marked messages of a buffer that all members share.
pub(crate) type Marks = Arc<[Marked]>;

/// Those marks that lie within a part of the buffer, with places in that part.
pub(crate) fn within(marks: &[Marked], part: Range<usize>) -> impl Iterator<Item = Marked> {
    let first = marks.partition_point(|marked| marked.range.start < part.start);
    let inside = marks[first..]
        .iter()
        .take_while(move |marked| marked.range.end <= part.end);
    inside.map(move |marked| Marked {
        range: marked.range.start - part.start..marked.range.end - part.start,
        mark: marked.mark.clone(),
    })
}
