//! Chance, from a seed: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
//!
//! **Invariant:** the same seed gives the same numbers on every machine.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Gives numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Those of this seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One within these bounds.
    pub fn within(&mut self, bounds: RangeInclusive<u64>) -> u64 {
        let span = bounds.end() - bounds.start() + 1;
        bounds.start() + self.roll() % span
    }

    /// True in so many of a hundred cases.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.roll() % 100 < percent
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        ((self.roll() >> 11) as f64) < probability * (1_u64 << 53) as f64
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = self.roll() % choices.len() as u64;
        choices[usize::try_from(at).expect("an index of a slice is one")]
    }

    /// So many milliseconds.
    pub fn ms(&mut self, bounds: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.within(bounds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_within_their_bounds_and_reach_them() {
        let mut dice = Dice::new(1);
        let rolled: Vec<u64> = (0..1000).map(|_| dice.within(3..=7)).collect();
        assert!(rolled.iter().all(|number| (3..=7).contains(number)));
        assert!((3..=7).all(|number| rolled.contains(&number)));
        let happened = (0..1000).filter(|_| dice.happens(20)).count();
        assert!((100..300).contains(&happened), "{happened}");
    }

    #[test]
    fn one_seed_gives_the_same_numbers() {
        let numbers = |seed| {
            let mut dice = Dice::new(seed);
            [(); 4].map(|()| dice.roll())
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }
}
