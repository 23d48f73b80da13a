//! Random bits for ids: unique and not to be guessed from others, but no keys.
//!
//! A counter per thread through SipHash, whose keys `RandomState` takes from the operating system once per thread: a
//! few nanoseconds, no lock and no system call per id.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

thread_local! {
    static KEYS: RandomState = RandomState::new();
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Sixty-four of them.
pub fn random_u64() -> u64 {
    let count = COUNT.replace(COUNT.get().wrapping_add(1));
    KEYS.with(|keys| keys.hash_one(count))
}

pub(crate) fn random_u128() -> u128 {
    u128::from(random_u64()) << 64 | u128::from(random_u64())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_repeat_neither_within_a_thread_nor_across() {
        let draw = || (0..10_000).map(|_| random_u128()).collect::<Vec<_>>();
        let other = std::thread::spawn(draw)
            .join()
            .expect("the thread only draws");
        let all: HashSet<_> = draw().into_iter().chain(other).collect();
        assert_eq!(all.len(), 20_000);
    }

    #[test]
    fn every_bit_is_set_about_half_of_the_time() {
        let mut ones = [0_u32; 64];
        for _ in 0..10_000 {
            let number = random_u64();
            (0..64).for_each(|bit| ones[bit] += (number >> bit & 1) as u32);
        }
        // Ten standard deviations (50 each) around the half.
        assert!(
            ones.iter().all(|count| (4_500..5_500).contains(count)),
            "{ones:?}"
        );
    }
}
