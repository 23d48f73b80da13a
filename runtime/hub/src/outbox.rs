//! A session's queue of encoded frames, between the topics and the socket.
//!
//! **Invariant:** what waits and what is being written never exceeds the bound by more than one chunk that came when the
//! outbox was empty. **Invariant:** a close frame is the last thing that ever comes out.
//! **Invariant:** what waits for a hold does not come out before the hold is settled, and neither does anything behind it.
//! **Absent on purpose:** dropping single messages. A client either gets all or is closed and told to recover.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use rookery_contract::SendStatus;

use crate::close::{CloseFrame, SLOW_CONSUMER};
use crate::frame;
use crate::hold::Holds;
use crate::waking::WakeList;

/// An emptied queue keeps at most so many places, since most sessions are idle at any time.
const PLACES_KEPT: usize = 4;

/// The queue. A leaf of the lock order: nothing is locked while its lock is held.
pub(crate) struct Outbox(Mutex<State>);

struct State {
    chunks: VecDeque<Bytes>,
    /// Nearly always absent, and every idle session has a place for it.
    #[expect(
        clippy::box_collection,
        reason = "8 bytes in every session rather than 32"
    )]
    barriers: Option<Box<VecDeque<Barrier>>>,
    bytes_waiting: usize,
    /// Taken by the writer and, as far as we know, not yet in the socket.
    bytes_taken: usize,
    bytes_max: usize,
    phase: Phase,
    waker: Option<Waker>,
    wake_on: WakeOn,
}

/// Where the writer stops until the holds are settled.
struct Barrier {
    /// How many chunks lie in front of it.
    before: usize,
    holds: Holds,
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
            barriers: None,
            bytes_waiting: 0,
            bytes_taken: 0,
            bytes_max,
            phase: Phase::Open,
            waker: None,
            wake_on: WakeOn::Chunks,
        }))
    }

    /// Queues one chunk of whole frames. `Full` is said once, by the push that overflowed; after it comes `Gone`.
    pub(crate) fn push(&self, chunk: Bytes, holds: &Holds, wakes: &mut WakeList) -> SendStatus {
        let mut state = self.0.lock();
        let status = state.admit(chunk.len());
        if status == SendStatus::Queued {
            state.bar(holds);
            state.chunks.push_back(chunk);
        }
        wakes.add(state.waker_after(status));
        status
    }

    /// Queues several chunks of so many bytes together, all or none.
    pub(crate) fn push_all(
        &self,
        bytes: usize,
        chunks: impl Iterator<Item = Bytes>,
        holds: &Holds,
        wakes: &mut WakeList,
    ) -> SendStatus {
        if bytes == 0 {
            return SendStatus::Queued;
        }
        let mut state = self.0.lock();
        let status = state.admit(bytes);
        if status == SendStatus::Queued {
            state.bar(holds);
            state.chunks.extend(chunks);
        }
        wakes.add(state.waker_after(status));
        status
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

    /// What waits must not come out any more: only this close frame does. It takes the place of one that waited.
    pub(crate) fn fail(&self, frame: CloseFrame, wakes: &mut WakeList) {
        let mut state = self.0.lock();
        let waits = !state.chunks.is_empty();
        if matches!(state.phase, Phase::Open) || (matches!(state.phase, Phase::Closing(_)) && waits)
        {
            state.clear();
            state.end_with(frame);
            wakes.add(state.waker.take());
        }
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
            && let Some(chunk) = state.chunks.pop_front()
        {
            taken += chunk.len();
            into.push_back(chunk);
            count += 1;
        }
        state.move_barriers(count);
        state.bytes_waiting -= taken;
        state.bytes_taken = taken;
        if state.chunks.is_empty() && state.chunks.capacity() > PLACES_KEPT {
            state.chunks = VecDeque::new();
        }
        count
    }
}

impl State {
    /// Decides about so many more bytes and counts them.
    fn admit(&mut self, bytes: usize) -> SendStatus {
        if !matches!(self.phase, Phase::Open) {
            return SendStatus::Gone;
        }
        let held = self.bytes_waiting + self.bytes_taken;
        if held > 0 && held + bytes > self.bytes_max {
            self.clear();
            self.end_with(CloseFrame::from(SLOW_CONSUMER));
            return SendStatus::Full;
        }
        self.bytes_waiting += bytes;
        SendStatus::Queued
    }

    /// Lets what comes next wait for these.
    fn bar(&mut self, holds: &Holds) {
        if holds.is_empty() {
            return;
        }
        let barriers = self.barriers.get_or_insert_default();
        // Behind a barrier that waits for the same, everything waits already.
        if barriers.back().is_none_or(|last| !last.holds.covers(holds)) {
            barriers.push_back(Barrier {
                before: self.chunks.len(),
                holds: holds.clone(),
            });
        }
    }

    /// Whether the writer must stop after so many more chunks.
    fn is_barred_behind(&mut self, chunks: usize) -> bool {
        let Some(barriers) = &mut self.barriers else {
            return false;
        };
        while barriers
            .front()
            .is_some_and(|front| front.before <= chunks && front.holds.are_kept())
        {
            barriers.pop_front();
        }
        barriers.front().is_some_and(|front| front.before <= chunks)
    }

    fn move_barriers(&mut self, taken: usize) {
        let Some(barriers) = &mut self.barriers else {
            return;
        };
        if barriers.is_empty() {
            self.barriers = None;
            return;
        }
        for barrier in barriers.iter_mut() {
            barrier.before -= taken;
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
        self.barriers = None;
        self.bytes_waiting = 0;
    }

    fn waker_after(&mut self, status: SendStatus) -> Option<Waker> {
        match (status, self.wake_on) {
            (SendStatus::Queued, WakeOn::Chunks) | (SendStatus::Full, _) => self.waker.take(),
            (SendStatus::Queued, WakeOn::Closing) | (SendStatus::Gone, _) => None,
        }
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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn push(outbox: &Outbox, length: usize) -> SendStatus {
        outbox.push(
            Bytes::from(vec![0; length]),
            &Holds::default(),
            &mut WakeList::default(),
        )
    }

    fn close(outbox: &Outbox, code: u16) -> bool {
        let frame = CloseFrame::new(code, "");
        outbox.close(frame, &Holds::default(), &mut WakeList::default())
    }

    fn take(outbox: &Outbox) -> usize {
        outbox.take(&mut VecDeque::new(), usize::MAX)
    }

    #[test]
    fn the_bound_holds_for_what_waits_and_what_is_being_written() {
        let outbox = Outbox::new(10);
        assert_eq!(push(&outbox, 6), SendStatus::Queued);
        assert_eq!(take(&outbox), 1);
        assert_eq!(push(&outbox, 4), SendStatus::Queued);
        assert_eq!(take(&outbox), 1);
        assert_eq!(push(&outbox, 6), SendStatus::Queued);
        assert_eq!(push(&outbox, 1), SendStatus::Full);
    }

    #[test]
    fn an_empty_outbox_takes_a_chunk_of_any_size() {
        let outbox = Outbox::new(10);
        assert_eq!(push(&outbox, 100), SendStatus::Queued);
        assert_eq!(push(&outbox, 1), SendStatus::Full);
    }

    #[test]
    fn an_overflow_drops_what_waits_and_leaves_the_close_frame() {
        let outbox = Outbox::new(10);
        push(&outbox, 8);
        assert_eq!(push(&outbox, 8), SendStatus::Full);
        assert_eq!(push(&outbox, 1), SendStatus::Gone);
        assert!(!close(&outbox, 1000));
        let mut chunks = VecDeque::new();
        outbox.take(&mut chunks, usize::MAX);
        assert_eq!(chunks, [frame::close(&CloseFrame::from(SLOW_CONSUMER))]);
        assert_eq!(outbox.closing(), Some(CloseFrame::from(SLOW_CONSUMER)));
    }

    #[test]
    fn a_close_lets_what_waits_go_first() {
        let outbox = Outbox::new(100);
        push(&outbox, 8);
        assert!(close(&outbox, 4000));
        assert_eq!(push(&outbox, 1), SendStatus::Gone);
        assert_eq!(take(&outbox), 2);
    }

    #[test]
    fn a_writer_is_woken_once_for_many_chunks_and_not_at_all_while_it_writes() {
        let woken = std::sync::Arc::new(Woken::default());
        let waker = Waker::from(std::sync::Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let count = || woken.0.load(Ordering::Relaxed);
        let outbox = Outbox::new(20);

        assert!(outbox.poll_chunks(&mut cx).is_pending());
        push(&outbox, 1);
        push(&outbox, 1);
        assert_eq!(count(), 1);
        assert!(outbox.poll_chunks(&mut cx).is_ready());
        take(&outbox);

        assert!(outbox.poll_closing(&mut cx).is_pending());
        push(&outbox, 1);
        assert_eq!(count(), 1);
        push(&outbox, 100);
        assert_eq!(count(), 2);
        assert!(outbox.poll_closing(&mut cx).is_ready());
    }
}
