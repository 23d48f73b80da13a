//! How many per second lately, without a lock and without a clock of its own.
//!
//! **Invariant:** only whole seconds that have passed are averaged, so a burst is never extrapolated.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How many past seconds are averaged.
const WINDOW_SECS: u64 = 10;
/// The window, the second that is being counted, and room so that a slow reader meets no slot that was reused.
const SLOTS: usize = 16;
const COUNT_BITS: u32 = 32;

/// Counts per second of the last ten. Time is given as the time since whatever start the owner chose.
#[derive(Debug, Default)]
pub struct RecentRate {
    /// Each holds a second in its upper half and that second's count in its lower half, so that both change at once.
    slots: [AtomicU64; SLOTS],
}

impl RecentRate {
    /// Nothing counted.
    pub fn new() -> RecentRate {
        RecentRate::default()
    }

    /// Counts one, at the given time since the start.
    pub fn record(&self, since_start: Duration) {
        let second = since_start.as_secs();
        let slot = &self.slots[second as usize % SLOTS];
        // Cannot fail: the closure always answers.
        let _ = slot.fetch_update(Relaxed, Relaxed, |packed| {
            let first_of_its_second = (second << COUNT_BITS) | 1;
            Some(if packed >> COUNT_BITS == second {
                packed + 1
            } else {
                first_of_its_second
            })
        });
    }

    /// The mean per second over the last ten whole seconds, or over as many as there were.
    pub fn per_second(&self, since_start: Duration) -> f64 {
        let now = since_start.as_secs();
        let window = now.saturating_sub(WINDOW_SECS)..now;
        if window.is_empty() {
            return 0.0;
        }
        let packed = self.slots.iter().map(|slot| slot.load(Relaxed));
        let total: u64 = packed
            .filter(|packed| window.contains(&(packed >> COUNT_BITS)))
            .map(|packed| packed & u64::from(u32::MAX))
            .sum();
        total as f64 / (window.end - window.start) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    #[test]
    fn the_first_second_has_no_rate_yet() {
        let rate = RecentRate::new();
        rate.record(at(0.1));
        assert_eq!(rate.per_second(at(0.9)), 0.0);
        assert_eq!(rate.per_second(at(1.0)), 1.0);
    }

    #[test]
    fn a_young_rate_is_averaged_over_its_age() {
        let rate = RecentRate::new();
        for _ in 0..30 {
            rate.record(at(1.5));
        }
        assert_eq!(rate.per_second(at(3.0)), 10.0);
    }

    #[test]
    fn what_is_older_than_ten_seconds_is_forgotten() {
        let rate = RecentRate::new();
        for second in 0..100 {
            for _ in 0..=second {
                rate.record(at(f64::from(second) + 0.5));
            }
        }
        let mean = (91..=100).sum::<i32>() as f64 / 10.0;
        assert_eq!(rate.per_second(at(100.0)), mean);
        assert_eq!(rate.per_second(at(200.0)), 0.0);
    }

    #[test]
    fn threads_lose_no_count() {
        let rate = RecentRate::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| rate.record(at(0.5))));
            }
        });
        assert_eq!(rate.per_second(at(1.0)), 40_000.0);
    }
}
