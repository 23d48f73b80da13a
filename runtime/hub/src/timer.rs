//! The timers that guests set on sessions: one wheel and one task for all of them.
//!
//! **Invariant:** a session has at most one timer of a name, set or waiting for the guest; a detached session has none.
//! **Absent on purpose:** a task for each timer, which would cost more than an idle session.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytestring::ByteString;
use parking_lot::Mutex;
use rookery_contract::SessionId;
use tokio::runtime::Handle;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use crate::error::Refusal;
use crate::session::Session;

/// The longest name.
pub const TIMER_NAME_BYTES_MAX: usize = 64;

/// All timers. Its lock comes before those of the inboxes.
pub(crate) struct Timers {
    wheel: Mutex<Wheel>,
    /// The wheel sleeps on the hub's runtime, whichever thread sets a timer.
    runtime: Handle,
}

#[derive(Default)]
struct Wheel {
    queue: DelayQueue<(Arc<Session>, ByteString)>,
    /// Few a session, so a list.
    named: HashMap<SessionId, Vec<(ByteString, Key)>, foldhash::fast::RandomState>,
}

impl Timers {
    /// Must be called in a runtime.
    pub(crate) fn new() -> Timers {
        Timers {
            wheel: Mutex::default(),
            runtime: Handle::current(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.wheel.lock().queue.len()
    }

    /// Sets a timer, or replaces the one of that name. The caller makes sure that the session is attached.
    pub(crate) fn set(
        &self,
        session: &Arc<Session>,
        name: &str,
        after: Duration,
        timers_max: usize,
    ) -> Result<(), Refusal> {
        if name.len() > TIMER_NAME_BYTES_MAX {
            return Err(Refusal::TimerName);
        }
        let _entered = self.runtime.enter();
        let mut wheel = self.wheel.lock();
        wheel.remove(session.id(), name);
        let Wheel { queue, named } = &mut *wheel;
        let own = named.entry(session.id()).or_default();
        if own.len() >= timers_max {
            return Err(Refusal::TooManyTimers);
        }
        let name = ByteString::from(name);
        let key = queue.insert((Arc::clone(session), name.clone()), after);
        own.push((name.clone(), key));
        // Under the wheel's lock: the new timer cannot run out before the old one's event is taken back.
        session.retract_timer(&name);
        Ok(())
    }

    /// Cancels a timer.
    pub(crate) fn cancel(&self, session: &Session, name: &str) {
        let mut wheel = self.wheel.lock();
        wheel.remove(session.id(), name);
        session.retract_timer(name);
    }

    /// Cancels all timers of a session.
    pub(crate) fn forget(&self, session: SessionId) {
        let mut wheel = self.wheel.lock();
        for (_, key) in wheel.named.remove(&session).into_iter().flatten() {
            wheel.queue.remove(&key);
        }
    }

    /// Waits for the next timer to run out and queues its event. Never ends; dropping the future loses nothing.
    pub(crate) async fn run(&self) {
        loop {
            poll_fn(|cx| self.poll_one(cx)).await;
        }
    }

    /// Queues the event of one timer that ran out. All under the lock, so that whoever cancels finds the timer either
    /// in the wheel or in the inbox.
    fn poll_one(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut wheel = self.wheel.lock();
        match wheel.queue.poll_expired(cx) {
            Poll::Ready(Some(expired)) => {
                let key = expired.key();
                let (session, name) = expired.into_inner();
                wheel.unlist(session.id(), key);
                session.push_timer(name);
                Poll::Ready(())
            }
            // An empty wheel keeps the waker and wakes when a timer comes.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Wheel {
    fn remove(&mut self, session: SessionId, name: &str) {
        let own = self.named.get(&session);
        let found = own.and_then(|own| own.iter().find(|(other, _)| **other == *name));
        if let Some(&(_, key)) = found {
            self.queue.remove(&key);
            self.unlist(session, key);
        }
    }

    fn unlist(&mut self, session: SessionId, key: Key) {
        if let Entry::Occupied(mut own) = self.named.entry(session) {
            own.get_mut().retain(|(_, other)| *other != key);
            if own.get().is_empty() {
                own.remove();
            }
        }
    }
}
