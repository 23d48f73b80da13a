//! The right to use one worker for one invocation.
//!
//! **Invariant:** a lease that is dropped without a verdict retires its worker: whoever dropped it stopped the guest
//! somewhere, and nobody knows where. Of a worker that shares only the handle goes.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::living::Living;
use crate::pool::{Pool, Seat};
use crate::state::Event;
use crate::worker::{Fault, Verdict, Worker};

/// One worker, for one invocation.
pub struct Lease {
    pool: Arc<Pool>,
    held: Option<Held>,
    _turn: OwnedSemaphorePermit,
}

enum Held {
    /// The worker itself.
    Whole(Living),
    /// A handle on it.
    Seat(Seat),
}

impl Lease {
    pub(crate) fn whole(pool: Arc<Pool>, mut living: Living, turn: OwnedSemaphorePermit) -> Self {
        living.step(Event::Leased);
        living.serves();
        Lease::new(pool, Held::Whole(living), turn)
    }

    pub(crate) fn seat(pool: Arc<Pool>, seat: Seat, turn: OwnedSemaphorePermit) -> Self {
        Lease::new(pool, Held::Seat(seat), turn)
    }

    fn new(pool: Arc<Pool>, held: Held, turn: OwnedSemaphorePermit) -> Self {
        pool.stats().busy.incr();
        Lease {
            pool,
            held: Some(held),
            _turn: turn,
        }
    }

    /// The worker.
    pub fn worker(&mut self) -> &mut dyn Worker {
        match self
            .held
            .as_mut()
            .expect("a lease has its worker until it ends")
        {
            Held::Whole(living) => &mut *living.worker,
            Held::Seat(seat) => seat.worker(),
        }
    }

    /// Gives the worker back as the invocation left it.
    pub fn finish(mut self, verdict: &Verdict) {
        let mut living = match self.held.take() {
            Some(Held::Whole(living)) => living,
            Some(Held::Seat(seat)) => return seat.leave(verdict),
            None => return,
        };
        living.used(Instant::now());
        match verdict {
            Verdict::Reusable => return self.pool.take_back(living),
            Verdict::Spent | Verdict::Fault(Fault::Cancelled | Fault::Unsupported(_)) => {}
            Verdict::Fault(_) => self.pool.stats().failed(),
        }
        self.pool.end(living);
    }

    /// Keeps the worker, without a turn, until it is dropped; and the worker's number.
    pub(crate) fn keep(&mut self) -> (u64, Option<Arc<()>>) {
        match self
            .held
            .as_mut()
            .expect("a lease has its worker until it ends")
        {
            Held::Whole(living) => (living.number, Some(living.tunnel())),
            Held::Seat(seat) => seat.keep(),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.stats().busy.decr();
        if let Some(Held::Whole(living)) = self.held.take() {
            self.pool.end(living);
        }
    }
}
