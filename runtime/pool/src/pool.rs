//! The workers of one revision: who waits, who has one, who is idle.

mod snapshot;
mod start;
mod warm;

pub use snapshot::RevisionFigures;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_lifecycle::Tasks;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::budget::Budget;
use crate::error::AcquireError;
use crate::lease::Lease;
use crate::policy::{Policy, Reuse};
use crate::setback::Setback;
use crate::shelf::{Living, Shelf};
use crate::stats::{PoolStats, Totals};
use crate::worker::Spawn;

/// How long somebody who was sent here takes to ask, at most.
const ARRIVE_WITHIN: Duration = Duration::from_millis(200);

/// The workers of one revision.
pub struct Pool {
    label: String,
    /// What the budget knows it by.
    number: u64,
    policy: Policy,
    spawn: Arc<dyn Spawn>,
    budget: Arc<Budget>,
    tasks: Tasks,
    /// One permit for each invocation that may run at once.
    turns: Arc<Semaphore>,
    turns_max: usize,
    waiting: AtomicUsize,
    /// How many workers were started, ever.
    started: AtomicU64,
    /// Cloned for everyone who will need workers until further notice.
    stakes: TaskTracker,
    // Held to move a worker, never while one runs or is dropped.
    shelf: Mutex<Shelf>,
    setback: Mutex<Setback>,
    /// Whether somebody starts workers that are to be kept ready.
    warming: AtomicBool,
    stats: PoolStats,
}

impl Pool {
    /// A pool without workers. They are started when they are asked for, and those to be kept ready by the next sweep.
    pub fn new(
        label: impl Into<String>,
        policy: Policy,
        spawn: Arc<dyn Spawn>,
        budget: &Arc<Budget>,
        totals: &Arc<Totals>,
        tasks: &Tasks,
    ) -> Arc<Pool> {
        let turns_max = policy
            .workers_max
            .unwrap_or(usize::MAX)
            .min(budget.workers_max());
        let pool = Arc::new(Pool {
            label: label.into(),
            number: budget.next_pool(),
            turns: Arc::new(Semaphore::new(turns_max)),
            turns_max,
            waiting: AtomicUsize::new(0),
            started: AtomicU64::new(0),
            stakes: TaskTracker::new(),
            shelf: Mutex::default(),
            setback: Mutex::default(),
            warming: AtomicBool::new(false),
            stats: PoolStats::new(Arc::clone(totals)),
            budget: Arc::clone(budget),
            tasks: tasks.clone(),
            policy,
            spawn,
        });
        budget.register(&pool);
        pool
    }

    /// `name@version`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What the manifest says about the workers.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the revision takes session events.
    pub fn serves_sessions(&self) -> bool {
        self.spawn.serves_sessions()
    }

    /// How many invocations wait for a worker.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// What was counted.
    pub fn stats(&self) -> &PoolStats {
        &self.stats
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// A worker: an idle one, else a new one. Waits its turn when as many run as may run.
    pub async fn acquire(self: &Arc<Self>) -> Result<Lease, AcquireError> {
        let asked = Instant::now();
        let turn = self.turn().await?;
        let now = Instant::now();
        let kept = self.kept_ready();
        let (idle, tired) = self.shelf.lock().take(&self.policy, now, kept);
        drop(tired);
        let living = match idle {
            Some(living) => {
                self.stats.hit();
                living
            }
            None => self.start(asked).await?,
        };
        self.stats.looked_up(asked.elapsed());
        let lease = Lease::new(Arc::clone(self), living, turn);
        self.keep_warm();
        Ok(lease)
    }

    /// Keeps the pool open for whoever has sessions that it must still hear out. Dropping it is the end of that.
    pub fn stake(&self) -> Stake {
        Stake {
            _token: self.stakes.token(),
        }
    }

    /// Serves those who know of the pool already, and closes when they are done: stakes first, then invocations, both
    /// within `grace`. True when all were done in time.
    ///
    /// To be called when nobody is sent here any more.
    pub async fn drain(&self, grace: Duration) -> bool {
        let until = Instant::now() + grace;
        // Somebody may have been sent here just before and not have asked yet.
        tokio::time::sleep(grace.min(ARRIVE_WITHIN)).await;
        self.stakes.close();
        let heard = tokio::time::timeout_at(until, self.stakes.wait())
            .await
            .is_ok();
        let all = u32::try_from(self.turns_max).unwrap_or(u32::MAX);
        let done = tokio::time::timeout_at(until, self.turns.acquire_many(all)).await;
        self.turns.close();
        let idle = self.shelf.lock().close();
        drop(idle);
        heard && matches!(done, Ok(Ok(_)))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        let turns = Arc::clone(&self.turns);
        match Arc::clone(&turns).try_acquire_owned() {
            Ok(turn) => return Ok(turn),
            Err(tokio::sync::TryAcquireError::Closed) => return Err(self.draining()),
            Err(tokio::sync::TryAcquireError::NoPermits) => {}
        }
        let _waiting = self.join_queue()?;
        match tokio::time::timeout(self.policy.queue_timeout, turns.acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_closed)) => Err(self.draining()),
            Err(_elapsed) => Err(self.queue_timeout()),
        }
    }

    fn join_queue(&self) -> Result<Waiting<'_>, AcquireError> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        self.stats.waits();
        let place = Waiting {
            pool: self,
            since: Instant::now(),
        };
        if waiting >= self.policy.queue_length {
            self.stats.refused();
            let label = self.label.clone();
            return Err(AcquireError::QueueFull { label, waiting });
        }
        Ok(place)
    }

    /// Puts a worker on the shelf, unless it is tired or another revision waits for its place.
    pub(crate) fn take_back(&self, living: Living) {
        if self.policy.reuse(living.life, Instant::now()) != Reuse::Yes {
            return;
        }
        let refused = self.shelf.lock().put(living);
        drop(refused);
        // Looked at after the worker is on the shelf: who comes to wait from now on finds it there.
        if self.budget.is_wanted() {
            self.evict_one();
        }
    }

    pub(crate) fn sweep(self: &Arc<Self>, now: Instant) {
        let kept = self.kept_ready();
        let tired = self.shelf.lock().take_tired(&self.policy, now, kept);
        drop(tired);
        self.keep_warm();
    }

    pub(crate) fn oldest_idle(&self) -> Option<Instant> {
        self.shelf.lock().oldest()
    }

    pub(crate) fn evict_one(&self) {
        let oldest = self.shelf.lock().take_oldest();
        if oldest.is_some() {
            self.stats.evicted();
        }
    }

    fn draining(&self) -> AcquireError {
        let label = self.label.clone();
        AcquireError::Draining { label }
    }

    fn queue_timeout(&self) -> AcquireError {
        self.stats.refused();
        AcquireError::QueueTimeout {
            label: self.label.clone(),
            waited: self.policy.queue_timeout,
        }
    }
}

/// Somebody will need workers until this is dropped.
pub struct Stake {
    _token: TaskTrackerToken,
}

/// One place in the queue; left when it is dropped.
struct Waiting<'a> {
    pool: &'a Pool,
    since: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pool.waiting.fetch_sub(1, Ordering::Relaxed);
        self.pool.stats.waited(self.since.elapsed());
    }
}

#[cfg(test)]
mod tests;
