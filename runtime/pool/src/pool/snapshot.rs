//! How a pool is doing, for whoever operates the server.
//!
//! [`Pool::snapshot`] is one revision's part of `/_/stats` and `/_/deployments`: `busy`, `waiting` and `queue_wait` are its
//! queue, `created` and `cold_start` its cold starts and their times, `start_failure` why its workers do not start, after
//! how many tries, and when the next one is. [`Pool::workers`] is its line in Buntime's terms, [`Pool::each_worker`] has
//! the workers one by one.

use std::time::Duration;

use rookery_telemetry::{HistogramSnapshot, Quantiles, WorkerSnapshot, WorkerStatus};
use tokio::time::Instant;

use super::Pool;
use crate::register::WorkerList;

/// What one revision's pool did and has, at one moment.
#[derive(Clone, Debug)]
pub struct RevisionFigures {
    /// The live workers in one line; `None` when there are none.
    pub workers: Option<WorkerSnapshot>,
    /// Invocations that have a worker now.
    pub busy: u64,
    /// Invocations that wait for one now.
    pub waiting: u64,
    /// Tunnels that are open now.
    pub tunnels: u64,
    /// Invocations asked for.
    pub requests: u64,
    /// Invocations turned away by a full queue or its timeout.
    pub refused: u64,
    /// Workers started.
    pub created: u64,
    /// Workers that could not start, or failed.
    pub failed: u64,
    /// Idle workers that were recycled because memory was short.
    pub relieved: u64,
    /// Why the last worker did not start; `None` since one did.
    pub start_failure: Option<StartFailure>,
    /// From asking to the head of the response.
    pub response_time: HistogramSnapshot,
    /// How long those waited that had to, for a turn or for a place.
    pub queue_wait: HistogramSnapshot,
    /// How long a worker took to start.
    pub cold_start: HistogramSnapshot,
    /// How long all workers, past and present, computed; `None` where nobody measures.
    pub cpu_time: Option<Duration>,
}

/// How the last worker did not start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartFailure {
    /// Why, for the operator.
    pub reason: String,
    /// How many failed one after the other.
    pub attempts: u32,
    /// How long until the next one is tried at the earliest; zero when it is tried for the next who asks.
    pub retry_after: Duration,
}

impl Pool {
    /// How the pool is doing.
    pub fn snapshot(&self) -> RevisionFigures {
        let stats = &self.stats;
        let setback = self.setback.lock();
        let now = Instant::now();
        let start_failure = setback.failure().map(|last| StartFailure {
            reason: last.reason.to_string(),
            attempts: last.attempts,
            retry_after: last.retry_at.saturating_duration_since(now),
        });
        drop(setback);
        RevisionFigures {
            workers: self.workers(),
            busy: u64::try_from(stats.busy.get()).unwrap_or_default(),
            waiting: self.waiting() as u64,
            tunnels: u64::try_from(stats.tunnels.get()).unwrap_or_default(),
            requests: stats.requests.get(),
            refused: stats.refused.get(),
            created: stats.created.get(),
            failed: stats.failed.get(),
            relieved: stats.relieved.get(),
            start_failure,
            response_time: stats.response_time.snapshot(),
            queue_wait: stats.queue_wait.snapshot(),
            cold_start: stats.cold_start.snapshot(),
            cpu_time: self.spawn.cpu_time(),
        }
    }

    /// The workers one by one, those that are being started included: the first so many, and how many there are besides.
    pub fn each_worker(&self, limit: usize) -> WorkerList {
        // One that shares is never away with an invocation, and its memory grows without one, too.
        if self.at_once > 1 {
            self.shelf.lock().weigh();
        }
        self.register.list(limit, Instant::now())
    }

    /// The live workers in one line; `None` when there are none.
    pub fn workers(&self) -> Option<WorkerSnapshot> {
        let busy = u64::try_from(self.stats.busy.get()).unwrap_or_default();
        let shelf = self.shelf.lock();
        let now = Instant::now();
        let ages = shelf.lives().map(|life| now.duration_since(life.born));
        let rests = shelf.lives().map(|life| now.duration_since(life.last_used));
        let (age, rest) = (
            ages.max().unwrap_or_default(),
            rests.min().unwrap_or_default(),
        );
        // Those that share lie on the shelf while they are busy.
        let had_whole = if self.at_once == 1 { busy } else { 0 };
        let workers = had_whole + shelf.len() as u64;
        let idle = if busy > 0 { Duration::ZERO } else { rest };
        let status = if idle < self.policy.idle_timeout {
            WorkerStatus::Active
        } else {
            WorkerStatus::Idle
        };
        (workers > 0).then(|| WorkerSnapshot {
            age: whole_ms(age),
            idle: whole_ms(idle),
            request_count: self.stats.requests.get(),
            status,
            workers,
            queue_depth: self.waiting() as u64,
            failed: self.stats.failed.get(),
            response_time_ms: Quantiles::of(&self.stats.response_time.snapshot()),
        })
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
