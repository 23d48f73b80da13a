//! One revision's numbers: as its pool has them, and as they are shown.

use rookery_pool::RevisionFigures;
use rookery_telemetry::Quantiles;
use serde::Serialize;

/// A revision that serves, or finishes what it began.
#[derive(Clone, Debug)]
pub struct RevisionLine {
    /// Tells it from the others of this process.
    pub id: u64,
    /// The app.
    pub app: String,
    /// The version.
    pub version: String,
    /// Sessions that it serves.
    pub sessions: u64,
    /// What its pool did and has.
    pub figures: RevisionFigures,
}

/// The same for JSON.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionSnapshot {
    id: u64,
    app: String,
    version: String,
    /// Workers that live.
    workers: u64,
    /// Invocations that have a worker.
    busy: u64,
    /// Invocations that wait for one.
    queue_depth: u64,
    /// Sessions that it serves.
    sessions: u64,
    /// Tunnels that are open.
    tunnels: u64,
    /// Invocations asked for.
    requests: u64,
    /// Those that the queue turned away.
    queue_rejected: u64,
    /// Workers started.
    cold_starts: u64,
    /// Workers that could not start, or failed.
    workers_failed: u64,
    /// Idle workers that were recycled because memory was short.
    workers_relieved: u64,
    response_time_ms: Quantiles,
    queue_wait_ms: Quantiles,
    cold_start_ms: Quantiles,
    /// What all its workers computed; null where nobody measures.
    cpu_time_ms: Option<f64>,
    /// Null as long as its workers start.
    start_failure: Option<StartFailureSnapshot>,
}

/// Why a revision has no workers though it is asked for them.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StartFailureSnapshot {
    reason: String,
    /// How many failed one after the other.
    attempts: u32,
    /// When the next one may be tried: 0 for whoever asks next.
    retry_in_ms: u64,
}

impl RevisionLine {
    /// As it is shown.
    pub fn snapshot(&self) -> RevisionSnapshot {
        let figures = &self.figures;
        let failure = figures.start_failure.as_ref();
        RevisionSnapshot {
            id: self.id,
            app: self.app.clone(),
            version: self.version.clone(),
            workers: figures.workers.as_ref().map_or(0, |live| live.workers),
            busy: figures.busy,
            queue_depth: figures.waiting,
            sessions: self.sessions,
            tunnels: figures.tunnels,
            requests: figures.requests,
            queue_rejected: figures.refused,
            cold_starts: figures.created,
            workers_failed: figures.failed,
            workers_relieved: figures.relieved,
            response_time_ms: Quantiles::of(&figures.response_time),
            queue_wait_ms: Quantiles::of(&figures.queue_wait),
            cold_start_ms: Quantiles::of(&figures.cold_start),
            cpu_time_ms: figures.cpu_time.map(|time| time.as_micros() as f64 / 1e3),
            start_failure: failure.map(|failure| StartFailureSnapshot {
                reason: failure.reason.clone(),
                attempts: failure.attempts,
                retry_in_ms: u64::try_from(failure.retry_after.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }
}
