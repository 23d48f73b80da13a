//! The idle workers of one revision.
//!
//! The one used last is taken first, so that those not needed grow old and are retired.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::places::Place;
use crate::policy::{Life, Policy, Reuse};
use crate::worker::Worker;

/// A live worker and its right to live.
pub(crate) struct Living {
    pub worker: Box<dyn Worker>,
    pub life: Life,
    /// Given back when the worker is dropped.
    pub _place: Place,
}

/// Idle workers, the one idle longest in front.
#[derive(Default)]
pub(crate) struct Shelf {
    idle: VecDeque<Living>,
    closed: bool,
}

impl Shelf {
    /// The worker used last, if it may still serve; idleness is no reason against one of the `kept` that are to be
    /// ready. Those that may not are given out to be dropped outside the lock.
    pub fn take(
        &mut self,
        policy: &Policy,
        now: Instant,
        kept: usize,
    ) -> (Option<Living>, Vec<Living>) {
        let mut tired = Vec::new();
        while let Some(living) = self.idle.pop_back() {
            match policy.reuse(living.life, now) {
                Reuse::Yes => return (Some(living), tired),
                Reuse::Idle if kept > 0 => return (Some(living), tired),
                Reuse::Idle | Reuse::No | Reuse::Never => tired.push(living),
            }
        }
        (None, tired)
    }

    /// Puts a worker back; gives it back to be dropped when the shelf is closed.
    pub fn put(&mut self, living: Living) -> Option<Living> {
        if self.closed {
            return Some(living);
        }
        self.idle.push_back(living);
        None
    }

    /// The worker idle longest.
    pub fn take_oldest(&mut self) -> Option<Living> {
        self.idle.pop_front()
    }

    /// Since when the oldest is idle.
    pub fn oldest(&self) -> Option<Instant> {
        self.idle.front().map(|living| living.life.last_used)
    }

    /// Those that may not serve any more, but for the last used ones of the `kept` that are to be ready. They need not
    /// be the ones in front: the last one used may be the oldest.
    pub fn take_tired(&mut self, policy: &Policy, now: Instant, kept: usize) -> Vec<Living> {
        let mut tired = Vec::new();
        for living in std::mem::take(&mut self.idle).into_iter().rev() {
            match policy.reuse(living.life, now) {
                Reuse::Yes => self.idle.push_front(living),
                Reuse::Idle if self.idle.len() < kept => self.idle.push_front(living),
                Reuse::Idle | Reuse::No | Reuse::Never => tired.push(living),
            }
        }
        tired
    }

    /// Takes all and keeps none from now on.
    pub fn close(&mut self) -> VecDeque<Living> {
        self.closed = true;
        std::mem::take(&mut self.idle)
    }

    /// How many are idle.
    pub fn len(&self) -> usize {
        self.idle.len()
    }

    /// Their lives, for the statistics.
    pub fn lives(&self) -> impl Iterator<Item = Life> {
        self.idle.iter().map(|living| living.life)
    }
}
