//! The right to use one worker for one invocation.
//!
//! **Invariant:** a lease that is dropped without a verdict retires its worker: whoever dropped it stopped the guest
//! somewhere, and nobody knows where.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::pool::Pool;
use crate::shelf::Living;
use crate::worker::{Fault, Verdict, Worker};

/// One worker, for one invocation.
pub struct Lease {
    pool: Arc<Pool>,
    living: Option<Living>,
    _turn: OwnedSemaphorePermit,
}

impl Lease {
    pub(crate) fn new(pool: Arc<Pool>, living: Living, turn: OwnedSemaphorePermit) -> Self {
        pool.stats().busy.incr();
        Lease {
            pool,
            living: Some(living),
            _turn: turn,
        }
    }

    /// The worker.
    pub fn worker(&mut self) -> &mut dyn Worker {
        let living = self.living.as_mut();
        &mut *living.expect("a lease has its worker until it ends").worker
    }

    /// Gives the worker back as the invocation left it.
    pub fn finish(mut self, verdict: &Verdict) {
        let Some(mut living) = self.living.take() else {
            return;
        };
        living.life.served += 1;
        living.life.last_used = Instant::now();
        match verdict {
            Verdict::Reusable => self.pool.take_back(living),
            Verdict::Spent | Verdict::Fault(Fault::Cancelled | Fault::Unsupported(_)) => {}
            Verdict::Fault(_) => self.pool.stats().failed(),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.stats().busy.decr();
    }
}
