//! Wakers that were collected under a lock, woken after it.
//!
//! Waking puts a task on a run queue and may call the kernel; a topic's lock must not be held for that, times a
//! thousand subscribers.
//!
//! **Invariant:** a waker that was put in is woken, at the latest when the list is dropped.

use std::task::Waker;

use smallvec::SmallVec;

/// Tasks that have something to do as soon as the locks are free.
#[derive(Default)]
pub(crate) struct WakeList(SmallVec<[Waker; 4]>);

impl WakeList {
    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        self.0.extend(waker);
    }

    pub(crate) fn wake_all(&mut self) {
        for waker in self.0.drain(..) {
            waker.wake();
        }
    }
}

impl Drop for WakeList {
    fn drop(&mut self) {
        self.wake_all();
    }
}
