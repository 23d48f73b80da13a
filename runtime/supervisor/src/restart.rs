//! When a build that could not be prepared is tried again.
//!
//! **Invariant:** the pauses grow to [`RETRY_PAUSE_MAX`] and no further, so a database that comes back is noticed, and a
//! broken build costs one compilation in a few minutes.
//! **Absent on purpose:** telling a passing failure from a lasting one; see [`Until`]. A change
//! on disk does not wait for any of this: it makes a new revision.

use std::time::Duration;

use rookery_lifecycle::Backoff;
use tokio::time::Instant;

use crate::revision::Until;

/// The pause after the first failure; at least half of it.
pub const RETRY_PAUSE_FIRST: Duration = Duration::from_secs(1);

/// The longest pause.
pub const RETRY_PAUSE_MAX: Duration = Duration::from_secs(300);

/// The failures of one revision.
#[derive(Debug)]
pub struct Restart {
    backoff: Backoff,
    due: Option<Instant>,
    failures: u32,
}

impl Restart {
    /// None yet. The pauses repeat for the same seed, and differ for others, so that those that fell together do not come
    /// back together.
    pub fn new(seed: u64) -> Restart {
        Restart {
            backoff: Backoff::seeded(RETRY_PAUSE_FIRST, RETRY_PAUSE_MAX, seed),
            due: None,
            failures: 0,
        }
    }

    /// It failed at `now`: sets the time of the next try, if there is to be one.
    pub fn failed(&mut self, now: Instant, until: Until) {
        self.failures = self.failures.saturating_add(1);
        self.due = match until {
            Until::Retried => Some(now + self.backoff.next_delay()),
            Until::Changed => None,
        };
    }

    /// When it is to be tried again.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether that time has come; if so, it is used up.
    pub fn take_due(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }

    /// How often it failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_due_once_after_its_pause() {
        let now = Instant::now();
        let mut restart = Restart::new(7);
        assert!(!restart.take_due(now + RETRY_PAUSE_MAX));
        restart.failed(now, Until::Retried);
        assert!(!restart.take_due(now));
        assert!(restart.take_due(now + RETRY_PAUSE_FIRST));
        assert!(!restart.take_due(now + RETRY_PAUSE_MAX));
    }

    #[tokio::test(start_paused = true)]
    async fn what_only_a_change_can_mend_is_never_due() {
        let now = Instant::now();
        let mut restart = Restart::new(7);
        restart.failed(now, Until::Changed);
        assert_eq!((restart.due(), restart.failures()), (None, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_their_maximum() {
        let now = Instant::now();
        let mut restart = Restart::new(7);
        for _ in 0..20 {
            restart.failed(now, Until::Retried);
        }
        let pause = restart.due().map(|due| due - now);
        assert!(pause >= Some(RETRY_PAUSE_MAX / 2) && pause <= Some(RETRY_PAUSE_MAX));
        assert_eq!(restart.failures(), 20);
    }
}
