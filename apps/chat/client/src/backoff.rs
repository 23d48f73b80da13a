//! When to try again.
//!
//! **Invariant:** half of every wait is chance, so that a server that comes back is not met by everybody at once.

/// The first wait's longest, in milliseconds.
const FIRST_MS: u64 = 500;
/// Any wait's longest.
const LAST_MS: u64 = 15_000;

/// How often it went wrong in a row.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It went wrong once more: how long to wait, in milliseconds. `chance` is any number.
    pub fn wait_ms(&mut self, chance: u64) -> u64 {
        let full = FIRST_MS
            .saturating_mul(1 << self.failures.min(16))
            .min(LAST_MS);
        self.failures = self.failures.saturating_add(1);
        full / 2 + chance % (full / 2 + 1)
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How often it went wrong since it last went well.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_half_of_each_is_chance() {
        let (mut least, mut most) = (Backoff::default(), Backoff::default());
        for full in [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000] {
            assert_eq!(least.wait_ms(0), full / 2);
            assert_eq!(most.wait_ms(full / 2), full);
        }
        for chance in 0..1_000_u64 {
            let wait = Backoff::default().wait_ms(chance.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert!((250..=500).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn what_went_well_makes_the_next_wait_short() {
        let mut backoff = Backoff::default();
        for _ in 0..80 {
            backoff.wait_ms(1);
        }
        assert_eq!(backoff.failures(), 80);
        backoff.reset();
        assert_eq!(backoff.wait_ms(0), 250);
    }
}
