//! Ten thousand days of two apps: supervisor, pools and budget under clients, faults and deploys.

use rookery_sim::pool::simulate;
use rookery_sim::seeds;

/// Within two minutes on two processors, unoptimised.
const SEEDS: u64 = 10_000;

#[test]
fn nothing_goes_wrong_on_any_day() {
    seeds::run("pool", SEEDS, simulate);
}

#[test]
fn the_same_seed_is_the_same_day() {
    for seed in 0..300 {
        let (once, again) = (simulate(seed).trace, simulate(seed).trace);
        let both = once.lines().zip(again.lines());
        let differ = both.clone().find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!(once.len(), again.len(), "seed {seed}");
    }
}

/// What has to happen on some day, or the days prove little.
const VARIETY: [&str; 18] = [
    "Answered(",
    "Full)",
    "Late)",
    "Draining)",
    "NoStart)",
    "Fault)",
    "Left(",
    "Unserved(",
    "Stopped)",
    "Spent)",
    "Died(",
    "NotStarted(",
    "Idle)",
    "Terminate)",
    "Opened(",
    "Cut(",
    "Retired(",
    "Spare(Yes)",
];

#[test]
fn the_days_have_everything_in_them() {
    let mut days = [0; VARIETY.len()];
    for seed in 0..1000 {
        let trace = simulate(seed).trace;
        for (count, what) in days.iter_mut().zip(VARIETY) {
            *count += usize::from(trace.contains(what));
        }
    }
    for (count, what) in days.iter().zip(VARIETY) {
        assert!(*count >= 5, "{what} on {count} of 1000 days");
    }
}
