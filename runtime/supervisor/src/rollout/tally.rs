//! What a revision did for those who asked for no one version, while its app has a rollout.
//!
//! Who asked for a version by name is not counted: he was not sent there by chance, so he is no part of a comparison.
//!
//! **Invariant:** counting takes no lock.

use std::sync::OnceLock;
use std::time::Duration;

use rookery_telemetry::{Counter, Histogram};

use super::judge::{Counts, Side};

/// Counts for one revision. Sessions' events are always counted, requests only where there is a rollout.
#[derive(Debug, Default)]
pub struct Tally {
    answers: Counter,
    errors: Counter,
    events: Counter,
    faults: Counter,
    closes: Counter,
    /// Made with the first answer: most revisions never have a rollout.
    times: OnceLock<Histogram>,
}

/// How a request was answered, as far as it is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answered {
    /// With anything below 500.
    Well,
    /// With a 5xx that the revision meant to give, or that was given in its place.
    Badly,
    /// With a 5xx because its guest failed.
    ByFault,
}

impl Tally {
    /// A request was answered, its head after this time.
    pub fn answered(&self, how: Answered, took: Duration) {
        self.answers.incr();
        self.times.get_or_init(Histogram::new).record(took);
        if how != Answered::Well {
            self.errors.incr();
        }
        if how == Answered::ByFault {
            self.faults.incr();
        }
    }

    /// A guest was given so many events.
    pub fn given(&self, events: u64) {
        self.events.add(events);
    }

    /// A guest failed on its events.
    pub fn failed(&self) {
        self.faults.incr();
    }

    /// And a session was closed because of that.
    pub fn closed(&self) {
        self.closes.incr();
    }

    /// All of it until now.
    pub(crate) fn side(&self) -> Side {
        let times = self.times.get().map(Histogram::snapshot);
        Side {
            counts: Counts {
                answers: self.answers.get(),
                errors: self.errors.get(),
                events: self.events.get(),
                faults: self.faults.get(),
                closes: self.closes.get(),
            },
            times: times.unwrap_or_default(),
        }
    }
}
