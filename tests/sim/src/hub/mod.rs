//! The hub with a supervisor and its pools, through a day of talkers, slow readers, traps, lost writes and deploys.

pub mod check;
mod client;
pub mod event;
mod front;
mod guest;
pub mod plan;
mod speech;
mod world;

use crate::seeds::Day;
use crate::trace;
use plan::Plan;

/// Lives through the day of this seed, and judges it.
pub fn simulate(seed: u64) -> Day {
    let plan = Plan::of(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads and sockets can be had");
    let lived = runtime.block_on(world::live(&plan));
    let mut wrong = check::all(&lived.entries);
    wrong.extend(lived.left_behind);
    let trace = format!("{plan:#?}\n{}", trace::text(&lived.entries));
    Day { trace, wrong }
}
