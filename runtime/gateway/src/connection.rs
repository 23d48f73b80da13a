//! One client's connection: HTTP/1.1 or HTTP/2, until it ends or the server drains.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::UPGRADE;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rookery_lifecycle::Shutdown;
use rookery_pool::Body;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::client::{AtOnce, ClientStream};
use crate::config::GatewayConfig;
use crate::gateway::Gateway;
use crate::handle::handle;

/// How many requests one HTTP/2 connection may have open.
const STREAMS_MAX: u32 = 256;

/// A connection's place among those that are served at once. It goes with the connection when that becomes a WebSocket.
#[derive(Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Place {
    pub fn new(permit: OwnedSemaphorePermit) -> Self {
        Place {
            _permit: Arc::new(permit),
        }
    }
}

/// Serves the connection to its end.
pub(crate) async fn serve(
    gateway: Arc<Gateway>,
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
) {
    let (builder, shutdown) = (builder(&gateway.config), gateway.shutdown.clone());
    let answer = move |mut request: Request<Incoming>| {
        // Only a connection that changes over needs it later.
        if request.headers().contains_key(UPGRADE) {
            request.extensions_mut().insert(place.clone());
        }
        handle(Arc::clone(&gateway), peer, request)
    };
    converse(&builder, stream, peer, &shutdown, answer).await;
}

/// Answers requests until the client leaves, or until the shutdown and then what is under way.
pub(crate) async fn converse<Answer>(
    builder: &Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    shutdown: &Shutdown,
    answer: impl Fn(Request<Incoming>) -> Answer,
) where
    Answer: Future<Output = Response<Body>> + Send + 'static,
{
    // An async block would have room for the answer's future twice.
    let at_once = AtOnce::default();
    let stream = ClientStream::new(stream, at_once.clone());
    let service = service_fn(move |request| at_once.watch(answer(request)).never_error());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shutdown.requested() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // A client that goes away in the middle, or speaks something else, is everyday life.
        tracing::debug!(%peer, reason = %error, "a connection ended early");
    }
}

/// Speaks HTTP/1.1 and HTTP/2 within these limits.
pub(crate) fn builder(config: &GatewayConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The most headers of a request are hyper's own, 100: it has room for those on its stack, and asks for memory twice for
    // each request when it is told a number.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(config.header_bytes_max.max(8 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(config.header_timeout)
        .keep_alive_timeout(config.header_timeout)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(config.header_bytes_max).unwrap_or(u32::MAX));
    builder
}
