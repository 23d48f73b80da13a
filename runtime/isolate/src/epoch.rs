//! What a guest may do when an epoch ends while it still computes.
//!
//! Within its first epoch a guest runs as it likes: nearly all are done by then. One that is not waits for a turn before
//! each further epoch, and there is a turn less than there are cores. So however many guests loop, one core answers the
//! others, and the loopers share what is left in order.
//!
//! **Invariant:** a turn is held while the guest computes and given back when its epoch or its invocation ends, or when it
//! waits.
//! **Invariant:** a guest that is out of time is stopped at the end of the epoch that it computes in, or at once when it
//! waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use rookery_pool::Deadline;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::UpdateDeadline;

use crate::cpu::{Call, CpuTime};
use crate::state::State;

/// An isolate's right to compute for one more epoch, while it has one.
#[derive(Clone, Default)]
pub(crate) struct Turn(Arc<Inner>);

#[derive(Default)]
struct Inner {
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    /// How many epochs ended while the call that runs, or ran last, computed.
    epochs: AtomicU32,
    /// Whether the call that runs, or ran last, waits for a turn.
    is_wanted: AtomicBool,
}

impl Turn {
    /// Gives the right back.
    pub fn end(&self) {
        *self.0.permit.lock() = None;
    }

    /// How many epochs ended while the call that runs, or ran last, computed.
    pub fn epochs(&self) -> u32 {
        self.0.epochs.load(Ordering::Relaxed)
    }

    /// Whether the call that runs computes, and waits for nothing but its turn.
    pub fn is_wanted(&self) -> bool {
        self.0.is_wanted.load(Ordering::Relaxed)
    }

    fn begin_call(&self) {
        self.0.epochs.store(0, Ordering::Relaxed);
        self.0.is_wanted.store(false, Ordering::Relaxed);
    }

    fn epoch_ended(&self) {
        self.end();
        self.0.epochs.fetch_add(1, Ordering::Relaxed);
        self.0.is_wanted.store(true, Ordering::Relaxed);
    }

    fn begin(&self, permit: OwnedSemaphorePermit) {
        *self.0.permit.lock() = Some(permit);
        self.0.is_wanted.store(false, Ordering::Relaxed);
    }

    fn call(&self) -> Call {
        match self.epochs() {
            0 => Call::Short,
            _ => Call::Long,
        }
    }
}

/// What runs a guest's call.
pub(crate) struct Runner {
    turn: Turn,
    cpu: Arc<CpuTime>,
    deadline: Deadline,
}

impl Runner {
    /// Runs a call of this guest, within its deadline.
    pub fn of(state: &State) -> Runner {
        Runner {
            turn: state.turn.clone(),
            cpu: Arc::clone(&state.cpu),
            deadline: state.deadline.clone(),
        }
    }

    /// Runs the call to its end, or until the guest is out of time.
    pub async fn run<T>(
        self,
        call: impl Future<Output = wasmtime::Result<T>>,
    ) -> wasmtime::Result<T> {
        // The epoch stops a guest that computes; this stops one that waits.
        tokio::select! {
            biased;
            called = computing(&self.turn, &self.cpu, call) => called,
            () = self.deadline.passed() => Err(wasmtime::Error::msg("the guest waited past its deadline")),
        }
    }
}

/// Runs a guest's call, counts the time, and gives its turn back whenever it waits instead of computing.
pub(crate) async fn computing<F: Future>(turn: &Turn, cpu: &CpuTime, call: F) -> F::Output {
    turn.begin_call();
    let mut call = std::pin::pin!(call);
    std::future::poll_fn(|cx| {
        let polled = cpu.counted(turn.call(), || call.as_mut().poll(cx));
        if polled.is_pending() {
            turn.end();
        }
        polled
    })
    .await
}

/// Whether the guest goes on, and when.
pub(crate) fn next(state: &State, long_runs: &Arc<Semaphore>) -> UpdateDeadline {
    state.turn.epoch_ended();
    if state.deadline.has_passed() {
        return UpdateDeadline::Interrupt;
    }
    let (turn, long_runs) = (state.turn.clone(), Arc::clone(long_runs));
    let granted = async move {
        // Even with a turn at hand, others on this thread go first.
        tokio::task::yield_now().await;
        let permit = long_runs.acquire_owned().await;
        turn.begin(permit.expect("the semaphore of the turns is never closed"));
    };
    UpdateDeadline::YieldCustom(1, Box::pin(granted))
}

#[cfg(test)]
mod tests;
