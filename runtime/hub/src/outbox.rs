//! A session's queue of encoded frames, between the topics and the socket.
//!
//! **Invariant:** what waits and what is being written never exceeds the bound by more than one chunk that came when the
//! outbox was empty. **Invariant:** a close frame is the last thing that ever comes out.
//! **Invariant:** what waits for a hold does not come out before the hold is settled, and neither does anything behind it.
//! **Invariant:** when the bound is passed, only messages that are marked for it are dropped, each is counted, and what
//! stays keeps its order. If that is not enough, the client is closed and told to recover.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use rookery_contract::SendStatus;

use crate::close::{CloseFrame, SLOW_CONSUMER};
use crate::frame;
use crate::hold::Holds;
use crate::mark::Marks;
use crate::outbox::aside::Aside;
use crate::waking::WakeList;

mod aside;
mod shed;

pub(crate) use shed::Shed;

/// An emptied queue keeps at most so many places, since most sessions are idle at any time.
const PLACES_KEPT: usize = 4;
/// A writer that has more to write than this does not rest.
const REST_BYTES_MAX: usize = 64 * 1024;

/// The queue. A leaf of the lock order: nothing is locked while its lock is held.
pub(crate) struct Outbox(Mutex<State>);

struct State {
    chunks: VecDeque<Bytes>,
    /// Nearly always absent, and every idle session has a place for it.
    aside: Option<Box<Aside>>,
    bytes_waiting: usize,
    /// Taken by the writer and, as far as we know, not yet in the socket.
    bytes_taken: usize,
    bytes_max: usize,
    phase: Phase,
    waker: Option<Waker>,
    wake_on: WakeOn,
}

/// What became of a push.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pushed {
    pub(crate) status: SendStatus,
    /// What was dropped to make room.
    pub(crate) shed: Shed,
}

/// Whether a push wakes the writer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    Wakes,
    /// Somebody will [`rouse`](Outbox::rouse) it. One that has much to write is woken at once.
    Rests,
}

enum Phase {
    Open,
    /// The close frame is queued or taken.
    Closing(Box<CloseFrame>),
    /// The socket is gone.
    Gone(Option<Box<CloseFrame>>),
}

/// What the writer waits for. While it is stuck in the socket new chunks must not wake it, only the end does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WakeOn {
    Chunks,
    Closing,
}

impl Outbox {
    pub(crate) fn new(bytes_max: usize) -> Outbox {
        Outbox(Mutex::new(State {
            chunks: VecDeque::new(),
            aside: None,
            bytes_waiting: 0,
            bytes_taken: 0,
            bytes_max,
            phase: Phase::Open,
            waker: None,
            wake_on: WakeOn::Chunks,
        }))
    }

    /// Queues one chunk of whole frames. `Full` is said once, by the push that overflowed; after it comes `Gone`.
    pub(crate) fn push(
        &self,
        chunk: Bytes,
        marks: Option<&Marks>,
        holds: &Holds,
        writer: Writer,
        wakes: &mut WakeList,
    ) -> Pushed {
        let bytes = chunk.len();
        let chunks = std::iter::once((0, chunk));
        self.push_all(bytes, chunks, marks, holds, writer, wakes)
    }

    /// Queues several chunks of so many bytes together, all or none. Each comes with its place in the buffer that the
    /// marks are of.
    pub(crate) fn push_all(
        &self,
        bytes: usize,
        chunks: impl Iterator<Item = (usize, Bytes)>,
        marks: Option<&Marks>,
        holds: &Holds,
        writer: Writer,
        wakes: &mut WakeList,
    ) -> Pushed {
        let mut state = self.0.lock();
        let pushed = match state.room_for(bytes, marks) {
            Room::Gone => Pushed::so(SendStatus::Gone),
            Room::Enough => {
                state.bytes_waiting += bytes;
                state.enqueue(chunks, marks, holds);
                Pushed::so(SendStatus::Queued)
            }
            Room::WithoutSome => {
                state.bytes_waiting += bytes;
                state.enqueue(chunks, marks, holds);
                state.shed()
            }
            Room::None => {
                state.overflow();
                Pushed::so(SendStatus::Full)
            }
        };
        wakes.add(state.waker_after(pushed.status, writer));
        pushed
    }

    /// Queues the close frame behind what waits. The first close counts; false for every later one.
    pub(crate) fn close(&self, frame: CloseFrame, holds: &Holds, wakes: &mut WakeList) -> bool {
        let mut state = self.0.lock();
        if !matches!(state.phase, Phase::Open) {
            return false;
        }
        state.bar(holds);
        state.end_with(frame);
        wakes.add(state.waker.take());
        true
    }

    /// Something that held back what waits was settled.
    pub(crate) fn release(&self, wakes: &mut WakeList) {
        wakes.add(self.0.lock().waker.take());
    }

    /// Wakes a writer that rested, if there is something for it.
    pub(crate) fn rouse(&self, wakes: &mut WakeList) {
        let mut state = self.0.lock();
        wakes.add(state.waker_after(SendStatus::Queued, Writer::Wakes));
    }

    /// What waits must not come out any more: only this close frame does. It takes the place of one that waited. False
    /// where nothing more could have come out.
    pub(crate) fn fail(&self, frame: CloseFrame, wakes: &mut WakeList) -> bool {
        let mut state = self.0.lock();
        let could_come = match state.phase {
            Phase::Open => true,
            Phase::Closing(_) => !state.chunks.is_empty(),
            Phase::Gone(_) => false,
        };
        if could_come {
            state.clear();
            state.end_with(frame);
            wakes.add(state.waker.take());
        }
        could_come
    }

    /// The socket is gone: drops what waits and takes nothing more.
    pub(crate) fn abandon(&self, wakes: &mut WakeList) {
        let mut state = self.0.lock();
        state.clear();
        state.phase = match std::mem::replace(&mut state.phase, Phase::Open) {
            Phase::Open => Phase::Gone(None),
            Phase::Closing(frame) => Phase::Gone(Some(frame)),
            gone @ Phase::Gone(_) => gone,
        };
        wakes.add(state.waker.take());
    }

    pub(crate) fn closing(&self) -> Option<CloseFrame> {
        match &self.0.lock().phase {
            Phase::Open | Phase::Gone(None) => None,
            Phase::Closing(frame) | Phase::Gone(Some(frame)) => Some(CloseFrame::clone(frame)),
        }
    }

    pub(crate) fn poll_chunks(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        let is_over = match state.phase {
            Phase::Open => false,
            Phase::Closing(_) => state.chunks.is_empty(),
            Phase::Gone(_) => true,
        };
        if is_over || state.may_give() {
            return Poll::Ready(());
        }
        state.register(cx, WakeOn::Chunks)
    }

    pub(crate) fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if !matches!(state.phase, Phase::Open) {
            return Poll::Ready(());
        }
        state.register(cx, WakeOn::Closing)
    }

    pub(crate) fn take(&self, into: &mut VecDeque<Bytes>, chunks_max: usize) -> usize {
        let mut state = self.0.lock();
        let mut count = 0;
        let mut taken = 0;
        // One at a time: there is nearly always just one, for which a drain costs more than all the rest.
        while count < chunks_max
            && !state.is_barred_behind(count)
            && !state.is_enough(taken, count)
            && let Some(chunk) = state.chunks.pop_front()
        {
            taken += chunk.len();
            into.push_back(chunk);
            count += 1;
        }
        state.pass(count);
        state.bytes_waiting -= taken;
        state.bytes_taken = taken;
        if state.chunks.is_empty() && state.chunks.capacity() > PLACES_KEPT {
            state.chunks = VecDeque::new();
        }
        count
    }
}

/// What an outbox has for more bytes.
enum Room {
    Enough,
    /// Some of what waits, or of what comes, may be dropped for it.
    WithoutSome,
    None,
    Gone,
}

impl Pushed {
    /// Without anything having been dropped.
    fn so(status: SendStatus) -> Pushed {
        Pushed {
            status,
            shed: Shed::default(),
        }
    }
}

impl State {
    fn room_for(&self, bytes: usize, marks: Option<&Marks>) -> Room {
        let held = self.bytes_waiting + self.bytes_taken;
        let fits = held == 0 || held + bytes <= self.bytes_max;
        let sheds = marks.is_some() || self.aside.as_ref().is_some_and(|aside| aside.has_marks());
        match self.phase {
            Phase::Closing(_) | Phase::Gone(_) => Room::Gone,
            Phase::Open if fits => Room::Enough,
            Phase::Open if sheds => Room::WithoutSome,
            Phase::Open => Room::None,
        }
    }

    fn enqueue(
        &mut self,
        chunks: impl Iterator<Item = (usize, Bytes)>,
        marks: Option<&Marks>,
        holds: &Holds,
    ) {
        self.bar(holds);
        for (from, chunk) in chunks.filter(|(_, chunk)| !chunk.is_empty()) {
            if let Some(marks) = marks {
                let aside = self.aside.get_or_insert_default();
                aside.mark(self.chunks.len(), from, marks);
            }
            self.chunks.push_back(chunk);
        }
    }

    /// Drops what may be dropped, or everything if that does not make room.
    fn shed(&mut self) -> Pushed {
        let room = self.bytes_max.saturating_sub(self.bytes_taken);
        let aside = self.aside.get_or_insert_default();
        let Some((shed, bytes)) = shed::shed(&mut self.chunks, aside, self.bytes_waiting, room)
        else {
            self.overflow();
            return Pushed::so(SendStatus::Full);
        };
        self.bytes_waiting -= bytes;
        Pushed {
            status: SendStatus::Queued,
            shed,
        }
    }

    fn overflow(&mut self) {
        self.clear();
        self.end_with(CloseFrame::from(SLOW_CONSUMER));
    }

    /// Lets what comes next wait for these.
    fn bar(&mut self, holds: &Holds) {
        if !holds.is_empty() {
            let aside = self.aside.get_or_insert_default();
            aside.bar(self.chunks.len(), holds);
        }
    }

    /// Whether the writer must stop after so many more chunks.
    fn is_barred_behind(&mut self, chunks: usize) -> bool {
        let aside = self.aside.as_mut();
        aside.is_some_and(|aside| aside.is_barred_behind(chunks))
    }

    /// Whether the writer has enough for now. What may be dropped stays here, where it can be.
    fn is_enough(&self, taken: usize, count: usize) -> bool {
        let is_marked = self
            .aside
            .as_ref()
            .is_some_and(|aside| aside.is_marked(count));
        let next = self.chunks.front().map_or(0, Bytes::len);
        is_marked && taken > 0 && taken + next > self.bytes_max / 4
    }

    fn pass(&mut self, taken: usize) {
        if let Some(aside) = &mut self.aside {
            aside.pass(taken);
            if aside.is_empty() {
                self.aside = None;
            }
        }
    }

    fn may_give(&mut self) -> bool {
        !self.chunks.is_empty() && !self.is_barred_behind(0)
    }

    fn end_with(&mut self, frame: CloseFrame) {
        let chunk = frame::close(&frame);
        self.bytes_waiting += chunk.len();
        self.chunks.push_back(chunk);
        self.phase = Phase::Closing(Box::new(frame));
    }

    fn clear(&mut self) {
        self.chunks = VecDeque::new();
        self.aside = None;
        self.bytes_waiting = 0;
    }

    fn waker_after(&mut self, status: SendStatus, writer: Writer) -> Option<Waker> {
        let has_much = || {
            let much = REST_BYTES_MAX.min(self.bytes_max / 4);
            self.bytes_waiting + self.bytes_taken > much
        };
        let is_woken = match (status, self.wake_on) {
            (SendStatus::Full, _) => true,
            // One that could write nothing is woken when that changes.
            (SendStatus::Queued, WakeOn::Chunks) => {
                (writer == Writer::Wakes || has_much()) && self.may_give()
            }
            (SendStatus::Queued, WakeOn::Closing) | (SendStatus::Gone, _) => false,
        };
        is_woken.then(|| self.waker.take()).flatten()
    }

    fn register(&mut self, cx: &Context<'_>, wake_on: WakeOn) -> Poll<()> {
        self.wake_on = wake_on;
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
