//! How many wait for something, told by whoever waits.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts one who waits, until it is dropped: also when the waiting is given up.
#[derive(Debug)]
#[must_use = "it counts for as long as it is held"]
pub struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    /// One more, until what is returned is dropped.
    pub fn one(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_counted_until_he_does_not() {
        let count = AtomicUsize::new(0);
        let one = Waiting::one(&count);
        let other = Waiting::one(&count);
        drop(one);
        assert_eq!(count.load(Ordering::SeqCst), 1);
        drop(other);
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }
}
