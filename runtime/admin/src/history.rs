//! The last quarter of an hour of the whole server, a point each second, so that whoever opens the page sees what led to
//! now.
//!
//! **Invariant:** [`POINTS_MAX`] points are kept, and a point is of its own second alone: its quantiles are of what was
//! answered in it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_telemetry::{PoolFigures, Quantiles, Surroundings};
use serde::{Serialize, Serializer};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior};

use crate::recent::rounded;
use crate::source::Source;
use crate::survey::unix_ms;

/// How many points are kept.
pub(crate) const POINTS_MAX: usize = 900;
/// How far they are apart.
const EVERY: Duration = Duration::from_secs(1);

/// The names of a point's numbers, in their order.
const COLUMNS: [&str; 12] = [
    "at",
    "requestsPerSecond",
    "p50",
    "p95",
    "p99",
    "failuresPerSecond",
    "rejectedPerSecond",
    "coldStartsPerSecond",
    "queueDepth",
    "workers",
    "sessions",
    "deliveriesPerSecond",
];

/// One second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Point {
    /// Its end, in milliseconds since 1970.
    at: u64,
    requests: f64,
    /// None when nothing was answered.
    response_time_ms: Option<Quantiles>,
    failures: f64,
    rejected: f64,
    cold_starts: f64,
    queue_depth: u64,
    workers: u64,
    sessions: u64,
    deliveries: f64,
}

/// The points, the oldest first.
#[derive(Default)]
pub(crate) struct History(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    points: VecDeque<Point>,
    last: Option<(Instant, PoolFigures, Surroundings)>,
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = self.response_time_ms;
        (
            self.at,
            self.requests,
            time.map(|time| time.p50),
            time.map(|time| time.p95),
            time.map(|time| time.p99),
            self.failures,
            self.rejected,
            self.cold_starts,
            self.queue_depth,
            self.workers,
            self.sessions,
            self.deliveries,
        )
            .serialize(serializer)
    }
}

impl History {
    /// Takes a point each second until the shutdown.
    pub(crate) fn keep(
        self: &Arc<Self>,
        source: Arc<dyn Source>,
        tasks: &Tasks,
        shutdown: Shutdown,
    ) {
        let history = Arc::clone(self);
        tasks.spawn("history of figures", async move {
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                tokio::select! {
                    () = shutdown.requested() => return,
                    _ = ticks.tick() => {}
                }
                history.add(Instant::now(), source.pool(), source.surroundings());
            }
        });
    }

    fn add(&self, now: Instant, pool: PoolFigures, around: Surroundings) {
        let mut kept = self.0.lock();
        if let Some((then, before, around_before)) = &kept.last {
            let length = now.duration_since(*then).as_secs_f64();
            let per_second = |now: u64, then: u64| match length > 0.0 {
                true => rounded(now.saturating_sub(then) as f64 / length),
                false => 0.0,
            };
            let answered = pool.response_time.since(&before.response_time);
            let point = Point {
                at: unix_ms(),
                requests: per_second(pool.total_requests, before.total_requests),
                response_time_ms: (answered.count() > 0).then(|| Quantiles::of(&answered)),
                failures: per_second(pool.workers_failed, before.workers_failed),
                rejected: per_second(pool.queue_rejected, before.queue_rejected),
                cold_starts: per_second(pool.workers_created, before.workers_created),
                queue_depth: pool.queue_depth,
                workers: pool.active_workers,
                sessions: around.sessions,
                deliveries: per_second(around.deliveries, around_before.deliveries),
            };
            if kept.points.len() == POINTS_MAX {
                kept.points.pop_front();
            }
            kept.points.push_back(point);
        }
        kept.last = Some((now, pool, around));
    }

    /// The newest point; None in the first second.
    pub(crate) fn newest(&self) -> Option<Point> {
        self.0.lock().points.back().copied()
    }

    /// All of it, as `{"columns": […], "rows": [[…]]}`.
    pub(crate) fn json(&self) -> String {
        let kept = self.0.lock();
        json!({ "columns": COLUMNS, "rows": kept.points }).to_string()
    }

    /// The newest point with the names of its numbers.
    pub(crate) fn newest_named(&self) -> serde_json::Value {
        let values = serde_json::to_value(self.newest()).unwrap_or_default();
        let values = values.as_array().cloned().unwrap_or_default();
        let names = COLUMNS.iter().map(ToString::to_string);
        let named: serde_json::Map<_, _> = names.zip(values).collect();
        if named.is_empty() {
            serde_json::Value::Null
        } else {
            named.into()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rookery_telemetry::Histogram;
    use serde_json::Value;

    use super::*;

    fn pool(requests: u64, times: &Histogram) -> PoolFigures {
        PoolFigures {
            total_requests: requests,
            queue_depth: 3,
            response_time: times.snapshot(),
            ..PoolFigures::default()
        }
    }

    #[test]
    fn a_point_is_of_its_own_second() {
        let (history, times) = (History::default(), Histogram::new());
        let begin = Instant::now();
        let around = |deliveries| Surroundings {
            deliveries,
            sessions: 2,
            ..Surroundings::default()
        };
        times.record(Duration::from_secs(2));
        history.add(begin, pool(1, &times), around(10));
        assert_eq!(history.newest(), None, "one look is no second");
        assert_eq!(history.newest_named(), Value::Null);
        times.record(Duration::from_micros(10));
        history.add(begin + EVERY, pool(21, &times), around(40));
        let point = history.newest_named();
        assert_eq!(
            (
                &point["requestsPerSecond"],
                &point["p99"],
                &point["deliveriesPerSecond"]
            ),
            (&json!(20.0), &json!(0.01), &json!(30.0))
        );
        history.add(begin + 2 * EVERY, pool(21, &times), around(40));
        assert_eq!(
            history.newest_named()["p99"],
            Value::Null,
            "nothing was answered"
        );
        let all: Value = serde_json::from_str(&history.json()).unwrap();
        assert_eq!(
            all["columns"].as_array().unwrap().len(),
            all["rows"][0].as_array().unwrap().len()
        );
        assert_eq!(all["rows"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn the_oldest_points_are_forgotten() {
        let (history, times) = (History::default(), Histogram::new());
        let begin = Instant::now();
        for second in 0..POINTS_MAX as u32 + 10 {
            history.add(
                begin + second * EVERY,
                pool(1, &times),
                Surroundings::default(),
            );
        }
        assert_eq!(history.0.lock().points.len(), POINTS_MAX);
    }
}
