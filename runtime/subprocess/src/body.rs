//! An answer's body on its way out, which tells the worker's future how it went.
//!
//! **Invariant:** a body that is dropped before its end closes its connection to the process, which is how the process
//! learns that nobody reads any more.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
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

/// An answer's body when its head came.
pub(crate) enum Begun {
    /// All of it was there already: nobody has to wait for its end.
    Whole(Body),
    /// There is more to come.
    Streams(Body, Reading),
}

/// Takes what is there. Most answers are small and come in one piece with their head.
pub(crate) async fn begin(mut body: Body) -> Begun {
    if body.is_end_stream() {
        return Begun::Whole(body);
    }
    let mut first = None;
    poll_fn(|cx| {
        if let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(cx) {
            first = Some(frame);
        }
        Poll::Ready(())
    })
    .await;
    let is_whole = body.is_end_stream();
    match first {
        None => streams(None, body),
        Some(None) => Begun::Whole(Empty::new().map_err(|never| match never {}).boxed_unsync()),
        Some(Some(Ok(frame))) if is_whole => match frame.into_data() {
            Ok(data) => Begun::Whole(
                Full::new(data)
                    .map_err(|never| match never {})
                    .boxed_unsync(),
            ),
            Err(trailers) => streams(Some(Ok(trailers)), body),
        },
        Some(Some(frame)) => streams(Some(frame), body),
    }
}

fn streams(first: Option<Result<Frame<Bytes>, BodyError>>, body: Body) -> Begun {
    let (body, reading) = watched(first, body);
    Begun::Streams(body, reading)
}

/// Puts somebody in the way of a body.
fn watched(first: Option<Result<Frame<Bytes>, BodyError>>, body: Body) -> (Body, Reading) {
    let (ended, is_ended) = oneshot::channel();
    let (cut, is_cut) = oneshot::channel();
    let watched = Watched {
        first,
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
    /// What was taken of it before.
    first: Option<Result<Frame<Bytes>, BodyError>>,
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
        let first = self.first.take();
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = match first {
            Some(first) => Some(first),
            None => ready!(Pin::new(body).poll_frame(cx)),
        };
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
        self.first.is_none() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.body.as_ref().map(Body::size_hint).unwrap_or_default();
        let taken = match &self.first {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(_)) | None => 0,
        };
        match rest.exact() {
            Some(rest) => SizeHint::with_exact(rest + taken),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn full(text: &'static str) -> Body {
        let body = Full::new(Bytes::from(text));
        body.map_err(|never| match never {}).boxed_unsync()
    }

    #[tokio::test]
    async fn a_body_says_that_it_was_read_to_its_end() {
        let (body, reading) = watched(None, full("all of it"));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "all of it");
        assert!(matches!(reading.ended.await, Ok(Ended::Whole)));
    }

    #[tokio::test]
    async fn a_body_that_is_dropped_before_its_end_says_nothing() {
        let (body, reading) = watched(None, full("unread"));
        drop(body);
        assert!(reading.ended.await.is_err());
    }

    #[tokio::test]
    async fn a_reader_that_waits_learns_that_the_body_was_cut() {
        let endless = full("")
            .with_trailers(std::future::pending())
            .boxed_unsync();
        let (body, reading) = watched(None, endless);
        let read = tokio::spawn(body.collect());
        reading.cut(Fault::NoAnswer);
        let error = read.await.unwrap().unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Fault::NoAnswer)));
    }

    #[tokio::test]
    async fn an_exchange_whose_worker_is_gone_is_cut() {
        let (body, reading) = watched(None, full("never read"));
        drop(reading);
        let error = body.collect().await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Fault::Cancelled)));
    }

    #[tokio::test]
    async fn what_is_there_with_its_head_is_not_waited_for() {
        let Begun::Whole(body) = begin(full("small")).await else {
            panic!("it is all there");
        };
        assert_eq!(body.collect().await.unwrap().to_bytes(), "small");
        assert!(matches!(begin(full("")).await, Begun::Whole(_)));
    }

    #[tokio::test]
    async fn the_first_piece_is_not_lost_when_there_are_more() {
        let trailers = async { Some(Ok(http::HeaderMap::new())) };
        let more = full("first").with_trailers(trailers).boxed_unsync();
        let Begun::Streams(body, reading) = begin(more).await else {
            panic!("there are trailers to come");
        };
        let read = body.collect().await.unwrap();
        assert!(read.trailers().is_some());
        assert_eq!(read.to_bytes(), "first");
        assert!(matches!(reading.ended.await, Ok(Ended::Whole)));
    }
}
