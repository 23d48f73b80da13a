//! A number that only grows, and one that goes both ways.
//!
//! **Invariant:** nothing is ever ordered by these: they are for reading by people, so every access is relaxed.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// How often something happened since the start.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// At zero.
    pub const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    /// Once more.
    pub fn incr(&self) {
        self.add(1);
    }

    /// `n` times more.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// How often until now.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many of something there are now.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// At zero.
    pub const fn new() -> Gauge {
        Gauge(AtomicI64::new(0))
    }

    /// One more.
    pub fn incr(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// One less.
    pub fn decr(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// Exactly so many.
    pub fn set(&self, value: i64) {
        self.0.store(value, Relaxed);
    }

    /// How many now. Below zero only for a reader who meets a decrement before its increment.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_adds_up() {
        let counter = Counter::new();
        counter.incr();
        counter.add(41);
        assert_eq!(counter.get(), 42);
    }

    #[test]
    fn a_gauge_goes_both_ways() {
        let gauge = Gauge::new();
        gauge.incr();
        gauge.decr();
        gauge.decr();
        assert_eq!(gauge.get(), -1);
        gauge.set(7);
        assert_eq!(gauge.get(), 7);
    }
}
