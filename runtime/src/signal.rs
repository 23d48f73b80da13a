//! The signals that end the server.

use std::time::Duration;

use rookery_lifecycle::Shutdown;
use tokio::signal::unix::{SignalKind, signal};

/// How long new requests are still taken after readiness turned false, so that a balancer that asks finds out before
/// its next request is refused.
const LEAVING: Duration = Duration::from_millis(500);

/// At the first SIGTERM or SIGINT says that we are leaving, then requests the shutdown; the second ends the process.
///
/// # Errors
/// When the system lets nobody listen to its signals.
pub fn listen(
    leaving: Shutdown,
    shutdown: Shutdown,
) -> std::io::Result<impl Future<Output = ()> + Send> {
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
            tracing::info!(
                signal = name,
                "shutting down; a second signal stops at once"
            );
            leaving.request();
            let shutdown = shutdown.clone();
            tokio::spawn(async move {
                tokio::time::sleep(LEAVING).await;
                shutdown.request();
            });
        }
    })
}
