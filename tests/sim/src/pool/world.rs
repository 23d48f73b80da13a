//! The day itself: a supervisor, its pools and all who come, until everything is over.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_bundle::{AppName, Bundle, Digest, Expect, Kind};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Budget, Policy, Pool, Prepare, Pressure, Spawn, Totals};
use rookery_supervisor::told::{self, Disk};
use rookery_supervisor::{Change, Event as Told, MakePool, Supervisor, SupervisorConfig};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::client::{come, name};
use super::event::{App, Build, Event, Presence};
use super::guest::{Kitchen, Stage};
use super::larder;
use super::plan::Plan;
use crate::trace::Entry;

/// More than any part of a day takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long memory is short.
const SHORT_FOR: Duration = Duration::from_millis(50);

/// What a day came to.
pub struct Lived {
    /// What happened.
    pub entries: Vec<Entry<Event>>,
    /// What was not given back at its end.
    pub left_behind: Vec<String>,
}

/// All that serves.
struct House {
    stage: Arc<Stage>,
    budget: Arc<Budget>,
    totals: Arc<Totals>,
    tasks: Tasks,
    shutdown: Shutdown,
    supervisor: Arc<Supervisor>,
    pools: Arc<Mutex<Vec<Arc<Pool>>>>,
}

/// Lives through the day.
pub async fn live(plan: &Plan) -> Lived {
    let (house, tell) = House::open(plan);
    let mut at_work = JoinSet::new();
    at_work.spawn(observe(
        Arc::clone(&house.stage),
        Arc::clone(&house.supervisor),
    ));
    let mut on_disk = BTreeMap::from([("a", (App::A, 0)), ("b", (App::B, 1))]);
    for (build, plan) in (0..).zip(&plan.builds) {
        house.stage.trace.add(Event::Belongs(build, plan.app));
    }
    for app in [App::A, App::B] {
        house.stage.trace.add(Event::OnDisk(app, Presence::Yes));
    }
    let _ = tell.send(disk(plan, &on_disk)).await;
    house.supervisor.settled().await;

    let morning = tokio::time::Instant::now();
    let mut visitors = JoinSet::new();
    for (id, client) in (0..).zip(&plan.clients) {
        let (stage, supervisor) = (Arc::clone(&house.stage), Arc::clone(&house.supervisor));
        visitors.spawn(come(stage, supervisor, id, client.clone()));
    }
    house.disturb(plan, &mut visitors);
    for deploy in &plan.deploys {
        sleep_until(morning + deploy.at).await;
        let presence = match deploy.build {
            Some(build) => {
                on_disk.insert(name(deploy.app), (deploy.app, build));
                Presence::Yes
            }
            None => {
                on_disk.remove(name(deploy.app));
                Presence::No
            }
        };
        house.stage.trace.add(Event::OnDisk(deploy.app, presence));
        let _ = tell.send(disk(plan, &on_disk)).await;
    }
    let mut left_behind = Vec::new();
    let all_left = async { while visitors.join_next().await.is_some_and(|left| left.is_ok()) {} };
    if timeout(PATIENCE, all_left).await.is_err() || !visitors.is_empty() {
        left_behind.push("a client never came to an end, or panicked".to_owned());
    }
    let _ = tell.send(Vec::new()).await;
    house.close(&mut left_behind).await;
    drop(at_work);
    let entries = house.stage.trace.take();
    house.count(&entries, &mut left_behind);
    Lived {
        entries,
        left_behind,
    }
}

impl House {
    fn open(plan: &Plan) -> (House, tokio::sync::mpsc::Sender<Disk>) {
        let stage = Stage::new(plan);
        let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
        let budget = Budget::new(plan.budget);
        budget.keep_swept(&tasks, shutdown.clone());
        larder::keep(&stage, &budget, &tasks, &shutdown);
        let (totals, pools) = (Arc::<Totals>::default(), Arc::<Mutex<Vec<_>>>::default());
        let make_pool: MakePool = {
            let (budget, totals, tasks) = (Arc::clone(&budget), Arc::clone(&totals), tasks.clone());
            let pools = Arc::clone(&pools);
            Arc::new(move |bundle: &Arc<Bundle>, spawn: Arc<dyn Spawn>| {
                let policy = Policy::from_manifest(&bundle.manifest);
                let pool = Pool::new(bundle.label(), policy, spawn, &budget, &totals, &tasks);
                pools.lock().push(Arc::clone(&pool));
                pool
            })
        };
        let config = SupervisorConfig {
            // Not as many as this machine has processors: the same seed does the same everywhere.
            preparing_max: 2,
            prepare_deadline: Duration::from_secs(5),
            grace: plan.grace,
            ..SupervisorConfig::new(Vec::new())
        };
        let kitchen: Arc<dyn Prepare> = Arc::new(Kitchen(Arc::clone(&stage)));
        let kinds = HashMap::from([(Kind::Wasm, kitchen)]);
        let (supervisor, tell) = told::supervisor(config, kinds, make_pool, &tasks, &shutdown);
        let house = House {
            stage,
            budget,
            totals,
            tasks,
            shutdown,
            supervisor,
            pools,
        };
        (house, tell)
    }

    /// What happens to the house while it serves.
    fn disturb(&self, plan: &Plan, visitors: &mut JoinSet<()>) {
        for at in plan.pressures.clone() {
            let budget = Arc::clone(&self.budget);
            visitors.spawn(async move {
                sleep(at).await;
                budget.relieve(Pressure::Scarce);
                sleep(SHORT_FOR).await;
                budget.relieve(Pressure::None);
            });
        }
        for (at, which) in plan.deaths.clone() {
            let stage = Arc::clone(&self.stage);
            visitors.spawn(async move {
                sleep(at).await;
                stage.kill_one(which);
            });
        }
    }

    /// Ends all that serves, as it has to end.
    async fn close(&self, left_behind: &mut Vec<String>) {
        let retired = async {
            while !self.supervisor.revisions().is_empty() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        if timeout(PATIENCE, retired).await.is_err() {
            left_behind.push("a revision never retired".to_owned());
        }
        self.shutdown.request();
        let running = self.tasks.drain(PATIENCE).await;
        if !running.is_empty() {
            left_behind.push(format!("tasks that never ended: {running:?}"));
        }
    }

    /// What the house says of itself, against what happened.
    fn count(&self, entries: &[Entry<Event>], left_behind: &mut Vec<String>) {
        let happened = |is_it: fn(&Event) -> bool| {
            let matching = entries.iter().filter(|entry| is_it(&entry.event));
            matching.count() as u64
        };
        let mut expect = |what: &str, counted: u64, expected: u64| {
            if counted != expected {
                left_behind.push(format!("{what}: counted {counted}, and it was {expected}"));
            }
        };
        let started = happened(|event| matches!(event, Event::Started(_)));
        let asked = happened(|event| matches!(event, Event::Asked(..)));
        expect("workers that live", self.budget.workers_live() as u64, 0);
        let died = happened(|event| matches!(event, Event::Died(_)));
        // One that has died when it is first looked at did not start.
        let created = self.totals.created.get();
        expect(
            "workers created",
            created.clamp(started.saturating_sub(died), started),
            created,
        );
        expect("requests", self.totals.requests.get(), asked);
        let waiting = self.totals.waiting.get();
        expect("invocations that wait", waiting.unsigned_abs(), 0);
        for pool in self.pools.lock().iter() {
            let figures = pool.snapshot();
            let workers = figures.workers.map_or(0, |now| now.workers);
            expect("workers of a pool", workers, 0);
            expect("busy", pool.stats().busy.get().unsigned_abs(), 0);
            expect("tunnels", pool.stats().tunnels.get().unsigned_abs(), 0);
        }
    }
}

/// Writes down where builds have come to.
async fn observe(stage: Arc<Stage>, supervisor: Arc<Supervisor>) {
    let mut events = supervisor.events();
    let mut builds = HashMap::new();
    loop {
        let (id, change) = match events.recv().await {
            Ok(Told::Revision { id, change, .. }) => (id, change),
            Ok(_) | Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if matches!(change, Change::Live { .. }) {
            let revisions = supervisor.revisions();
            let live = revisions.iter().find(|revision| revision.id == id);
            builds.extend(live.map(|live| (id, live.bundle.digest.0[0])));
        }
        let Some(build) = builds.get(&id) else {
            continue;
        };
        match change {
            Change::Live { .. } => stage.trace.add(Event::Live(*build)),
            Change::Draining => stage.trace.add(Event::Draining(*build)),
            Change::Retired => stage.trace.add(Event::Retired(*build)),
            Change::Staged | Change::Warming | Change::Refused { .. } => {}
        }
    }
}

fn disk(plan: &Plan, on_disk: &BTreeMap<&'static str, (App, Build)>) -> Disk {
    let bundle = |(name, (_, build)): (&&'static str, &(App, Build))| {
        let settings = &plan.builds[usize::from(*build)].settings;
        let mut bundle = template(name).clone();
        settings.write_into(&mut bundle.manifest);
        bundle.digest = Digest([*build; 32]);
        (Arc::new(bundle), u64::from(*build))
    };
    on_disk.iter().map(bundle).collect()
}

/// A bundle as it is read from disk; read once, for reading is no part of the simulation.
fn template(name: &str) -> &'static Bundle {
    static TEMPLATES: OnceLock<[Bundle; 2]> = OnceLock::new();
    let [a, b] = TEMPLATES.get_or_init(|| ["a", "b"].map(read));
    if name == "a" { a } else { b }
}

fn read(name: &str) -> Bundle {
    let apps = tempfile::tempdir().expect("there is room for a folder");
    let dir = apps.path().join(name);
    fs::create_dir(&dir).expect("it is empty");
    fs::write(dir.join("app.wasm"), "as planned").expect("there is room for ten bytes");
    let expect = Expect {
        name: AppName::parse(name).expect("a letter is a name"),
        version: Some(semver::Version::new(1, 0, 0)),
    };
    let bundle = rookery_bundle::open(&dir, expect);
    bundle.unwrap_or_else(|error| panic!("a folder with a component is a bundle: {error}"))
}
