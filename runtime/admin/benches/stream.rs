//! What a tick of the dashboard costs: 50 viewers, 200 revisions, one second of the stream.
//!
//! `cargo bench -p rookery-admin --bench stream`. The time of an iteration is what one tick takes of one core, from the
//! numbers of the pools to the bytes for every viewer's socket, without the sockets; there is a tick each second, so 10 ms
//! are 1 % of a core. `busy`: all revisions are asked all the time. `quiet`: one in twenty is.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::Request;
use http_body_util::{BodyExt, Empty};
use rookery_admin::{Access, Admin, Fate, Label, RevisionLine, Source, Stage};
use rookery_bundle::{AppName, Bundle, Digest};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Body, RevisionFigures, Watch, WorkerFigures, WorkerList, WorkerState};
use rookery_supervisor::rollout::{Change, RolloutError, RolloutStatus};
use rookery_telemetry::prometheus::Exposition;
use rookery_telemetry::{Histogram, LogTail, PoolFigures, Surroundings, WorkerSnapshot};
use serde_json::{Value, json};

const REVISIONS: u64 = 200;
const VIEWERS: usize = 50;
/// One of so many is asked.
const QUIET: u64 = 20;

/// Which revisions are asked, by number.
type Asked = fn(u64) -> bool;

/// Revisions whose numbers grow with every look.
struct Busy {
    looks: AtomicU64,
    asked: Asked,
    times: Histogram,
    log: Arc<LogTail>,
}

impl Source for Busy {
    fn pool(&self) -> PoolFigures {
        PoolFigures {
            total_requests: self.looks.load(Relaxed) * 1_000,
            response_time: self.times.snapshot(),
            ..PoolFigures::default()
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings::default()
    }

    fn workers(&self) -> BTreeMap<String, WorkerSnapshot> {
        BTreeMap::new()
    }

    fn revisions(&self) -> Vec<RevisionLine> {
        let look = self.looks.fetch_add(1, Relaxed);
        self.times.record(Duration::from_micros(800 + look % 400));
        let line = |id| {
            let requests = if (self.asked)(id) {
                1_000 + look * 7
            } else {
                1_000
            };
            RevisionLine {
                id,
                app: format!("app-{id}"),
                version: "1.0.0".to_owned(),
                state: "live",
                refusal: None,
                sessions: 3,
                figures: Some(RevisionFigures {
                    workers: None,
                    busy: 1,
                    waiting: 0,
                    tunnels: 0,
                    requests,
                    refused: 0,
                    created: 2,
                    failed: 0,
                    relieved: 0,
                    start_failure: None,
                    // What a pool does for each of them, too.
                    response_time: self.times.snapshot(),
                    queue_wait: self.times.snapshot(),
                    cold_start: self.times.snapshot(),
                    cpu_time: Some(Duration::from_secs(1)),
                }),
                workers: WorkerList {
                    listed: (1..=3).map(|number| worker(number, requests)).collect(),
                    more: 0,
                },
            }
        };
        (0..REVISIONS).map(line).collect()
    }

    fn hub(&self) -> Value {
        json!({ "sessions": 0, "namespaces": [] })
    }

    fn proxies(&self) -> Value {
        json!([])
    }

    fn rollouts(&self) -> Value {
        json!({})
    }

    fn deployments(&self) -> Value {
        self.apps()
    }

    fn apps(&self) -> Value {
        let app = |id: u64| {
            json!({
                "name": format!("app-{id}"), "unpinned": "1.0.0",
                "revisions": [{
                    "id": id, "version": "1.0.0", "state": "live", "kind": "wasm", "digest": "5f1c9a0b77de",
                    "since": 1, "folder": format!("app-{id}/1.0.0"), "failures": 0,
                }],
            })
        };
        json!({ "apps": (0..REVISIONS).map(app).collect::<Vec<_>>(), "reports": [] })
    }

    fn log(&self) -> Arc<LogTail> {
        Arc::clone(&self.log)
    }

    fn expose(&self, _: &mut Exposition) {}
}

/// One that had as much to do.
fn worker(number: u64, requests: u64) -> WorkerFigures {
    WorkerFigures {
        number,
        state: WorkerState::Busy,
        age: Duration::from_secs(60),
        idle: None,
        leases: 1,
        served: requests / 3,
        memory_bytes: Some(2 << 20),
        process: None,
    }
}

/// Deploys nothing.
struct Closed;

#[async_trait::async_trait]
impl Stage for Closed {
    async fn rehearse(&self, _: Arc<Bundle>, _: Arc<dyn Watch>) -> Result<(), String> {
        Ok(())
    }

    async fn live(&self, _: &Label, _: Digest) -> Fate {
        Fate::Live
    }

    async fn gone(&self, _: &Label) {}

    fn uses(&self, _: &Label) -> Vec<String> {
        Vec::new()
    }

    fn folder(&self, _: &Label) -> Option<String> {
        None
    }

    fn rollout(&self, _: &AppName) -> Option<RolloutStatus> {
        None
    }

    async fn roll(&self, app: &AppName, _: Change) -> Result<RolloutStatus, RolloutError> {
        let app = app.to_string();
        Err(RolloutError::NoSuchApp { app })
    }
}

async fn tick(viewers: &mut [Body]) -> usize {
    let mut bytes = 0;
    for viewer in viewers {
        let frame = viewer
            .frame()
            .await
            .expect("the stream goes on")
            .expect("and does not break");
        bytes += frame.into_data().map_or(0, |data| data.len());
    }
    bytes
}

fn ticks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dashboard");
    let cases: [(&str, Asked); 2] = [("busy", |_| true), ("quiet", |id| id % QUIET == 0)];
    for (name, asked) in cases {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime starts");
        let folder = std::env::temp_dir();
        let mut viewers = runtime.block_on(async {
            let source = Arc::new(Busy {
                looks: AtomicU64::new(0),
                asked,
                times: Histogram::new(),
                log: Arc::new(LogTail::new()),
            });
            let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
            let admin = Admin::new(
                Access::Open,
                source,
                &folder,
                Arc::new(Closed),
                &tasks,
                shutdown,
            );
            let mut viewers = Vec::new();
            for _ in 0..VIEWERS {
                let request = Request::get("http://localhost/_/sse?view=dashboard");
                let request =
                    request.body(Empty::<Bytes>::new().map_err(|never: Infallible| match never {}));
                let answer = admin.serve(request.expect("a valid request")).await;
                let mut body = answer.into_body();
                // Apps, history and the first numbers.
                for _ in 0..3 {
                    body.frame()
                        .await
                        .expect("it begins")
                        .expect("without an error");
                }
                viewers.push(body);
            }
            viewers
        });
        // Time is paused: it goes on to the next tick as soon as everybody waits for it, so only the work is measured.
        group.bench_function(BenchmarkId::new("tick of 50 viewers", name), |bench| {
            bench.iter(|| black_box(runtime.block_on(tick(&mut viewers))));
        });
    }
    group.finish();
}

criterion_group!(benches, ticks);
criterion_main!(benches);
