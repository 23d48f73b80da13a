//! How many may upload at once: each takes disk and a blocking thread.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::Refusal;

/// How many uploads are under way at most. One more is refused, not queued: its client knows best when to come again.
pub const UPLOADS_MAX: usize = 4;

pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    pub fn new() -> Turns {
        Turns(Arc::new(Semaphore::new(UPLOADS_MAX)))
    }

    /// One of them, until it is dropped.
    pub fn take(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let turn = Arc::clone(&self.0).try_acquire_owned();
        turn.map_err(|_| Refusal::Busy)
    }
}
