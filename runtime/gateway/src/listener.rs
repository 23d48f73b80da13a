//! Takes connections in, not more than may be served at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rookery_lifecycle::{Backoff, Shutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::{self, Place};
use crate::gateway::Gateway;

/// Accepts until the shutdown. The permit is taken before accepting: who cannot be served waits in the system's
/// backlog rather than in our memory.
pub(crate) async fn run(gateway: Arc<Gateway>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(gateway.config.connections_max));
    let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_secs(1));
    loop {
        let Some((place, accepted)) = arrival(&places, &listener, &gateway.shutdown).await else {
            return;
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

/// The next connection and its place, or none when the end comes first, for whichever of the two is waited.
pub(crate) async fn arrival(
    places: &Arc<Semaphore>,
    listener: &TcpListener,
    shutdown: &Shutdown,
) -> Option<(OwnedSemaphorePermit, io::Result<(TcpStream, SocketAddr)>)> {
    let arrival = async {
        let place = Arc::clone(places).acquire_owned().await;
        let place = place.expect("a door's semaphore is never closed");
        (place, listener.accept().await)
    };
    tokio::select! {
        () = shutdown.requested() => None,
        arrival = arrival => Some(arrival),
    }
}

/// What every connection is set to.
pub(crate) fn prepare(stream: &TcpStream) {
    // Answers are written whole; waiting for more to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(reason = %error, "a connection keeps its delay");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_door_without_a_place_left_closes_when_the_end_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (places, shutdown) = (Arc::new(Semaphore::new(0)), Shutdown::new());
        shutdown.request();
        let arrival = arrival(&places, &listener, &shutdown);
        let ended = tokio::time::timeout(Duration::from_secs(10), arrival).await;
        assert!(ended.unwrap().is_none());
    }
}
