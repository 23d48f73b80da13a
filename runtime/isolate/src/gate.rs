//! A response's body whose pieces wait as its head does: for what the guest wrote before it said them.
//!
//! **Invariant:** a piece that the guest said after a write is given on when the write is durable, and so is the body's end.
//! When the write is lost, the body breaks off there.
//! **Invariant:** between a piece and a break there are two moments in which nothing is there yet: whoever sends pieces sends
//! what it has before it waits, a busy server one turn later, and throws away what it still has when it hears of the break.
//! **Absent on purpose:** what is waited for. Whoever makes the gate knows.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// True when the output may go, false when it must not.
pub(crate) type Wait = Pin<Box<dyn Future<Output = bool> + Send>>;

/// The body, and what each of its pieces has to wait for.
pub(crate) struct Gate<B, W> {
    body: B,
    /// Asked when a piece is there; `None` when it may go at once.
    waits_for: W,
    waiting: Option<(Wait, Option<Frame<Bytes>>)>,
    /// How it breaks off, after so many more moments.
    breaks: Option<(Failure, u8)>,
    ended: bool,
}

/// One for what sends pieces to send them, and one for the turn that it may wait before it does.
const MOMENTS: u8 = 2;

/// What the guest wrote before it said this was lost.
#[derive(Debug, thiserror::Error)]
#[error("what the guest wrote is lost, and what it said of it is not sent")]
struct Lost;

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl<B, W: FnMut() -> Option<Wait>> Gate<B, W> {
    pub fn new(body: B, waits_for: W) -> Gate<B, W> {
        Gate {
            body,
            waits_for,
            waiting: None,
            breaks: None,
            ended: false,
        }
    }

    /// Breaks the body off, a moment nearer each time that it is asked for.
    fn break_off(
        &mut self,
        failure: Failure,
        moments: u8,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        self.ended = true;
        let Some(left) = moments.checked_sub(1) else {
            return Poll::Ready(Some(Err(failure)));
        };
        self.breaks = Some((failure, left));
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<B, W> Body for Gate<B, W>
where
    B: Body<Data = Bytes, Error = Failure> + Unpin,
    W: FnMut() -> Option<Wait> + Unpin,
{
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let gate = self.get_mut();
        if let Some((failure, moments)) = gate.breaks.take() {
            return gate.break_off(failure, moments, cx);
        }
        loop {
            if let Some((wait, frame)) = &mut gate.waiting {
                let may_go = ready!(wait.as_mut().poll(cx));
                let frame = frame.take();
                gate.waiting = None;
                gate.ended |= frame.is_none() || !may_go;
                if !may_go {
                    return gate.break_off(Lost.into(), MOMENTS, cx);
                }
                return Poll::Ready(frame.map(Ok));
            }
            if gate.ended {
                return Poll::Ready(None);
            }
            let frame = match ready!(Pin::new(&mut gate.body).poll_frame(cx)) {
                Some(Ok(frame)) => Some(frame),
                Some(Err(error)) => return gate.break_off(error, MOMENTS, cx),
                None => None,
            };
            match (gate.waits_for)() {
                Some(wait) => gate.waiting = Some((wait, frame)),
                None => return Poll::Ready(frame.map(Ok)),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.waiting.is_none() && self.breaks.is_none() && (self.ended || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        // Asked before the first piece; later it would leave out the one that waits.
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::task::Waker;

    use http_body_util::BodyExt;
    use tokio::sync::oneshot;

    use super::*;

    /// A body that has all its pieces.
    struct Pieces(VecDeque<&'static str>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Failure;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
            let piece = self.0.pop_front();
            Poll::Ready(piece.map(|piece| Ok(Frame::data(piece.into()))))
        }
    }

    /// A gate whose nth question is answered by the nth of these.
    fn gate(
        pieces: &[&'static str],
        waits: impl IntoIterator<Item = Option<oneshot::Receiver<bool>>>,
    ) -> Gate<Pieces, impl FnMut() -> Option<Wait> + Unpin> {
        let mut waits: VecDeque<_> = waits.into_iter().collect();
        let pieces = Pieces(pieces.iter().copied().collect());
        Gate::new(pieces, move || {
            let wait = waits.pop_front()??;
            Some(Box::pin(async { wait.await.unwrap_or(false) }) as Wait)
        })
    }

    fn waits(body: &mut (impl Body + Unpin)) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(body).poll_frame(&mut context).is_pending()
    }

    async fn next(body: &mut (impl Body<Data = Bytes, Error = Failure> + Unpin)) -> Option<String> {
        Some(match body.frame().await? {
            Ok(frame) => String::from_utf8_lossy(&frame.into_data().unwrap_or_default()).into(),
            Err(error) => error.to_string(),
        })
    }

    #[tokio::test]
    async fn a_piece_waits_and_those_before_it_do_not() {
        let (durable, wait) = oneshot::channel();
        let mut body = gate(&["a", "b", "c"], [None, Some(wait)]);
        assert_eq!(next(&mut body).await.as_deref(), Some("a"));
        assert!(waits(&mut body));
        assert!(waits(&mut body), "however often it is asked");
        let _ = durable.send(true);
        assert_eq!(next(&mut body).await.as_deref(), Some("b"));
        assert_eq!(next(&mut body).await.as_deref(), Some("c"));
        assert_eq!(next(&mut body).await, None);
    }

    #[tokio::test]
    async fn the_end_waits_too() {
        let (durable, wait) = oneshot::channel();
        let mut body = gate(&["a"], [None, Some(wait)]);
        assert_eq!(next(&mut body).await.as_deref(), Some("a"));
        assert!(waits(&mut body));
        assert!(!body.is_end_stream());
        let _ = durable.send(true);
        assert_eq!(next(&mut body).await, None);
        assert!(body.is_end_stream());
    }

    #[tokio::test]
    async fn a_body_breaks_off_where_a_write_was_lost() {
        let (lost, wait) = oneshot::channel();
        let mut body = gate(&["a", "b"], [Some(wait)]);
        let _ = lost.send(false);
        let failure = next(&mut body).await;
        assert!(failure.is_some_and(|text| text.contains("lost")));
        assert_eq!(next(&mut body).await, None, "nothing more is said");
    }

    #[tokio::test]
    async fn a_break_comes_two_moments_after_the_piece_before_it() {
        let (lost, wait) = oneshot::channel();
        let mut body = gate(&["a", "b"], [None, Some(wait)]);
        let _ = lost.send(false);
        assert_eq!(next(&mut body).await.as_deref(), Some("a"));
        assert!(waits(&mut body), "what sends pieces sends this one now");
        assert!(waits(&mut body), "or now, when it waited for its turn");
        assert!(!body.is_end_stream());
        assert!(
            next(&mut body)
                .await
                .is_some_and(|text| text.contains("lost"))
        );
        assert!(body.is_end_stream());
    }
}
