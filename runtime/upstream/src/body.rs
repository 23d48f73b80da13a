//! Bodies on their way: the request's, which is watched while it moves, and the answer's, which gives its connection back.
//!
//! **Invariant:** a connection is given back when the last byte of its answer was read, and dropped, which closes it, when
//! the answer is dropped before.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::error::UpstreamError;
use crate::origin::Origin;
use crate::wire::Wire;

/// A body as it streams between two sides.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body ended before its end.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// How many pieces of a request went out, and whether the last one did.
#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<Counts>);

#[derive(Default)]
struct Counts {
    pieces: AtomicU64,
    whole: AtomicBool,
}

impl Progress {
    pub fn pieces(&self) -> u64 {
        self.0.pieces.load(Ordering::Relaxed)
    }

    pub fn is_whole(&self) -> bool {
        self.0.whole.load(Ordering::Relaxed)
    }
}

/// A request's body whose pieces are counted.
pub(crate) struct Counted {
    pub body: Body,
    pub progress: Progress,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let counts = &self.progress.0;
        counts.pieces.fetch_add(1, Ordering::Relaxed);
        if frame.is_none() || self.body.is_end_stream() {
            counts.whole.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body.
pub(crate) struct Answer {
    body: Incoming,
    /// What carries it and nothing else, until it is over.
    wire: Option<Wire>,
    origin: Arc<Origin>,
    idle: Duration,
    /// Made when there is something to wait for, which most small answers never have.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    /// It broke, which is told with the next poll.
    broken: Option<hyper::Error>,
}

impl Answer {
    pub fn new(body: Incoming, wire: Option<Wire>, origin: Arc<Origin>, idle: Duration) -> Self {
        let mut answer = Answer {
            body,
            wire,
            origin,
            idle,
            timer: None,
            waiting: false,
            broken: None,
        };
        if answer.body.is_end_stream() {
            answer.give_back();
        }
        answer
    }

    fn give_back(&mut self) {
        if let Some(wire) = self.wire.take() {
            self.origin.rest(wire);
        }
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(wire) = &mut self.wire else {
            return Pin::new(&mut self.body).poll_frame(cx);
        };
        // Nothing comes but over the wire, and the wire wakes. What came with the head is there without it.
        let mut unheard = Context::from_waker(Waker::noop());
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(&mut unheard) {
            return Poll::Ready(frame);
        }
        wire.drive(cx);
        Pin::new(&mut self.body).poll_frame(&mut unheard)
    }

    /// Ready when nothing came for too long.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let idle = self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + idle);
        }
        timer.as_mut().poll(cx)
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(source) = self.broken.take() {
            let target = self.origin.target().to_string();
            let broken = UpstreamError::Broken { target, source };
            return Poll::Ready(Some(Err(broken.into())));
        }
        match self.poll_body(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting = false;
                if self.body.is_end_stream() {
                    self.give_back();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(source))) => {
                self.wire = None;
                // Head, pieces and end may have come at once. Whoever reads drops at an error what it has not written
                // yet, and writes when there is nothing to read: so the client gets what there is, and then the cut.
                self.broken = Some(source);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(None) => {
                self.give_back();
                Poll::Ready(None)
            }
            Poll::Pending => {
                ready!(self.poll_patience(cx));
                self.wire = None;
                let stalled = UpstreamError::Stalled {
                    target: self.origin.target().to_string(),
                    after: self.idle,
                };
                Poll::Ready(Some(Err(stalled.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.broken.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
