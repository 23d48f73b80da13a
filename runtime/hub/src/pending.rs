//! A topic's messages that are framed and not handed out yet.
//!
//! **Invariant:** a message is encoded once, whoever gets it. A member that must not get some of them is told by byte
//! ranges, and alone pays for it.
//! **Invariant:** a member's exceptions are in order and do not overlap.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use rookery_contract::Payload;

use crate::frame;
use crate::hold::Holds;
use crate::mark::{Mark, Marked, Marks, within};

/// Bytes after which the pending messages are handed out at once.
pub(crate) const PENDING_BYTES_MAX: usize = 64 * 1024;
/// Exceptions after which they are, so that no search through them is long.
const EXCEPTIONS_MAX: usize = 256;
/// The first buffer of a topic. Every later one is at least as large.
const BUFFER_BYTES_FIRST: usize = 4 * 1024;

/// Bytes that one member does not get.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Exception {
    /// Its place among the members. Stable, since nobody joins or leaves while messages are pending.
    member: usize,
    start: usize,
    end: usize,
    messages: u64,
}

/// The buffer.
#[derive(Default)]
pub(crate) struct Pending {
    bytes: BytesMut,
    messages: u64,
    exceptions: Vec<Exception>,
    /// Those of its messages that may be dropped for who does not keep up.
    marks: Vec<Marked>,
    /// What its messages wait for. One that waits makes all of them wait, or the order would change.
    pub(crate) holds: Holds,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= PENDING_BYTES_MAX || self.exceptions.len() >= EXCEPTIONS_MAX
    }

    /// Encodes a message for all members but one.
    pub(crate) fn append(&mut self, payload: &Payload, except: Option<usize>, mark: Option<Mark>) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(BUFFER_BYTES_FIRST);
        }
        let start = self.bytes.len();
        frame::encode_message(payload, &mut self.bytes);
        self.messages += 1;
        let end = self.bytes.len();
        self.marks.extend(mark.map(|mark| Marked {
            range: start..end,
            mark,
        }));
        let Some(member) = except else { return };
        match self.exceptions.last_mut() {
            Some(last) if last.member == member && last.end == start => {
                last.end = end;
                last.messages += 1;
            }
            _ => self.exceptions.push(Exception {
                member,
                start,
                end,
                messages: 1,
            }),
        }
    }

    /// What one member has not got yet, as a copy with its marks, and the number of messages in it. It is out of the rest
    /// for this member.
    pub(crate) fn copy_for(&mut self, member: usize) -> (Bytes, Option<Marks>, u64) {
        let mine = self
            .exceptions
            .iter()
            .filter(|exception| exception.member == member);
        let messages = self.messages
            - mine
                .clone()
                .map(|exception| exception.messages)
                .sum::<u64>();
        let (mut copy, mut marks) = (BytesMut::new(), Vec::new());
        for range in around(self.bytes.len(), mine) {
            marks.extend(
                within(&self.marks, range.clone()).map(|marked| marked.moved_by(copy.len())),
            );
            copy.extend_from_slice(&self.bytes[range]);
        }
        self.exceptions
            .retain(|exception| exception.member != member);
        self.exceptions.push(Exception {
            member,
            start: 0,
            end: self.bytes.len(),
            messages: self.messages,
        });
        (copy.freeze(), shared(marks), messages)
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Everything, to be shared. Leaves the buffer empty and the rest of its memory to the next messages.
    pub(crate) fn freeze(&mut self) -> Frozen<'_> {
        let bytes = self.bytes.split().freeze();
        if self.bytes.capacity() > PENDING_BYTES_MAX {
            self.bytes = BytesMut::new();
        }
        self.exceptions.sort_unstable();
        Frozen {
            bytes,
            messages: std::mem::take(&mut self.messages),
            marks: shared(std::mem::take(&mut self.marks)),
            holds: std::mem::take(&mut self.holds),
            exceptions: &mut self.exceptions,
            at: 0,
        }
    }

    /// Forgets all of it.
    pub(crate) fn clear(&mut self) {
        *self = Pending::default();
    }

    /// Gives memory back that an idle topic does not need.
    pub(crate) fn trim(&mut self) {
        if self.is_empty() {
            *self = Pending::default();
        }
    }
}

/// Pending messages on their way to the members, who are asked for in order.
pub(crate) struct Frozen<'a> {
    pub(crate) bytes: Bytes,
    pub(crate) messages: u64,
    pub(crate) marks: Option<Marks>,
    pub(crate) holds: Holds,
    exceptions: &'a mut Vec<Exception>,
    at: usize,
}

/// One member's share.
pub(crate) enum Share<'a> {
    Whole,
    Around {
        exceptions: &'a [Exception],
        bytes: usize,
        messages: u64,
    },
}

impl Frozen<'_> {
    /// The share of a member. Members must be asked for in ascending order.
    pub(crate) fn share(&mut self, member: usize) -> Share<'_> {
        let rest = &self.exceptions[self.at..];
        let count = rest
            .iter()
            .take_while(|exception| exception.member == member)
            .count();
        if count == 0 {
            return Share::Whole;
        }
        self.at += count;
        let exceptions = &rest[..count];
        let left_out: usize = exceptions
            .iter()
            .map(|exception| exception.end - exception.start)
            .sum();
        let messages: u64 = exceptions.iter().map(|exception| exception.messages).sum();
        Share::Around {
            exceptions,
            bytes: self.bytes.len() - left_out,
            messages: self.messages - messages,
        }
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.exceptions.clear();
    }
}

/// Nearly always none.
fn shared(marks: Vec<Marked>) -> Option<Marks> {
    (!marks.is_empty()).then(|| marks.into())
}

/// The ranges between the exceptions of one member, which are in order.
pub(crate) fn around<'a>(
    length: usize,
    exceptions: impl Iterator<Item = &'a Exception>,
) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    exceptions
        .map(|exception| exception.start..exception.end)
        .chain(std::iter::once(length..length))
        .filter_map(move |exception| {
            let range = at..exception.start;
            at = exception.end;
            (!range.is_empty()).then_some(range)
        })
}

#[cfg(test)]
mod tests;
