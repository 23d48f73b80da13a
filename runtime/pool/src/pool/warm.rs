//! Workers that are kept ready without a request, as `workers.min` wants.
//!
//! **Invariant:** they take free places only, and turns that nobody else wants: no one is evicted or waits for them.
//! **Invariant:** one task at a time starts them, one after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::Pool;
use crate::shelf::Living;

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
        let busy = usize::try_from(self.stats.busy.get());
        self.policy.kept_ready(busy.unwrap_or_default())
    }

    fn missing(&self) -> usize {
        if self.policy.workers_min == 0 || self.stakes.is_closed() {
            return 0;
        }
        self.kept_ready().saturating_sub(self.shelf.lock().len())
    }

    /// Adds one to the shelf; `None` when that is not to be had now.
    async fn add_ready(&self) -> Option<()> {
        // The turn makes it count as one of `workers.max` until it lies on the shelf.
        let turn = self.turns.try_acquire().ok()?;
        let in_turn = self.turns_max - self.turns.available_permits();
        if in_turn + self.shelf.lock().len() > self.turns_max {
            return None;
        }
        let living = self.start_ready().await?;
        self.take_back(living);
        drop(turn);
        Some(())
    }

    async fn start_ready(&self) -> Option<Living> {
        if self.setback.lock().refusal(Instant::now()).is_some() {
            return None;
        }
        let place = self.budget.spare_place()?;
        let started = self.start_in(place).await;
        // Nobody asked for it, so nobody else will tell.
        started
            .inspect_err(|reason| {
                tracing::warn!(app = self.label, %reason, "a worker to be kept ready did not start");
            })
            .ok()
    }
}
