//! The served shape, field by field.

use super::*;
use crate::Histogram;

fn times_ms(values: &[u64]) -> HistogramSnapshot {
    let histogram = Histogram::new();
    values
        .iter()
        .for_each(|&ms| histogram.record(Duration::from_millis(ms)));
    histogram.snapshot()
}

fn figures() -> PoolFigures {
    PoolFigures {
        active_workers: 3,
        spare_workers: 2,
        evictions: 1,
        hits: 2,
        misses: 1,
        total_requests: 30,
        workers_failed: 4,
        workers_created: 5,
        queue_depth: 6,
        queue_rejected: 7,
        recent_rate: 1.25,
        response_time: times_ms(&[10, 20]),
        lookup_time: times_ms(&[1]),
        uptime: Duration::from_micros(20_000_999),
        ..PoolFigures::default()
    }
}

/// Row 63 of the behaviours to keep: all twelve fields, their names and their order; extra ones after them.
#[test]
fn the_twelve_fields_of_buntime_come_first_in_its_order() {
    let json =
        serde_json::to_value(figures().snapshot(Surroundings::default())).expect("plain data");
    let names: Vec<_> = json
        .as_object()
        .expect("an object")
        .keys()
        .take(12)
        .collect();
    let buntime = "activeWorkers avgResponseTimeMs evictions hitRate hits memoryUsageMB misses requestsPerSecond \
                   totalRequests totalWorkersFailed totalWorkersCreated uptimeMs";
    assert_eq!(names, buntime.split_whitespace().collect::<Vec<_>>());
    assert!(
        json.as_object()
            .expect("an object")
            .values()
            .take(12)
            .all(serde_json::Value::is_number)
    );
}

/// Row 65: response times and memory are true, the lookup has a name of its own.
#[test]
fn the_values_mean_what_their_names_say() {
    let around = Surroundings {
        rss_bytes: 3 * 512 * 1024,
        sessions: 8,
        topics: 9,
        ..Surroundings::default()
    };
    let shown = figures().snapshot(around);
    assert_eq!(shown.avg_response_time_ms, 15.0);
    assert_eq!(shown.hit_rate, 66.67);
    assert_eq!(shown.memory_usage_mb, 1.5);
    assert_eq!(shown.requests_per_second, 1.5);
    assert_eq!(shown.recent_requests_per_second, 1.25);
    assert_eq!(shown.uptime_ms, 20_000);
    assert!((shown.lookup_time_ms.p50 - 1.0).abs() <= 1.0 / 16.0);
    assert!((shown.response_time_ms.p99 - 20.0).abs() <= 20.0 / 16.0);
    assert_eq!(
        (shown.total_workers_failed, shown.total_workers_created),
        (4, 5)
    );
    assert_eq!((shown.active_workers, shown.spare_workers), (3, 2));
    assert_eq!((shown.queue_depth, shown.queue_rejected), (6, 7));
    assert_eq!((shown.sessions, shown.topics), (8, 9));
}

#[test]
fn a_pool_that_did_nothing_divides_by_nothing() {
    let shown = PoolFigures::default().snapshot(Surroundings::default());
    assert_eq!(
        (
            shown.hit_rate,
            shown.requests_per_second,
            shown.avg_response_time_ms
        ),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(shown.response_time_ms, Quantiles::default());
}

#[test]
fn pools_add_up_and_the_older_one_gives_the_age() {
    let mut all = PoolFigures {
        uptime: Duration::from_secs(60),
        hits: 1,
        ..PoolFigures::default()
    };
    all.merge(&figures());
    assert_eq!((all.hits, all.misses, all.total_requests), (3, 1, 30));
    assert_eq!(all.uptime, Duration::from_secs(60));
    assert_eq!(all.response_time.count(), 2);
    let mut twice = figures();
    twice.merge(&figures());
    assert_eq!(
        (twice.active_workers, twice.evictions, twice.recent_rate),
        (6, 2, 2.5)
    );
    assert_eq!((twice.workers_failed, twice.workers_created), (8, 10));
    assert_eq!(twice.spare_workers, 4);
    assert_eq!((twice.queue_depth, twice.queue_rejected), (12, 14));
}

/// Row 63: `/_/stats` is `{pool, workers}`, a worker has age, idle, requestCount and status.
#[test]
fn stats_are_the_pool_and_its_workers_by_label() {
    let worker = WorkerSnapshot {
        age: 1000,
        idle: 10,
        request_count: 7,
        status: WorkerStatus::Active,
        workers: 1,
        queue_depth: 0,
        failed: 2,
        response_time_ms: Quantiles::default(),
    };
    let stats = StatsSnapshot {
        pool: PoolFigures::default().snapshot(Surroundings::default()),
        workers: BTreeMap::from([("chat@1.0.0".into(), worker)]),
    };
    let json = serde_json::to_value(stats).expect("plain data");
    assert_eq!(
        json.as_object()
            .expect("an object")
            .keys()
            .collect::<Vec<_>>(),
        ["pool", "workers"]
    );
    assert_eq!(
        json["workers"]["chat@1.0.0"].to_string(),
        concat!(
            r#"{"age":1000,"idle":10,"requestCount":7,"status":"active","workers":1,"#,
            r#""queueDepth":0,"failed":2,"responseTimeMs":{"p50":0.0,"p95":0.0,"p99":0.0}}"#,
        )
    );
}
