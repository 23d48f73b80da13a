//! What happened in a simulation, and when.
//!
//! **Invariant:** entries stand in the order in which they happened; what happened at one instant, too.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<E> {
    /// When, in microseconds since the beginning.
    pub at_us: u64,
    /// What.
    pub event: E,
}

/// Takes down what happens. Clones write into one.
#[derive(Debug)]
pub struct Trace<E> {
    since: Instant,
    entries: Arc<Mutex<Vec<Entry<E>>>>,
}

impl<E> Clone for Trace<E> {
    fn clone(&self) -> Self {
        Trace {
            since: self.since,
            entries: Arc::clone(&self.entries),
        }
    }
}

impl<E: fmt::Debug> Trace<E> {
    /// An empty one, from now on.
    pub fn begin() -> Trace<E> {
        Trace {
            since: Instant::now(),
            entries: Arc::default(),
        }
    }

    /// It happened now.
    pub fn add(&self, event: E) {
        let at_us = self.since.elapsed().as_micros();
        let at_us = u64::try_from(at_us).expect("no simulation lasts half a million years");
        self.entries.lock().push(Entry { at_us, event });
    }

    /// All that happened.
    pub fn take(&self) -> Vec<Entry<E>> {
        std::mem::take(&mut self.entries.lock())
    }
}

/// A trace as text, a line an entry.
pub fn text<E: fmt::Debug>(entries: &[Entry<E>]) -> String {
    let lines = entries.iter().map(|entry| {
        let (ms, us) = (entry.at_us / 1000, entry.at_us % 1000);
        format!("{ms:>7}.{us:03} {:?}\n", entry.event)
    });
    lines.collect()
}
