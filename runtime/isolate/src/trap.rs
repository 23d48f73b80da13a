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
    if state.limits.has_refused() && may_want_memory(error) {
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

/// Whether a guest may end like this because it was refused memory: it gives up, or uses what it did not get, or is not
/// even started. Nobody divides by zero for that.
fn may_want_memory(error: &wasmtime::Error) -> bool {
    match error.downcast_ref::<Trap>() {
        Some(trap) => matches!(
            trap,
            Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds | Trap::TableOutOfBounds
        ),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use rookery_pool::Deadline;

    use super::*;
    use crate::engine::Thrift;
    use crate::house::{House, idle, terminate};

    /// `idle` asks for far too much, and goes on without; `terminate` gives up.
    const MODEST: &str = r#"
        (memory 1)
        (func (export "idle") (drop (memory.grow (i32.const 60000))))
        (func (export "terminate") unreachable)
    "#;
    const MINUTE: Duration = Duration::from_secs(60);

    fn fault_of(state: &State, trap: Trap) -> Fault {
        fault(state, &trap.into())
    }

    #[tokio::test]
    async fn only_the_invocation_that_was_refused_memory_fails_for_want_of_it() {
        let house = House::of(1, Thrift::Speed);
        let mut isolate = house.start(&house.linked(MODEST)).await;
        assert!(idle(&mut isolate, MINUTE).await);
        isolate.store.data_mut().deadline = Deadline::after(MINUTE);
        let state = isolate.store.data();
        for (trap, is_memory) in [
            (Trap::UnreachableCodeReached, true),
            (Trap::MemoryOutOfBounds, true),
            (Trap::IntegerDivisionByZero, false),
            (Trap::StackOverflow, false),
        ] {
            let fault = fault_of(state, trap);
            assert_eq!(matches!(fault, Fault::Memory(_)), is_memory, "{fault}");
        }
        assert!(!terminate(&mut isolate, MINUTE).await);
        let fault = fault_of(isolate.store.data(), Trap::UnreachableCodeReached);
        assert!(matches!(fault, Fault::Trap(_)), "{fault}");
    }
}
