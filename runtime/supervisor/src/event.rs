//! What the supervisor tells while it works, for whoever shows progress.
//!
//! **Invariant:** nobody waits for a listener. One that lags loses the oldest events; the truth is
//! [`deployments`](crate::Supervisor::deployments), events only say that it moved.

use std::sync::Arc;
use std::time::Duration;

use crate::revision::RevisionId;

/// How many events a listener may lag behind.
pub const EVENTS_MAX: usize = 1024;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A revision has moved on.
    Revision {
        /// Which one.
        id: RevisionId,
        /// `name@version`.
        label: Arc<str>,
        /// Where to.
        change: Change,
    },
    /// A folder is not served, or not as its author may think.
    Reported {
        /// Relative to the apps directory.
        folder: Arc<str>,
        /// For the operator.
        reason: Arc<str>,
    },
    /// A rollout has changed.
    Rollout {
        /// The app.
        app: Arc<str>,
        /// How, and why.
        what: Arc<str>,
    },
    /// What was on disk at the start is live or refused.
    Ready {
        /// Revisions that serve.
        live: usize,
        /// Revisions and folders that do not.
        refused: usize,
    },
}

/// Where a revision has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It waits for its turn.
    Staged,
    /// It is being prepared.
    Warming,
    /// It takes requests.
    Live {
        /// The time since it was staged.
        after: Duration,
    },
    /// It could not be prepared.
    Refused {
        /// For the operator.
        reason: Arc<str>,
    },
    /// It finishes what it began.
    Draining,
    /// It is gone.
    Retired,
}
