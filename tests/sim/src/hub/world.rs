//! The day itself: a hub, a supervisor with its pools, and all who come, until everything is over.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rookery_bundle::{AppName, Bundle, Digest, Expect, Kind};
use rookery_hub::{Hub, HubConfig};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Budget, Policy, Pool, Prepare, Spawn, Totals};
use rookery_supervisor::told::{self, Disk};
use rookery_supervisor::{MakePool, Supervisor, SupervisorConfig};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::client::come;
use super::event::Event;
use super::front::Front;
use super::guest::{Kitchen, Stage};
use super::plan::{BuildPlan, Plan};
use crate::trace::Entry;

/// More than any part of a day takes.
const PATIENCE: Duration = Duration::from_secs(600);
/// After it everything that was said has been heard: more than two backoffs and all that may take its time.
const QUIET: Duration = Duration::from_secs(30);
/// After it nothing is left of topics that nobody is at.
const FORGOTTEN: Duration = Duration::from_secs(150);

/// What a day came to.
pub struct Lived {
    /// What happened.
    pub entries: Vec<Entry<Event>>,
    /// What was not given back at its end.
    pub left_behind: Vec<String>,
}

/// Lives through the day.
pub async fn live(plan: &Plan) -> Lived {
    let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
    let hub = Hub::new(HubConfig::default(), &tasks, shutdown.clone());
    let stage = Stage::new(plan, &hub, &tasks);
    let (supervisor, tell) = supervise(plan, &stage, &tasks, &shutdown);
    let mut left_behind = Vec::new();
    let _ = tell.send(disk(plan, 0)).await;
    supervisor.settled().await;
    let front = Front::new(&stage, &hub, &tasks);
    let following = tokio::spawn(Arc::clone(&front).follow(supervisor));
    tokio::task::yield_now().await;

    let mut visitors = JoinSet::new();
    for (id, client) in (0..).zip(&plan.clients) {
        let (stage, front) = (Arc::clone(&stage), Arc::clone(&front));
        visitors.spawn(come(stage, front, id, client.clone()));
    }
    for (at, build) in &plan.deploys {
        sleep_until(stage.morning + *at).await;
        let _ = tell.send(disk(plan, *build)).await;
    }
    sleep_until(stage.morning + plan.length).await;
    stage.hurry.request();
    sleep(QUIET).await;
    stage.trace.add(Event::Quiet);
    let counted = hub.snapshot().total;
    stage
        .trace
        .add(Event::Counted(counted.dropped, counted.conflated));
    stage.evening.request();
    let all_left = async { while visitors.join_next().await.is_some_and(|left| left.is_ok()) {} };
    if timeout(PATIENCE, all_left).await.is_err() || !visitors.is_empty() {
        left_behind.push("a client never came to an end, or panicked".to_owned());
    }
    if timeout(PATIENCE, front.close()).await.is_err() {
        left_behind.push("the guests were never told of all ends".to_owned());
    }
    stage.trace.add(Event::Evening);
    sleep(FORGOTTEN).await;
    following.abort();
    count(&hub, &mut left_behind);
    let _ = tell.send(Vec::new()).await;
    shutdown.request();
    let running = tasks.drain(PATIENCE).await;
    if !running.is_empty() {
        left_behind.push(format!("tasks that never ended: {running:?}"));
    }
    Lived {
        entries: stage.trace.take(),
        left_behind,
    }
}

/// What the hub says of itself when nobody is there.
fn count(hub: &Hub, left_behind: &mut Vec<String>) {
    let snapshot = hub.snapshot();
    let left = [
        ("sessions", snapshot.total.sessions),
        ("topics", snapshot.total.topics),
        ("subscriptions", snapshot.total.subscriptions),
        ("timers", snapshot.timers),
    ];
    for (what, count) in left {
        if count > 0 {
            left_behind.push(format!("{count} {what} are left"));
        }
    }
}

fn supervise(
    plan: &Plan,
    stage: &Arc<Stage>,
    tasks: &Tasks,
    shutdown: &Shutdown,
) -> (Arc<Supervisor>, Sender<Disk>) {
    let budget = Budget::new(plan.budget);
    budget.keep_swept(tasks, shutdown.clone());
    let totals = Arc::<Totals>::default();
    let make_pool: MakePool = {
        let tasks = tasks.clone();
        Arc::new(move |bundle: &Arc<Bundle>, spawn: Arc<dyn Spawn>| {
            let policy = Policy::from_manifest(&bundle.manifest);
            Pool::new(bundle.label(), policy, spawn, &budget, &totals, &tasks)
        })
    };
    let config = SupervisorConfig {
        // Not as many as this machine has processors: the same seed does the same everywhere.
        preparing_max: 2,
        prepare_deadline: Duration::from_secs(5),
        grace: Duration::from_secs(30),
        ..SupervisorConfig::new(Vec::new())
    };
    let kitchen: Arc<dyn Prepare> = Arc::new(Kitchen(Arc::clone(stage)));
    let kinds = HashMap::from([(Kind::Wasm, kitchen)]);
    told::supervisor(config, kinds, make_pool, tasks, shutdown)
}

fn disk(plan: &Plan, build: u8) -> Disk {
    let mut bundle = template().clone();
    let settings: &BuildPlan = &plan.builds[usize::from(build)];
    bundle.manifest.ttl = settings.ttl;
    bundle.manifest.timeout = settings.timeout;
    bundle.manifest.workers.max = Some(settings.workers_max);
    bundle.digest = Digest([build; 32]);
    vec![(Arc::new(bundle), u64::from(build))]
}

/// A bundle as it is read from disk; read once, for reading is no part of the simulation.
fn template() -> &'static Bundle {
    static TEMPLATE: OnceLock<Bundle> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let apps = tempfile::tempdir().expect("there is room for a folder");
        let dir = apps.path().join("a");
        fs::create_dir(&dir).expect("it is empty");
        fs::write(dir.join("app.wasm"), "as planned").expect("there is room for ten bytes");
        let expect = Expect {
            name: AppName::parse("a").expect("a letter is a name"),
            version: Some(semver::Version::new(1, 0, 0)),
        };
        let bundle = rookery_bundle::open(&dir, expect);
        bundle.unwrap_or_else(|error| panic!("a folder with a component is a bundle: {error}"))
    })
}
