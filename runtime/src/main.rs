//! `rookery`: arguments → configuration → run → exit code.
//!
//! **Absent on purpose:** decisions about requests, workers and sessions. The crates below make them; this one makes the
//! crates, and hands each its neighbours.

mod cli;

mod config;

mod wire;

mod figures;

mod deploys;

mod gate;

mod tokens;

mod side_door;

mod signal;

mod progress;

mod style;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before there is a second thread: this may be a guard of a worker's process, and no server at all.
    let guard = rookery_subprocess::take_over(std::env::args_os().skip(1));
    guard.unwrap_or_else(|| cli::run(std::env::args_os()))
}
