//! One revision's processes: those that are asked for, and the spare one that is started before.
//!
//! A process takes tens of milliseconds to start, and a request should not wait for that. So a revision that is in use has
//! one more process than the pool knows, which the next start takes.
//!
//! **Invariant:** a revision has at most one spare, all of them together have as many as the operator allows, and each has
//! a place of the budget while it starts and waits; whoever waits for a place has it first.
//! **Absent on purpose:** a spare where it would do harm: for an app that wants to be one process, or to be small.

mod spare;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_bundle::Entry;
use rookery_pool::{Spawn, SpawnError, Worker};
use tokio::sync::oneshot;

use self::spare::Slot;
use crate::error::StartError;
use crate::process::{Process, seconds_now};
use crate::runtimes::Runtimes;
use crate::start::Recipe;
use crate::worker::ProcessWorker;

/// One revision's processes.
pub(crate) struct Revision {
    recipe: Arc<Recipe>,
    // Held to take or to put, never while a process starts or ends.
    spare: Mutex<Slot>,
    /// The last one did not start: the next request will find out whether it does now.
    failed: AtomicBool,
}

impl Revision {
    /// One without processes.
    pub fn new(recipe: Arc<Recipe>) -> Arc<Revision> {
        Arc::new(Revision {
            recipe,
            spare: Mutex::default(),
            failed: AtomicBool::new(false),
        })
    }

    /// Lets the spare go when the revision is not in use, and sees to one when it is.
    pub fn look_after_spare(self: &Arc<Self>) {
        if !self.in_use() {
            drop(self.take_ready());
        } else if !self.failed.load(Ordering::Relaxed) {
            self.want_spare();
        }
    }

    fn in_use(&self) -> bool {
        let used = self.recipe.used.load(Ordering::Relaxed);
        let idle = self.recipe.guest.bundle().manifest.idle_timeout;
        used > 0 && seconds_now().saturating_sub(used) <= idle.as_secs()
    }

    /// A process: the spare one, else a new one.
    async fn process(self: &Arc<Self>) -> Result<Arc<Process>, StartError> {
        self.recipe.used.store(seconds_now(), Ordering::Relaxed);
        if let Some(process) = self.take_spare() {
            return Ok(process);
        }
        let (mut sender, receiver) = oneshot::channel();
        let revision = Arc::clone(self);
        // In a task of its own: when whoever asked goes away, the next one finds it started.
        self.recipe.house.tasks.spawn("process start", async move {
            let recipe = Arc::clone(&revision.recipe);
            let mut start = Box::pin(async move { recipe.start().await });
            let started = tokio::select! {
                biased;
                started = &mut start => started,
                () = sender.closed() => {
                    // His place went with him, so it needs one of its own.
                    if let Some(starting) = revision.begin_spare() {
                        let _ = starting.see_through(start).await;
                    }
                    return;
                }
            };
            if let Err(Ok(process)) = sender.send(started)
                && let Some(starting) = revision.begin_spare()
            {
                starting.keep(process);
            }
        });
        receiver.await.unwrap_or(Err(StartError::ShuttingDown))
    }

    /// Whether a second process would do no harm.
    fn may_have_spare(&self) -> bool {
        let manifest = &self.recipe.guest.bundle().manifest;
        manifest.workers.max != Some(1) && !manifest.low_memory
    }

    /// Starts a spare, unless there is one, or it is not to be had.
    fn want_spare(self: &Arc<Self>) {
        if !self.may_have_spare() {
            return;
        }
        let Some(starting) = self.begin_spare() else {
            return;
        };
        let revision = Arc::clone(self);
        let tasks = &self.recipe.house.tasks;
        tasks.spawn("spare process start", async move {
            let start = revision.recipe.start();
            if let Err(reason) = starting.see_through(start).await {
                revision.failed.store(true, Ordering::Relaxed);
                let app = revision.recipe.guest.bundle().label();
                tracing::warn!(app, %reason, "a spare process did not start");
            }
        });
    }
}

/// Starts processes of one revision.
pub(crate) struct ProcessSpawn(pub(crate) Arc<Revision>);

#[async_trait::async_trait]
impl Spawn for ProcessSpawn {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        let process = self.0.process().await?;
        self.0.failed.store(false, Ordering::Relaxed);
        self.0.want_spare();
        Ok(Box::new(ProcessWorker(process)))
    }

    fn serves_sessions(&self) -> bool {
        false
    }

    fn concurrency(&self) -> usize {
        let manifest = &self.0.recipe.guest.bundle().manifest;
        // One that serves a single request has no room for a second one.
        match manifest.ttl.is_zero() {
            true => 1,
            false => manifest.concurrency as usize,
        }
    }

    fn serves_tunnels(&self) -> bool {
        true
    }

    fn lacks(&self) -> Option<String> {
        let bundle = self.0.recipe.guest.bundle();
        let Entry::Script { .. } = bundle.entry else {
            return None;
        };
        let path = &self.0.recipe.house.config.path;
        let lacking = Runtimes::lacking(bundle.manifest.runtime, path);
        lacking.map(|lacking| lacking.to_string())
    }

    /// What was counted once a second, and of a process that ended all of it.
    fn cpu_time(&self) -> Option<Duration> {
        let us = self.0.recipe.computed.load(Ordering::Relaxed);
        Some(Duration::from_micros(us))
    }

    fn hears_notices(&self) -> bool {
        // A server that knows nothing of us hears the signal at its end.
        matches!(self.0.recipe.guest.bundle().entry, Entry::Script { .. })
    }
}
