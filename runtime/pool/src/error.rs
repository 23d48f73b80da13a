//! Why there was no worker, or no answer.

use std::time::Duration;

use crate::worker::{Fault, SpawnError};

/// Why nobody got a worker.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AcquireError {
    /// As many wait already as may wait.
    #[error("{label}: {waiting} invocations wait already")]
    QueueFull {
        /// Whose queue.
        label: String,
        /// How many wait.
        waiting: usize,
    },
    /// It waited as long as it may.
    #[error("{label}: no worker came free within {} ms", .waited.as_millis())]
    QueueTimeout {
        /// Whose queue.
        label: String,
        /// How long it waited.
        waited: Duration,
    },
    /// The revision is being retired.
    #[error("{label}: the revision is being retired")]
    Draining {
        /// Which one.
        label: String,
    },
    /// A worker could not start.
    #[error("{label}: a worker could not start: {source}")]
    Spawn {
        /// Whose worker.
        label: String,
        /// Why.
        source: SpawnError,
        /// When the next start is tried at the earliest, from now.
        retry_after: Duration,
    },
}

/// Why an invocation brought no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InvokeError {
    /// It never reached a worker.
    #[error(transparent)]
    Acquire(#[from] AcquireError),
    /// The worker failed.
    #[error("{label}: {fault}")]
    Fault {
        /// Whose worker.
        label: String,
        /// How.
        #[source]
        fault: Fault,
    },
}
