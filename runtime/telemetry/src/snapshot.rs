//! A pool's numbers: as it counts them, and as they are served.
//!
//! [`PoolFigures`] add up, over workers, revisions and apps; [`PoolSnapshot`] is what `/_/metrics` shows of the sum.
//!
//! **Invariant:** the first twelve fields of a served snapshot are Buntime's, in its order, under its names and with the
//! meaning that its documentation gives them; ours come after.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::HistogramSnapshot;

/// What a pool has counted since it was made. The default is a pool that did nothing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PoolFigures {
    /// Workers that live now: leased, waiting, or started before anybody asked.
    pub active_workers: u64,
    /// Those of them that nobody asked for yet.
    pub spare_workers: u64,
    /// Workers that were stopped to make room for others.
    pub evictions: u64,
    /// Requests that found a worker which had lived before them.
    pub hits: u64,
    /// Requests for which a worker had to be started.
    pub misses: u64,
    /// Requests taken, whatever became of them.
    pub total_requests: u64,
    /// Workers that failed to start, or that a fault ended.
    pub workers_failed: u64,
    /// Workers that were started.
    pub workers_created: u64,
    /// Requests that wait for a worker now.
    pub queue_depth: u64,
    /// Requests that were refused because the queue was full or the wait too long.
    pub queue_rejected: u64,
    /// Requests per second over the last ten.
    pub recent_rate: f64,
    /// From a request's arrival to the end of its answer's head.
    pub response_time: HistogramSnapshot,
    /// From a request's arrival to its worker.
    pub queue_wait: HistogramSnapshot,
    /// What starting a worker took.
    pub cold_start: HistogramSnapshot,
    /// What finding the worker took, without the wait: Buntime's `avgResponseTimeMs` as it really was.
    pub lookup_time: HistogramSnapshot,
    /// Since when it counts.
    pub uptime: Duration,
}

/// What only the whole server knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Surroundings {
    /// Memory in use, in bytes; 0 where the system does not tell.
    pub rss_bytes: u64,
    /// Attached sessions.
    pub sessions: u64,
    /// Topics that have a subscriber or a history.
    pub topics: u64,
    /// Copies of published messages that were queued for subscribers, since the start.
    pub deliveries: u64,
    /// Sessions that were closed because a guest failed on their event, or did not keep up, since the start.
    pub sessions_failed: u64,
}

/// One pool, or all of them, as `/_/metrics` serves it.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolSnapshot {
    /// Workers that live now.
    pub active_workers: u64,
    /// The mean time to respond since the start.
    pub avg_response_time_ms: f64,
    /// Workers that were stopped to make room for others.
    pub evictions: u64,
    /// Hits in percent of hits and misses, two decimals; 0 before the first.
    pub hit_rate: f64,
    /// Requests that found a living worker.
    pub hits: u64,
    /// Resident memory of the server in MiB, two decimals.
    #[serde(rename = "memoryUsageMB")]
    pub memory_usage_mb: f64,
    /// Requests for which a worker had to be started.
    pub misses: u64,
    /// The mean since the start, two decimals.
    pub requests_per_second: f64,
    /// Requests taken.
    pub total_requests: u64,
    /// Workers that failed.
    pub total_workers_failed: u64,
    /// Workers that were started.
    pub total_workers_created: u64,
    /// Since when it counts, in whole milliseconds.
    pub uptime_ms: u64,

    /// The mean of the last ten seconds, two decimals.
    pub recent_requests_per_second: f64,
    /// Living workers that nobody asked for yet.
    pub spare_workers: u64,
    /// Requests that wait now.
    pub queue_depth: u64,
    /// Requests that were refused by the queue.
    pub queue_rejected: u64,
    /// Waiting for a worker.
    pub queue_wait_ms: Quantiles,
    /// Responding.
    pub response_time_ms: Quantiles,
    /// Starting a worker.
    pub cold_start_ms: Quantiles,
    /// Finding a worker.
    pub lookup_time_ms: Quantiles,
    /// Attached sessions.
    pub sessions: u64,
    /// Topics in use.
    pub topics: u64,
}

/// Three quantiles in milliseconds, three decimals.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// 95 of 100 are not above it.
    pub p95: f64,
    /// 99 of 100 are not above it.
    pub p99: f64,
}

/// Whether a worker has work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerStatus {
    /// It works, or did within its idle timeout.
    Active,
    /// It has had no work for longer than that.
    Idle,
}

/// One line of `/_/stats`: the living workers of one revision.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerSnapshot {
    /// Milliseconds since the oldest of them was started.
    pub age: u64,
    /// Milliseconds since one of them last had work.
    pub idle: u64,
    /// Requests that they took.
    pub request_count: u64,
    /// Whether any of them has work.
    pub status: WorkerStatus,
    /// How many there are; Buntime never had more than one.
    pub workers: u64,
    /// Requests of the revision that wait for a worker now.
    pub queue_depth: u64,
    /// Workers of the revision that failed since it went live.
    pub failed: u64,
    /// How the revision responded since it went live.
    pub response_time_ms: Quantiles,
}

/// What `/_/stats` and `/_/sse` serve.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StatsSnapshot {
    /// All pools together.
    pub pool: PoolSnapshot,
    /// By `name@version`.
    pub workers: BTreeMap<String, WorkerSnapshot>,
}

impl PoolFigures {
    /// Adds another pool's figures. Both count from the older one's start.
    pub fn merge(&mut self, other: &PoolFigures) {
        self.active_workers += other.active_workers;
        self.spare_workers += other.spare_workers;
        self.evictions += other.evictions;
        self.hits += other.hits;
        self.misses += other.misses;
        self.total_requests += other.total_requests;
        self.workers_failed += other.workers_failed;
        self.workers_created += other.workers_created;
        self.queue_depth += other.queue_depth;
        self.queue_rejected += other.queue_rejected;
        self.recent_rate += other.recent_rate;
        self.response_time.merge(&other.response_time);
        self.queue_wait.merge(&other.queue_wait);
        self.cold_start.merge(&other.cold_start);
        self.lookup_time.merge(&other.lookup_time);
        self.uptime = self.uptime.max(other.uptime);
    }

    /// The figures as they are served.
    pub fn snapshot(&self, around: Surroundings) -> PoolSnapshot {
        PoolSnapshot {
            active_workers: self.active_workers,
            avg_response_time_ms: ms(self.response_time.mean_us()),
            evictions: self.evictions,
            hit_rate: rounded(
                100.0 * ratio(self.hits as f64, (self.hits + self.misses) as f64),
                2,
            ),
            hits: self.hits,
            memory_usage_mb: rounded(around.rss_bytes as f64 / (1024.0 * 1024.0), 2),
            misses: self.misses,
            requests_per_second: rounded(
                ratio(self.total_requests as f64, self.uptime.as_secs_f64()),
                2,
            ),
            total_requests: self.total_requests,
            total_workers_failed: self.workers_failed,
            total_workers_created: self.workers_created,
            uptime_ms: u64::try_from(self.uptime.as_millis()).unwrap_or(u64::MAX),
            recent_requests_per_second: rounded(self.recent_rate, 2),
            spare_workers: self.spare_workers,
            queue_depth: self.queue_depth,
            queue_rejected: self.queue_rejected,
            queue_wait_ms: Quantiles::of(&self.queue_wait),
            response_time_ms: Quantiles::of(&self.response_time),
            cold_start_ms: Quantiles::of(&self.cold_start),
            lookup_time_ms: Quantiles::of(&self.lookup_time),
            sessions: around.sessions,
            topics: around.topics,
        }
    }
}

impl Quantiles {
    /// Of what a histogram held.
    pub fn of(histogram: &HistogramSnapshot) -> Quantiles {
        let at = |q| ms(histogram.quantile(q) as f64);
        Quantiles {
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
        }
    }
}

fn ms(us: f64) -> f64 {
    rounded(us / 1000.0, 3)
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests;
