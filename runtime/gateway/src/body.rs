//! A request's body on its way to a worker, within the app's limit.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rookery_pool::{Body, BodyError};

/// Whether a body went over its limit. Shared with whoever has to explain the failure.
#[derive(Clone, Default)]
pub(crate) struct Overrun(Arc<AtomicBool>);

impl Overrun {
    pub fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body, which fails when it is longer than `limit` bytes.
pub(crate) fn limited(body: Incoming, limit: u64) -> (Body, Overrun) {
    let overrun = Overrun::default();
    let limited = Limited {
        body,
        left: limit,
        overrun: overrun.clone(),
    };
    (limited.boxed_unsync(), overrun)
}

struct Limited {
    body: Incoming,
    left: u64,
    overrun: Overrun,
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => return Poll::Ready(None),
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.overrun.0.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err("the body is larger than the app takes".into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
