//! One revision: its state, and its numbers as they are shown.

use rookery_pool::{RevisionFigures, WorkerList};
use rookery_telemetry::Quantiles;
use serde::Serialize;

use crate::recent::Recent;
use crate::survey::unix_ms;
use crate::worker::{WorkerLine, moment};

/// A revision that exists, whatever its state.
#[derive(Clone, Debug)]
pub struct RevisionLine {
    /// Tells it from the others of this process.
    pub id: u64,
    /// The app.
    pub app: String,
    /// The version.
    pub version: String,
    /// `staged`, `warming`, `live`, `draining`, `retired` or `refused`.
    pub state: &'static str,
    /// Why it is refused, when it is.
    pub refusal: Option<StartFailure>,
    /// Sessions that it serves.
    pub sessions: u64,
    /// What its pool did and has; `None` where there is no pool: of pages, and before it is live.
    pub figures: Option<RevisionFigures>,
    /// Its workers one by one, as many as are to be shown.
    pub workers: WorkerList,
}

/// Why a revision does not serve, or has no workers though it is asked for them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartFailure {
    /// For the operator.
    pub reason: String,
    /// How many tries failed one after the other.
    pub attempts: u32,
    /// When it is tried again, in milliseconds: 0 for whoever asks next, null when only another build would help.
    pub retry_in_ms: Option<u64>,
}

/// A line for JSON.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionSnapshot {
    id: u64,
    app: String,
    version: String,
    state: &'static str,
    /// Null as long as it serves and its workers start.
    start_failure: Option<StartFailure>,
    /// Sessions that it serves.
    sessions: u64,
    #[serde(flatten)]
    figures: Option<FiguresSnapshot>,
    /// The last seconds; none where nobody has looked for that long.
    #[serde(skip_serializing_if = "Option::is_none")]
    recent: Option<Recent>,
}

/// What a pool did and has, for JSON.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FiguresSnapshot {
    /// Workers that live.
    workers: u64,
    /// Invocations that have a worker.
    busy: u64,
    /// Invocations that wait for one.
    queue_depth: u64,
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
    /// When the oldest living worker was started, in milliseconds since 1970, to the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_worker_since: Option<u64>,
    /// Since when none of them has had work; none while one has.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_since: Option<u64>,
    /// Those that were started first.
    worker_list: Vec<WorkerLine>,
    /// How many there are besides.
    workers_more: u64,
}

impl RevisionLine {
    /// As it is shown.
    pub fn snapshot(&self) -> RevisionSnapshot {
        self.snapshot_at(unix_ms(), None)
    }

    /// The same with what it did lately; `now` in milliseconds since 1970.
    pub(crate) fn snapshot_at(&self, now: u64, recent: Option<Recent>) -> RevisionSnapshot {
        RevisionSnapshot {
            id: self.id,
            app: self.app.clone(),
            version: self.version.clone(),
            state: self.state,
            start_failure: self.start_failure(),
            sessions: self.sessions,
            figures: (self.figures.as_ref())
                .map(|figures| FiguresSnapshot::of(figures, &self.workers, now)),
            recent,
        }
    }

    fn start_failure(&self) -> Option<StartFailure> {
        let of_pool = self.figures.as_ref();
        let of_pool = of_pool.and_then(|figures| figures.start_failure.as_ref());
        let of_pool = of_pool.map(|failure| StartFailure {
            reason: failure.reason.clone(),
            attempts: failure.attempts,
            retry_in_ms: u64::try_from(failure.retry_after.as_millis()).ok(),
        });
        of_pool.or_else(|| self.refusal.clone())
    }
}

impl RevisionSnapshot {
    /// Tells it from the others of this process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl FiguresSnapshot {
    fn of(figures: &RevisionFigures, workers: &WorkerList, now: u64) -> FiguresSnapshot {
        let live = figures.workers.as_ref();
        let since = |age: u64| moment(now, age);
        FiguresSnapshot {
            oldest_worker_since: live.map(|live| since(live.age)),
            idle_since: live
                .filter(|live| live.idle > 0)
                .map(|live| since(live.idle)),
            workers: figures.workers.as_ref().map_or(0, |live| live.workers),
            busy: figures.busy,
            queue_depth: figures.waiting,
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
            worker_list: (workers.listed.iter())
                .map(|worker| WorkerLine::of(worker, now))
                .collect(),
            workers_more: workers.more,
        }
    }
}
