//! How long a guest's own start may take, and what of that counts.
//!
//! A start is asked for by whoever wants a worker now, so one that comes to nothing has to say so soon. But on a busy
//! machine a second may pass in which the guest computes for a millisecond, and that is no reason to refuse an app. So a
//! start is late when its limit passed and at least half of that was the guest's own.
//!
//! **Invariant:** time counts as the guest's own when it computed, in whole epochs, or waited for something else than its
//! turn to compute. Time in which others had the processors, or the host made the instance, does not.
//! **Invariant:** whatever it did, a start ends within [`PASSED_MAX`].

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use crate::cpu::CpuTime;
use crate::engine::EPOCH;
use crate::epoch::{Turn, computing};
use crate::state::State;

/// How long a guest's own start may take, at most.
const LIMIT: Duration = Duration::from_secs(1);

/// How long a start may take however little of that the guest had.
pub(crate) const PASSED_MAX: Duration = Duration::from_secs(10);

/// How often a start is looked at that took longer than its limit.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The start was given up: it had so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Late(pub Duration);

/// What a start took so far.
#[derive(Clone, Copy, Debug)]
struct Spent {
    /// On the wall's clock.
    passed: Duration,
    /// Epochs that ended while the guest computed.
    epochs: u32,
    /// For other things than a turn.
    waited: Duration,
}

impl Spent {
    /// Why to give it up, if so.
    fn late(self, limit: Duration) -> Option<Late> {
        let own = EPOCH * self.epochs + self.waited;
        if self.passed >= limit && own >= limit / 2 {
            return Some(Late(limit));
        }
        (self.passed >= PASSED_MAX).then_some(Late(PASSED_MAX))
    }
}

/// How long a guest waited that may wait now.
#[derive(Default)]
struct Waited {
    before: Duration,
    since: Option<Instant>,
}

impl Waited {
    fn begin(&mut self) {
        self.since = Some(Instant::now());
    }

    fn end(&mut self) {
        self.before = self.so_far();
        self.since = None;
    }

    fn so_far(&self) -> Duration {
        let now = self.since.map(|since| since.elapsed());
        self.before + now.unwrap_or_default()
    }
}

/// What runs a guest's start.
pub(crate) struct Starter {
    turn: Turn,
    cpu: Arc<CpuTime>,
    limit: Duration,
    begun: Instant,
    // Held to add to it, never across an await.
    waited: Mutex<Waited>,
}

impl Starter {
    /// Runs the start of this guest from now on, within the limit of all or the timeout of its own, if that is shorter.
    pub fn of(state: &State, timeout: Duration) -> Starter {
        Starter {
            turn: state.turn.clone(),
            cpu: Arc::clone(&state.cpu),
            limit: timeout.min(LIMIT),
            begun: Instant::now(),
            waited: Mutex::default(),
        }
    }

    /// Runs the start to its end, or until it is late.
    pub async fn run<F: Future>(self, start: F) -> Result<F::Output, Late> {
        tokio::select! {
            biased;
            started = self.watched(start) => Ok(started),
            late = self.late() => Err(late),
        }
    }

    async fn watched<F: Future>(&self, start: F) -> F::Output {
        let mut start = std::pin::pin!(computing(&self.turn, &self.cpu, start));
        std::future::poll_fn(|cx| {
            let polled = start.as_mut().poll(cx);
            if polled.is_pending() {
                let mut waited = self.waited.lock();
                waited.end();
                if !self.turn.is_wanted() {
                    waited.begin();
                }
            }
            polled
        })
        .await
    }

    async fn late(&self) -> Late {
        sleep_until(self.begun + self.limit).await;
        loop {
            let spent = Spent {
                passed: self.begun.elapsed(),
                epochs: self.turn.epochs(),
                waited: self.waited.lock().so_far(),
            };
            match spent.late(self.limit) {
                Some(late) => return late,
                None => sleep(LOOK_EVERY).await,
            }
        }
    }
}

#[cfg(test)]
mod tests;
