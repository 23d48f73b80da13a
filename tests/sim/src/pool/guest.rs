//! Workers that do what the day's plan says, and write down what is done to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use rookery_bundle::Bundle;
use rookery_lifecycle::Shutdown;
use rookery_pool::{
    Body, Deadline, Effect, EventsOutcome, Fault, Invocation, Notice, Policy, Prepare, Spawn,
    SpawnError, TunnelAnswer, Unopened, Verdict, Worker,
};
use tokio::time::{sleep, timeout};

use super::event::{Build, ClientId, Event, How, Promise, WorkerId};
use super::plan::{BuildPlan, ClientPlan, Plan, Quality, Settings, StartPlan, Work};
use crate::trace::Trace;

/// What all workers of a day share.
pub struct Stage {
    pub trace: Trace<Event>,
    builds: Vec<(Settings, Quality)>,
    clients: Vec<ClientPlan>,
    starts: Vec<StartPlan>,
    started: AtomicUsize,
    budget: usize,
    grace: Duration,
    /// Those that live, and how to end them.
    living: Mutex<BTreeMap<WorkerId, Shutdown>>,
}

impl Stage {
    pub fn new(plan: &Plan) -> Arc<Stage> {
        let build = |build: &BuildPlan| (build.settings.clone(), build.quality);
        Arc::new(Stage {
            trace: Trace::begin(),
            builds: plan.builds.iter().map(build).collect(),
            clients: plan.clients.clone(),
            starts: plan.starts.clone(),
            started: AtomicUsize::new(0),
            budget: plan.budget,
            grace: plan.grace,
            living: Mutex::default(),
        })
    }

    /// One of those that live ends by itself.
    pub fn kill_one(&self, which: u64) {
        let living = self.living.lock();
        let count = u64::try_from(living.len()).unwrap_or_default();
        let Some(at) = which.checked_rem(count) else {
            return;
        };
        let nth = living.iter().nth(usize::try_from(at).unwrap_or_default());
        if let Some((worker, death)) = nth
            && !death.is_requested()
        {
            self.trace.add(Event::Died(*worker));
            death.request();
        }
    }

    fn promise(&self, manifest: &rookery_bundle::Manifest, settings: &Settings) -> Promise {
        let policy = Policy::from_manifest(manifest);
        let us = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let is_used_once = policy.ttl.is_zero();
        Promise {
            at_once: if is_used_once { 1 } else { settings.at_once },
            requests_max: if is_used_once { 1 } else { policy.max_requests },
            workers_max: policy.workers_max.unwrap_or(self.budget).min(self.budget),
            queue_timeout_us: us(policy.queue_timeout),
            idle_timeout_us: us(policy.idle_timeout),
            grace_us: us(self.grace),
        }
    }
}

/// Prepares builds of the day.
pub struct Kitchen(pub Arc<Stage>);

#[async_trait::async_trait]
impl Prepare for Kitchen {
    async fn prepare(&self, bundle: Arc<Bundle>) -> Result<Arc<dyn Spawn>, SpawnError> {
        let build = bundle.digest.0[0];
        let (settings, quality) = self.0.builds[usize::from(build)].clone();
        sleep(Duration::from_millis(20)).await;
        match quality {
            Quality::Good => {}
            Quality::Bad => return Err(SpawnError::new("it does not compile")),
            Quality::Hangs => std::future::pending().await,
        }
        let promise = self.0.promise(&bundle.manifest, &settings);
        self.0.trace.add(Event::Prepared(build, promise));
        Ok(Arc::new(SimSpawn {
            stage: Arc::clone(&self.0),
            settings,
            build,
        }))
    }
}

struct SimSpawn {
    stage: Arc<Stage>,
    settings: Settings,
    build: Build,
}

#[async_trait::async_trait]
impl Spawn for SimSpawn {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        let stage = &self.stage;
        let nth = stage.started.fetch_add(1, Ordering::Relaxed);
        let id = WorkerId::try_from(nth).expect("a day has few workers");
        stage.trace.add(Event::Starting(id, self.build));
        let mut start = Start {
            stage,
            id,
            succeeded: None,
        };
        let plan = stage.starts[nth % stage.starts.len()];
        match plan {
            StartPlan::After(delay) => sleep(delay).await,
            StartPlan::Dies => {}
            StartPlan::Fails => return Err(SpawnError::new("it was told not to")),
            StartPlan::Hangs => std::future::pending().await,
        }
        let death = Shutdown::new();
        stage.living.lock().insert(id, death.clone());
        start.succeeded = Some(());
        stage.trace.add(Event::Started(id));
        if matches!(plan, StartPlan::Dies) {
            stage.trace.add(Event::Died(id));
            death.request();
        }
        Ok(Box::new(Handle(Arc::new(Running {
            stage: Arc::clone(stage),
            id,
            hears_for: self.settings.hears,
            shares: self.settings.at_once > 1,
            death,
        }))))
    }

    fn serves_sessions(&self) -> bool {
        false
    }

    fn concurrency(&self) -> usize {
        self.settings.at_once
    }

    fn serves_tunnels(&self) -> bool {
        true
    }

    fn hears_notices(&self) -> bool {
        self.settings.hears.is_some()
    }
}

/// A start that fails unless it is said to have succeeded: it may be dropped, too.
struct Start<'a> {
    stage: &'a Stage,
    id: WorkerId,
    succeeded: Option<()>,
}

impl Drop for Start<'_> {
    fn drop(&mut self) {
        if self.succeeded.is_none() {
            self.stage.trace.add(Event::NotStarted(self.id));
        }
    }
}

struct Handle(Arc<Running>);

struct Running {
    stage: Arc<Stage>,
    id: WorkerId,
    hears_for: Option<Duration>,
    shares: bool,
    death: Shutdown,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stage.living.lock().remove(&self.id);
        self.stage.trace.add(Event::Gone(self.id));
    }
}

/// An invocation; stopped unless it is said how it ended.
struct Ongoing<'a> {
    running: &'a Running,
    client: ClientId,
    how: How,
}

impl<'a> Ongoing<'a> {
    fn begin(running: &'a Running, path: &str) -> Ongoing<'a> {
        let client = path.trim_start_matches('/').parse();
        let client = client.expect("clients ask for their own number");
        running.stage.trace.add(Event::Began(client, running.id));
        Ongoing {
            running,
            client,
            how: How::Stopped,
        }
    }

    fn work(&self) -> Work {
        let client = usize::try_from(self.client).expect("a client's number is an index");
        self.running.stage.clients[client].work
    }

    fn end(mut self, how: How) -> Verdict {
        self.how = how;
        match how {
            How::Well => Verdict::Reusable,
            How::Spent => Verdict::Spent,
            How::Fault | How::Stopped => Verdict::Fault(Fault::Trap("as planned".into())),
        }
    }
}

impl Drop for Ongoing<'_> {
    fn drop(&mut self) {
        let (client, worker) = (self.client, self.running.id);
        self.running
            .stage
            .trace
            .add(Event::Ended(client, worker, self.how));
    }
}

#[async_trait::async_trait]
impl Worker for Handle {
    async fn request(&mut self, invocation: Invocation) -> Verdict {
        let ongoing = Ongoing::begin(&self.0, invocation.request.uri().path());
        let deadline = invocation.deadline.clone();
        let worked = tokio::select! {
            biased;
            () = self.0.death.requested() => None,
            how = work(&self.0, ongoing.work(), invocation) => Some(how),
            () = deadline.passed() => None,
        };
        ongoing.end(worked.unwrap_or(How::Fault))
    }

    async fn events(&mut self, _: &[rookery_contract::Event], _: Deadline) -> EventsOutcome {
        EventsOutcome {
            began: None,
            effect: Effect::None,
            verdict: Verdict::Reusable,
        }
    }

    async fn tunnel(
        &mut self,
        request: Request<()>,
        _: Deadline,
    ) -> Result<TunnelAnswer, Unopened> {
        let ongoing = Ongoing::begin(&self.0, request.uri().path());
        sleep(Duration::from_millis(1)).await;
        // Nobody speaks in it; the client only wants to know to whom.
        let (near, _far) = tokio::io::duplex(64);
        let client = ongoing.client;
        ongoing.end(How::Well);
        self.0.stage.trace.add(Event::Opened(client, self.0.id));
        Ok(TunnelAnswer::Accepted {
            head: Response::new(()),
            io: Box::new(near),
        })
    }

    async fn tell(&mut self, notice: Notice, _: Deadline) {
        self.0.stage.trace.add(Event::Told(self.0.id, notice));
        sleep(self.0.hears_for.unwrap_or_default()).await;
    }

    fn share(&self) -> Option<Box<dyn Worker>> {
        let handle = Handle(Arc::clone(&self.0));
        self.0.shares.then(|| Box::new(handle) as Box<dyn Worker>)
    }

    fn is_alive(&self) -> bool {
        !self.0.death.is_requested()
    }
}

async fn work(running: &Running, work: Work, invocation: Invocation) -> How {
    let answer = Full::new(Bytes::from(running.id.to_string()));
    let answer = answer.map_err(|never| match never {});
    match work {
        Work::Answer(takes) | Work::Spend(takes) => {
            sleep(takes).await;
            invocation
                .reply
                .respond(Response::new(answer.boxed_unsync()));
        }
        Work::Stream(lasts) | Work::Tunnel(lasts) => {
            let ends = async move {
                sleep(lasts).await;
                None
            };
            let body: Body = answer.with_trailers(ends).boxed_unsync();
            invocation.reply.respond(Response::new(body));
            let _ = timeout(lasts, std::future::pending::<()>()).await;
        }
        Work::Fail(takes) => {
            sleep(takes).await;
            return How::Fault;
        }
        Work::Hang => std::future::pending().await,
    }
    match work {
        Work::Spend(_) => How::Spent,
        _ => How::Well,
    }
}
