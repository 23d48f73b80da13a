//! One HTTP/1.1 connection, driven by whoever uses it.
//!
//! hyper gives a connection as two halves: one takes requests, the other moves bytes and is usually a task of its own. Here it
//! has none. A request then wakes one task, its own, where it would wake two that may live on two cores, and waking another
//! core is the dearest part of a small exchange.
//!
//! **Invariant:** a wire moves only while somebody polls it, so what waits for its other half needs no waker: the one
//! that the connection has is that of the same task.
//! **Absent on purpose:** watching over wires that rest. One that was closed meanwhile gives back the request that it is asked.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use rookery_lifecycle::Tasks;
use tokio::sync::OwnedSemaphorePermit;

use crate::body::Body;
use crate::error::UpstreamError;
use crate::origin::{HEAD_BYTES_MAX, broken, ended};
use crate::stream::{Doubted, Stream};
use crate::target::Target;

/// What came of a request: the head of its answer, or a failure with what was not sent.
pub(crate) type Asked = Result<Response<Incoming>, TrySendError<Request<Body>>>;

type Connection = http1::Connection<TokioIo<Doubted>, Body>;

/// An HTTP/1.1 connection with its place among those of its target.
pub(crate) struct Wire {
    requests: http1::SendRequest<Body>,
    /// Absent when it has ended.
    connection: Option<Pin<Box<Connection>>>,
    is_doubted: Arc<AtomicBool>,
    place: OwnedSemaphorePermit,
}

impl Wire {
    /// Begins to speak HTTP/1.1 over a stream.
    pub async fn over(
        stream: Stream,
        target: &Target,
        place: OwnedSemaphorePermit,
    ) -> Result<Wire, UpstreamError> {
        let is_doubted = Arc::<AtomicBool>::default();
        let stream = Doubted {
            stream,
            is_doubted: Arc::clone(&is_doubted),
        };
        let (requests, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|source| broken(target, source))?;
        Ok(Wire {
            requests,
            connection: Some(Box::pin(connection)),
            is_doubted,
            place,
        })
    }

    /// Moves what can be moved now, both ways.
    pub fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && let Poll::Ready(outcome) = connection.as_mut().poll(cx)
        {
            ended(outcome);
            self.connection = None;
        }
    }

    /// Has the next look at what comes ask the system whether the peer is still there, for a request of which there is no
    /// second one. That costs a call, which others save.
    pub fn doubt(&self) {
        self.is_doubted.store(true, Ordering::Relaxed);
    }

    /// Whether it could take a request when it was last driven.
    pub fn was_ready(&self) -> bool {
        self.connection.is_some() && self.requests.is_ready()
    }

    /// Whether it can take a request: the exchange before is over, and the peer has not hung up.
    pub fn is_ready(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.was_ready()
    }

    /// Hands a request over at once; the future waits for the head of its answer. The request comes back when nothing of it was
    /// written.
    pub fn ask(&mut self, request: Request<Body>) -> impl Future<Output = Asked> + use<'_> {
        let answer = self.requests.try_send_request(request);
        async move {
            let mut answer = pin!(answer);
            poll_fn(|cx| {
                self.drive(cx);
                answer
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
            })
            .await
        }
    }

    /// Lets the exchange go on by itself, and the connection end with it: for an answer that came before all of its request
    /// was sent. Whoever reads it slowly must not stop the request, which its peer may be waiting for.
    pub fn let_run(self, tasks: &Tasks) {
        let (connection, place) = (self.connection, self.place);
        if let Some(connection) = connection {
            tasks.spawn("upstream connection", async move {
                ended(connection.await);
                drop(place);
            });
        }
    }
}
