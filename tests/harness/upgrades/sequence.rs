//! Checks that numbers come one after the other.

use std::collections::BTreeSet;

/// What came of one sender's numbers, 0, 1, 2 and so on, at one hearer.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    next: u64,
    missing: BTreeSet<u64>,
    /// How many came a second time.
    pub doubled: u64,
    /// How many came after a greater one.
    pub disordered: u64,
}

impl Sequence {
    /// The next number came.
    pub fn take(&mut self, number: u64) {
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
        } else if self.missing.remove(&number) {
            self.disordered += 1;
        } else {
            self.doubled += 1;
        }
    }

    /// How many came.
    pub fn heard(&self) -> u64 {
        self.next - self.missing.len() as u64
    }

    /// How many of so many never came.
    pub fn lost(&self, of: u64) -> u64 {
        self.missing.len() as u64 + of.saturating_sub(self.next)
    }
}
