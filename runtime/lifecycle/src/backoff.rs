//! How long to wait before another try: twice as long each time, and never quite as long as the others wait.
//!
//! **Invariant:** a delay is never above the maximum, and never below half of the step that it was drawn from.
//! **Absent on purpose:** the sleep, the count of tries and the decision to give up.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Delays that double from `first` up to `max`. The upper half of each is drawn at random, so that a hundred workers that
/// fell together do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    step: Duration,
    random: u64,
}

impl Backoff {
    /// Starts at `first`, which is capped by `max`.
    pub fn new(first: Duration, max: Duration) -> Backoff {
        // Each `RandomState` has keys of its own, taken from the operating system.
        Backoff::seeded(first, max, RandomState::new().hash_one(0_u64))
    }

    /// As [`new`](Backoff::new), with delays that repeat for the same seed.
    pub fn seeded(first: Duration, max: Duration, seed: u64) -> Backoff {
        let first = first.min(max);
        Backoff {
            first,
            max,
            step: first,
            random: seed,
        }
    }

    /// How long to wait before the next try: between a half and the whole of the current step, which then doubles.
    pub fn next_delay(&mut self) -> Duration {
        let half = self.step / 2;
        self.step = self.step.saturating_mul(2).min(self.max);
        half + half.mul_f64(self.next_fraction())
    }

    /// A try succeeded: the next failure starts from the beginning.
    pub fn reset(&mut self) {
        self.step = self.first;
    }

    /// A number in `[0, 1)`, by SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    fn next_fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(2);

    #[test]
    fn delays_double_up_to_the_maximum_with_half_of_each_at_random() {
        for seed in 0..1000 {
            let mut backoff = Backoff::seeded(FIRST, MAX, seed);
            for step_ms in [100, 200, 400, 800, 1600, 2000, 2000, 2000] {
                let step = Duration::from_millis(step_ms);
                let delay = backoff.next_delay();
                assert!(
                    delay >= step / 2 && delay <= step,
                    "seed {seed}: {delay:?} for a step of {step:?}"
                );
            }
        }
    }

    #[test]
    fn a_success_starts_over() {
        let mut backoff = Backoff::new(FIRST, MAX);
        for _ in 0..10 {
            backoff.next_delay();
        }
        backoff.reset();
        assert!(backoff.next_delay() <= FIRST);
    }

    #[test]
    fn one_seed_gives_the_same_delays_and_two_that_differ() {
        let delays = |seed| {
            let mut backoff = Backoff::seeded(FIRST, MAX, seed);
            [(); 8].map(|()| backoff.next_delay())
        };
        assert_eq!(delays(7), delays(7));
        assert_ne!(delays(7), delays(8));
    }

    #[test]
    fn unseeded_delays_differ() {
        let first_delays: std::collections::HashSet<_> = (0..32)
            .map(|_| Backoff::new(MAX, MAX).next_delay())
            .collect();
        assert!(first_delays.len() > 16);
    }

    #[test]
    fn absurd_bounds_neither_panic_nor_pass_the_maximum() {
        let mut backoff = Backoff::seeded(Duration::MAX, Duration::MAX, 1);
        assert!(backoff.next_delay() >= Duration::MAX / 2);
        backoff.next_delay();
        let mut backoff = Backoff::seeded(MAX, FIRST, 1);
        assert!(backoff.next_delay() <= FIRST);
        let mut backoff = Backoff::seeded(Duration::ZERO, Duration::ZERO, 1);
        assert_eq!(backoff.next_delay(), Duration::ZERO);
    }
}
