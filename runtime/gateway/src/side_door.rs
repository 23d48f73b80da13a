//! A way in of the operator's own: what is below `/_/`, and nothing of the apps.
//!
//! It is given its own runtime by whoever opens it, so that it answers while the apps' runtime is busy.
//!
//! **Absent on purpose:** routing, sessions, upgrades.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::LOCATION;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use rookery_lifecycle::{Backoff, Shutdown, Tasks};
use rookery_pool::Body;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::GatewayConfig;
use crate::error::RequestError;
use crate::exchange::Exchange;
use crate::gateway::Internal;
use crate::{connection, listener, respond};

/// How many connections the side door serves at once; more wait in the system's backlog.
pub const SIDE_DOOR_CONNECTIONS_MAX: usize = 1024;

/// The operator's own door.
pub struct SideDoor {
    /// Answers what is below `/_/`.
    pub internal: Arc<dyn Internal>,
    /// Its limits for heads of requests, and what errors disclose.
    pub config: GatewayConfig,
    /// Where its connections are tasks.
    pub tasks: Tasks,
    /// Ends it: connections that are open then finish what they have.
    pub shutdown: Shutdown,
}

impl SideDoor {
    /// Lets clients in until the shutdown, on the runtime of whoever calls this.
    pub fn listen(self, listener: TcpListener) {
        let tasks = self.tasks.clone();
        tasks.spawn("side door", run(Arc::new(self), listener));
    }

    async fn handle(&self, peer: SocketAddr, mut request: Request<Incoming>) -> Response<Body> {
        let exchange = Exchange::of(request.headers(), peer);
        let mut response = match request.uri().path() {
            "/" => to_the_routes(),
            "/health" => respond::text(StatusCode::OK, "text/plain; charset=utf-8", "OK\n"),
            path if path == "/_" || path.starts_with("/_/") => {
                request.extensions_mut().insert(peer);
                self.internal.serve(request).await
            }
            _ => respond::failed(
                &RequestError::NotFound,
                &exchange.id,
                self.config.disclosure,
            ),
        };
        exchange.sign(&mut response);
        response
    }
}

async fn run(door: Arc<SideDoor>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(SIDE_DOOR_CONNECTIONS_MAX));
    let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_secs(1));
    loop {
        let arrival = listener::arrival(&places, &listener, &door.shutdown);
        let Some((place, accepted)) = arrival.await else {
            return;
        };
        match accepted {
            Ok((stream, peer)) => {
                backoff.reset();
                listener::prepare(&stream);
                let served = serve(Arc::clone(&door), stream, peer, place);
                door.tasks.spawn("side door connection", served);
            }
            Err(error) => {
                tracing::warn!(reason = %error, "a connection to the side door could not be accepted");
                tokio::time::sleep(backoff.next_delay()).await;
            }
        }
    }
}

async fn serve(
    door: Arc<SideDoor>,
    stream: TcpStream,
    peer: SocketAddr,
    _place: OwnedSemaphorePermit,
) {
    let (builder, shutdown) = (connection::builder(&door.config), door.shutdown.clone());
    let answer = move |request| {
        let door = Arc::clone(&door);
        async move { door.handle(peer, request).await }
    };
    connection::converse(&builder, stream, peer, &shutdown, answer).await;
}

/// There is nothing else here.
fn to_the_routes() -> Response<Body> {
    let mut response = respond::text(StatusCode::TEMPORARY_REDIRECT, "text/plain", "");
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static("/_/"));
    response
}
