//! What a pool counts.
//!
//! Each revision counts for itself; what happens is added to the server's [`Totals`] at once, so that the totals keep
//! what retired revisions did.

use std::sync::Arc;
use std::time::Duration;

use rookery_telemetry::{Counter, Gauge, Histogram, PoolFigures, RecentRate};
use tokio::time::Instant;

/// The sums over all revisions, past and present.
#[derive(Debug)]
pub struct Totals {
    since: Instant,
    lately: RecentRate,
    /// Invocations asked for.
    pub requests: Counter,
    /// Invocations that found an idle worker.
    pub hits: Counter,
    /// Invocations that needed a new worker.
    pub misses: Counter,
    /// Idle workers that gave way to others.
    pub evictions: Counter,
    /// Idle workers that were recycled because memory was short.
    pub relieved: Counter,
    /// Workers started.
    pub created: Counter,
    /// Workers that could not start, or failed.
    pub failed: Counter,
    /// Invocations turned away by a full queue or its timeout.
    pub refused: Counter,
    /// Invocations that wait now.
    pub waiting: Gauge,
    /// From asking to the head of the response.
    pub response_time: Histogram,
    /// From asking to having a worker.
    pub lookup_time: Histogram,
    /// How long those waited that had to.
    pub queue_wait: Histogram,
    /// How long a worker took to start.
    pub cold_start: Histogram,
    /// From the event that a sleeping app was woken by to its guest.
    pub wake: Histogram,
}

impl Default for Totals {
    fn default() -> Self {
        Totals {
            since: Instant::now(),
            lately: RecentRate::new(),
            requests: Counter::new(),
            hits: Counter::new(),
            misses: Counter::new(),
            evictions: Counter::new(),
            relieved: Counter::new(),
            created: Counter::new(),
            failed: Counter::new(),
            refused: Counter::new(),
            waiting: Gauge::new(),
            response_time: Histogram::new(),
            lookup_time: Histogram::new(),
            queue_wait: Histogram::new(),
            cold_start: Histogram::new(),
            wake: Histogram::new(),
        }
    }
}

impl Totals {
    /// The figures of all pools together, which have so many workers alive now.
    pub fn figures(&self, active_workers: usize) -> PoolFigures {
        let uptime = self.since.elapsed();
        PoolFigures {
            active_workers: active_workers as u64,
            evictions: self.evictions.get(),
            hits: self.hits.get(),
            misses: self.misses.get(),
            total_requests: self.requests.get(),
            workers_failed: self.failed.get(),
            workers_created: self.created.get(),
            queue_depth: u64::try_from(self.waiting.get()).unwrap_or_default(),
            queue_rejected: self.refused.get(),
            recent_rate: self.lately.per_second(uptime),
            response_time: self.response_time.snapshot(),
            queue_wait: self.queue_wait.snapshot(),
            cold_start: self.cold_start.snapshot(),
            lookup_time: self.lookup_time.snapshot(),
            uptime,
            // The budget knows.
            spare_workers: 0,
        }
    }
}

/// What one revision's pool counts.
#[derive(Debug)]
pub struct PoolStats {
    totals: Arc<Totals>,
    /// Invocations asked for.
    pub requests: Counter,
    /// Invocations that have a worker now.
    pub busy: Gauge,
    /// Tunnels that are open now.
    pub tunnels: Gauge,
    /// Workers started.
    pub created: Counter,
    /// Workers that could not start, or failed.
    pub failed: Counter,
    /// Idle workers that were recycled because memory was short.
    pub relieved: Counter,
    /// Invocations turned away by a full queue or its timeout.
    pub refused: Counter,
    /// From asking to the head of the response.
    pub response_time: Histogram,
    /// How long those waited that had to.
    pub queue_wait: Histogram,
    /// How long a worker took to start.
    pub cold_start: Histogram,
}

impl PoolStats {
    pub(crate) fn new(totals: Arc<Totals>) -> Self {
        PoolStats {
            totals,
            requests: Counter::default(),
            busy: Gauge::default(),
            tunnels: Gauge::default(),
            created: Counter::default(),
            failed: Counter::default(),
            relieved: Counter::default(),
            refused: Counter::default(),
            response_time: Histogram::default(),
            queue_wait: Histogram::default(),
            cold_start: Histogram::default(),
        }
    }

    pub(crate) fn requested(&self) {
        self.requests.incr();
        self.totals.requests.incr();
        self.totals.lately.record(self.totals.since.elapsed());
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

    pub(crate) fn relieved(&self) {
        self.relieved.incr();
        self.totals.relieved.incr();
    }

    pub(crate) fn created(&self, took: Duration) {
        self.created.incr();
        self.cold_start.record(took);
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

    pub(crate) fn refused(&self) {
        self.refused.incr();
        self.totals.refused.incr();
    }

    pub(crate) fn waits(&self) {
        self.totals.waiting.incr();
    }

    pub(crate) fn waited(&self, took: Duration) {
        self.queue_wait.record(took);
        self.totals.waiting.decr();
        self.totals.queue_wait.record(took);
    }

    pub(crate) fn woke(&self, took: Duration) {
        self.totals.wake.record(took);
    }

    pub(crate) fn answered(&self, took: Duration) {
        self.response_time.record(took);
        self.totals.response_time.record(took);
    }
}
