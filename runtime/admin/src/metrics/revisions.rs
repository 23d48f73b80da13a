//! The numbers of each version, by `app` and `version`.
//!
//! **Invariant:** a version has one line in each family, also while one build of it replaces another.
//! **Invariant:** no more than [`SHOWN_MAX`] versions have lines: those that were asked most. How many have none is a
//! number of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use rookery_pool::RevisionFigures;
use rookery_telemetry::HistogramSnapshot;
use rookery_telemetry::prometheus::Exposition;

use crate::revision::RevisionLine;

/// How many versions have lines. Each has about 90, most of them of histograms.
pub(crate) const SHOWN_MAX: usize = 200;

type Number = (&'static str, &'static str, fn(&Sum) -> f64);
type Histogram = (&'static str, &'static str, fn(&Sum) -> &HistogramSnapshot);

const COUNTERS: [Number; 6] = [
    (
        "rookery_revision_requests_total",
        "Invocations asked for, by version.",
        |sum| sum.figures.requests as f64,
    ),
    (
        "rookery_revision_queue_rejected_total",
        "Invocations that the queue turned away, by version.",
        |sum| sum.figures.refused as f64,
    ),
    (
        "rookery_revision_workers_created_total",
        "Workers started, by version.",
        |sum| sum.figures.created as f64,
    ),
    (
        "rookery_revision_workers_failed_total",
        "Workers that could not start or failed, by version.",
        |sum| sum.figures.failed as f64,
    ),
    (
        "rookery_revision_workers_relieved_total",
        "Idle workers recycled because memory was short, by version.",
        |sum| sum.figures.relieved as f64,
    ),
    (
        "rookery_revision_cpu_seconds_total",
        "Processor time of all workers, by version.",
        |sum| sum.figures.cpu_time.unwrap_or_default().as_secs_f64(),
    ),
];

const GAUGES: [Number; 7] = [
    (
        "rookery_revision_workers",
        "Living workers, by version.",
        |sum| sum.figures.workers.as_ref().map_or(0, |live| live.workers) as f64,
    ),
    (
        "rookery_revision_busy",
        "Invocations that have a worker, by version.",
        |sum| sum.figures.busy as f64,
    ),
    (
        "rookery_revision_queue_depth",
        "Invocations that wait for a worker, by version.",
        |sum| sum.figures.waiting as f64,
    ),
    (
        "rookery_revision_sessions",
        "Attached sessions, by version.",
        |sum| sum.sessions as f64,
    ),
    (
        "rookery_revision_tunnels",
        "Open tunnels, by version.",
        |sum| sum.figures.tunnels as f64,
    ),
    (
        "rookery_revision_start_failures",
        "Starts of a worker that failed one after the other; 0 once one succeeded.",
        |sum| {
            let failure = sum.figures.start_failure.as_ref();
            failure.map_or(0, |failure| failure.attempts).into()
        },
    ),
    (
        "rookery_revision_start_retry_seconds",
        "Until a start that failed may be tried again.",
        |sum| {
            let failure = sum.figures.start_failure.as_ref();
            failure
                .map_or(Duration::ZERO, |failure| failure.retry_after)
                .as_secs_f64()
        },
    ),
];

const HISTOGRAMS: [Histogram; 3] = [
    (
        "rookery_revision_response_seconds",
        "To the head of the response, by version.",
        |sum| &sum.figures.response_time,
    ),
    (
        "rookery_revision_queue_wait_seconds",
        "Waiting for a worker, by version.",
        |sum| &sum.figures.queue_wait,
    ),
    (
        "rookery_revision_cold_start_seconds",
        "Starting a worker, by version.",
        |sum| &sum.figures.cold_start,
    ),
];

/// All builds of one version together.
struct Sum {
    sessions: u64,
    figures: RevisionFigures,
}

/// Writes the families.
pub(crate) fn write(text: &mut Exposition, lines: Vec<RevisionLine>) {
    states(text, &lines);
    let mut versions = by_version(lines);
    let omitted = versions.len().saturating_sub(SHOWN_MAX);
    versions.sort_by_key(|((app, version), sum)| {
        (
            std::cmp::Reverse(sum.figures.requests),
            app.clone(),
            version.clone(),
        )
    });
    versions.truncate(SHOWN_MAX);
    text.gauge(
        "rookery_revisions_omitted",
        "Versions without lines of their own, because others were asked more.",
    )
    .sample(&[], omitted as f64);
    for (name, help, value) in COUNTERS {
        let mut samples = text.counter(name, help);
        for ((app, version), sum) in &versions {
            samples.sample(&[("app", app), ("version", version)], value(sum));
        }
    }
    for (name, help, value) in GAUGES {
        let mut samples = text.gauge(name, help);
        for ((app, version), sum) in &versions {
            samples.sample(&[("app", app), ("version", version)], value(sum));
        }
    }
    for (name, help, histogram) in HISTOGRAMS {
        let mut samples = text.histogram(name, help);
        // One that was never asked has nothing to tell but zeros.
        let asked = versions.iter().filter(|(_, sum)| sum.figures.requests > 0);
        for ((app, version), sum) in asked {
            samples.sample(&[("app", app), ("version", version)], histogram(sum));
        }
    }
}

fn states(text: &mut Exposition, lines: &[RevisionLine]) {
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    // All of them, so that a state that nothing is in any more is told to be empty.
    for state in ["staged", "warming", "live", "draining", "refused"] {
        states.insert(state, 0);
    }
    for line in lines {
        *states.entry(line.state).or_default() += 1;
    }
    let mut samples = text.gauge("rookery_revisions", "Revisions by state.");
    for (state, count) in states {
        samples.sample(&[("state", state)], count as f64);
    }
}

fn by_version(lines: Vec<RevisionLine>) -> Vec<((String, String), Sum)> {
    let mut versions: BTreeMap<(String, String), Sum> = BTreeMap::new();
    for line in lines {
        // Pages have no pool, and neither has what is not live yet.
        let Some(figures) = line.figures else {
            continue;
        };
        match versions.entry((line.app, line.version)) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(Sum {
                    sessions: line.sessions,
                    figures,
                });
            }
            std::collections::btree_map::Entry::Occupied(mut sum) => {
                sum.get_mut().sessions += line.sessions;
                add(&mut sum.get_mut().figures, &figures);
            }
        }
    }
    versions.into_iter().collect()
}

fn add(sum: &mut RevisionFigures, more: &RevisionFigures) {
    match (&mut sum.workers, &more.workers) {
        (Some(sum), Some(more)) => sum.workers += more.workers,
        (none @ None, Some(more)) => *none = Some(more.clone()),
        (_, None) => {}
    }
    sum.busy += more.busy;
    sum.waiting += more.waiting;
    sum.tunnels += more.tunnels;
    sum.requests += more.requests;
    sum.refused += more.refused;
    sum.created += more.created;
    sum.failed += more.failed;
    sum.relieved += more.relieved;
    // The lines come the oldest first, and the newest build is the one that is asked.
    sum.start_failure.clone_from(&more.start_failure);
    sum.response_time.merge(&more.response_time);
    sum.queue_wait.merge(&more.queue_wait);
    sum.cold_start.merge(&more.cold_start);
    sum.cpu_time = match (sum.cpu_time, more.cpu_time) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    };
}
