//! Workers that do as they are told, for tests of this crate and of those above it.
//!
//! A request does the next step of the script. When that is empty its path says what it does: `/stream`, `/hang` and
//! `/fail` as the [contract](crate::contract) means them, anything else answers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use rookery_contract::Event;
use tokio::sync::Semaphore;

use crate::deadline::Deadline;
use crate::reply::Reply;
use crate::tunnel::{TunnelAnswer, Unopened};
use crate::worker::{
    Body, Effect, EventsOutcome, Fault, Invocation, Notice, Spawn, SpawnError, Verdict, Worker,
};

/// What the other end of a fake tunnel buffers.
const TUNNEL_BYTES: usize = 1024;

/// Starts fake workers and keeps count of them.
#[derive(Default)]
pub struct FakeSpawn {
    /// Workers started.
    pub started: AtomicUsize,
    /// Workers that are alive.
    pub alive: Arc<AtomicUsize>,
    /// How many invocations a worker takes at once; 0 is 1.
    pub concurrency: AtomicUsize,
    /// Whether workers hear notices.
    pub hears: AtomicBool,
    /// What workers were told: the number of the worker, and what.
    pub told: Arc<Mutex<Vec<(usize, Notice)>>>,
    /// Workers that die, by number, as soon as anybody looks.
    pub dying: Arc<Mutex<Vec<usize>>>,
    /// What the next requests do, in order.
    script: Arc<Mutex<VecDeque<Step>>>,
    /// The other ends of open tunnels.
    pub tunnels: Arc<Mutex<Vec<tokio::io::DuplexStream>>>,
}

/// What a fake worker does with a request.
#[derive(Clone)]
pub enum Step {
    /// Answers with the number of the worker and of its request, as `worker/request`.
    Answer,
    /// Waits for a permit, then answers.
    AnswerAfter(Arc<Semaphore>),
    /// Fails.
    Fail(Fault),
    /// Is at its end before it sees anything of the request.
    End,
    /// Answers with this body and goes on until a permit comes.
    Stream(Arc<Mutex<Option<Body>>>, Arc<Semaphore>),
    /// Says nothing until its deadline.
    Hang,
    /// Answers, and keeps the request for somebody else.
    Keep(Arc<Mutex<Option<Request<Body>>>>),
    /// Is done, and leaves the answer to somebody else.
    LeaveAnswer(Arc<Mutex<Option<Reply>>>),
    /// The next worker does not start.
    RefuseToStart,
    /// The next worker starts when a permit comes.
    StartAfter(Arc<Semaphore>),
}

impl FakeSpawn {
    /// Fake workers without a script.
    pub fn new() -> Arc<FakeSpawn> {
        Arc::default()
    }

    /// Adds a step to the script.
    pub fn then(&self, step: Step) {
        self.script.lock().push_back(step);
    }

    /// How many were started.
    pub fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    /// How many are alive.
    pub fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    /// The step that is next, if it is one for a start.
    fn next_start(&self) -> Option<Step> {
        self.script
            .lock()
            .pop_front_if(|step| matches!(step, Step::RefuseToStart | Step::StartAfter(_)))
    }
}

#[async_trait::async_trait]
impl Spawn for FakeSpawn {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        match self.next_start() {
            Some(Step::StartAfter(gate)) => {
                gate.acquire().await.expect("a gate stays open").forget();
            }
            Some(_) => return Err(SpawnError::new("told not to start")),
            None => {}
        }
        self.alive.fetch_add(1, Ordering::SeqCst);
        let running = Running {
            number: self.started.fetch_add(1, Ordering::SeqCst) + 1,
            requests: AtomicUsize::new(0),
            alive: Arc::clone(&self.alive),
            script: Arc::clone(&self.script),
            told: Arc::clone(&self.told),
            dying: Arc::clone(&self.dying),
            tunnels: Arc::clone(&self.tunnels),
            shares: self.concurrency() > 1,
        };
        Ok(Box::new(FakeWorker(Arc::new(running))))
    }

    fn serves_sessions(&self) -> bool {
        true
    }

    fn concurrency(&self) -> usize {
        self.concurrency.load(Ordering::SeqCst).max(1)
    }

    fn serves_tunnels(&self) -> bool {
        true
    }

    fn hears_notices(&self) -> bool {
        self.hears.load(Ordering::SeqCst)
    }
}

/// A handle.
struct FakeWorker(Arc<Running>);

/// What the handles share.
struct Running {
    number: usize,
    requests: AtomicUsize,
    alive: Arc<AtomicUsize>,
    script: Arc<Mutex<VecDeque<Step>>>,
    told: Arc<Mutex<Vec<(usize, Notice)>>>,
    dying: Arc<Mutex<Vec<usize>>>,
    tunnels: Arc<Mutex<Vec<tokio::io::DuplexStream>>>,
    shares: bool,
}

impl Running {
    fn answer(&self, nth: usize) -> Response<Body> {
        let body = Full::new(Bytes::from(format!("{}/{nth}", self.number)));
        Response::new(body.map_err(|never| match never {}).boxed_unsync())
    }

    fn next_step(&self, path: &str) -> Step {
        let scripted = self.script.lock().pop_front();
        scripted.unwrap_or_else(|| match path {
            "/stream" => {
                let body = Full::new(Bytes::from("first "));
                let rest = body.map_err(|never| match never {}).boxed_unsync();
                let body = Arc::new(Mutex::new(Some(rest)));
                Step::Stream(body, Arc::new(Semaphore::new(1)))
            }
            "/hang" => Step::Hang,
            "/fail" => Step::Fail(Fault::Trap("told to".into())),
            _ => Step::Answer,
        })
    }
}

#[async_trait::async_trait]
impl Worker for FakeWorker {
    async fn request(&mut self, invocation: Invocation) -> Verdict {
        let running = &*self.0;
        let nth = running.requests.fetch_add(1, Ordering::SeqCst) + 1;
        match running.next_step(invocation.request.uri().path()) {
            Step::Answer | Step::RefuseToStart | Step::StartAfter(_) => {
                invocation.reply.respond(running.answer(nth));
            }
            Step::AnswerAfter(gate) => {
                gate.acquire().await.expect("a gate stays open").forget();
                invocation.reply.respond(running.answer(nth));
            }
            Step::Fail(fault) => return Verdict::Fault(fault),
            Step::End => {
                let fault = Fault::Gone("told to".into());
                let request = Box::new(invocation.request);
                invocation.reply.give_back(request, fault.clone());
                return Verdict::Fault(fault);
            }
            Step::Stream(body, gate) => {
                let body = body.lock().take().expect("a body is streamed once");
                invocation.reply.respond(Response::new(body));
                gate.acquire().await.expect("a gate stays open").forget();
            }
            Step::Keep(kept) => {
                *kept.lock() = Some(invocation.request);
                invocation.reply.respond(running.answer(nth));
            }
            Step::LeaveAnswer(left) => *left.lock() = Some(invocation.reply),
            Step::Hang => {
                invocation.deadline.passed().await;
                return Verdict::Fault(Fault::Timeout(invocation.deadline.timeout()));
            }
        }
        Verdict::Reusable
    }

    async fn events(&mut self, events: &[Event], _deadline: Deadline) -> EventsOutcome {
        EventsOutcome {
            began: events.len().checked_sub(1),
            effect: Effect::Left,
            verdict: Verdict::Reusable,
        }
    }

    async fn tunnel(
        &mut self,
        request: Request<()>,
        _deadline: Deadline,
    ) -> Result<TunnelAnswer, Unopened> {
        match request.uri().path() {
            "/refused" => return Ok(TunnelAnswer::Refused(self.0.answer(0))),
            "/broken" => {
                return Err(Unopened {
                    fault: Fault::Gone("told to".into()),
                    verdict: Verdict::Reusable,
                    unseen: None,
                });
            }
            "/ends-once" if self.0.number == 1 => {
                let unseen = Some(Box::new(request));
                let failed = Unopened::from(Fault::Gone("told to".into()));
                return Err(Unopened { unseen, ..failed });
            }
            "/fail" => return Err(Fault::Gone("told to".into()).into()),
            _ => {}
        }
        let (near, far) = tokio::io::duplex(TUNNEL_BYTES);
        self.0.tunnels.lock().push(far);
        Ok(TunnelAnswer::Accepted {
            head: Response::new(()),
            io: Box::new(near),
        })
    }

    async fn tell(&mut self, notice: Notice, _deadline: Deadline) {
        self.0.told.lock().push((self.0.number, notice));
        // As long as anything takes.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    fn share(&self) -> Option<Box<dyn Worker>> {
        let handle = FakeWorker(Arc::clone(&self.0));
        self.0.shares.then(|| Box::new(handle) as Box<dyn Worker>)
    }

    fn memory_bytes(&self) -> Option<u64> {
        Some(1024 * (1 + self.0.requests.load(Ordering::SeqCst) as u64))
    }

    fn process(&self) -> Option<u32> {
        self.0.shares.then_some(4711)
    }

    fn is_alive(&self) -> bool {
        !self.0.dying.lock().contains(&self.0.number)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}
