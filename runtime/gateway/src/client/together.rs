//! Answers that were there at once, written together.
//!
//! Writing to a client is the dearest part of a small exchange, and dearer when each write finds a client that has nothing
//! else to do and has to be woken. What is more, guests and the network push each other's code out of the caches. So an
//! answer that was made in the turn in which its request was read waits until all who are ready had theirs.
//!
//! **Invariant:** an answer waits for one turn of the runtime at most, and for none while there is little to do.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// How many of the runtime's threads rest.
static RESTING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this one did since its last answer.
    static HAS_RESTED: Cell<bool> = const { Cell::new(false) };
}

/// To be called by each of the runtime's threads before it rests.
///
/// The runtime does not say how many are ready. But when threads rest nobody waits for one, and a thread that came from
/// resting has served nobody yet: with few clients, each request finds it so.
pub fn thread_rests() {
    HAS_RESTED.set(true);
    RESTING.fetch_add(1, Ordering::Relaxed);
}

/// To be called by each of the runtime's threads after it rested.
pub fn thread_wakes() {
    RESTING.fetch_sub(1, Ordering::Relaxed);
}

fn has_time() -> bool {
    HAS_RESTED.take() || RESTING.load(Ordering::Relaxed) > 0
}

/// Whether a connection's answer was there at once: said by what makes answers, heard by what writes them.
#[derive(Clone, Default)]
pub(crate) struct AtOnce(Arc<AtomicBool>);

impl AtOnce {
    /// Says it of this answer.
    pub fn watch<F: Future>(&self, answer: F) -> Watched<F> {
        Watched {
            answer,
            turns: Some(self.clone()),
        }
    }

    /// Whether it was said, and not heard before.
    pub fn take(&self) -> bool {
        // The connection's task says it and hears it, so nothing has to be ordered.
        let was = self.0.load(Ordering::Relaxed);
        if was {
            self.0.store(false, Ordering::Relaxed);
        }
        was
    }
}

pin_project! {
    /// An answer that says whether it was there at once.
    pub(crate) struct Watched<F> {
        #[pin]
        answer: F,
        // Until the first turn is over.
        turns: Option<AtOnce>,
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = this.answer.poll(cx);
        if let Some(at_once) = this.turns.take() {
            at_once.0.store(outcome.is_ready(), Ordering::Relaxed);
        }
        outcome
    }
}

/// A write's place among those that go together.
#[derive(Default)]
pub(crate) struct Turn {
    is_waiting: bool,
}

impl Turn {
    /// Has the write wait for its turn; `wants` is asked once a turn.
    pub fn poll(&mut self, cx: &mut Context<'_>, wants: impl FnOnce() -> bool) -> Poll<()> {
        if std::mem::take(&mut self.is_waiting) || !wants() || has_time() {
            return Poll::Ready(());
        }
        // The runtime wakes whoever yields once nobody else is ready; outside of one, at once.
        let turn = pin!(tokio::task::yield_now()).poll(cx);
        self.is_waiting = turn.is_pending();
        turn
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn an_answer_says_once_whether_it_was_there_at_once() {
        let at_once = AtOnce::default();
        at_once.watch(async {}).await;
        assert!(at_once.take());
        assert!(!at_once.take(), "the next piece of it is no new answer");
        at_once.watch(tokio::task::yield_now()).await;
        assert!(!at_once.take(), "it was waited for");
        at_once.watch(async {}).await;
        at_once.watch(tokio::task::yield_now()).await;
        assert!(!at_once.take(), "the one before was");
    }

    /// Makes answers in as many tasks, and gives what was done in which order.
    async fn answers(count: usize, wants: bool) -> Vec<&'static str> {
        let done = Arc::<Mutex<Vec<_>>>::default();
        let tasks = (0..count).map(|_| {
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                done.lock().unwrap().push("made");
                let mut turn = Turn::default();
                std::future::poll_fn(|cx| turn.poll(cx, || wants)).await;
                done.lock().unwrap().push("written");
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let done = done.lock().unwrap();
        done.clone()
    }

    #[tokio::test]
    async fn one_that_was_waited_for_waits_for_nobody() {
        let done = answers(20, false).await;
        assert!(
            done.chunks(2).all(|pair| pair == ["made", "written"]),
            "{done:?}"
        );
    }

    // One test, since how many threads rest is known of the whole process.
    #[tokio::test]
    async fn what_there_is_time_for_waits_for_nobody() {
        let together = answers(20, true).await;
        let (made, written) = together.split_at(20);
        assert!(made.iter().all(|done| *done == "made"), "{together:?}");
        assert!(
            written.iter().all(|done| *done == "written"),
            "{together:?}"
        );

        thread_rests();
        let while_one_rests = answers(20, true).await;
        assert!(
            while_one_rests
                .chunks(2)
                .all(|pair| pair == ["made", "written"]),
            "{while_one_rests:?}"
        );

        thread_rests();
        thread_wakes();
        thread_wakes();
        let after_a_rest = answers(20, true).await;
        assert_eq!(after_a_rest[..2], ["made", "written"]);
        assert!(
            after_a_rest[2..21].iter().all(|done| *done == "made"),
            "{after_a_rest:?}"
        );
    }
}
