//! What the topics of a namespace keep together, so that many that keep a little each do not take all of the server's memory.
//!
//! **Invariant:** the sum is what all parts hold: a part that is dropped gives back what it held.
//! **Absent on purpose:** whose things go when there is too much. Who adds to a full stock takes away from its own part.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The sum for one namespace, in bytes.
pub(crate) struct Stock {
    bytes: AtomicUsize,
    bytes_max: usize,
}

/// What one topic has of it.
pub(crate) struct Part {
    of: Arc<Stock>,
    bytes: usize,
}

impl Stock {
    pub(crate) fn new(bytes_max: usize) -> Arc<Stock> {
        Arc::new(Stock {
            bytes: AtomicUsize::new(0),
            bytes_max,
        })
    }

    /// A part that holds nothing yet.
    pub(crate) fn part(self: &Arc<Stock>) -> Part {
        Part {
            of: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Part {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether all parts together hold more than they may.
    pub(crate) fn is_too_much(&self) -> bool {
        self.of.bytes.load(Ordering::Relaxed) > self.of.bytes_max
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.of.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn take(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.of.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.take(self.bytes);
    }
}
