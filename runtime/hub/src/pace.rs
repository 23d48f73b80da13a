//! How often the members of a topic are woken to write: one wheel for all topics.
//!
//! What a delivery costs is the write, not the message: a member who is written to for each message of a busy room costs
//! hundreds of times what one costs who is written to for all messages of a few milliseconds. So after a topic's members were
//! woken, they are not woken for its messages again before a while has passed that grows with their number. In a quiet room
//! nobody waits; in a busy one nobody waits for longer than the writing takes anyway.
//!
//! **Invariant:** messages are in the outboxes, in their places, while nobody is woken for them: only the waking waits. Whatever
//! else wakes a writer makes it write all of them. **Invariant:** a topic whose members may wait is in the wheel, once.
//! **Invariant:** the wheel's lock is the last that is taken.
//! **Absent on purpose:** a rest for outboxes that hold much. They wake their writers whatever the topic says.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::time::DelayQueue;

use crate::topic::Topic;
use crate::waking::WakeList;

/// Up to so many members are woken whenever there is something: a few who answer each other must not wait, and there is little to
/// save. In larger rooms, those beyond so many are what a rest grows with.
const FEW_MEMBERS: usize = 16;
/// For how long a topic rests at most.
const REST_MAX: Duration = Duration::from_millis(50);

/// Where a topic stands.
pub(crate) struct Pace {
    /// For each member beyond a few.
    rest: Duration,
    /// Until then its members are not woken.
    rests_until: Option<Instant>,
    /// Whether the wheel has it.
    is_due: bool,
}

/// Whether a topic's members are woken for what they are given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    Now,
    /// The wheel has to be told.
    At(Instant),
    /// The wheel has the topic.
    Due,
}

impl Pace {
    /// Of a topic whose members beyond a few are each worth so long a rest.
    pub(crate) fn new(rest: Duration) -> Pace {
        Pace {
            rest,
            rests_until: None,
            is_due: false,
        }
    }

    /// What is to be done for so many members.
    pub(crate) fn turn(&mut self, members: usize) -> Turn {
        if self.is_due {
            return Turn::Due;
        }
        if members <= FEW_MEMBERS || self.rest.is_zero() {
            return Turn::Now;
        }
        let now = Instant::now();
        match self.rests_until {
            Some(until) if now < until => {
                self.is_due = true;
                Turn::At(until)
            }
            _ => {
                self.woken(now, members);
                Turn::Now
            }
        }
    }

    fn woken(&mut self, now: Instant, members: usize) {
        let members = members.saturating_sub(FEW_MEMBERS);
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        self.is_due = false;
        self.rests_until = Some(now + self.rest.saturating_mul(members).min(REST_MAX));
    }
}

/// Topics that rest while their members have something to write.
pub(crate) struct Paces {
    /// `None` when nobody turns it any more.
    wheel: Mutex<Option<DelayQueue<Arc<Topic>>>>,
    /// The wheel sleeps on the hub's runtime, whichever thread publishes.
    runtime: Handle,
    rest: Duration,
}

impl Paces {
    /// Each member is worth so long a rest. Must be called in a runtime.
    pub(crate) fn new(rest: Duration) -> Paces {
        Paces {
            wheel: Mutex::new(Some(DelayQueue::new())),
            runtime: Handle::current(),
            rest,
        }
    }

    /// How long a rest one member is worth.
    pub(crate) fn rest(&self) -> Duration {
        self.rest
    }

    /// Wakes the topic's members then; at once when nobody turns the wheel any more.
    pub(crate) fn add(&self, topic: Arc<Topic>, at: Instant) {
        let late = {
            let _entered = self.runtime.enter();
            match &mut *self.wheel.lock() {
                Some(wheel) => {
                    wheel.insert_at(topic, at);
                    None
                }
                None => Some(topic),
            }
        };
        if let Some(topic) = late {
            self.rouse(&topic);
        }
    }

    /// Wakes the members of topics when their rest is over. Never ends; dropping the future loses nothing.
    pub(crate) async fn run(&self) {
        loop {
            let topic = poll_fn(|cx| self.poll_next(cx)).await;
            self.rouse(&topic);
        }
    }

    /// Nobody turns the wheel from now on: no topic rests any more.
    pub(crate) fn stop(&self) {
        let Some(mut left) = self.wheel.lock().take() else {
            return;
        };
        while let Some(next) = left.peek() {
            self.rouse(left.remove(&next).get_ref());
        }
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Arc<Topic>> {
        match &mut *self.wheel.lock() {
            Some(wheel) => match wheel.poll_expired(cx) {
                Poll::Ready(Some(expired)) => Poll::Ready(expired.into_inner()),
                // An empty wheel keeps the waker and wakes when a topic comes.
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            },
            None => Poll::Pending,
        }
    }

    fn rouse(&self, topic: &Topic) {
        let mut wakes = WakeList::default();
        // A topic that was removed has no members.
        if let Some(mut state) = topic.lock() {
            let members = state.members.len();
            state.pace.woken(Instant::now(), members);
            for member in state.members.values() {
                member.outbox.rouse(&mut wakes);
            }
        }
    }
}
