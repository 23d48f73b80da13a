//! What the pool asks of a worker, whatever it runs, and of those who make workers.
//!
//! **Invariant:** a worker does one invocation at a time; the `&mut self` says so.
//! **Absent on purpose:** wasm, processes and WebSockets. `isolate` and `subprocess` implement these traits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::combinators::UnsyncBoxBody;
use rookery_bundle::Bundle;
use rookery_contract::Event;

use crate::deadline::Deadline;
use crate::reply::Reply;
use crate::tunnel::{TunnelAnswer, Unopened};

/// A body as it streams between the gateway and a worker.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body ended before its end.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// One HTTP request on its way into a worker.
pub struct Invocation {
    /// The request as the app is to see it.
    pub request: Request<Body>,
    /// Where the head of the response goes.
    pub reply: Reply,
    /// When the worker is stopped, finished or not.
    pub deadline: Deadline,
}

/// What is left of a worker after an invocation.
#[derive(Debug)]
pub enum Verdict {
    /// It may have another one.
    Reusable,
    /// It did its work and must not have another one.
    Spent,
    /// It failed and is gone.
    Fault(Fault),
}

/// Whether an event left anything outside of the guest: a message, a write, whatever others could notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// As far as anybody can tell it was never given.
    None,
    /// It did, or may have.
    Left,
}

/// What came of a batch of events.
#[derive(Debug)]
pub struct EventsOutcome {
    /// The index of the event that the guest began last; `None` when it began none.
    pub began: Option<usize>,
    /// Of that event. Whoever cannot tell says [`Effect::Left`].
    pub effect: Effect,
    /// What is left of the worker. On a fault the events before `began` stand, the one at `began` is the culprit.
    pub verdict: Verdict,
}

/// A guest's failure.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// It trapped, panicked or exited.
    #[error("the guest trapped: {0}")]
    Trap(String),
    /// It used up its time.
    #[error("the guest did not finish within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// It wanted more memory than it may have.
    #[error("the guest wanted more than its {0} bytes of memory")]
    Memory(u64),
    /// It ended, or cannot be reached: a process that was killed is gone.
    #[error("the worker is gone: {0}")]
    Gone(String),
    /// What it wrote was lost before it was durable, and its answer with it.
    #[error("what the guest wrote was lost, so its answer is not given")]
    Lost,
    /// It finished without an answer.
    #[error("the guest returned without an answer")]
    NoAnswer,
    /// The client went away, so the work was stopped. Nobody's failure; the worker is gone all the same.
    #[error("the client went away")]
    Cancelled,
    /// The worker does not take this kind of invocation.
    #[error("the app does not serve {0}")]
    Unsupported(&'static str),
}

/// What a worker is told besides its work, so that it can put its house in order. It cannot object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// It had nothing to do for its revision's `idleTimeout`. Told once, and again only after new work.
    Idle,
    /// It is about to be ended.
    Terminate,
}

/// One running copy of a revision, or one handle on a copy that [shares](Worker::share).
#[async_trait::async_trait]
pub trait Worker: Send {
    /// Runs one request to its end. The head goes out through `reply` as soon as the guest gives it; the future ends
    /// when the guest is done with the whole response. Dropping the future stops the guest.
    async fn request(&mut self, invocation: Invocation) -> Verdict;

    /// Runs one batch of session events, at most [`rookery_contract::BATCH_EVENTS_MAX`].
    async fn events(&mut self, events: &[Event], deadline: Deadline) -> EventsOutcome;

    /// Opens a connection in both directions, such as a WebSocket, through the worker. The request is the client's, its
    /// upgrade still in it. The deadline is for the handshake; what was accepted lasts as long as both sides want and
    /// outlives this handle, not the worker.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] where the worker has no such connections; any other fault when the handshake failed. With
    /// it comes what is left of the worker, as after a request.
    async fn tunnel(
        &mut self,
        request: Request<()>,
        deadline: Deadline,
    ) -> Result<TunnelAnswer, Unopened> {
        let _ = (request, deadline);
        Err(Fault::Unsupported("connections in both directions").into())
    }

    /// Tells the worker something. Nothing comes back: a worker that fails on it, or is not done at the deadline, is
    /// treated as one that heard. Only called when [`Spawn::hears_notices`].
    async fn tell(&mut self, notice: Notice, deadline: Deadline) {
        let _ = (notice, deadline);
    }

    /// Another handle on the same running worker, which takes an invocation of its own at the same time. `None` when
    /// this worker takes one at a time, which contradicts a [`Spawn::concurrency`] above 1.
    ///
    /// Cheap: called on the way of a request, with a lock held. Dropping a handle in the middle of an invocation stops
    /// that invocation alone; dropping the last one ends the worker.
    fn share(&self) -> Option<Box<dyn Worker>> {
        None
    }

    /// How much memory it has, in bytes, as far as is known without asking it. Cheap, as [`share`](Worker::share).
    fn memory_bytes(&self) -> Option<u64> {
        None
    }

    /// The id of the process that it is; `None` where it is none of its own. Cheap, as [`share`](Worker::share).
    fn process(&self) -> Option<u32> {
        None
    }

    /// Whether it still runs, as far as is known without asking it: a process that exited does not. Cheap, as
    /// [`share`](Worker::share).
    fn is_alive(&self) -> bool {
        true
    }
}

/// Why a worker could not start. The text is for the log and for the operator.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SpawnError {
    /// In a line or a few.
    pub reason: String,
    /// What has to be installed on this machine, if that is known to be why. Strangers may read it.
    pub lacks: Option<String>,
}

impl SpawnError {
    /// For this reason.
    pub fn new(reason: impl Into<String>) -> SpawnError {
        let (reason, lacks) = (reason.into(), None);
        SpawnError { reason, lacks }
    }
}

/// Starts workers of one revision.
#[async_trait::async_trait]
pub trait Spawn: Send + Sync {
    /// Starts one.
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError>;

    /// Whether the revision takes session events.
    fn serves_sessions(&self) -> bool;

    /// How many invocations one worker takes at once, at least 1. Above 1 its workers [share](Worker::share).
    fn concurrency(&self) -> usize {
        1
    }

    /// Whether its workers open connections in both directions.
    fn serves_tunnels(&self) -> bool {
        false
    }

    /// Whether its workers do anything when they are told a [`Notice`]. Those that do not are spared the task that
    /// tells them.
    fn hears_notices(&self) -> bool {
        false
    }

    /// What has to be installed on this machine for a worker to start; `None` when nothing is missing. Strangers may read
    /// it: it says nothing of the machine, the server or the app but that. Asked after a start that failed, with nobody
    /// waiting long: it looks for files and starts nothing.
    fn lacks(&self) -> Option<String> {
        None
    }

    /// How long all its workers, past and present, computed; `None` where nobody measures.
    fn cpu_time(&self) -> Option<Duration> {
        None
    }
}

/// Turns a bundle of one kind into something that starts workers: compiles, checks, connects.
#[async_trait::async_trait]
pub trait Prepare: Send + Sync {
    /// Prepares a bundle. May take seconds; never called on the way of a request.
    async fn prepare(&self, bundle: Arc<Bundle>) -> Result<Arc<dyn Spawn>, SpawnError>;

    /// The same, told on the way to somebody who watches. What has nothing to tell tells nothing.
    async fn prepare_watched(
        &self,
        bundle: Arc<Bundle>,
        watch: Arc<dyn Watch>,
    ) -> Result<Arc<dyn Spawn>, SpawnError> {
        let _ = watch;
        self.prepare(bundle).await
    }
}

/// How far a preparation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// There is machine code.
    Compiled {
        /// How long that took, a look into the cache included.
        took: Duration,
    },
    /// What it imports is offered, and what it exports is known: here the interfaces that it can be called by.
    Checked {
        /// In words, such as `http` and `sessions`.
        serves: Vec<&'static str>,
    },
    /// Its migrations are run.
    Migrated {
        /// Those that were not run before.
        ran: Vec<String>,
    },
    /// A worker of it lives, and answered when it was asked for something.
    Healthy {
        /// What it was asked for and answered; `None` when it takes no requests, or wants no question.
        answer: Option<HealthAnswer>,
        /// How long the start and the answer took.
        took: Duration,
    },
}

/// A worker's answer to the question whether it is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthAnswer {
    /// What it was asked for.
    pub path: String,
    /// Below 500.
    pub status: u16,
}

/// Hears how far a preparation has come. Must not wait.
pub trait Watch: Send + Sync {
    /// It has come so far.
    fn reached(&self, milestone: Milestone);
}
