//! The workers of one revision: who waits, who has one, who is idle.

mod give_way;
mod retire;
mod seat;
mod sharing;
mod snapshot;
mod start;
mod tunnel;
mod warm;

pub(crate) use seat::Seat;
pub use snapshot::{RevisionFigures, StartFailure};
pub use tunnel::{PoolTunnel, TunnelHold};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_lifecycle::{Shutdown, Tasks};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::budget::Budget;
use crate::error::AcquireError;
use crate::lease::Lease;
use crate::living::Living;
use crate::policy::{Policy, Reuse};
use crate::register::Register;
use crate::rounds::Kin;
use crate::setback::Setback;
use crate::shelf::{Out, Rules, Shelf};
use crate::state::Event;
use crate::stats::{PoolStats, Totals};
use crate::worker::{Notice, Spawn};

/// How long somebody who was sent here takes to ask, at most.
const ARRIVE_WITHIN: Duration = Duration::from_millis(200);

/// How long before the end of a drain's grace the open tunnels are told, at most half of it: time to say goodbye.
const CUT_BEFORE: Duration = Duration::from_secs(1);

/// What a drain can wait for at once.
const TURNS_MAX: usize = if Semaphore::MAX_PERMITS < u32::MAX as usize {
    Semaphore::MAX_PERMITS
} else {
    u32::MAX as usize
};

/// The workers of one revision.
pub struct Pool {
    label: String,
    /// What the budget knows it by.
    kin: Kin,
    policy: Policy,
    spawn: Arc<dyn Spawn>,
    budget: Arc<Budget>,
    tasks: Tasks,
    /// How many workers may serve at once.
    workers_max: usize,
    /// How many invocations a worker takes at once; above 1 they share.
    at_once: usize,
    /// Whether workers do anything when they are told something.
    hears_notices: bool,
    /// One permit for each invocation that may run at once.
    turns: Arc<Semaphore>,
    turns_max: usize,
    waiting: AtomicUsize,
    register: Arc<Register>,
    /// Cloned for everyone who will need workers until further notice.
    stakes: TaskTracker,
    /// Cloned for every open tunnel.
    tunnels: TaskTracker,
    /// Raised when the drain begins.
    draining: Shutdown,
    /// Raised when what is still open is about to be cut.
    cutting: Shutdown,
    /// Raised when the grace of the drain is over, or everything was done.
    closed: Shutdown,
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
        let workers_max = policy
            .workers_max
            .unwrap_or(usize::MAX)
            .min(budget.workers_max());
        // A worker that is used once is nobody else's.
        let at_once = match policy.ttl.is_zero() {
            true => 1,
            false => spawn.concurrency().max(1),
        };
        let turns_max = workers_max.saturating_mul(at_once).min(TURNS_MAX);
        let (label, number) = (label.into(), budget.next_pool());
        let pool = Arc::new(Pool {
            kin: Kin::of(&label, number),
            label,
            workers_max,
            at_once,
            hears_notices: spawn.hears_notices(),
            turns: Arc::new(Semaphore::new(turns_max)),
            turns_max,
            waiting: AtomicUsize::new(0),
            register: Arc::default(),
            stakes: TaskTracker::new(),
            tunnels: TaskTracker::new(),
            draining: Shutdown::new(),
            cutting: Shutdown::new(),
            closed: Shutdown::new(),
            shelf: Mutex::default(),
            setback: Mutex::new(Setback::new(number)),
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

    /// A worker: an idle one, else a new one; of those that share, the one that is had by the fewest. Waits its turn when
    /// as many invocations run as may run.
    pub async fn acquire(self: &Arc<Self>) -> Result<Lease, AcquireError> {
        let asked = Instant::now();
        let turn = self.turn().await?;
        let lease = if self.at_once == 1 {
            let living = self.whole(asked).await?;
            self.stats.looked_up(asked.elapsed());
            Lease::whole(Arc::clone(self), living, turn)
        } else {
            let seat = self.seat(asked).await?;
            self.stats.looked_up(asked.elapsed());
            Lease::seat(Arc::clone(self), seat, turn)
        };
        self.keep_warm();
        Ok(lease)
    }

    /// A worker of one's own.
    async fn whole(self: &Arc<Self>, asked: Instant) -> Result<Living, AcquireError> {
        let mut out = Out::default();
        let rules = self.rules(Instant::now());
        let idle = self.shelf.lock().take(rules, &mut out);
        self.let_go(out);
        match idle {
            Some(living) => {
                self.stats.hit();
                Ok(living)
            }
            None => self.start(asked).await,
        }
    }

    /// Keeps the pool open for whoever has sessions that it must still hear out. Dropping it is the end of that.
    pub fn stake(&self) -> Stake {
        Stake {
            _token: self.stakes.token(),
        }
    }

    /// Waits until nobody has a stake any more, for so long at most, and serves everybody meanwhile: for a revision that
    /// is out of use but kept for its sessions. To be called before [`drain`](Pool::drain).
    pub async fn keep(&self, at_most: Duration) {
        // Who comes just now is awaited by the drain.
        if !self.stakes.is_empty() {
            self.stakes.close();
            let _ = timeout(at_most, self.stakes.wait()).await;
        }
    }

    /// Serves those who know of the pool already, and closes when they are done: stakes first, then invocations, then
    /// tunnels, all within `grace`. Tunnels that are open then are cut. True when the others were done in time.
    ///
    /// To be called when nobody is sent here any more.
    pub async fn drain(&self, grace: Duration) -> bool {
        let until = Instant::now() + grace;
        self.draining.request();
        let mut drained = std::pin::pin!(self.drain_until(until, grace));
        let in_time = tokio::select! {
            biased;
            in_time = &mut drained => in_time,
            () = sleep_until(until - CUT_BEFORE.min(grace / 2)) => {
                self.cutting.request();
                drained.await
            }
        };
        let mut out = Out::default();
        self.shelf.lock().cut_tunnels(&mut out);
        self.let_go(out);
        in_time
    }

    async fn drain_until(&self, until: Instant, grace: Duration) -> bool {
        // Somebody may have been sent here just before and not have asked yet.
        sleep(grace.min(ARRIVE_WITHIN)).await;
        self.stakes.close();
        let heard = timeout_at(until, self.stakes.wait()).await.is_ok();
        let all = u32::try_from(self.turns_max).expect("there are at most as many");
        let done = timeout_at(until, self.turns.acquire_many(all)).await;
        let done = matches!(done, Ok(Ok(_)));
        self.turns.close();
        self.closed.request();
        let mut out = Out::default();
        self.shelf.lock().close(&mut out);
        self.let_go(out);
        self.tunnels.close();
        let _ = timeout_at(until, self.tunnels.wait()).await;
        heard && done
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        let turns = Arc::clone(&self.turns);
        match Arc::clone(&turns).try_acquire_owned() {
            Ok(turn) => return Ok(turn),
            Err(tokio::sync::TryAcquireError::Closed) => return Err(self.draining()),
            Err(tokio::sync::TryAcquireError::NoPermits) => {}
        }
        let _waiting = self.join_queue()?;
        match timeout(self.policy.queue_timeout, turns.acquire_owned()).await {
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
    pub(crate) fn take_back(&self, mut living: Living) {
        let now = Instant::now();
        if self.policy.reuse(living.life, now) != Reuse::Yes {
            return self.retire(living, &[Notice::Terminate]);
        }
        living.step(Event::Returned);
        let mut out = Out::default();
        let rules = self.rules(now);
        self.shelf.lock().put(living, rules, &mut out);
        self.let_go(out);
        self.give_way_if_wanted();
    }

    pub(crate) fn sweep(self: &Arc<Self>, now: Instant) {
        let mut out = Out::default();
        let rules = self.rules(now);
        self.shelf.lock().sweep(rules, &mut out);
        self.let_go(out);
        self.tell_idle(now);
        self.keep_warm();
    }

    fn rules(&self, now: Instant) -> Rules<'_> {
        Rules {
            policy: &self.policy,
            now,
            kept: self.kept_ready(),
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
