//! Workers that do as they are told, for tests of this crate and of those above it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use rookery_contract::Event;
use tokio::sync::Semaphore;

use crate::deadline::Deadline;
use crate::worker::{Body, EventsOutcome, Fault, Invocation, Spawn, SpawnError, Verdict, Worker};

/// Starts fake workers and keeps count of them.
#[derive(Default)]
pub struct FakeSpawn {
    /// Workers started.
    pub started: AtomicUsize,
    /// Workers that are alive.
    pub alive: Arc<AtomicUsize>,
    /// What the next requests do, in order; when it is empty they answer.
    script: Arc<Mutex<VecDeque<Step>>>,
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
    /// Answers with this body and goes on until a permit comes.
    Stream(Arc<Mutex<Option<Body>>>, Arc<Semaphore>),
    /// The next worker does not start.
    RefuseToStart,
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
}

#[async_trait::async_trait]
impl Spawn for FakeSpawn {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        let refuses = matches!(self.script.lock().front(), Some(Step::RefuseToStart));
        if refuses {
            self.script.lock().pop_front();
            return Err(SpawnError("told not to start".into()));
        }
        self.alive.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(FakeWorker {
            number: self.started.fetch_add(1, Ordering::SeqCst) + 1,
            requests: 0,
            alive: Arc::clone(&self.alive),
            script: Arc::clone(&self.script),
        }))
    }

    fn serves_sessions(&self) -> bool {
        true
    }
}

struct FakeWorker {
    number: usize,
    requests: usize,
    alive: Arc<AtomicUsize>,
    script: Arc<Mutex<VecDeque<Step>>>,
}

impl FakeWorker {
    fn answer(&self) -> Response<Body> {
        let text = format!("{}/{}", self.number, self.requests);
        let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
        Response::new(body.boxed_unsync())
    }
}

#[async_trait::async_trait]
impl Worker for FakeWorker {
    async fn request(&mut self, invocation: Invocation) -> Verdict {
        self.requests += 1;
        let step = self.script.lock().pop_front().unwrap_or(Step::Answer);
        match step {
            Step::Answer | Step::RefuseToStart => invocation.reply.respond(self.answer()),
            Step::AnswerAfter(gate) => {
                gate.acquire().await.expect("a gate stays open").forget();
                invocation.reply.respond(self.answer());
            }
            Step::Fail(fault) => return Verdict::Fault(fault),
            Step::Stream(body, gate) => {
                let body = body.lock().take().expect("a body is streamed once");
                invocation.reply.respond(Response::new(body));
                gate.acquire().await.expect("a gate stays open").forget();
            }
        }
        Verdict::Reusable
    }

    async fn events(&mut self, events: &[Event], _deadline: Deadline) -> EventsOutcome {
        EventsOutcome {
            began: events.len().checked_sub(1),
            verdict: Verdict::Reusable,
        }
    }
}

impl Drop for FakeWorker {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}
