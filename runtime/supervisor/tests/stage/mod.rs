//! An apps directory, a supervisor that serves it, and components that do as their bytes say.

#![allow(clippy::unwrap_used, dead_code)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rookery_bundle::{Bundle, Entry, Kind};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{
    Budget, Deadline, Effect, EventsOutcome, Invocation, Policy, Pool, Prepare, Spawn, SpawnError,
    Totals, Verdict, Worker,
};
use rookery_routing::{Fallback, Selector};
use rookery_supervisor::{
    Deployments, Revision, RevisionStatus, Supervisor, SupervisorConfig, Watching,
};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// More than anything here takes; of the paused clock where a test pauses it.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Stage {
    pub apps: tempfile::TempDir,
    pub supervisor: Arc<Supervisor>,
    pub script: Arc<Script>,
    pub tasks: Tasks,
    pub shutdown: Shutdown,
}

/// Prepares components by the first word of their bytes: `bad`, `panic`, `hang`, `gated`, `twice` (fails twice); any
/// other is good.
pub struct Script {
    /// Lets a gated preparation pass.
    pub gate: Semaphore,
    pub begun: AtomicUsize,
    pub at_once: AtomicUsize,
    pub at_once_max: AtomicUsize,
}

/// Puts a folder in place by a rename, as a deploy does.
pub fn publish(apps: &Path, folder: &str, files: &[(&str, &str)]) {
    let staged = apps.join(".staged");
    for (name, text) in files {
        let path = staged.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let place = apps.join(folder);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    if place.exists() {
        fs::rename(&place, apps.join(".replaced")).unwrap();
    }
    fs::rename(&staged, &place).unwrap();
    let _ = fs::remove_dir_all(apps.join(".replaced"));
}

impl Stage {
    /// Serves an apps directory with these components, looking at it often rather than watching it.
    pub fn new(components: &[(&str, &str)]) -> Stage {
        Stage::with(components, |config| config.watching = Watching::Looks)
    }

    pub fn with(components: &[(&str, &str)], set: impl FnOnce(&mut SupervisorConfig)) -> Stage {
        let apps = tempfile::tempdir().unwrap();
        for (folder, text) in components {
            publish(apps.path(), folder, &[("app.wasm", text)]);
        }
        let mut config = SupervisorConfig::new(vec![apps.path().to_owned()]);
        set(&mut config);
        let script = Arc::new(Script {
            gate: Semaphore::new(0),
            begun: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            at_once_max: AtomicUsize::new(0),
        });
        let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
        let (budget, totals, pool_tasks) =
            (Budget::new(8), Arc::<Totals>::default(), tasks.clone());
        let prepare: Arc<dyn Prepare> = Arc::clone(&script) as _;
        let supervisor = Supervisor::start(
            config,
            HashMap::from([(Kind::Wasm, prepare)]),
            Arc::new(move |bundle: &Arc<Bundle>, spawn| {
                let policy = Policy::from_manifest(&bundle.manifest);
                Pool::new(bundle.label(), policy, spawn, &budget, &totals, &pool_tasks)
            }),
            &tasks,
            &shutdown,
        );
        Stage {
            apps,
            supervisor,
            script,
            tasks,
            shutdown,
        }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.apps.path().join(path)
    }

    /// Puts a component in place by a rename.
    pub fn publish(&self, folder: &str, text: &str) {
        publish(self.apps.path(), folder, &[("app.wasm", text)]);
    }

    pub async fn settled(&self) {
        timeout(PATIENCE, self.supervisor.settled()).await.unwrap();
    }

    /// Waits until the deployments are as `is_so` wants them.
    pub async fn until(&self, is_so: impl Fn(&Deployments) -> bool) -> Deployments {
        let mut events = self.supervisor.events();
        let waited = timeout(PATIENCE, async {
            loop {
                let deployments = self.supervisor.deployments();
                if is_so(&deployments) {
                    return deployments;
                }
                // One that lagged looks again as well.
                let _ = events.recv().await;
            }
        });
        match waited.await {
            Ok(deployments) => deployments,
            Err(_) => panic!(
                "it did not come to it: {:#?}",
                self.supervisor.deployments()
            ),
        }
    }

    /// Waits until the revisions, the newest first, read like this: `chat@1.0.0 live`.
    pub async fn until_states(&self, expected: &[&str]) -> Deployments {
        self.until(|deployments| states(deployments) == expected)
            .await
    }

    /// What serves this version of an app; `*` is the one that an unpinned path gets.
    pub fn serving(&self, app: &str, version: &str) -> Option<Arc<Revision>> {
        let selector = match version {
            "*" => Selector::None,
            version => Selector::parse(version).unwrap(),
        };
        let table = self.supervisor.table();
        let resolved = table.resolve(app, &selector, Fallback::None)?;
        Some(Arc::clone(resolved.value))
    }
}

pub fn states(deployments: &Deployments) -> Vec<String> {
    let apps = deployments.apps.iter();
    let state = |app: &str, one: &RevisionStatus| format!("{app}@{} {}", one.version, one.state);
    apps.flat_map(|app| app.revisions.iter().map(|one| state(&app.name, one)))
        .collect()
}

/// The reason of the first refusal.
pub fn reason(deployments: &Deployments) -> &str {
    let mut revisions = deployments.apps.iter().flat_map(|app| &app.revisions);
    let reason = revisions.find_map(|one| one.reason.as_deref());
    reason.unwrap_or_default()
}

struct Running<'a>(&'a Script);

impl<'a> Running<'a> {
    fn begin(script: &'a Script) -> Running<'a> {
        script.begun.fetch_add(1, Ordering::SeqCst);
        let now = script.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        script.at_once_max.fetch_max(now, Ordering::SeqCst);
        Running(script)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Prepare for Script {
    async fn prepare(&self, bundle: Arc<Bundle>) -> Result<Arc<dyn Spawn>, SpawnError> {
        let _running = Running::begin(self);
        let Entry::Component { path } = &bundle.entry else {
            panic!("only components come here, not {:?}", bundle.entry);
        };
        let text = fs::read_to_string(path).unwrap();
        match text.split(' ').next() {
            Some("bad") => Err(SpawnError::new(format!("cannot compile {text}"))),
            Some("needs") => Err(SpawnError {
                lacks: Some("install bun".into()),
                ..SpawnError::new("no bun in /opt")
            }),
            Some("panic") => panic!("asked to"),
            Some("hang") => std::future::pending().await,
            Some("twice") if self.begun.load(Ordering::SeqCst) <= 2 => {
                Err(SpawnError::new("the database is away"))
            }
            Some("gated") => {
                self.gate.acquire().await.unwrap().forget();
                Ok(Arc::new(Idle))
            }
            _ => Ok(Arc::new(Idle)),
        }
    }
}

struct Idle;

#[async_trait]
impl Spawn for Idle {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        Ok(Box::new(Idle))
    }

    fn serves_sessions(&self) -> bool {
        false
    }
}

#[async_trait]
impl Worker for Idle {
    async fn request(&mut self, _: Invocation) -> Verdict {
        Verdict::Spent
    }

    async fn events(&mut self, _: &[rookery_contract::Event], _: Deadline) -> EventsOutcome {
        EventsOutcome {
            began: None,
            effect: Effect::None,
            verdict: Verdict::Spent,
        }
    }
}
