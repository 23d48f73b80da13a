//! The supervisor and the pools of two apps, through a day of clients, faults and deploys.

pub mod check;
mod client;
pub mod event;
mod guest;
mod larder;
pub mod plan;
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
    let mut wrong = check::all(&plan, &lived.entries);
    wrong.extend(lived.left_behind);
    let trace = format!("{plan:#?}\n{}", trace::text(&lived.entries));
    Day { trace, wrong }
}
