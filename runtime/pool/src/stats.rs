//! What a pool counts.
//!
//! Each revision counts for itself; what happens is added to the server's [`Totals`] at once, so that the totals keep
//! what retired revisions did.

use std::sync::Arc;
use std::time::Duration;

use rookery_telemetry::{Counter, Gauge, Histogram};

/// The sums over all revisions, past and present.
#[derive(Debug, Default)]
pub struct Totals {
    /// Invocations asked for.
    pub requests: Counter,
    /// Invocations that found an idle worker.
    pub hits: Counter,
    /// Invocations that needed a new worker.
    pub misses: Counter,
    /// Idle workers that gave way to others.
    pub evictions: Counter,
    /// Workers started.
    pub created: Counter,
    /// Workers that could not start, or failed.
    pub failed: Counter,
    /// From asking to the head of the response.
    pub response_time: Histogram,
    /// From asking to having a worker.
    pub lookup_time: Histogram,
    /// How long those waited that had to.
    pub queue_wait: Histogram,
    /// How long a worker took to start.
    pub cold_start: Histogram,
}

/// What one revision's pool counts.
#[derive(Debug)]
pub struct PoolStats {
    totals: Arc<Totals>,
    /// Invocations asked for.
    pub requests: Counter,
    /// Invocations that have a worker now.
    pub busy: Gauge,
    /// Workers that could not start, or failed.
    pub failed: Counter,
    /// Invocations turned away by a full queue or its timeout.
    pub refused: Counter,
    /// From asking to the head of the response.
    pub response_time: Histogram,
}

impl PoolStats {
    pub(crate) fn new(totals: Arc<Totals>) -> Self {
        PoolStats {
            totals,
            requests: Counter::default(),
            busy: Gauge::default(),
            failed: Counter::default(),
            refused: Counter::default(),
            response_time: Histogram::default(),
        }
    }

    pub(crate) fn requested(&self) {
        self.requests.incr();
        self.totals.requests.incr();
    }

    pub(crate) fn hit(&self) {
        self.totals.hits.incr();
    }

    pub(crate) fn miss(&self) {
        self.totals.misses.incr();
    }

    pub(crate) fn evicted(&self) {
        self.totals.evictions.incr();
    }

    pub(crate) fn created(&self, took: Duration) {
        self.totals.created.incr();
        self.totals.cold_start.record(took);
    }

    pub(crate) fn failed(&self) {
        self.failed.incr();
        self.totals.failed.incr();
    }

    pub(crate) fn looked_up(&self, took: Duration) {
        self.totals.lookup_time.record(took);
    }

    pub(crate) fn waited(&self, took: Duration) {
        self.totals.queue_wait.record(took);
    }

    pub(crate) fn answered(&self, took: Duration) {
        self.response_time.record(took);
        self.totals.response_time.record(took);
    }
}
