//! The routes over a source with known numbers.
#![allow(clippy::unwrap_used)]

mod deploys;
mod files;
mod logins;
mod roles;
mod routes;
mod steps;
mod streaming;
mod uploads;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use rookery_bundle::{AppName, Bundle, Digest};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{
    Body, Milestone, RevisionFigures, StartFailure, Watch, WorkerFigures, WorkerList, WorkerState,
};
use rookery_supervisor::rollout::{Change, RolloutError, RolloutStatus};
use rookery_telemetry::prometheus::Exposition;
use rookery_telemetry::{
    Histogram, LogTail, PoolFigures, Quantiles, Surroundings, WorkerSnapshot, WorkerStatus,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Access, Admin, Fate, Key, Keys, Label, RevisionLine, Role, Source, Stage, Token};

/// Knows one app, and counts how often it is asked for its revisions.
#[derive(Default)]
struct Known {
    looks: AtomicU64,
    /// What the one app is said to be.
    apps: AtomicU64,
    /// What its requests are said to be.
    requests: AtomicU64,
    log: Arc<LogTail>,
}

/// One of ten workers.
fn listed() -> WorkerList {
    let busy = WorkerFigures {
        number: 7,
        state: WorkerState::Busy,
        age: Duration::from_secs(5),
        idle: None,
        leases: 1,
        served: 3,
        memory_bytes: Some(65_536),
        process: None,
    };
    WorkerList {
        listed: vec![busy],
        more: 9,
    }
}

impl Source for Known {
    fn pool(&self) -> PoolFigures {
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
            deliveries: 100,
            sessions_failed: 0,
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

    fn revisions(&self) -> Vec<RevisionLine> {
        self.looks.fetch_add(1, Relaxed);
        let time = Histogram::new();
        time.record(Duration::from_millis(2));
        let asked = RevisionFigures {
            workers: None,
            busy: 1,
            waiting: 2,
            tunnels: 3,
            requests: 10 + self.requests.load(Relaxed),
            refused: 4,
            created: 5,
            failed: 6,
            relieved: 7,
            start_failure: None,
            response_time: time.snapshot(),
            queue_wait: time.snapshot(),
            cold_start: time.snapshot(),
            cpu_time: Some(Duration::from_millis(1_250)),
        };
        let failing = RevisionFigures {
            start_failure: Some(StartFailure {
                reason: "no such file".to_owned(),
                attempts: 8,
                retry_after: Duration::from_millis(1_500),
            }),
            cpu_time: None,
            ..asked.clone()
        };
        let line = |id, app: &str, figures| RevisionLine {
            id,
            app: app.to_owned(),
            version: "1.0.0".to_owned(),
            state: "live",
            refusal: None,
            sessions: 9,
            figures: Some(figures),
            workers: WorkerList::default(),
        };
        vec![
            RevisionLine {
                workers: listed(),
                ..line(1, "@team/chat", asked.clone())
            },
            line(2, "@team/chat", asked),
            line(3, "site", failing),
            RevisionLine {
                id: 4,
                app: "bad".to_owned(),
                version: "1.0.0".to_owned(),
                state: "refused",
                refusal: Some(crate::StartFailure {
                    reason: "no component".to_owned(),
                    attempts: 3,
                    retry_in_ms: None,
                }),
                sessions: 0,
                figures: None,
                workers: WorkerList::default(),
            },
        ]
    }

    fn proxies(&self) -> Value {
        json!([])
    }

    fn rollouts(&self) -> Value {
        json!({ "chat": { "weights": { "1.0.0": 100 } } })
    }

    fn hub(&self) -> Value {
        json!({ "sessions": 8 })
    }

    fn deployments(&self) -> Value {
        json!({ "apps": [{ "name": "chat" }] })
    }

    fn apps(&self) -> Value {
        json!({ "apps": [{ "name": "chat", "look": self.apps.load(Relaxed) }] })
    }

    fn log(&self) -> Arc<LogTail> {
        Arc::clone(&self.log)
    }

    fn expose(&self, text: &mut Exposition) {
        text.counter("rookery_published_total", "Messages.")
            .sample(&[], 11.0);
    }
}

/// Says of every bundle what the test says.
#[derive(Default)]
struct Rehearsed {
    refuses: Mutex<Option<String>>,
    refuses_live: Mutex<Option<String>>,
    uses: Mutex<Vec<String>>,
    rehearsed: Mutex<Vec<Arc<Bundle>>>,
    asked_live: AtomicU64,
}

impl Rehearsed {
    /// Whether anybody waited for a build to be live.
    fn asked_live(&self) -> bool {
        self.asked_live.load(Relaxed) > 0
    }
}

#[async_trait::async_trait]
impl Stage for Rehearsed {
    async fn rehearse(&self, bundle: Arc<Bundle>, watch: Arc<dyn Watch>) -> Result<(), String> {
        assert!(
            bundle.dir.is_dir(),
            "a bundle is there while it is looked at"
        );
        self.rehearsed.lock().push(bundle);
        let took = Duration::from_micros(1_500);
        watch.reached(Milestone::Compiled { took });
        self.refuses.lock().clone().map_or(Ok(()), Err)
    }

    async fn live(&self, _: &Label, _: Digest) -> Fate {
        self.asked_live.fetch_add(1, Relaxed);
        let refused = self.refuses_live.lock().clone();
        refused.map_or(Fate::Live, Fate::Refused)
    }

    async fn gone(&self, _: &Label) {}

    fn uses(&self, _: &Label) -> Vec<String> {
        self.uses.lock().clone()
    }

    fn folder(&self, _: &Label) -> Option<String> {
        None
    }

    fn rollout(&self, app: &AppName) -> Option<RolloutStatus> {
        (app.as_str() == "chat").then(|| rolled("1.0.0"))
    }

    async fn roll(&self, app: &AppName, change: Change) -> Result<RolloutStatus, RolloutError> {
        let app = app.to_string();
        match change {
            Change::Promote {
                version: Some(version),
            } => Ok(rolled(&version.to_string())),
            _ => Err(RolloutError::NothingBefore { app }),
        }
    }
}

/// Everything to one version.
fn rolled(version: &str) -> RolloutStatus {
    RolloutStatus {
        weights: BTreeMap::from([(version.to_owned(), 100.0)]),
        sessions: "follow",
        canary: None,
        previous: None,
        last: None,
        fault: None,
    }
}

/// A token with its name.
fn key(name: &str, role: Role, secret: &str) -> Key {
    Key {
        name: name.into(),
        role,
        token: Token::new(secret),
    }
}

/// Whoever has this token may do everything.
fn locked(secret: &str) -> Access {
    Access::Keys(Keys::new(vec![key("admin", Role::Deploy, secret)]))
}

struct Server {
    admin: Arc<Admin>,
    known: Arc<Known>,
    stage: Arc<Rehearsed>,
    /// What lies around the apps directory, which nobody may see.
    outside: TempDir,
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
        let (outside, stage) = (TempDir::new().unwrap(), Arc::new(Rehearsed::default()));
        let apps = outside.path().join("apps");
        std::fs::create_dir(&apps).unwrap();
        let admin = Admin::new(
            access,
            known.clone(),
            &apps,
            stage.clone(),
            &Tasks::new(),
            shutdown.clone(),
        );
        Server {
            admin,
            known,
            stage,
            outside,
            shutdown,
        }
    }

    /// A path in the apps directory.
    fn path(&self, name: &str) -> PathBuf {
        self.outside.path().join("apps").join(name)
    }

    /// Answers a line like `GET /_/stats` with headers like `accept: text/plain`.
    async fn respond(&self, line: &str, headers: &[&str]) -> Response<Body> {
        self.send(line, headers, Bytes::new()).await
    }

    async fn send(&self, line: &str, headers: &[&str], body: impl Into<Bytes>) -> Response<Body> {
        let (method, uri) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(uri);
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        self.admin.serve(request).await
    }

    async fn ask(&self, line: &str, headers: &[&str]) -> Answer {
        Answer::of(self.respond(line, headers).await).await
    }

    /// The same with a body.
    async fn tell(&self, line: &str, headers: &[&str], body: impl Into<Bytes>) -> Answer {
        Answer::of(self.send(line, headers, body).await).await
    }
}

impl Answer {
    async fn of(response: Response<Body>) -> Answer {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// The status and the code.
    fn outcome(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }

    fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
