//! How everything in the server ends: who is told to stop, who is waited for, and how long to pause before another try.
//!
//! **Invariant:** every task of the server is spawned by [`Tasks::spawn`] under a name and is awaited, or aborted and
//! named, by [`Tasks::drain`].
//! **Absent on purpose:** signals (the binary turns them into [`Shutdown::request`]) and any knowledge of what runs.

mod shutdown;

mod tasks;

mod drain;

mod backoff;

mod waiting;

pub use backoff::Backoff;
pub use drain::ABORT_WAIT;
pub use shutdown::Shutdown;
pub use tasks::Tasks;
pub use waiting::Waiting;
