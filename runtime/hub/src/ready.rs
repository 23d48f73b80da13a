//! The sessions of one revision that have events for the guest, first come, first served.
//!
//! **Invariant:** a session is in at most one batch at a time, and in the queue only when it is in none.
//! **Invariant:** each round makes progress: a batch that fails closes at least one session, at the latest the second time.
//! **Absent on purpose:** workers. Whoever takes a batch brings one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rookery_contract::BATCH_EVENTS_MAX;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::batch::{Batch, EventsDone, Toll};
use crate::inbox::BatchRoom;
use crate::session::Session;
use crate::waking::WakeList;

/// Payload bytes after which a batch takes no further event, so that a batch fits a small guest's memory.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// The queue. Its lock comes before those of the inboxes.
#[derive(Default)]
pub struct ReadyQueue {
    state: Mutex<State>,
    /// Carries one permit for each arrival that nobody has looked at yet; a taker that leaves sessions behind passes
    /// it on.
    arrived: Notify,
    /// Sessions that wait here, or will when the batch that they are in is done with.
    due: AtomicUsize,
}

/// A session's claim on a queue: it is not done before the session is.
pub(crate) struct Due(Arc<ReadyQueue>);

impl Due {
    pub(crate) fn new(queue: &Arc<ReadyQueue>) -> Due {
        queue.due.fetch_add(1, Ordering::AcqRel);
        Due(Arc::clone(queue))
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        self.0.due.fetch_sub(1, Ordering::AcqRel);
    }
}

#[derive(Default)]
struct State {
    sessions: VecDeque<Arc<Session>>,
    /// When the first of them came, if nobody waited then. Only such an arrival is worth a look at the clock.
    woken: Option<Instant>,
    closed: bool,
}

/// Which end of the queue a session comes to.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Back,
    /// For what has waited before.
    Front,
}

impl ReadyQueue {
    /// An empty queue.
    pub fn new() -> Arc<ReadyQueue> {
        Arc::default()
    }

    /// Waits for work and takes up to `events_max` events (1 to [`BATCH_EVENTS_MAX`]) and [`BATCH_BYTES_MAX`] of payload;
    /// a session's events go together, in order. `None` when the queue was closed. Any number of takers may wait; dropping the
    /// future loses nothing.
    pub async fn take(self: &Arc<Self>, events_max: usize) -> Option<Batch> {
        loop {
            match self.try_take(events_max) {
                Ok(batch) => return Some(batch),
                Err(Empty::Closed) => {
                    self.arrived.notify_one();
                    return None;
                }
                // A permit is kept for an arrival between the look and the wait.
                Err(Empty::Now) => {
                    self.arrived.notified().await;
                    self.gather().await;
                }
            }
        }
    }

    /// Lets the others who are about to bring something do it: what they bring costs next to nothing in the same batch, and
    /// as much as all the rest in one of its own.
    async fn gather(&self) {
        let heard = PassOn(&self.arrived);
        tokio::task::yield_now().await;
        std::mem::forget(heard);
    }

    /// Says what came of a batch that was taken here. A batch that is dropped instead counts as
    /// [`EventsDone::NoneBegan`].
    pub fn finish(&self, batch: Batch, done: EventsDone) -> Toll {
        batch.finish(self, done)
    }

    /// How many sessions wait.
    pub fn len(&self) -> usize {
        self.state.lock().sessions.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no session waits, and none will come back from the batch that it is in, be that of this queue or of one that
    /// it was moved from. A queue that no new session comes to may be closed then, and nobody's events are lost.
    pub fn is_done(&self) -> bool {
        self.due.load(Ordering::Acquire) == 0
    }

    /// Gives no batch any more: takers get `None`, and a session that still is attached when it waits or comes to wait
    /// is closed with 1012. Batches that are out may be finished.
    pub fn close(&self) {
        let stranded = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::take(&mut state.sessions)
        };
        self.arrived.notify_one();
        for session in stranded {
            session.strand(self);
        }
    }

    /// Lets a session wait. The caller has marked it as waiting and holds no lock.
    pub(crate) fn enqueue(&self, session: Arc<Session>, place: Place) {
        let is_first;
        let refused = {
            let mut state = self.state.lock();
            is_first = state.sessions.is_empty();
            if is_first {
                state.woken = Some(Instant::now());
            }
            match (state.closed, place) {
                (true, _) => Some(session),
                (false, Place::Back) => {
                    state.sessions.push_back(session);
                    None
                }
                (false, Place::Front) => {
                    state.sessions.push_front(session);
                    None
                }
            }
        };
        match refused {
            // Somebody comes for the others already, and passes it on when some are left.
            None if !is_first => {}
            None => self.arrived.notify_one(),
            Some(session) => session.strand(self),
        }
    }

    fn try_take(self: &Arc<Self>, events_max: usize) -> Result<Batch, Empty> {
        let mut wakes = WakeList::default();
        let mut room = BatchRoom {
            events: events_max.clamp(1, BATCH_EVENTS_MAX),
            bytes: BATCH_BYTES_MAX,
        };
        let mut batch = Batch::default();
        let mut state = self.state.lock();
        if state.closed {
            return Err(Empty::Closed);
        }
        while room.events > 0
            && let Some(session) = state.sessions.pop_front()
        {
            if let Err(waits_on) = batch.add(session, self, &mut room, &mut wakes) {
                state.sessions.push_front(waits_on);
                break;
            }
        }
        batch.woke_somebody(state.woken.take());
        if !state.sessions.is_empty() {
            self.arrived.notify_one();
        }
        if batch.is_empty() {
            Err(Empty::Now)
        } else {
            Ok(batch)
        }
    }
}

/// What was heard of an arrival, until it was looked at.
struct PassOn<'a>(&'a Notify);

impl Drop for PassOn<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Why there is no batch.
enum Empty {
    Now,
    Closed,
}
