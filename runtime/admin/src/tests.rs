//! The routes over a source with known numbers.
#![allow(clippy::unwrap_used)]

mod routes;
mod streaming;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use rookery_lifecycle::Shutdown;
use rookery_pool::Body;
use rookery_telemetry::prometheus::Exposition;
use rookery_telemetry::{
    Histogram, PoolFigures, Quantiles, Surroundings, WorkerSnapshot, WorkerStatus,
};
use serde_json::{Value, json};

use crate::{Access, Admin, Source};

/// Knows one app, and counts how often it is asked for its pools.
#[derive(Default)]
struct Known {
    looks: AtomicU64,
}

impl Source for Known {
    fn pool(&self) -> PoolFigures {
        self.looks.fetch_add(1, Relaxed);
        let response_time = Histogram::new();
        response_time.record(Duration::from_micros(1_500));
        PoolFigures {
            active_workers: 2,
            evictions: 3,
            hits: 1,
            misses: 2,
            total_requests: 30,
            workers_failed: 4,
            workers_created: 5,
            queue_depth: 6,
            queue_rejected: 7,
            response_time: response_time.snapshot(),
            uptime: Duration::from_secs(60),
            ..PoolFigures::default()
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            rss_bytes: 3 << 19,
            sessions: 8,
            topics: 9,
        }
    }

    fn workers(&self) -> BTreeMap<String, WorkerSnapshot> {
        let workers = WorkerSnapshot {
            age: 1_000,
            idle: 20,
            request_count: 30,
            status: WorkerStatus::Active,
            workers: 2,
            queue_depth: 0,
            failed: 1,
            response_time_ms: Quantiles::default(),
        };
        BTreeMap::from([("@team/chat@1.0.0".to_owned(), workers)])
    }

    fn hub(&self) -> Value {
        json!({ "sessions": 8 })
    }

    fn deployments(&self) -> Value {
        json!({ "apps": [{ "name": "chat" }] })
    }

    fn expose(&self, text: &mut Exposition) {
        text.counter("rookery_published_total", "Messages.")
            .sample(&[], 11.0);
    }
}

struct Server {
    admin: Arc<Admin>,
    known: Arc<Known>,
    shutdown: Shutdown,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Server {
    fn new(access: Access) -> Server {
        let (known, shutdown) = (Arc::new(Known::default()), Shutdown::new());
        let admin = Admin::new(access, known.clone(), shutdown.clone());
        Server {
            admin,
            known,
            shutdown,
        }
    }

    /// Answers a line like `GET /_/stats` with headers like `accept: text/plain`.
    async fn respond(&self, line: &str, headers: &[&str]) -> Response<Body> {
        let (method, uri) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(uri);
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        self.admin.serve(request.body(()).unwrap()).await
    }

    async fn ask(&self, line: &str, headers: &[&str]) -> Answer {
        let (parts, body) = self.respond(line, headers).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
