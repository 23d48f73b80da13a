//! A new worker: a place for it, and the start itself.

use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::Pool;
use crate::error::AcquireError;
use crate::places::Place;
use crate::policy::Life;
use crate::shelf::Living;
use crate::worker::SpawnError;

impl Pool {
    /// A new worker for somebody who asked then; refused at once while starting is known to fail.
    pub(super) async fn start(&self, asked: Instant) -> Result<Living, AcquireError> {
        // Asked before the place is, so that a revision that cannot start evicts nobody.
        self.may_start()?;
        self.stats.miss();
        let place = self.place(asked).await?;
        // Others may have failed while this one waited.
        self.may_start()?;
        self.start_in(place)
            .await
            .map_err(|source| self.no_start(source))
    }

    /// A new worker in this place, whoever it is for.
    pub(super) async fn start_in(&self, place: Place) -> Result<Living, SpawnError> {
        let born = Instant::now();
        let started = self.spawn.spawn().await;
        let now = Instant::now();
        let worker = started.inspect_err(|reason| {
            self.stats.failed();
            self.setback.lock().failed(born, now, reason);
        })?;
        self.setback.lock().succeeded();
        self.stats.created(now - born);
        let nth = self.started.fetch_add(1, Ordering::Relaxed);
        let life = Life {
            born,
            last_used: now,
            served: 0,
            requests_max: self.policy.requests_max(nth),
        };
        Ok(Living {
            worker,
            life,
            _place: place,
        })
    }

    fn may_start(&self) -> Result<(), AcquireError> {
        let refusal = self.setback.lock().refusal(Instant::now()).cloned();
        refusal.map_or(Ok(()), |source| Err(self.no_start(source)))
    }

    async fn place(&self, asked: Instant) -> Result<Place, AcquireError> {
        if !self.budget.is_exhausted() {
            return Ok(self.budget.place(self.number).await);
        }
        let _waiting = self.join_queue()?;
        let until = asked + self.policy.queue_timeout;
        tokio::time::timeout_at(until, self.budget.place(self.number))
            .await
            .map_err(|_elapsed| self.queue_timeout())
    }

    fn no_start(&self, source: SpawnError) -> AcquireError {
        let label = self.label.clone();
        AcquireError::Spawn { label, source }
    }
}
