//! A token bucket, kept as the one instant at which it is full again.
//!
//! **Invariant:** a bucket that is full has no state: what is past may be forgotten.

use serde::{Deserialize, Serialize};

/// How fast a bucket fills, and how much goes into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) per_second: u32,
    pub(crate) burst: u32,
}

/// A bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Tokens {
    /// In epoch milliseconds.
    full_at_ms: u64,
}

/// How long there is nothing to be had, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Empty {
    pub(crate) wait_ms: u64,
}

impl Tokens {
    /// Takes so many tokens, or none.
    pub(crate) fn take(&mut self, count: u32, rate: Rate, now_ms: u64) -> Result<(), Empty> {
        let room_ms = rate.ms(rate.burst);
        // What is further away than a bucket takes to fill is from before the clock was set back.
        let known = (now_ms..=now_ms + room_ms).contains(&self.full_at_ms);
        let full_at_ms = if known { self.full_at_ms } else { now_ms } + rate.ms(count);
        match full_at_ms.checked_sub(now_ms + room_ms) {
            None | Some(0) => {
                self.full_at_ms = full_at_ms;
                Ok(())
            }
            Some(wait_ms) => Err(Empty { wait_ms }),
        }
    }

    /// When it is full again, in epoch milliseconds.
    pub(crate) fn full_at_ms(self) -> u64 {
        self.full_at_ms
    }
}

impl Rate {
    /// How long so many tokens take to come, in milliseconds.
    fn ms(self, count: u32) -> u64 {
        u64::from(count) * 1_000 / u64::from(self.per_second.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_second: 10,
        burst: 100,
    };

    #[test]
    fn a_burst_is_granted_and_then_the_rate() {
        let mut tokens = Tokens::default();
        for _ in 0..100 {
            assert_eq!(tokens.take(1, RATE, 5_000), Ok(()));
        }
        assert_eq!(tokens.take(1, RATE, 5_000), Err(Empty { wait_ms: 100 }));
        assert_eq!(tokens.take(1, RATE, 5_099), Err(Empty { wait_ms: 1 }));
        assert_eq!(tokens.take(1, RATE, 5_100), Ok(()));
        assert_eq!(tokens.take(10, RATE, 5_100), Err(Empty { wait_ms: 1_000 }));
        assert_eq!(tokens.take(10, RATE, 6_100), Ok(()));
    }

    #[test]
    fn a_rest_fills_it_to_the_burst_and_no_further() {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.take(100, RATE, 0), Ok(()));
        assert_eq!(tokens.take(100, RATE, 3_600_000), Ok(()));
        assert_eq!(tokens.take(1, RATE, 3_600_000), Err(Empty { wait_ms: 100 }));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.take(100, RATE, 3_600_000), Ok(()));
        assert_eq!(tokens.take(100, RATE, 0), Ok(()));
        assert_eq!(tokens.take(1, RATE, 0), Err(Empty { wait_ms: 100 }));
    }
}
