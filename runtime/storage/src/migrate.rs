//! A bundle's migrations, run once for each namespace.
//!
//! **Invariant:** a migration and its row in the history are one transaction, so neither is there without the other.
//! **Invariant:** a migration that was run is never run again, and one that changed since is refused.
//! **Absent on purpose:** reading files; the bundle does.

mod history;
mod plan;
mod run;

pub use history::{Ran, TableName};
pub use plan::{Direction, MigrateError, Status, Step};
pub use run::{down, status, up};
