//! A new worker: a place for it, and the start itself.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::Pool;
use crate::error::AcquireError;
use crate::living::Living;
use crate::places::Place;
use crate::policy::Life;
use crate::worker::{SpawnError, Worker};

/// How long a start may take, whatever the worker is. Those who know what it is have a shorter limit, and a better
/// reason to give.
pub(super) const START_WITHIN: Duration = Duration::from_secs(60);

/// Why a start failed that seemed to have succeeded.
const ENDED_AT_ONCE: &str = "it ended before it had anything to do";

impl Pool {
    /// A new worker for somebody who asked then; refused at once while starting is known to fail.
    pub(super) async fn start(&self, asked: Instant) -> Result<Living, AcquireError> {
        // Asked before the place is, so that a revision that cannot start evicts nobody.
        self.may_start()?;
        self.stats.miss();
        let place = self.place(asked).await?;
        // Others may have failed while this one waited.
        self.may_start()?;
        let started = self.start_in(place).await;
        // The grace of a drain may have ended meanwhile, and who asked is as late as those that still wait.
        if self.closed.is_requested() {
            return Err(self.draining());
        }
        started.map_err(|source| self.failed_start(source))
    }

    /// A new worker in this place, whoever it is for.
    pub(super) async fn start_in(&self, place: Place) -> Result<Living, SpawnError> {
        let born = Instant::now();
        let entered = self.register.enter(born);
        let started = self.spawn_one().await;
        let now = Instant::now();
        let (worker, handle) = started.inspect_err(|reason| {
            self.stats.failed();
            self.setback.lock().failed(born, now, reason);
        })?;
        // One that shares has yet to show that it lives: whoever waits for it would start the next one at once.
        if self.at_once == 1 {
            self.setback.lock().succeeded();
        }
        self.stats.created(now - born);
        let life = Life {
            born,
            last_used: now,
            served: 0,
            requests_max: self.policy.requests_max(entered.number() - 1),
            told_idle: false,
        };
        let mut living = Living::new(worker, life, entered, place);
        living.handles.extend(handle);
        Ok(living)
    }

    /// A worker, and a first handle on it if it is one that shares.
    async fn spawn_one(&self) -> Result<(Box<dyn Worker>, Option<Box<dyn Worker>>), SpawnError> {
        let late = || {
            Err(SpawnError::new(format!(
                "it did not start within {START_WITHIN:?}"
            )))
        };
        let worker = timeout(START_WITHIN, self.spawn.spawn()).await;
        let worker = worker.unwrap_or_else(|_elapsed| late())?;
        if !worker.is_alive() {
            return Err(SpawnError::new(ENDED_AT_ONCE));
        }
        if self.at_once == 1 {
            return Ok((worker, None));
        }
        match worker.share() {
            Some(handle) => Ok((worker, Some(handle))),
            None => Err(SpawnError::new("it takes one invocation at a time only")),
        }
    }

    pub(super) fn may_start(&self) -> Result<(), AcquireError> {
        match self.setback.lock().refusal(Instant::now()) {
            Some(failure) => Err(self.no_start(failure.reason.clone(), failure.retry_at)),
            None => Ok(()),
        }
    }

    async fn place(&self, asked: Instant) -> Result<Place, AcquireError> {
        if self.budget.has_room_for(1) {
            return Ok(self.budget.place(self.kin).await);
        }
        let _waiting = self.join_queue()?;
        let until = asked + self.policy.queue_timeout;
        tokio::select! {
            biased;
            place = timeout_at(until, self.budget.place(self.kin)) => {
                place.map_err(|_elapsed| self.queue_timeout())
            }
            () = self.closed.requested() => Err(self.draining()),
        }
    }

    /// A worker was found dead. If it never had any work, its start failed after all.
    pub(super) fn died(&self, life: &Life) {
        if life.served == 0 {
            let reason = SpawnError::new(ENDED_AT_ONCE);
            self.setback
                .lock()
                .failed(life.born, Instant::now(), &reason);
        }
    }

    /// The error of a start that failed just now.
    pub(super) fn failed_start(&self, source: SpawnError) -> AcquireError {
        let now = Instant::now();
        let retry_at = self.setback.lock().failure().map(|last| last.retry_at);
        self.no_start(source, retry_at.unwrap_or(now))
    }

    fn no_start(&self, source: SpawnError, retry_at: Instant) -> AcquireError {
        let lacks = self.spawn.lacks();
        AcquireError::Spawn {
            label: self.label.clone(),
            source: SpawnError { lacks, ..source },
            retry_after: retry_at.saturating_duration_since(Instant::now()),
        }
    }
}
