//! How a pool gives places back before their time: for other apps, for memory, for the end of the server.
//!
//! **Invariant:** only a worker that nobody has is ended; one that somebody has gets no more work at most.
//! **Absent on purpose:** whose turn it is to give way. The budget sees all pools and says so.

use tokio::time::Instant;

use super::Pool;
use crate::shelf::Out;

impl Pool {
    /// Looked at after a worker is on the shelf: who comes to wait for its place from now on finds it there.
    pub(super) fn give_way_if_wanted(&self) {
        if self.budget.is_wanted() {
            self.evict_one();
        }
    }

    pub(crate) fn oldest_idle(&self) -> Option<Instant> {
        self.shelf.lock().oldest()
    }

    pub(crate) fn evict_one(&self) {
        let mut out = Out::default();
        if self.shelf.lock().take_oldest(&mut out) {
            self.stats.evicted();
        }
        self.let_go(out);
    }

    /// What the budget knows it by.
    pub(crate) fn number(&self) -> u64 {
        self.kin.pool
    }

    /// How many workers share and are had by somebody.
    pub(crate) fn busy_workers(&self) -> usize {
        self.shelf.lock().busy_workers()
    }

    /// How many workers give their places back when those who have them are done.
    pub(crate) fn retiring(&self) -> usize {
        self.shelf.lock().retiring()
    }

    /// Gives no more work to the worker that is had by the fewest.
    pub(crate) fn tire_one(&self) {
        let mut out = Out::default();
        if self.shelf.lock().tire_one(&mut out) {
            self.stats.evicted();
        }
        self.let_go(out);
    }

    /// Ends all that nobody has.
    pub(crate) fn retire_idle(&self) {
        let mut out = Out::default();
        self.shelf.lock().retire_idle(&mut out);
        self.let_go(out);
    }

    /// How many idle workers could be recycled, and since when the oldest of them is idle.
    pub(crate) fn spare(&self) -> Option<(usize, Instant)> {
        let kept = self.kept_ready();
        let shelf = self.shelf.lock();
        let spare = shelf.spare(kept);
        shelf
            .oldest()
            .filter(|_| spare > 0)
            .map(|oldest| (spare, oldest))
    }

    /// Ends the worker idle longest, for memory is short.
    pub(crate) fn relieve_one(&self) {
        let mut out = Out::default();
        if self.shelf.lock().take_oldest(&mut out) {
            self.stats.relieved();
        }
        self.let_go(out);
    }
}
