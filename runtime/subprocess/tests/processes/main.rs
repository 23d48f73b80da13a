//! Process workers with real processes: a native server that knows nothing of us, and shells.
//!
//! Scripts are tested in `tests/it`, where Bun, Deno and Node are.

#![allow(clippy::unwrap_used)]

mod house;

mod again;
mod confined;
mod contract;
mod ends;
mod environment;
mod scripts;
mod serves;
mod shares;
mod spares;
mod starts;
