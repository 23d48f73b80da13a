//! How much memory an isolate may take.
//!
//! **Invariant:** the sum of all linear memories of an isolate stays within its limit, however many memories its
//! component has.

use wasmtime::ResourceLimiter;

/// The most entries that all tables of an isolate hold together.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Counts what an isolate takes and refuses what is too much.
#[derive(Debug)]
pub(crate) struct Limits {
    memory_bytes_max: usize,
    memory_bytes: usize,
    table_elements: usize,
    refused: bool,
}

impl Limits {
    pub fn new(memory_bytes_max: u64) -> Self {
        Limits {
            memory_bytes_max: usize::try_from(memory_bytes_max).unwrap_or(usize::MAX),
            memory_bytes: 0,
            table_elements: 0,
            refused: false,
        }
    }

    /// A new invocation begins: what an earlier one was refused it has survived.
    pub fn begin(&mut self) {
        self.refused = false;
    }

    /// Whether this invocation asked for too much.
    pub fn has_refused(&self) -> bool {
        self.refused
    }

    /// What all memories have now, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes as u64
    }

    /// The limit, in bytes.
    pub fn memory_bytes_max(&self) -> u64 {
        self.memory_bytes_max as u64
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let sum = self.memory_bytes - current.min(self.memory_bytes) + desired;
        if sum > self.memory_bytes_max {
            self.refused = true;
            return Ok(false);
        }
        self.memory_bytes = sum;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let sum = self.table_elements - current.min(self.table_elements) + desired;
        if sum > TABLE_ELEMENTS_MAX {
            self.refused = true;
            return Ok(false);
        }
        self.table_elements = sum;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn two_memories_share_one_limit() {
        let mut limits = Limits::new(100);
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(limits.memory_growing(0, 40, None).unwrap());
        assert!(!limits.memory_growing(40, 41, None).unwrap());
        assert!(limits.has_refused());
    }

    #[test]
    fn growth_counts_the_difference() {
        let mut limits = Limits::new(100);
        assert!(limits.memory_growing(0, 50, None).unwrap());
        assert!(limits.memory_growing(50, 100, None).unwrap());
        assert!(!limits.memory_growing(100, 101, None).unwrap());
    }
}
