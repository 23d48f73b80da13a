//! An answer's body on its way out, which tells the worker's future how it went.
//!
//! **Invariant:** a body that is dropped before its end closes its connection to the process, which is how the process
//! learns that nobody reads any more.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use rookery_pool::{Body, BodyError, Fault};
use tokio::sync::oneshot;

/// How a body came to its end.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With its last byte.
    Whole,
    /// Before it: the process did not go on.
    Broken(String),
}

/// The worker's side of a body.
pub(crate) struct Reading {
    /// How it ended; an error when it was dropped before.
    pub ended: oneshot::Receiver<Ended>,
    cut: oneshot::Sender<Fault>,
}

impl Reading {
    /// Ends the body early; whoever reads it sees this fault.
    pub fn cut(self, fault: Fault) {
        let _ = self.cut.send(fault);
    }
}

/// Puts somebody in the way of a body.
pub(crate) fn watched(body: Body) -> (Body, Reading) {
    let (ended, is_ended) = oneshot::channel();
    let (cut, is_cut) = oneshot::channel();
    let watched = Watched {
        body: Some(body),
        ended: Some(ended),
        cut: is_cut,
    };
    let reading = Reading {
        ended: is_ended,
        cut,
    };
    (watched.boxed_unsync(), reading)
}

struct Watched {
    /// Absent when it was cut.
    body: Option<Body>,
    ended: Option<oneshot::Sender<Ended>>,
    cut: oneshot::Receiver<Fault>,
}

impl Watched {
    fn tell(&mut self, how: Ended) {
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(how);
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.ended.is_some()
            && let Poll::Ready(cut) = Pin::new(&mut self.cut).poll(cx)
        {
            // A worker's future that was dropped in the middle stops its exchange, too.
            let fault = cut.unwrap_or(Fault::Cancelled);
            (self.body, self.ended) = (None, None);
            return Poll::Ready(Some(Err(fault.into())));
        }
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        match &frame {
            Some(Ok(_)) if self.is_end_stream() => self.tell(Ended::Whole),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let why = error.to_string();
                self.tell(Ended::Broken(why));
            }
            None => self.tell(Ended::Whole),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http_body_util::Full;

    use super::*;

    fn full(text: &'static str) -> Body {
        let body = Full::new(Bytes::from(text));
        body.map_err(|never| match never {}).boxed_unsync()
    }

    #[tokio::test]
    async fn a_body_says_that_it_was_read_to_its_end() {
        let (body, reading) = watched(full("all of it"));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "all of it");
        assert!(matches!(reading.ended.await, Ok(Ended::Whole)));
    }

    #[tokio::test]
    async fn a_body_that_is_dropped_before_its_end_says_nothing() {
        let (body, reading) = watched(full("unread"));
        drop(body);
        assert!(reading.ended.await.is_err());
    }

    #[tokio::test]
    async fn a_reader_that_waits_learns_that_the_body_was_cut() {
        let endless = full("")
            .with_trailers(std::future::pending())
            .boxed_unsync();
        let (body, reading) = watched(endless);
        let read = tokio::spawn(body.collect());
        reading.cut(Fault::NoAnswer);
        let error = read.await.unwrap().unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Fault::NoAnswer)));
    }

    #[tokio::test]
    async fn an_exchange_whose_worker_is_gone_is_cut() {
        let (body, reading) = watched(full("never read"));
        drop(reading);
        let error = body.collect().await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Fault::Cancelled)));
    }
}
