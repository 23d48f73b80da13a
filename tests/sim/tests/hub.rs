//! Thousands of days of talkers: hub, pools and supervisor under slow readers, traps, lost writes and deploys.

use rookery_sim::hub::simulate;
use rookery_sim::seeds;

/// Within half a minute on two processors, unoptimised.
const SEEDS: u64 = 2_500;

#[test]
fn no_guarantee_is_broken_on_any_day() {
    seeds::run("hub", SEEDS, simulate);
}

#[test]
fn the_same_seed_is_the_same_day() {
    for seed in 0..100 {
        let (once, again) = (simulate(seed).trace, simulate(seed).trace);
        let both = once.lines().zip(again.lines());
        let differ = both.clone().find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!(once.len(), again.len(), "seed {seed}");
    }
}

/// What has to happen on some day, or the days prove little.
const VARIETY: [&str; 23] = [
    "Closed(1006)",
    ", 3001)",
    ", 3003)",
    ", 1011)",
    ", 4000)",
    "redelivered: Yes",
    "NotGiven(",
    "Moved(",
    "Resumed",
    "Lost(",
    "Kept(",
    "Page(",
    "Gap(",
    "News(",
    "List(",
    "Untracked(",
    "Timer(",
    "Unsubscribed(",
    "None)",
    "Died(",
    "Traceless(",
    "Spared(",
    "except: Some",
];

#[test]
fn the_days_have_everything_in_them() {
    let mut days = [0; VARIETY.len()];
    let mut shed = [0; 2];
    for seed in 0..600 {
        let trace = simulate(seed).trace;
        for (count, what) in days.iter_mut().zip(VARIETY) {
            *count += usize::from(trace.contains(what));
        }
        let (_, counted) = trace.split_once("Counted(").expect("every day is counted");
        let counts = counted.split([',', ')']).map(str::trim);
        for (days, count) in shed.iter_mut().zip(counts) {
            *days += usize::from(count != "0");
        }
    }
    for (count, what) in days.iter().zip(VARIETY) {
        assert!(*count >= 5, "{what} on {count} of 600 days");
    }
    assert!(shed.iter().all(|days| *days >= 5), "{shed:?}");
}
