//! What a pool remembers of workers that could not start, so that not every request tries again.
//!
//! **Invariant:** within the delay after a failure nobody starts a worker; the reason is given at once instead.
//! **Absent on purpose:** clock and lock. Instants come in, and `start.rs` holds the lock.

use std::time::Duration;

use rookery_lifecycle::Backoff;
use tokio::time::Instant;

use crate::worker::SpawnError;

/// How long after the first failure the next start is tried. It doubles with each further one …
const DELAY_FIRST: Duration = Duration::from_millis(100);
/// … up to this.
const DELAY_MAX: Duration = Duration::from_secs(10);

/// How starting workers went lately.
#[derive(Debug)]
pub(crate) struct Setback {
    backoff: Backoff,
    last: Option<Failure>,
}

/// How the last start failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Why.
    pub reason: SpawnError,
    /// How many failed one after the other.
    pub attempts: u32,
    /// When the next one is tried at the earliest.
    pub retry_at: Instant,
}

impl Setback {
    /// All is well. The delays repeat for the same seed, and differ for others, so that pools that fell together do not
    /// come back together.
    pub fn new(seed: u64) -> Self {
        Setback {
            backoff: Backoff::seeded(DELAY_FIRST, DELAY_MAX, seed),
            last: None,
        }
    }

    /// Why nobody should try now, if so.
    pub fn refusal(&self, now: Instant) -> Option<&Failure> {
        self.last.as_ref().filter(|last| now < last.retry_at)
    }

    /// The start that began then failed.
    ///
    /// A start that began before the delay was over ran beside the one that failed first: it is the same failure, and
    /// a hundred requests that came at once do not count as a hundred attempts.
    pub fn failed(&mut self, began: Instant, now: Instant, reason: &SpawnError) {
        if self.refusal(began).is_some() {
            return;
        }
        let before = self.last.as_ref().map_or(0, |last| last.attempts);
        self.last = Some(Failure {
            reason: reason.clone(),
            attempts: before.saturating_add(1),
            retry_at: now + self.backoff.next_delay(),
        });
    }

    /// A worker started: all is well.
    pub fn succeeded(&mut self) {
        if self.last.take().is_some() {
            self.backoff.reset();
        }
    }

    /// How the last start failed, until one succeeds.
    pub fn failure(&self) -> Option<&Failure> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> SpawnError {
        SpawnError::new(text)
    }

    #[tokio::test(start_paused = true)]
    async fn the_delay_doubles_up_to_ten_seconds_and_a_success_ends_it() {
        let (mut setback, mut now) = (Setback::new(7), Instant::now());
        for step_ms in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            setback.failed(now, now, &refused("no"));
            let step = Duration::from_millis(step_ms);
            let before_half = now + step / 2 - Duration::from_micros(1);
            assert!(setback.refusal(before_half).is_some(), "{step_ms}");
            assert!(setback.refusal(now + step).is_none(), "{step_ms}");
            now += step;
        }
        assert_eq!(setback.failure().map(|failure| failure.attempts), Some(9));
        setback.succeeded();
        assert!(setback.failure().is_none());
        assert!(setback.refusal(now - DELAY_FIRST).is_none());
        setback.failed(now, now, &refused("no"));
        assert!(setback.refusal(now + DELAY_FIRST).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_side_by_side_are_one() {
        let (mut setback, began) = (Setback::new(7), Instant::now());
        setback.failed(began, began, &refused("the first"));
        for _ in 0..100 {
            setback.failed(began, began + DELAY_FIRST / 4, &refused("one beside it"));
        }
        let refusal = setback.refusal(began).expect("it has just failed");
        assert_eq!(
            (&*refusal.reason.reason, refusal.attempts),
            ("the first", 1)
        );
        assert!(setback.refusal(began + DELAY_FIRST).is_none());
    }
}
