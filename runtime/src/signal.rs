//! The signals that end the server.

use rookery_lifecycle::Shutdown;
use tokio::signal::unix::{SignalKind, signal};

/// Requests the shutdown at the first SIGTERM or SIGINT, and ends the process at the second.
///
/// # Errors
/// When the system lets nobody listen to its signals.
pub fn listen(shutdown: Shutdown) -> std::io::Result<impl Future<Output = ()> + Send> {
    // Listening begins here, not at the first poll: a signal in between is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for count in 1.. {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if count > 1 {
                tracing::warn!(signal = name, "stopping at once");
                std::process::exit(130);
            }
            tracing::info!(signal = name, "shutting down; a second signal stops at once");
            shutdown.request();
        }
    })
}
