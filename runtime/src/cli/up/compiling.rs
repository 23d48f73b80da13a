//! What the server is busy with before it can serve: a line for each bundle that is being compiled.

use std::sync::Arc;

use rookery_supervisor::{Change, Event, Supervisor};
use tokio::sync::broadcast::error::RecvError;

use crate::progress::Progress;

/// Shows it until the server goes down. What comes of a bundle is in the log.
pub async fn show(supervisor: Arc<Supervisor>) {
    let mut events = supervisor.events();
    // The listener must not keep alive what it listens to.
    drop(supervisor);
    let progress = Progress::lines();
    loop {
        match events.recv().await {
            Ok(Event::Revision {
                label,
                change: Change::Warming,
                ..
            }) => drop(progress.step(label, "compiling")),
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
