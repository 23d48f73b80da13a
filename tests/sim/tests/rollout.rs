//! Two thousand canaries: a thousand that are as good as the stable version, and a thousand that are not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rookery_sim::rollout::{End, alike, bad, check, quiet};
use rookery_sim::seeds::{self, Day};
use rookery_supervisor::rollout::FALSE_ALARM_RATE;

const SEEDS: u64 = 1_000;

#[test]
fn of_a_thousand_good_canaries_fewer_than_one_in_a_hundred_are_reversed() {
    const { assert!(FALSE_ALARM_RATE < 0.01) };
    let (alarms, promoted) = (AtomicU64::new(0), AtomicU64::new(0));
    seeds::run("rollout", SEEDS, |seed| {
        let lived = alike(seed);
        match &lived.end {
            End::Promoted => drop(promoted.fetch_add(1, Ordering::Relaxed)),
            End::Reversed(reason) => {
                println!("seed {seed} was reversed: {reason}");
                alarms.fetch_add(1, Ordering::Relaxed);
            }
            End::Undecided => {}
        }
        let mut wrong: Vec<String> = check::shares(&lived).into_iter().collect();
        if lived.deserters > 0 {
            wrong.push(format!("{} sessions left it", lived.deserters));
        }
        Day {
            trace: lived.trace(),
            wrong,
        }
    });
    let (alarms, promoted) = (alarms.into_inner(), promoted.into_inner());
    println!("{alarms} of {} were reversed by chance", alarms + promoted);
    assert!(alarms * 100 < SEEDS, "{alarms} of {SEEDS} were reversed");
    assert!(alarms + promoted > 0, "every one came to an end");
}

#[test]
fn every_bad_canary_is_reversed() {
    seeds::run("rollout", SEEDS, bad);
}

#[test]
fn a_canary_that_nobody_asks_is_never_promoted() {
    for seed in 0..100 {
        assert_eq!(quiet(seed).end, End::Undecided, "seed {seed}");
    }
}

#[test]
fn the_same_seed_is_the_same_canary() {
    for seed in 0..50 {
        assert_eq!(bad(seed).trace, bad(seed).trace, "seed {seed}");
    }
}

#[test]
fn canaries_are_bad_in_every_way_and_seen_by_every_evidence() {
    let mut ways: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..200 {
        let trace = bad(seed).trace;
        for way in [
            "Errors(", "Faults(", "Slow(", "Late(", "errors: ", "faults: ", "p99: ",
        ] {
            *ways.entry(way).or_default() += u64::from(trace.contains(way));
        }
    }
    assert!(ways.values().all(|count| *count >= 5), "{ways:?}");
}
