//! The place of somebody who stays: a viewer, or a follower of the log.
//!
//! **Invariant:** nobody stays longer than what let them in is good: a token that is replaced, a login that ends and one
//! that is given up take their streams with them, at the next tick.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::access::{Door, Pass};

/// A place. Somebody else's when it is dropped.
pub(crate) struct Seat {
    door: Arc<Door>,
    pass: Pass,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    /// For who was let in by this.
    pub fn new(door: &Arc<Door>, pass: Pass, permit: OwnedSemaphorePermit) -> Seat {
        Seat {
            door: Arc::clone(door),
            pass,
            _permit: permit,
        }
    }

    /// Whether they may stay.
    pub fn is_good(&self) -> bool {
        self.door.is_good(&self.pass)
    }
}
