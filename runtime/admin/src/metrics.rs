//! The pools' numbers, as JSON and for Prometheus.

pub(crate) mod revisions;

use http::HeaderMap;
use http::header::ACCEPT;
use rookery_telemetry::prometheus::Exposition;
use rookery_telemetry::{PoolFigures, Surroundings, cpu_time};

use crate::source::Source;

/// Whether the client reads Prometheus' text. A browser names `text/html` and gets JSON, as does who takes anything.
pub(crate) fn wants_prometheus(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(','));
    let names: Vec<&str> = ranges
        .filter_map(|range| range.split(';').next())
        .map(str::trim)
        .collect();
    let listed = |wanted: &[&str]| {
        names
            .iter()
            .any(|name| wanted.iter().any(|one| name.eq_ignore_ascii_case(one)))
    };
    listed(&["text/plain", "application/openmetrics-text"])
        && !listed(&["application/json", "text/html"])
}

/// All numbers of `source` as text.
pub(crate) fn prometheus(source: &dyn Source) -> String {
    let mut text = Exposition::new();
    let pool = source.pool();
    counters(&mut text, &pool);
    gauges(&mut text, &pool);
    histograms(&mut text, &pool);
    server(&mut text, source.surroundings());
    revisions::write(&mut text, source.revisions());
    source.expose(&mut text);
    text.finish()
}

fn counters(text: &mut Exposition, pool: &PoolFigures) {
    let counters: [(&'static str, &str, u64); 7] = [
        (
            "rookery_requests_total",
            "Requests taken.",
            pool.total_requests,
        ),
        (
            "rookery_worker_hits_total",
            "Requests that found a living worker.",
            pool.hits,
        ),
        (
            "rookery_worker_misses_total",
            "Requests for which a worker was started.",
            pool.misses,
        ),
        (
            "rookery_workers_created_total",
            "Workers started.",
            pool.workers_created,
        ),
        (
            "rookery_workers_failed_total",
            "Workers that failed.",
            pool.workers_failed,
        ),
        (
            "rookery_workers_evicted_total",
            "Workers stopped to make room.",
            pool.evictions,
        ),
        (
            "rookery_queue_rejected_total",
            "Requests refused by the queue.",
            pool.queue_rejected,
        ),
    ];
    for (name, help, value) in counters {
        text.counter(name, help).sample(&[], value as f64);
    }
}

fn gauges(text: &mut Exposition, pool: &PoolFigures) {
    let gauges: [(&'static str, &str, f64); 4] = [
        (
            "rookery_workers_active",
            "Workers that live.",
            pool.active_workers as f64,
        ),
        (
            "rookery_workers_spare",
            "Of those that live, workers that nobody asked for yet.",
            pool.spare_workers as f64,
        ),
        (
            "rookery_queue_depth",
            "Requests that wait for a worker.",
            pool.queue_depth as f64,
        ),
        (
            "rookery_uptime_seconds",
            "Since the start.",
            pool.uptime.as_secs_f64(),
        ),
    ];
    for (name, help, value) in gauges {
        text.gauge(name, help).sample(&[], value);
    }
}

fn histograms(text: &mut Exposition, pool: &PoolFigures) {
    let histograms = [
        (
            "rookery_response_seconds",
            "To the head of the response.",
            &pool.response_time,
        ),
        (
            "rookery_queue_wait_seconds",
            "Waiting for a worker.",
            &pool.queue_wait,
        ),
        (
            "rookery_cold_start_seconds",
            "Starting a worker.",
            &pool.cold_start,
        ),
        (
            "rookery_lookup_seconds",
            "Finding a worker.",
            &pool.lookup_time,
        ),
    ];
    for (name, help, histogram) in histograms {
        text.histogram(name, help).sample(&[], histogram);
    }
}

fn server(text: &mut Exposition, around: Surroundings) {
    text.gauge("rookery_sessions", "Attached sessions.")
        .sample(&[], around.sessions as f64);
    text.gauge("rookery_topics", "Topics in use.")
        .sample(&[], around.topics as f64);
    // These two names are what every Prometheus dashboard looks for.
    text.gauge("process_resident_memory_bytes", "Resident memory.")
        .sample(&[], around.rss_bytes as f64);
    if let Some(cpu) = cpu_time() {
        text.counter("process_cpu_seconds_total", "Processor time.")
            .sample(&[], cpu.as_secs_f64());
    }
}
