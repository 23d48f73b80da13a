//! Workers that were started before anybody asked for one.
//!
//! **Invariant:** each has a place of the budget from the begin of its start on, so that no more live than may; and each
//! gives it up as soon as somebody waits for one, before any worker that served does.
//! **Absent on purpose:** the workers. Whoever starts them keeps them, and knows what they are good for.

use crate::places::Place;

/// Whoever keeps such workers.
pub trait Spares: Send + Sync {
    /// How many have a place, those that are being started included. Cheap: asked for the figures.
    fn count(&self) -> usize;

    /// Ends one, or its start, so that its place becomes free in a moment. False when there is none. Called on the way
    /// of a request.
    fn give_up(&self) -> bool;
}

/// The right of one such worker to live. To be dropped after the worker.
#[derive(Debug)]
pub struct SparePlace {
    _place: Place,
}

impl From<Place> for SparePlace {
    fn from(place: Place) -> SparePlace {
        SparePlace { _place: place }
    }
}
