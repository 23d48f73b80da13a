//! The one spare of a revision: its start, its wait, and how it gives way.
//!
//! **Invariant:** from the begin of its start it has a place of the budget, which is free again when it was told to end.
//! **Absent on purpose:** when a spare is wanted. The revision knows.

use std::mem;
use std::sync::Arc;

use rookery_pool::SparePlace;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Revision;
use crate::error::StartError;
use crate::process::Process;

/// Where the spare is on its way.
#[derive(Default)]
pub(super) enum Slot {
    /// There is none.
    #[default]
    Empty,
    /// Somebody starts one, until this is dropped.
    Starting(oneshot::Sender<()>),
    /// Its start is being given up.
    GivenUp,
    /// It waits for somebody who needs it.
    Ready(Spare),
}

/// A process that nobody needs yet.
pub(super) struct Spare {
    process: Arc<Process>,
    // Fields drop in order: this one last.
    room: Room,
}

/// The right to have a spare.
struct Room {
    _permit: OwnedSemaphorePermit,
    _place: SparePlace,
}

/// The start of a spare; the slot is free again when it is dropped before the process is kept.
pub(super) struct Starting {
    revision: Arc<Revision>,
    given_up: oneshot::Receiver<()>,
    /// Absent once the process is kept.
    room: Option<Room>,
}

impl Revision {
    /// The spare, if there is one that lives.
    pub(super) fn take_spare(&self) -> Option<Arc<Process>> {
        let Spare { process, room } = self.take_ready()?;
        // Whoever takes it has a place of his own.
        drop(room);
        process.is_alive().then_some(process)
    }

    pub(super) fn take_ready(&self) -> Option<Spare> {
        let mut slot = self.spare.lock();
        match mem::take(&mut *slot) {
            Slot::Ready(spare) => Some(spare),
            other => {
                *slot = other;
                None
            }
        }
    }

    /// Ends the spare, or its start. False when there is none.
    pub fn give_up_spare(&self) -> bool {
        let mut slot = self.spare.lock();
        match mem::take(&mut *slot) {
            Slot::Ready(spare) => {
                drop(slot);
                drop(spare);
                true
            }
            Slot::Starting(keep_on) => {
                *slot = Slot::GivenUp;
                drop(keep_on);
                true
            }
            none => {
                *slot = none;
                false
            }
        }
    }

    /// Room for a spare; `None` when there is one already, or none to be had.
    pub(super) fn begin_spare(self: &Arc<Self>) -> Option<Starting> {
        let mut slot = self.spare.lock();
        if let Slot::Ready(spare) = &*slot
            && !spare.process.is_alive()
        {
            *slot = Slot::Empty;
        }
        if !matches!(*slot, Slot::Empty) {
            return None;
        }
        let house = &self.recipe.house;
        let room = Room {
            _permit: Arc::clone(&house.spares).try_acquire_owned().ok()?,
            // With the slot locked: who waits for this very place finds the start in it.
            _place: house.budget.place_for_spare()?,
        };
        let (keep_on, given_up) = oneshot::channel();
        *slot = Slot::Starting(keep_on);
        Some(Starting {
            revision: Arc::clone(self),
            given_up,
            room: Some(room),
        })
    }
}

impl Starting {
    /// Waits for the process and keeps it, unless its place is wanted before.
    pub async fn see_through(
        mut self,
        start: impl Future<Output = Result<Arc<Process>, StartError>>,
    ) -> Result<(), StartError> {
        let started = tokio::select! {
            biased;
            _ = &mut self.given_up => return Ok(()),
            started = start => started,
        };
        self.keep(started?);
        Ok(())
    }

    /// Keeps the process, unless its place is wanted.
    pub fn keep(mut self, process: Arc<Process>) {
        let mut slot = self.revision.spare.lock();
        if matches!(*slot, Slot::Starting(_))
            && let Some(room) = self.room.take()
        {
            *slot = Slot::Ready(Spare { process, room });
            return;
        }
        drop(slot);
        // Before its place.
        drop(process);
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if self.room.is_some() {
            *self.revision.spare.lock() = Slot::Empty;
        }
    }
}
