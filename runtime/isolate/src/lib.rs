//! Workers that are wasm instances.
//!
//! An isolate's life has three phases: once per process ([`Slots`], [`CompileCache`]), once per revision (compile and
//! link, in [`Isolates`]), once per worker (instantiate). Only the last is on the way of a request.
//!
//! **Invariant:** no byte of one isolate's memory, stack or tables is seen by the next one in its slot.
//! **Invariant:** this crate alone knows wasmtime.
//! **Absent on purpose:** routing, clients, and who may have a worker.

mod bindings;
mod compile;
mod cpu;
mod engine;
mod epoch;
mod error;
mod gate;
mod http;
mod hub;
mod instantiate;
mod keyvalue;
mod lasting_keys;
mod life;
mod limits;
mod link;
mod rest;
mod revision;
mod sessions;
mod sql;
mod start;
mod state;
mod stdio;
mod trap;
mod worker;
mod workshop;

#[cfg(test)]
mod house;
#[cfg(test)]
mod residue;

pub use compile::CompileCache;
pub use engine::{EngineConfig, Slots};
pub use error::IsolateError;
pub use worker::Isolates;
