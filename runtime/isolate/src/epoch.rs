//! What a guest may do when an epoch ends while it still computes.
//!
//! Within its first epoch a guest runs as it likes: nearly all are done by then. One that is not waits for a turn before
//! each further epoch, and there is a turn less than there are cores. So however many guests loop, one core answers the
//! others, and the loopers share what is left in order.
//!
//! **Invariant:** a turn is held while the guest computes and given back when its epoch or its invocation ends, or when it
//! waits.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::UpdateDeadline;

use crate::state::State;

/// An isolate's right to compute for one more epoch, while it has one.
#[derive(Clone, Default)]
pub(crate) struct Turn(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Turn {
    /// Gives the right back.
    pub fn end(&self) {
        *self.0.lock() = None;
    }
}

/// Runs a guest's call, and gives its turn back whenever it waits instead of computing.
pub(crate) async fn computing<F: Future>(turn: Turn, call: F) -> F::Output {
    let mut call = std::pin::pin!(call);
    std::future::poll_fn(|cx| {
        let polled = call.as_mut().poll(cx);
        if polled.is_pending() {
            turn.end();
        }
        polled
    })
    .await
}

/// Whether the guest goes on, and when.
pub(crate) fn next(state: &State, long_runs: &Arc<Semaphore>) -> UpdateDeadline {
    if state.deadline.has_passed() {
        return UpdateDeadline::Interrupt;
    }
    state.turn.end();
    let (turn, long_runs) = (state.turn.clone(), Arc::clone(long_runs));
    let granted = async move {
        // Even with a turn at hand, others on this thread go first.
        tokio::task::yield_now().await;
        let permit = long_runs.acquire_owned().await;
        *turn.0.lock() = Some(permit.expect("the semaphore of the turns is never closed"));
    };
    UpdateDeadline::YieldCustom(1, Box::pin(granted))
}
