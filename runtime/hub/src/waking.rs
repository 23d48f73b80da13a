//! Wakers that were collected under a lock, woken after it.
//!
//! Waking puts a task on a run queue and may call the kernel; a topic's lock must not be held for that, times a
//! thousand subscribers.
//!
//! **Invariant:** a waker that was put in is woken, and a topic that was put in gets its place in the wheel, at the latest when
//! the list is dropped.

use std::sync::Arc;
use std::task::Waker;

use smallvec::SmallVec;
use tokio::time::Instant;

use crate::topic::Topic;

/// Tasks that have something to do as soon as the locks are free.
#[derive(Default)]
pub(crate) struct WakeList {
    now: SmallVec<[Waker; 4]>,
    /// Topics whose members are woken together, later.
    later: Vec<(Arc<Topic>, Instant)>,
}

impl WakeList {
    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        self.now.extend(waker);
    }

    /// The topic's members are woken then.
    pub(crate) fn add_later(&mut self, topic: Arc<Topic>, at: Instant) {
        self.later.push((topic, at));
    }

    pub(crate) fn wake_all(&mut self) {
        for waker in self.now.drain(..) {
            waker.wake();
        }
        for (topic, at) in self.later.drain(..) {
            let paces = Arc::clone(topic.paces());
            paces.add(topic, at);
        }
    }
}

impl Drop for WakeList {
    fn drop(&mut self) {
        self.wake_all();
    }
}
