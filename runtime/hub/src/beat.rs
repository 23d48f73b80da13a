//! When subscribers are told who came and went: one wheel for all topics.
//!
//! **Invariant:** a topic is in the wheel at most once, so its subscribers are told at most once an interval.
//! **Absent on purpose:** a task for each topic. Lock order: a topic's lock is never held while the wheel's is taken.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio_util::time::DelayQueue;

use crate::presence::Noted;
use crate::realm::Realm;
use crate::topic::Topic;
use crate::waking::WakeList;

/// Topics with news.
pub(crate) struct Beats {
    wheel: Mutex<DelayQueue<(Arc<Realm>, Arc<Topic>)>>,
    /// The wheel sleeps on the hub's runtime, whichever thread has news.
    runtime: Handle,
    every: Duration,
}

impl Beats {
    /// Must be called in a runtime.
    pub(crate) fn new(every: Duration) -> Beats {
        Beats {
            wheel: Mutex::default(),
            runtime: Handle::current(),
            every,
        }
    }

    fn add(&self, realm: Arc<Realm>, topic: Arc<Topic>) {
        let _entered = self.runtime.enter();
        self.wheel.lock().insert((realm, topic), self.every);
    }

    /// Tells subscribers when it is time. Never ends; dropping the future loses nothing.
    pub(crate) async fn run(&self) {
        loop {
            let (realm, topic) = poll_fn(|cx| self.poll_next(cx)).await;
            realm.tell_news(&topic);
        }
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<(Arc<Realm>, Arc<Topic>)> {
        match self.wheel.lock().poll_expired(cx) {
            Poll::Ready(Some(expired)) => Poll::Ready(expired.into_inner()),
            // An empty wheel keeps the waker and wakes when a topic comes.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Realm {
    /// Puts a topic into the wheel when it has its first news.
    pub(crate) fn beat_for(self: &Arc<Self>, topic: &Arc<Topic>, noted: Noted) {
        if noted == Noted::First {
            self.beats().add(Arc::clone(self), Arc::clone(topic));
        }
    }

    fn tell_news(&self, topic: &Topic) {
        let mut wakes = WakeList::default();
        let vacant = topic.lock().is_some_and(|mut state| {
            state.tell_news(topic.name(), self.counters(), &mut wakes);
            state.is_vacant()
        });
        if vacant {
            self.remove_if_vacant(topic);
        }
    }
}
