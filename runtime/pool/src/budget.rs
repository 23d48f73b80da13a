//! How many workers may live at once, over all revisions.
//!
//! **Invariant:** every live worker holds one place of the budget, idle, busy or spare, so there are never more of them.
//! **Invariant:** only an idle worker is evicted, and none while there is a spare one.
//! **Invariant:** apps that wait for places get them in turn, and so do the versions of one, so that one with a thousand
//! requests does not keep out one with a single request.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_lifecycle::{Shutdown, Tasks, Waiting};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::memory::{MemoryProbe, Pressure};
use crate::places::{Place, Places};
use crate::pool::Pool;
use crate::rounds::Kin;
use crate::spares::{SparePlace, Spares};

/// How often idle workers are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How often, at the end, somebody looks for workers that have become idle.
const CLEAR_EVERY: Duration = Duration::from_millis(20);

/// How often memory is looked at: often enough for a machine that fills up by 100 MiB a second.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The workers of all revisions together.
pub struct Budget {
    places: Arc<Places>,
    workers_max: usize,
    /// How many wait for a place.
    wanted: AtomicUsize,
    /// Whether somebody did at the last sweep.
    was_wanted: AtomicBool,
    pools_made: AtomicU64,
    // Held to look for the oldest idle worker, never across an await.
    pools: Mutex<Vec<Weak<Pool>>>,
    // Held to look through them, never while one is asked.
    spares: Mutex<Vec<Weak<dyn Spares>>>,
    /// How short memory was at the last look.
    pressure: watch::Sender<Pressure>,
}

impl Budget {
    /// At most so many workers, at least one.
    pub fn new(workers_max: usize) -> Arc<Budget> {
        let workers_max = workers_max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Budget {
            places: Places::new(workers_max),
            workers_max,
            wanted: AtomicUsize::new(0),
            was_wanted: AtomicBool::new(false),
            pools_made: AtomicU64::new(0),
            pools: Mutex::default(),
            spares: Mutex::default(),
            pressure: watch::Sender::new(Pressure::None),
        })
    }

    /// How many workers may live.
    pub fn workers_max(&self) -> usize {
        self.workers_max
    }

    /// How many live: idle, busy or spare.
    pub fn workers_live(&self) -> usize {
        self.workers_max - self.places.free()
    }

    /// How many of those nobody asked for yet.
    pub fn workers_spare(&self) -> usize {
        self.spares().iter().map(|spares| spares.count()).sum()
    }

    /// How short memory was at the last look, for others who can let go of some. Every look that finds it short counts as
    /// a change, so that they look with it.
    pub fn pressure(&self) -> watch::Receiver<Pressure> {
        self.pressure.subscribe()
    }

    /// Asks these from now on to give up workers that nobody asked for.
    pub fn evicts_first(&self, spares: Weak<dyn Spares>) {
        self.spares.lock().push(spares);
    }

    /// A place for a worker that nobody asked for: a free one, unless memory is short.
    pub fn place_for_spare(&self) -> Option<SparePlace> {
        if *self.pressure.borrow() != Pressure::None {
            return None;
        }
        self.spare_place().map(SparePlace::from)
    }

    /// Retires workers that were idle for too long and starts those to be kept ready, every second until the shutdown.
    /// Then ends those that nobody has, so that they hear of it, until there are none: what is under way goes on.
    pub fn keep_swept(self: &Arc<Self>, tasks: &Tasks, shutdown: Shutdown) {
        let budget = Arc::clone(self);
        tasks.spawn("pool sweeper", async move {
            loop {
                tokio::select! {
                    biased;
                    () = shutdown.requested() => break,
                    () = tokio::time::sleep(SWEEP_EVERY) => budget.sweep(),
                }
            }
            while budget.workers_live() > 0 {
                while budget.give_up_spare() {}
                budget.pools().iter().for_each(|pool| pool.retire_idle());
                tokio::time::sleep(CLEAR_EVERY).await;
            }
        });
    }

    /// Retires workers that were idle for too long, and starts in the background those that are to be kept ready.
    pub fn sweep(&self) {
        let now = Instant::now();
        let pools = self.pools();
        for pool in &pools {
            pool.sweep(now);
        }
        let is_wanted = self.is_wanted();
        if self.was_wanted.swap(is_wanted, Ordering::Relaxed) && is_wanted {
            self.tire_one(&pools);
        }
    }

    /// Lets one worker go that shares and never rests, from the app that has most of them, when another app waited for
    /// a place since the last sweep: it gets no new work, finishes what it has, and gives its place back.
    fn tire_one(&self, pools: &[Arc<Pool>]) {
        let waiting = self.places.waiting();
        let leaving: usize = pools.iter().map(|pool| pool.retiring()).sum();
        if leaving >= waiting.len() {
            return;
        }
        let rivals = pools.iter().filter(|pool| {
            let others = waiting.iter().any(|waits| *waits != pool.number());
            others && pool.busy_workers() > 0
        });
        if let Some(pool) = rivals.max_by_key(|pool| pool.busy_workers()) {
            pool.tire_one();
        }
    }

    /// Recycles idle workers while memory is short, looking every second until the shutdown.
    pub fn keep_relieved(self: &Arc<Self>, probe: MemoryProbe, tasks: &Tasks, shutdown: Shutdown) {
        let budget = Arc::clone(self);
        tasks.spawn("memory watch", async move {
            loop {
                tokio::select! {
                    biased;
                    () = shutdown.requested() => return,
                    () = tokio::time::sleep(PROBE_EVERY) => {}
                }
                let reading = probe.read();
                let recycled = budget.relieve(reading.pressure());
                if recycled > 0 {
                    tracing::info!(recycled, ?reading, "memory is short: recycled idle workers");
                }
            }
        });
    }

    /// Recycles as many idle workers as this pressure asks for, spare ones before those idle longest, and none that is to
    /// be kept ready. How many that were.
    pub fn relieve(&self, pressure: Pressure) -> usize {
        self.pressure.send_if_modified(|last| {
            *last = pressure;
            pressure != Pressure::None
        });
        if pressure == Pressure::None {
            return 0;
        }
        let pools = self.pools();
        let idle = pools.iter().filter_map(|pool| pool.spare());
        let idle: usize = idle.map(|(idle, _)| idle).sum();
        let count = pressure.relief(idle + self.workers_spare());
        let relieve_oldest = |_: &usize| {
            if self.give_up_spare() {
                return true;
            }
            let oldest = pools
                .iter()
                .filter_map(|pool| Some((pool.spare()?.1, pool)));
            let oldest = oldest.min_by_key(|(last_used, _)| *last_used);
            oldest.map(|(_, pool)| pool.relieve_one()).is_some()
        };
        (0..count).take_while(relieve_oldest).count()
    }

    pub(crate) fn register(&self, pool: &Arc<Pool>) {
        let mut pools = self.pools.lock();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(pool));
    }

    /// What tells a new pool from the others.
    pub(crate) fn next_pool(&self) -> u64 {
        self.pools_made.fetch_add(1, Ordering::Relaxed)
    }

    /// A place for a new worker of this pool. When there is none, evicts a spare worker, else the one that was idle
    /// longest; waits when all are busy.
    pub(crate) async fn place(&self, kin: Kin) -> Place {
        if let Some(place) = self.places.take() {
            return place;
        }
        let _wanted = Waiting::one(&self.wanted);
        let wait = self.places.wait(kin);
        self.make_room();
        wait.place().await
    }

    /// A place that nobody wants, if there is one.
    pub(crate) fn spare_place(&self) -> Option<Place> {
        self.places.take()
    }

    /// Whether so many new workers could start without another one's end.
    pub(crate) fn has_room_for(&self, workers: usize) -> bool {
        self.places.free() >= workers
    }

    /// Whether a worker that becomes idle keeps somebody waiting.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst) > 0
    }

    fn make_room(&self) {
        if self.give_up_spare() || self.places.idle() == 0 {
            // Who becomes idle from now on sees that somebody waits.
            return;
        }
        let oldest = self
            .pools()
            .into_iter()
            .filter_map(|pool| Some((pool.oldest_idle()?, pool)))
            .min_by_key(|(last_used, _)| *last_used);
        if let Some((_, pool)) = oldest {
            pool.evict_one();
        }
    }

    fn give_up_spare(&self) -> bool {
        self.spares().iter().any(|spares| spares.give_up())
    }

    fn spares(&self) -> Vec<Arc<dyn Spares>> {
        let mut spares = self.spares.lock();
        spares.retain(|spares| spares.strong_count() > 0);
        spares.iter().filter_map(Weak::upgrade).collect()
    }

    fn pools(&self) -> Vec<Arc<Pool>> {
        self.pools.lock().iter().filter_map(Weak::upgrade).collect()
    }
}
