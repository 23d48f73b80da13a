//! The workers of one revision, and who may have one.
//!
//! An invocation asks its revision's [`Pool`] for a [`Lease`]; dropping the lease returns the worker or retires it.
//! All pools share one [`Budget`] of live workers.
//!
//! **Invariant:** a worker has one invocation at a time, or as many as it has handles when it shares, and none is retired
//! with one in flight before its deadline.
//! **Absent on purpose:** what a worker is. `isolate` and `subprocess` implement [`Worker`], [`Spawn`] and
//! [`Prepare`].

mod budget;
#[cfg(any(test, feature = "test-util"))]
pub mod contract;
mod deadline;
mod error;
#[cfg(any(test, feature = "test-util"))]
pub mod fake;
mod hall;
mod handles;
mod lease;
mod living;
mod memory;
mod places;
mod policy;
mod pool;
mod register;
mod reply;
mod rounds;
mod run;
mod setback;
mod shelf;
mod spares;
mod state;
mod stats;
mod tunnel;
mod worker;

pub use budget::Budget;
pub use deadline::Deadline;
pub use error::{AcquireError, InvokeError};
pub use lease::Lease;
pub use memory::{Fill, MemoryProbe, MemoryReading, Pressure};
pub use policy::{Life, Policy, Reuse};
pub use pool::{Pool, PoolTunnel, RevisionFigures, Stake, StartFailure, TunnelHold};
pub use register::{WorkerFigures, WorkerList, WorkerState};
pub use reply::{Answer, Reply, Unserved, reply};
pub use spares::{SparePlace, Spares};
pub use stats::{PoolStats, Totals};
pub use tunnel::{Duplex, TunnelAnswer, Unopened};
pub use worker::{
    Body, BodyError, Effect, EventsOutcome, Fault, HealthAnswer, Invocation, Milestone, Notice,
    Prepare, Spawn, SpawnError, Verdict, Watch, Worker,
};
