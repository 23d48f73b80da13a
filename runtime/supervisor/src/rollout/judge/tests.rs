//! Claims about what reverses a canary, and what does not. That chance alone does not is simulated.

use std::time::Duration;

use rookery_telemetry::Histogram;

use super::*;

fn times(ms: &[u64]) -> HistogramSnapshot {
    let times = Histogram::new();
    ms.iter()
        .for_each(|ms| times.record(Duration::from_millis(*ms)));
    times.snapshot()
}

fn side(answers: u64, errors: u64) -> Side {
    Side {
        counts: Counts {
            answers,
            errors,
            ..Counts::default()
        },
        ..Side::default()
    }
}

fn events(events: u64, faults: u64, closes: u64) -> Side {
    Side {
        counts: Counts {
            events,
            faults,
            closes,
            ..Counts::default()
        },
        ..Side::default()
    }
}

/// What so many looks, each of which saw the same, come to.
fn judged(limits: Limits, looks: usize, canary: &Side, stable: &Side) -> Option<String> {
    let mut judge = Judge::new(limits);
    let breach = (0..looks).find_map(|_| judge.look(canary, stable));
    breach.map(|breach| breach.to_string())
}

#[track_caller]
fn check(canary: &Side, stable: &Side, expected: Option<&str>) {
    let found = judged(Limits::default(), 40, canary, stable);
    match expected {
        None => assert_eq!(found, None),
        Some(expected) => {
            let found = found.expect("a breach");
            assert!(found.starts_with(expected), "{found}");
        }
    }
}

#[test]
fn errors_and_faults_above_their_limits_are_breaches() {
    check(&side(20, 1), &side(0, 0), Some("errors: "));
    check(&events(20, 1, 0), &side(0, 0), Some("faults: "));
    check(&side(1000, 5), &side(9000, 45), None);
    check(&events(10_000, 5, 5), &events(90_000, 45, 45), None);
}

#[test]
fn what_is_worse_than_the_others_is_a_breach_within_the_limits_too() {
    check(&side(1000, 5), &side(9000, 0), Some("errors: "));
    check(
        &events(10_000, 5, 0),
        &events(90_000, 0, 0),
        Some("faults: "),
    );
    check(
        &events(10_000, 5, 5),
        &events(90_000, 5, 0),
        Some("closed sessions: "),
    );
    // Worse, and yet nothing that anybody would look at.
    check(&events(100_000, 5, 0), &events(900_000, 0, 0), None);
}

#[test]
fn an_outage_that_hits_everybody_is_no_evidence_against_one() {
    let generous = Limits {
        error_rate: 0.5,
        ..Limits::default()
    };
    let mut judge = Judge::new(generous);
    let mut look = |canary, stable| judge.look(&canary, &stable);
    for _ in 0..100 {
        assert_eq!(look(side(10, 0), side(90, 0)), None);
    }
    for _ in 0..20 {
        assert_eq!(look(side(10, 4), side(90, 36)), None);
    }
}

#[test]
fn slow_answers_are_a_breach_from_the_ratio_on() {
    let with = |ms: &[u64]| Side {
        times: times(ms),
        ..side(ms.len() as u64, 0)
    };
    let fast = with(&[10; 100]);
    let mut one_slow = [10; 100];
    one_slow[0] = 40;
    check(&with(&[30; 10]), &fast, Some("p99: "));
    check(&with(&[14; 10]), &fast, None);
    check(&with(&[10; 10]), &with(&one_slow), None);
    // A p99 of microseconds that doubles is nothing that anybody sees.
    let micro = |us: u64, count: u64| {
        let times = Histogram::new();
        (0..count).for_each(|_| times.record(Duration::from_micros(us)));
        Side {
            times: times.snapshot(),
            ..side(count, 0)
        }
    };
    check(&micro(400, 10), &micro(100, 90), None);
}

#[test]
fn the_reason_has_both_sides_in_it() {
    let found = judged(Limits::default(), 40, &side(1000, 5), &side(9000, 0));
    let found = found.expect("a breach");
    assert!(
        found.contains("% the stable version") || found.contains("the stable version 0 of"),
        "{found}"
    );
    let found = judged(Limits::default(), 40, &side(10, 10), &side(0, 0)).expect("a breach");
    assert!(
        found.ends_with("(100.00 %), and 1 % is the limit"),
        "{found}"
    );
}

#[test]
fn how_near_it_is_grows_to_one() {
    let mut judge = Judge::new(Limits::default());
    let mut last = 0.0;
    while judge.look(&side(50, 1), &side(450, 0)).is_none() {
        let near = judge.status().evidence["errorsWorse"];
        assert!((0.0..1.0).contains(&near) && near >= last, "{near}");
        last = near;
    }
    let status = judge.status();
    assert!(status.evidence.values().any(|near| *near == 1.0));
    assert_eq!(status.canary.errors * 50, status.canary.answers);
}
