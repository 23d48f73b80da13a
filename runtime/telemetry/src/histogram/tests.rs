//! Claims about the buckets and the error of a quantile.

use proptest::prelude::*;

use super::*;

fn recorded(values_us: &[u64]) -> HistogramSnapshot {
    let histogram = Histogram::new();
    for us in values_us {
        histogram.record(Duration::from_micros(*us));
    }
    histogram.snapshot()
}

#[test]
fn buckets_follow_each_other_without_a_gap_up_to_the_top() {
    let mut next = 0;
    for index in 0..BUCKETS {
        let (low, width) = bounds_of(index);
        assert_eq!(low, next, "bucket {index}");
        assert_eq!(bucket_of(low), index);
        assert_eq!(bucket_of(low + width - 1), index);
        next = low + width;
    }
    assert_eq!(next, VALUE_MAX_US + 1);
}

#[test]
fn nothing_recorded_is_all_zero() {
    let empty = Histogram::new().snapshot();
    assert_eq!(
        (
            empty.count(),
            empty.sum_us(),
            empty.max_us(),
            empty.quantile(0.99)
        ),
        (0, 0, 0, 0)
    );
    assert_eq!(empty.mean_us(), 0.0);
    assert!(empty.cumulative().all(|(_, count)| count == 0));
}

#[test]
fn short_durations_are_exact() {
    let snapshot = recorded(&[0, 1, 2, 3, 15]);
    assert_eq!(snapshot.quantile(0.0), 0);
    assert_eq!(snapshot.quantile(0.5), 2);
    assert_eq!(snapshot.quantile(1.0), 15);
    assert_eq!(snapshot.mean_us(), 4.2);
}

#[test]
fn the_longest_is_exact_and_no_quantile_passes_it() {
    let snapshot = recorded(&[1_000_001]);
    assert_eq!(snapshot.max_us(), 1_000_001);
    assert!(snapshot.quantile(1.0) <= 1_000_001);
}

#[test]
fn hours_are_counted_at_the_top() {
    let histogram = Histogram::new();
    histogram.record(Duration::MAX);
    let snapshot = histogram.snapshot();
    assert_eq!(snapshot.count(), 1);
    assert_eq!(snapshot.max_us(), VALUE_MAX_US);
}

#[test]
fn cumulative_counts_stop_below_their_bound() {
    let snapshot = recorded(&[15, 16, 31, 32, 70_000_000]);
    let shown: Vec<_> = snapshot.cumulative().collect();
    assert_eq!(shown[..3], [(16, 1), (32, 3), (64, 4)]);
    assert_eq!(
        shown.last(),
        Some(&(1 << 26, 4)),
        "70 s is above the last bound"
    );
}

#[test]
fn threads_lose_no_record() {
    let histogram = Histogram::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let histogram = &histogram;
            scope.spawn(move || {
                for us in 0..10_000 {
                    histogram.record(Duration::from_micros(us * (thread + 1)));
                }
            });
        }
    });
    let snapshot = histogram.snapshot();
    assert_eq!(snapshot.count(), 40_000);
    assert_eq!(snapshot.max_us(), 4 * 9_999);
    assert_eq!(snapshot.sum_us(), 10 * (0..10_000).sum::<u64>());
}

proptest! {
    #[test]
    fn a_quantile_is_within_a_sixteenth_of_the_truth(
        mut values in prop::collection::vec((0_u64..=VALUE_MAX_US, 0_u32..32).prop_map(|(v, shift)| v >> shift), 1..200),
        q in 0.0..=1.0_f64,
    ) {
        let told = recorded(&values).quantile(q);
        values.sort_unstable();
        let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
        let truth = values[rank - 1];
        prop_assert!(told.abs_diff(truth) * 16 <= truth, "told {} for {}", told, truth);
    }

    #[test]
    fn a_merge_is_as_if_one_histogram_had_seen_it_all(
        left in prop::collection::vec(0_u64..=VALUE_MAX_US, 0..50),
        right in prop::collection::vec(0_u64..=VALUE_MAX_US, 0..50),
    ) {
        let mut merged = recorded(&left);
        merged.merge(&recorded(&right));
        prop_assert_eq!(merged, recorded(&[left, right].concat()));
    }
}

#[test]
fn what_came_after_an_earlier_snapshot_is_told_apart() {
    let histogram = Histogram::new();
    (0..100).for_each(|_| histogram.record(Duration::from_secs(1)));
    let earlier = histogram.snapshot();
    (0..10).for_each(|_| histogram.record(Duration::from_micros(10)));
    let between = histogram.snapshot().since(&earlier);
    assert_eq!(
        (between.count(), between.quantile(0.99), between.sum_us()),
        (10, 10, 100)
    );
    let nothing = earlier.since(&earlier);
    assert_eq!(nothing, HistogramSnapshot::default());
}

#[test]
fn what_is_longer_is_counted_from_the_next_bucket_on() {
    let snapshot = recorded(&[1, 10, 100, 1_000, VALUE_MAX_US]);
    for (us, expected) in [(0, 5), (1, 4), (10, 3), (99, 2), (200, 2), (5_000, 1)] {
        assert_eq!(snapshot.above(us), expected, "{us}");
    }
    assert_eq!(snapshot.above(u64::MAX), 0);
}
