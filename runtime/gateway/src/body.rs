//! A request's body on its way to a worker, within the app's limit.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rookery_pool::{Body, BodyError};

use crate::respond;

/// How a body fared. Shared with whoever has to explain the failure; `None` where nothing can fail.
#[derive(Clone)]
pub(crate) struct Course(Option<Arc<AtomicU8>>);

/// What was wrong with a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Defect {
    /// It went over its limit.
    TooLarge,
    /// It ended early or was not framed as HTTP frames a body.
    Broken,
}

const TOO_LARGE: u8 = 1;
const BROKEN: u8 = 2;

impl Course {
    /// What was wrong, if anything was until now.
    pub fn defect(&self) -> Option<Defect> {
        match self.0.as_ref()?.load(Ordering::Relaxed) {
            TOO_LARGE => Some(Defect::TooLarge),
            BROKEN => Some(Defect::Broken),
            _ => None,
        }
    }
}

/// The body, which fails when it is longer than `limit` bytes.
pub(crate) fn limited(body: Incoming, limit: u64) -> (Body, Course) {
    if body.is_end_stream() {
        return (respond::empty(), Course(None));
    }
    let course = Arc::<AtomicU8>::default();
    let limited = Limited {
        body,
        left: limit,
        course: Arc::clone(&course),
    };
    (limited.boxed_unsync(), Course(Some(course)))
}

struct Limited {
    body: Incoming,
    left: u64,
    course: Arc<AtomicU8>,
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
            Some(Err(error)) => {
                self.course.store(BROKEN, Ordering::Relaxed);
                return Poll::Ready(Some(Err(error.into())));
            }
            None => return Poll::Ready(None),
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.course.store(TOO_LARGE, Ordering::Relaxed);
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
