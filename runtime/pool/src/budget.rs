//! How many workers may live at once, over all revisions.
//!
//! **Invariant:** every live worker holds one permit of the budget, idle or busy, so there are never more of them.
//! **Invariant:** only an idle worker is evicted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_lifecycle::{Shutdown, Tasks};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::pool::Pool;

/// How often idle workers are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The right of one worker to live.
pub(crate) type Place = OwnedSemaphorePermit;

/// The workers of all revisions together.
pub struct Budget {
    places: Arc<Semaphore>,
    workers_max: usize,
    /// How many wait for a place.
    wanted: AtomicUsize,
    // Held to look for the oldest idle worker, never across an await.
    pools: Mutex<Vec<Weak<Pool>>>,
}

impl Budget {
    /// At most so many workers, at least one.
    pub fn new(workers_max: usize) -> Arc<Budget> {
        let workers_max = workers_max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Budget {
            places: Arc::new(Semaphore::new(workers_max)),
            workers_max,
            wanted: AtomicUsize::new(0),
            pools: Mutex::default(),
        })
    }

    /// How many workers may live.
    pub fn workers_max(&self) -> usize {
        self.workers_max
    }

    /// How many live, idle or busy.
    pub fn workers_live(&self) -> usize {
        self.workers_max - self.places.available_permits()
    }

    /// Retires workers that were idle for too long, every second until the shutdown.
    pub fn keep_swept(self: &Arc<Self>, tasks: &Tasks, shutdown: Shutdown) {
        let budget = Arc::clone(self);
        tasks.spawn("pool sweeper", async move {
            loop {
                tokio::select! {
                    () = shutdown.requested() => return,
                    () = tokio::time::sleep(SWEEP_EVERY) => budget.sweep(),
                }
            }
        });
    }

    /// Retires workers that were idle for too long.
    pub fn sweep(&self) {
        let now = Instant::now();
        for pool in self.pools() {
            pool.sweep(now);
        }
    }

    pub(crate) fn register(&self, pool: &Arc<Pool>) {
        let mut pools = self.pools.lock();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(pool));
    }

    /// A place for a new worker. Evicts the worker that was idle longest when there is none; waits when all are busy.
    pub(crate) async fn place(&self) -> Place {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return place;
        }
        let _wanted = Wanted::one(&self.wanted);
        self.evict_oldest_idle();
        Arc::clone(&self.places)
            .acquire_owned()
            .await
            .expect("the budget's semaphore is never closed")
    }

    /// Whether no new worker could start without another one's end.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// Whether a worker that becomes idle keeps somebody waiting.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst) > 0
    }

    fn evict_oldest_idle(&self) {
        let oldest = self
            .pools()
            .into_iter()
            .filter_map(|pool| Some((pool.oldest_idle()?, pool)))
            .min_by_key(|(last_used, _)| *last_used);
        if let Some((_, pool)) = oldest {
            pool.evict_one();
        }
    }

    fn pools(&self) -> Vec<Arc<Pool>> {
        self.pools.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

/// Counts one who waits, until it is dropped.
struct Wanted<'a>(&'a AtomicUsize);

impl<'a> Wanted<'a> {
    fn one(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Wanted(count)
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
