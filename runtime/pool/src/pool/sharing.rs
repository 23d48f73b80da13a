//! How a worker that shares is started: by a task of its own, for whoever waits when it is there.
//!
//! **Invariant:** a start that was announced ends, one way or another: those who wait for it hear of it.

use std::sync::Arc;

use tokio::time::timeout;

use super::Pool;
use crate::error::AcquireError;
use crate::living::Living;
use crate::places::Place;
use crate::shelf::{Out, Shelf};

/// A worker that shares and is on its way.
pub(super) struct Starting {
    pool: Arc<Pool>,
    phase: Phase,
}

/// How far a start has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It waits for a place.
    Placeless,
    /// It has one.
    Spawning,
    /// The hall counts it no more.
    Ended,
}

impl Pool {
    /// Announces a start; `None` when there are as many workers as may be, or the pool is closed.
    pub(super) fn announce_start(self: &Arc<Self>) -> Option<Starting> {
        let mut shelf = self.shelf.lock();
        let may_be = self.may_add_worker(&shelf);
        may_be.then(|| Starting::announce(self, &mut shelf))
    }

    /// Whether there may be one more.
    pub(super) fn may_add_worker(&self, shelf: &Shelf) -> bool {
        let workers = shelf.serving() + shelf.hall.starting;
        !shelf.is_closed() && workers < self.workers_max
    }

    /// Starts a worker that was announced.
    pub(super) fn start_sharing(self: &Arc<Self>, mut starting: Starting) {
        let pool = Arc::clone(self);
        self.tasks.spawn("worker starts", async move {
            let Some(place) = pool.place_for_waiting().await else {
                return starting.give_up();
            };
            starting.has_place();
            starting.end(pool.start_placed(place).await);
        });
    }

    async fn start_placed(&self, place: Place) -> Result<Living, AcquireError> {
        // Others may have failed while this one waited.
        self.may_start()?;
        let started = self.start_in(place).await;
        started.map_err(|source| self.failed_start(source))
    }

    /// A place; `None` when nobody waits any more for the worker that was to have it.
    async fn place_for_waiting(&self) -> Option<Place> {
        let mut place = std::pin::pin!(self.budget.place(self.kin));
        loop {
            if let Ok(place) = timeout(self.policy.queue_timeout, &mut place).await {
                return Some(place);
            }
            if !self.shelf.lock().hall.is_waited_in() {
                return None;
            }
        }
    }
}

impl Starting {
    /// Counts it, so that who comes now waits for it rather than start another one.
    pub fn announce(pool: &Arc<Pool>, shelf: &mut Shelf) -> Starting {
        shelf.hall.starting += 1;
        Starting {
            pool: Arc::clone(pool),
            phase: Phase::Placeless,
        }
    }

    /// Only its own start is missing now.
    pub fn has_place(&mut self) {
        self.phase = Phase::Spawning;
        self.pool.shelf.lock().hall.spawning += 1;
    }

    /// It is there, or will not be.
    pub fn end(mut self, started: Result<Living, AcquireError>) {
        self.end_with(Some(started));
    }

    /// It is wanted no more. Whoever came in this very moment finds another one.
    pub fn give_up(mut self) {
        self.end_with(None);
    }

    fn end_with(&mut self, started: Option<Result<Living, AcquireError>>) {
        let was_spawning = self.phase == Phase::Spawning;
        self.phase = Phase::Ended;
        let mut out = Out::default();
        let rules = self.pool.rules(tokio::time::Instant::now());
        let mut shelf = self.pool.shelf.lock();
        shelf.hall.starting -= 1;
        shelf.hall.spawning -= usize::from(was_spawning);
        match started {
            Some(Ok(living)) => shelf.put(living, rules, &mut out),
            Some(Err(error)) => shelf.hall.fail(&error, self.pool.at_once),
            None => {}
        }
        drop(shelf);
        self.pool.let_go(out);
        self.pool.worker_is_free();
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // The task was aborted.
        if self.phase != Phase::Ended {
            self.end_with(Some(Err(self.pool.draining())));
        }
    }
}
