//! Why a guest stopped, in the words of the pool.

use rookery_pool::Fault;
use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use crate::state::State;

/// What a failed call means. The whole story, with the guest's backtrace, goes to the log at `debug`.
pub(crate) fn fault(state: &State, error: &wasmtime::Error) -> Fault {
    tracing::debug!(target: "guest", app = %state.guest.bundle().label(), "the guest stopped: {error:?}");
    if state.deadline.has_passed() {
        return Fault::Timeout(state.deadline.timeout());
    }
    if state.limits.exceeded() {
        return Fault::Memory(state.limits.memory_bytes_max());
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return Fault::Trap(format!("it exited with code {}", exit.0));
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => Fault::Trap(trap.to_string()),
        None => Fault::Trap(error.root_cause().to_string()),
    }
}
