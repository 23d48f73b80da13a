//! Canaries, from their first share to their end, under invented visitors and sessions.
//!
//! The weights, the choice of a version and the judgement are the server's own; the visitors, the builds and the clock are
//! invented.

pub mod check;
pub mod plan;
pub mod world;

use crate::seeds::Day;
use plan::{Build, Plan};
pub use world::{End, Lived};

/// Lives through a canary that is exactly as the stable version is.
pub fn alike(seed: u64) -> Lived {
    world::live(&Plan::of(seed, Build::Alike))
}

/// Lives through a canary that nobody asks, however bad it is.
pub fn quiet(seed: u64) -> Lived {
    world::live(&Plan::quiet(seed))
}

/// Lives through a canary that is bad in the way that this seed says, and judges how that went.
pub fn bad(seed: u64) -> Day {
    let plan = Plan::bad(seed);
    let lived = world::live(&plan);
    Day {
        wrong: check::all(&plan, &lived),
        trace: format!("{plan:#?}\n{}", lived.trace()),
    }
}
