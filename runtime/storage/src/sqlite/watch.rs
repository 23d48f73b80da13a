//! Stops statements that take too long, from within: SQLite asks every few thousand steps whether to go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnection;

use super::faults::fault;
use crate::error::SqlError;

/// How many steps of SQLite's machine lie between two questions: about a tenth of a millisecond.
const STEPS: i32 = 10_000;

/// The deadline of the statement that a connection runs.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// In nanoseconds from `origin`; `u64::MAX` while no statement runs.
    deadline: Arc<AtomicU64>,
    origin: Instant,
}

impl Watch {
    /// Watches a connection from now on.
    pub async fn over(connection: &mut SqliteConnection) -> Result<Watch, SqlError> {
        let watch = Watch {
            deadline: Arc::new(AtomicU64::new(u64::MAX)),
            origin: Instant::now(),
        };
        let (deadline, origin) = (Arc::clone(&watch.deadline), watch.origin);
        let mut handle = connection
            .lock_handle()
            .await
            .map_err(|error| fault(&error))?;
        handle.set_progress_handler(STEPS, move || {
            nanos(origin.elapsed()) < deadline.load(Ordering::Relaxed)
        });
        Ok(watch)
    }

    /// What runs from now on may take so long.
    pub fn start(&self, timeout: Duration) {
        let until = nanos(self.origin.elapsed() + timeout);
        self.deadline.store(until, Ordering::Relaxed);
    }

    /// What runs from now on is ours and may take as long as it takes.
    pub fn stop(&self) {
        self.deadline.store(u64::MAX, Ordering::Relaxed);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
