//! The workers of one revision, and who may have one.

mod reply;
mod worker;

pub use reply::{Answer, Reply, reply};
pub use worker::{
    Body, BodyError, EventsOutcome, Fault, Invocation, Prepare, Spawn, SpawnError, Verdict, Worker,
};
