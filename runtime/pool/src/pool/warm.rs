//! Workers that are kept ready without a request, as `workers.min` wants.
//!
//! **Invariant:** they take free places only, and turns that nobody else wants: no one is evicted or waits for them.
//! **Invariant:** one task at a time starts them, one after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::Pool;
use crate::living::Living;
use crate::places::Place;
use crate::state::Event;
use crate::worker::SpawnError;

/// Says that nobody is at it any more, however the task ends.
struct Warming(Arc<Pool>);

impl Drop for Warming {
    fn drop(&mut self) {
        self.0.warming.store(false, Ordering::Release);
    }
}

impl Pool {
    /// Starts, in the background, the workers that are missing from those to be kept ready. What cannot be had now is
    /// left to the next call; the budget's sweep makes one every second.
    pub fn keep_warm(self: &Arc<Self>) {
        if self.missing() == 0 || self.warming.swap(true, Ordering::AcqRel) {
            return;
        }
        let warming = Warming(Arc::clone(self));
        self.tasks.spawn("workers kept ready", async move {
            let pool = &warming.0;
            while pool.missing() > 0 && pool.add_ready().await.is_some() {}
        });
    }

    /// How many idle workers idleness does not retire.
    pub(super) fn kept_ready(&self) -> usize {
        if self.policy.workers_min == 0 {
            return 0;
        }
        let busy = match self.at_once {
            1 => usize::try_from(self.stats.busy.get()).unwrap_or_default(),
            _ => self.shelf.lock().busy_workers(),
        };
        self.policy.kept_ready(busy)
    }

    fn missing(&self) -> usize {
        if self.policy.workers_min == 0 || self.stakes.is_closed() {
            return 0;
        }
        let kept = self.kept_ready();
        kept.saturating_sub(self.shelf.lock().ready())
    }

    /// Adds one to the shelf; `None` when that is not to be had now.
    async fn add_ready(self: &Arc<Self>) -> Option<()> {
        if self.setback.lock().refusal(Instant::now()).is_some() {
            return None;
        }
        match self.at_once {
            1 => self.add_whole().await,
            _ => self.add_sharing().await,
        }
    }

    async fn add_whole(&self) -> Option<()> {
        // The turn makes it count as one of `workers.max` until it lies on the shelf.
        let turn = self.turns.try_acquire().ok()?;
        let in_turn = self.turns_max - self.turns.available_permits();
        if in_turn + self.shelf.lock().idle() > self.workers_max {
            return None;
        }
        let place = self.budget.spare_place()?;
        let mut living = self.start_ready(place).await.ok()?;
        // As if it came back from an invocation.
        living.step(Event::Leased);
        self.take_back(living);
        drop(turn);
        Some(())
    }

    async fn add_sharing(self: &Arc<Self>) -> Option<()> {
        let place = self.budget.spare_place()?;
        let mut starting = self.announce_start()?;
        starting.has_place();
        let started = self.start_ready(place).await;
        let is_started = started.is_ok();
        starting.end(started.map_err(|source| self.failed_start(source)));
        is_started.then_some(())
    }

    async fn start_ready(&self, place: Place) -> Result<Living, SpawnError> {
        // Nobody asked for it, so nobody else will tell.
        self.start_in(place).await.inspect_err(|reason| {
            tracing::warn!(app = self.label, %reason, "a worker to be kept ready did not start");
        })
    }
}
