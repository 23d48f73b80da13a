//! What the hub counts, for one namespace.
//!
//! **Absent on purpose:** people. No counter has a session's or a topic's name.

use std::sync::atomic::{AtomicU64, Ordering};

use rookery_contract::SendStatus;

use crate::outbox::{Pushed, Shed};

/// A number that goes up, or up and down. Relaxed: it is read for a dashboard, nothing is decided by it.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn incr(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, by: u64) {
        self.0.fetch_sub(by, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A namespace's counts.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) subscriptions: Count,
    pub(crate) published: Count,
    pub(crate) deliveries: Count,
    pub(crate) sent: Count,
    pub(crate) bytes_out: Count,
    pub(crate) slow_closed: Count,
    pub(crate) dropped: Count,
    pub(crate) conflated: Count,
    pub(crate) guest_faults: Count,
    pub(crate) spared: Count,
}

impl Counters {
    /// One frame went to one session.
    pub(crate) fn sent(&self, pushed: Pushed, bytes: u64) {
        self.shed(pushed.shed);
        match pushed.status {
            SendStatus::Queued => {
                self.sent.incr();
                self.bytes_out.add(bytes);
            }
            SendStatus::Full => self.slow_closed.incr(),
            SendStatus::Gone => {}
        }
    }

    /// A session lost so many messages that waited for it.
    pub(crate) fn shed(&self, shed: Shed) {
        if shed != Shed::default() {
            self.dropped.add(shed.dropped);
            self.conflated.add(shed.conflated);
        }
    }
}
