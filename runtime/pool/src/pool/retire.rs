//! How workers end: those that hear notices are told first, by a task of their own.
//!
//! **Invariant:** nobody's request waits for somebody else's worker to hear of its end; its place is free when it is
//! gone, within a grace.
//! **Absent on purpose:** who leaves, and when. The shelf and the policy say so.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::Pool;
use crate::deadline::Deadline;
use crate::living::Living;
use crate::shelf::Out;
use crate::state::Event;
use crate::worker::Notice;

/// How long a worker may take to hear that it is idle. Nobody waits for it, so it may write something down.
const IDLE_GRACE: Duration = Duration::from_secs(1);

impl Pool {
    /// Ends those that left the shelf.
    pub(crate) fn let_go(&self, out: Out) {
        if out.is_empty() {
            return;
        }
        for _ in 0..out.died {
            self.stats.failed();
        }
        for living in out.over {
            self.dismiss(living, &[Notice::Terminate]);
        }
        let now = Instant::now();
        for living in out.idle {
            let notices: &'static [Notice] = match self.policy.is_to_hear_idle(living.life, now) {
                true => &[Notice::Idle, Notice::Terminate],
                false => &[Notice::Terminate],
            };
            self.dismiss(living, notices);
        }
        for living in out.dead {
            self.died(&living.life);
        }
    }

    /// Ends a worker that was stopped in the middle of an invocation, or failed: there is nobody left to tell.
    pub(crate) fn end(&self, living: Living) {
        self.retire(living, &[]);
    }

    /// Ends a worker that comes back from an invocation and must not have another one. If a tunnel leads through it, it
    /// goes on for that.
    pub(crate) fn retire(&self, mut living: Living, notices: &'static [Notice]) {
        living.retire();
        living.step(Event::Returned);
        if living.has_tunnels() {
            let mut out = Out::default();
            self.shelf.lock().retire(living, &mut out.over);
            return self.let_go(out);
        }
        self.dismiss(living, notices);
    }

    fn dismiss(&self, mut living: Living, notices: &'static [Notice]) {
        living.step(Event::Dismissed);
        if notices.is_empty() || !self.hears_notices || !living.worker.is_alive() {
            return drop(living);
        }
        let last = self.policy.notice_grace;
        self.tasks.spawn("worker hears of its end", async move {
            for notice in notices {
                let grace = match notice {
                    Notice::Idle => IDLE_GRACE,
                    Notice::Terminate => last,
                };
                if !tell(&mut living, *notice, grace).await {
                    break;
                }
            }
        });
    }

    /// Tells those that stay, and had nothing to do for long enough, that they are idle.
    pub(super) fn tell_idle(self: &Arc<Self>, now: Instant) {
        if !self.hears_notices {
            return;
        }
        // Each has a turn, as for an invocation: the worker is not to be had meanwhile.
        while let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            let found = self.shelf.lock().take_to_hear_idle(&self.policy, now);
            let Some(living) = found else { return };
            let mut away = Away {
                pool: Arc::clone(self),
                living: Some(living),
                _turn: turn,
            };
            self.tasks
                .spawn("worker hears that it is idle", async move {
                    if let Some(living) = &mut away.living
                        && tell(living, Notice::Idle, IDLE_GRACE).await
                    {
                        away.back();
                    }
                });
        }
    }
}

/// False when it was cut short: then nobody knows where the worker stopped.
async fn tell(living: &mut Living, notice: Notice, grace: Duration) -> bool {
    let told = living.worker.tell(notice, Deadline::after(grace));
    timeout(grace, told).await.is_ok()
}

/// A worker that is told something, and comes back or not.
struct Away {
    pool: Arc<Pool>,
    living: Option<Living>,
    _turn: OwnedSemaphorePermit,
}

impl Away {
    fn back(mut self) {
        let Some(mut living) = self.living.take() else {
            return;
        };
        living.step(Event::Returned);
        let mut out = Out::default();
        let mut shelf = self.pool.shelf.lock();
        shelf.away -= 1;
        if !living.worker.is_alive() {
            shelf.bury(living, &mut out);
        } else if shelf.is_closed() {
            shelf.retire(living, &mut out.over);
        } else {
            shelf.lay(living);
        }
        drop(shelf);
        self.pool.let_go(out);
        self.pool.worker_is_free();
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        if let Some(living) = self.living.take() {
            self.pool.shelf.lock().away -= 1;
            self.pool.end(living);
            self.pool.worker_is_free();
        }
    }
}
