//! The gate that every new build passes before it gets traffic, whichever way it came: prepared, and then asked once
//! whether it is well.
//!
//! **Invariant:** the supervisor and a deploy over HTTP prepare through the same gate.
//! **Invariant:** what was on disk when the server started is not asked: it passed when it came, and a start is no
//! deploy. A database that is away for a moment must not take down what served before.
//! **Invariant:** what a deploy has just asked is not asked again when the supervisor finds it in its place.
//! **Absent on purpose:** a place among the figures. The one call has a pool of its own, so no request is counted that no
//! client made, and the worker that answered serves nobody else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use rookery_bundle::{Bundle, Digest, Health};
use rookery_lifecycle::Tasks;
use rookery_pool::{
    Budget, Fault, HealthAnswer, InvokeError, Milestone, Policy, Pool, Prepare, Spawn, SpawnError,
    Totals, Verdict, Watch,
};
use rookery_supervisor::Supervisor;
use tokio::time::timeout;

/// How long the start of a worker and its answer may take together.
const HEALTH_DEADLINE: Duration = Duration::from_secs(60);
/// How many deploys may be between their question and their place: as many as may upload, several times.
const PASSED_MAX: usize = 16;
/// What is read of the answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Prepares bundles of one kind, and asks them.
pub struct Gate {
    inner: Arc<dyn Prepare>,
    asker: Arc<Asker>,
}

/// What the gates of all kinds share.
pub struct Asker {
    /// Where the worker that is asked has its place.
    budget: Arc<Budget>,
    /// Where it is a task.
    tasks: Tasks,
    /// Says when the start is over. Known from the moment it is made, after this.
    pub supervisor: OnceLock<Weak<Supervisor>>,
    /// What deploys asked lately, the oldest first.
    passed: Mutex<VecDeque<(String, Digest)>>,
}

impl Gate {
    /// In front of what `inner` prepares.
    pub fn before(inner: Arc<dyn Prepare>, asker: &Arc<Asker>) -> Arc<dyn Prepare> {
        let asker = Arc::clone(asker);
        Arc::new(Gate { inner, asker })
    }
}

#[async_trait::async_trait]
impl Prepare for Gate {
    async fn prepare(&self, bundle: Arc<Bundle>) -> Result<Arc<dyn Spawn>, SpawnError> {
        let spawn = self.inner.prepare(Arc::clone(&bundle)).await?;
        if self.asker.start_is_over() && !self.asker.take_passed(&bundle) {
            self.asker.ask(&bundle, &spawn).await?;
        }
        Ok(spawn)
    }

    async fn prepare_watched(
        &self,
        bundle: Arc<Bundle>,
        watch: Arc<dyn Watch>,
    ) -> Result<Arc<dyn Spawn>, SpawnError> {
        let watches = Arc::clone(&watch);
        let prepared = self.inner.prepare_watched(Arc::clone(&bundle), watches);
        let spawn = prepared.await?;
        watch.reached(self.asker.ask(&bundle, &spawn).await?);
        self.asker.passed(&bundle);
        Ok(spawn)
    }
}

impl Asker {
    /// Asks in workers of this budget, as these tasks.
    pub fn new(budget: &Arc<Budget>, tasks: &Tasks) -> Arc<Asker> {
        Arc::new(Asker {
            budget: Arc::clone(budget),
            tasks: tasks.clone(),
            supervisor: OnceLock::new(),
            passed: Mutex::default(),
        })
    }

    fn passed(&self, bundle: &Bundle) {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.len() >= PASSED_MAX {
            passed.pop_front();
        }
        passed.push_back((bundle.label(), bundle.digest));
    }

    fn take_passed(&self, bundle: &Bundle) -> bool {
        let known = (bundle.label(), bundle.digest);
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let at = passed.iter().position(|one| *one == known);
        at.and_then(|at| passed.remove(at)).is_some()
    }

    fn start_is_over(&self) -> bool {
        let supervisor = self.supervisor.get().and_then(Weak::upgrade);
        supervisor.is_some_and(|supervisor| supervisor.ready())
    }

    /// Starts one worker and asks it, as a client at 0 % of the traffic would.
    async fn ask(
        &self,
        bundle: &Arc<Bundle>,
        spawn: &Arc<dyn Spawn>,
    ) -> Result<Milestone, SpawnError> {
        let policy = Policy {
            ttl: Duration::ZERO,
            workers_min: 0,
            ..Policy::from_manifest(&bundle.manifest)
        };
        let (starts, totals) = (Arc::clone(spawn), Arc::new(Totals::default()));
        let label = bundle.label();
        let pool = Pool::new(label, policy, starts, &self.budget, &totals, &self.tasks);
        let begun = Instant::now();
        let asked = match &bundle.manifest.health {
            Health::Path(path) => timeout(HEALTH_DEADLINE, answer(&pool, bundle, path)).await,
            Health::Off => timeout(HEALTH_DEADLINE, start(&pool)).await,
        };
        let answer = asked.unwrap_or_else(|_elapsed| {
            Err(format!("it did not answer within {HEALTH_DEADLINE:?}"))
        });
        let answer = answer.map_err(|reason| SpawnError {
            reason: format!("health: {reason}"),
            lacks: spawn.lacks(),
        })?;
        let took = begun.elapsed();
        Ok(Milestone::Healthy { answer, took })
    }
}

/// A worker that starts is all that can be known.
async fn start(pool: &Arc<Pool>) -> Result<Option<HealthAnswer>, String> {
    let lease = pool.acquire().await.map_err(|error| error.to_string())?;
    lease.finish(&Verdict::Reusable);
    Ok(None)
}

/// Anything but a failure of the app's own will do: not every app has the page.
async fn answer(
    pool: &Arc<Pool>,
    bundle: &Bundle,
    path: &str,
) -> Result<Option<HealthAnswer>, String> {
    let failed = |reason: String| format!("GET {path}: {reason}");
    let request = request(bundle, path).map_err(|error| failed(error.to_string()))?;
    let answered = match pool.request(request).await {
        Ok(answered) => answered,
        // An app of sessions alone.
        Err(InvokeError::Fault {
            fault: Fault::Unsupported(_),
            ..
        }) => return Ok(None),
        Err(InvokeError::Fault { fault, .. }) => return Err(failed(fault.to_string())),
        Err(InvokeError::Acquire(error)) => return Err(error.to_string()),
    };
    let status = answered.status();
    let read = read(answered.into_body()).await;
    if status >= StatusCode::INTERNAL_SERVER_ERROR {
        return Err(failed(format!("the answer is {status}")));
    }
    read.map_err(|error| failed(format!("the answer broke off: {error}")))?;
    Ok(Some(HealthAnswer {
        path: path.to_owned(),
        status: status.as_u16(),
    }))
}

/// To its end, or as much of it as has to be seen.
async fn read(mut body: rookery_pool::Body) -> Result<(), String> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(())
}

fn request(bundle: &Bundle, path: &str) -> Result<Request<rookery_pool::Body>, http::Error> {
    let nothing = Empty::<Bytes>::new().map_err(|never| match never {});
    let mut request = Request::new(nothing.boxed_unsync());
    *request.uri_mut() = Uri::try_from(path)?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("localhost"));
    headers.insert(USER_AGENT, HeaderValue::from_static("rookery-health"));
    introduce(headers, bundle)?;
    Ok(request)
}

/// As the front door tells an app where it is.
fn introduce(headers: &mut HeaderMap, bundle: &Bundle) -> Result<(), http::Error> {
    let prefix = HeaderValue::try_from(format!("/{}", bundle.label()))?;
    for name in ["x-forwarded-prefix", "x-base"] {
        headers.insert(HeaderName::from_static(name), prefix.clone());
    }
    let name = HeaderValue::try_from(bundle.name.as_str())?;
    headers.insert(HeaderName::from_static("x-app-name"), name);
    Ok(())
}
