//! Where components are compiled and linked: an engine, and what the host offers to the guests on it.
//!
//! **Invariant:** there is at most one of each kind, and none for thrift before somebody wants it.

use std::sync::Arc;

use parking_lot::Mutex;
use rookery_bundle::KeysIn;
use wasmtime::Engine;

use crate::engine::{Slots, Thrift};
use crate::error::IsolateError;
use crate::link::Offer;

/// An engine with its offer.
#[derive(Clone)]
pub(crate) struct Workshop {
    pub engine: Engine,
    pub offer: Offer,
}

impl Workshop {
    /// The offer on this engine.
    pub fn on(engine: Engine) -> Result<Workshop, IsolateError> {
        let offer = Offer::new(&engine)?;
        Ok(Workshop { engine, offer })
    }

    /// The same for a component whose keys are there.
    pub fn with_keys_in(self, keys: KeysIn) -> Workshop {
        let offer = self.offer.with_keys_in(keys);
        Workshop { offer, ..self }
    }
}

/// Both kinds.
#[derive(Clone)]
pub(crate) struct Workshops {
    slots: Slots,
    speed: Workshop,
    // Held while it is made, which takes milliseconds, and only by those who prepare a bundle.
    memory: Arc<Mutex<Option<Workshop>>>,
}

impl Workshops {
    /// Those whose isolates live in these slots.
    pub fn new(slots: &Slots) -> Result<Workshops, IsolateError> {
        Ok(Workshops {
            speed: Workshop::on(slots.engine(Thrift::Speed)?)?,
            memory: Arc::default(),
            slots: slots.clone(),
        })
    }

    /// The one for revisions that want this. May block for some milliseconds.
    pub fn of(&self, thrift: Thrift) -> Result<Workshop, IsolateError> {
        if thrift == Thrift::Speed {
            return Ok(self.speed.clone());
        }
        let mut memory = self.memory.lock();
        if let Some(workshop) = &*memory {
            return Ok(workshop.clone());
        }
        let workshop = Workshop::on(self.slots.engine(thrift)?)?;
        *memory = Some(workshop.clone());
        Ok(workshop)
    }
}
