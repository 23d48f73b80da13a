//! What a canary is invented to be: its build, its visitors, its operator's wishes.

use std::time::Duration;

use rookery_supervisor::rollout::{Canary, Limits, Plan as Wish};
use semver::Version;

use crate::dice::Dice;

/// How the canary differs from the stable version.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Build {
    /// Not at all.
    Alike,
    /// So many of its answers are errors.
    Errors(f64),
    /// It faults on so many of its events, and closes those sessions.
    Faults(f64),
    /// Its answers take so many times as long.
    Slow(f64),
    /// As `Errors`, but only from this part of its course on.
    Late(f64, f64),
}

/// One canary.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed, for what happens.
    pub seed: u64,
    /// How it is.
    pub build: Build,
    /// Requests in a second.
    pub requests: u64,
    /// Sessions that are open from the beginning; each has an event in a second.
    pub sessions: u64,
    /// Errors of the stable version, of its answers; below the limit.
    pub error_rate: f64,
    /// Faults of the stable version, of its events; below the limit.
    pub fault_rate: f64,
    /// How much of these rates there is varies over time up to this part; both versions share it.
    pub sway: f64,
    /// How long an answer takes at least.
    pub answer_us: u64,
    /// What the operator said.
    pub canary: Canary,
}

impl Plan {
    /// A canary of this build.
    pub fn of(seed: u64, build: Build) -> Plan {
        let mut dice = Dice::new(seed);
        let wish = Wish::of(Version::new(1, 1, 0));
        Plan {
            seed,
            build,
            requests: dice.one_of(&[20, 40, 80, 160]),
            sessions: dice.one_of(&[40, 100, 200]),
            error_rate: dice.one_of(&[0.0, 0.001, 0.004, 0.009]),
            fault_rate: dice.one_of(&[0.0, 0.0001, 0.0004, 0.0009]),
            sway: dice.one_of(&[0.0, 0.5, 1.0]),
            answer_us: dice.one_of(&[300, 2_000, 20_000]),
            canary: Canary {
                version: wish.version,
                steps: wish.steps,
                step: 0,
                window: Duration::from_secs(dice.one_of(&[20, 30, 60])),
                requests_min: wish.requests_min,
                limits: Limits::default(),
                began: 0,
            },
        }
    }

    /// A canary that nobody asks.
    pub fn quiet(seed: u64) -> Plan {
        Plan {
            requests: 1,
            sessions: 1,
            ..Plan::bad(seed)
        }
    }

    /// A canary that is bad enough to be seen with what it is asked.
    pub fn bad(seed: u64) -> Plan {
        let mut dice = Dice::new(seed ^ 0xbad);
        let build = match dice.within(0..=3) {
            0 => Build::Errors(dice.one_of(&[0.05, 0.2, 1.0])),
            1 => Build::Faults(dice.one_of(&[0.02, 0.05, 0.5])),
            2 => Build::Slow(dice.one_of(&[8.0, 20.0])),
            _ => Build::Late(dice.one_of(&[0.2, 1.0]), dice.one_of(&[0.3, 0.6, 0.8])),
        };
        Plan::of(seed, build)
    }
}
