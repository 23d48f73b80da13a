//! Simulations from a seed: parts of the server, run on a paused clock and one thread through thousands of invented
//! days, and judged by checkers that know nothing of how the parts work.
//!
//! A simulation is a folder: `plan.rs` invents a day from the seed, `world.rs` lives through it and writes a trace,
//! `check/` reads the trace. `seeds.rs` runs many; a test of `tests/` names how many, and a failure prints the seed.
//!
//! | variable | does |
//! | --- | --- |
//! | `ROOKERY_SIM_SEED` | runs this seed alone, and prints its trace |
//! | `ROOKERY_SIM_SEEDS` | how many seeds are run, from 0 on |
//!
//! **Invariant:** the same seed makes the same trace.
//! **Absent on purpose:** threads, files, sockets and real time within a seed.

pub mod dice;
pub mod hub;
pub mod pool;
pub mod rollout;
pub mod seeds;
pub mod trace;
