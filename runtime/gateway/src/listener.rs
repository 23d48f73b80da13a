//! Takes connections in, not more than may be served at once.

use std::sync::Arc;
use std::time::Duration;

use rookery_lifecycle::Backoff;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::connection::{self, Place};
use crate::gateway::Gateway;

/// Accepts until the shutdown. The permit is taken before accepting: who cannot be served waits in the system's
/// backlog rather than in our memory.
pub(crate) async fn run(gateway: Arc<Gateway>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(gateway.config.connections_max));
    let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_secs(1));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let place = place.expect("the listener's semaphore is never closed");
        let accepted = tokio::select! {
            () = gateway.shutdown.requested() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                backoff.reset();
                prepare(&stream);
                let served =
                    connection::serve(Arc::clone(&gateway), stream, peer, Place::new(place));
                gateway.tasks.spawn("connection", served);
            }
            Err(error) => {
                // Out of descriptors, most likely: trying again at once would burn a core and free none.
                tracing::warn!(reason = %error, "a connection could not be accepted");
                tokio::time::sleep(backoff.next_delay()).await;
            }
        }
    }
}

/// What every connection is set to.
pub(crate) fn prepare(stream: &TcpStream) {
    // Answers are written whole; waiting for more to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(reason = %error, "a connection keeps its delay");
    }
}
