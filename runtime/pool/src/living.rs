//! A live worker with its life, its state and its right to live.
//!
//! **Invariant:** every change of state goes through [`Living::step`], and so through the state machine.
//! **Invariant:** the place goes back after the worker and all its handles were dropped.

use std::sync::Arc;

use tokio::time::Instant;

use crate::places::Place;
use crate::policy::Life;
use crate::register::Entered;
use crate::state::{Event, State};
use crate::worker::Worker;

/// A live worker.
pub(crate) struct Living {
    /// Handles that nobody has now, of a worker that shares.
    pub handles: Vec<Box<dyn Worker>>,
    /// The worker itself. Of one that shares nobody has it: it makes handles, and is told notices.
    pub worker: Box<dyn Worker>,
    pub life: Life,
    /// Tells it from the other workers of its pool.
    pub number: u64,
    state: State,
    /// Where it is written down what it does.
    entered: Entered,
    /// Held once more by each open tunnel; absent until the first.
    tunnels: Option<Arc<()>>,
    /// Its failure is counted.
    has_failed: bool,
    // Fields drop in order: this one last.
    place: Place,
}

impl Living {
    /// One that has just started.
    pub fn new(worker: Box<dyn Worker>, life: Life, entered: Entered, place: Place) -> Living {
        entered.used(&*worker, life.last_used);
        let mut living = Living {
            handles: Vec::new(),
            worker,
            life,
            number: entered.number(),
            state: State::Starting,
            entered,
            tunnels: None,
            has_failed: false,
            place,
        };
        living.step(Event::Started);
        living
    }

    /// Where it is on its way.
    pub fn state(&self) -> State {
        self.state
    }

    /// Does to it what its state allows.
    pub fn step(&mut self, event: Event) {
        let after = self.state.after(event);
        self.state = after.unwrap_or_else(|| {
            let state = self.state;
            unreachable!("a worker that is {state:?} cannot be {event:?}")
        });
        self.entered.is(self.state);
        self.place.has(self.state);
    }

    /// Nobody gets it any more. False when that was so already.
    pub fn retire(&mut self) -> bool {
        let may = self.state.after(Event::Retire).is_some();
        if may {
            self.step(Event::Retire);
        }
        may
    }

    /// It failed. False when that was known already.
    pub fn fail(&mut self) -> bool {
        !std::mem::replace(&mut self.has_failed, true)
    }

    /// What a tunnel holds while it is open.
    pub fn tunnel(&mut self) -> Arc<()> {
        Arc::clone(self.tunnels.get_or_insert_default())
    }

    /// Whether a tunnel through it is open.
    pub fn has_tunnels(&self) -> bool {
        let tunnels = self.tunnels.as_ref();
        tunnels.is_some_and(|tunnels| Arc::strong_count(tunnels) > 1)
    }

    /// Whether nobody has it in any way.
    pub fn is_free(&self) -> bool {
        self.state.leases() == 0 && !self.has_tunnels()
    }

    /// A handle on it, for one more invocation; `None` when it gives none though there is room.
    pub fn handle(&mut self) -> Option<Box<dyn Worker>> {
        self.handles.pop().or_else(|| self.worker.share())
    }

    /// It has one more invocation.
    pub fn serves(&mut self) {
        self.life.served += 1;
        self.entered.served(self.life.served);
    }

    /// It had work now.
    pub fn used(&mut self, now: Instant) {
        self.life.last_used = now;
        self.life.told_idle = false;
        self.entered.used(&*self.worker, now);
    }

    /// Writes down how much memory it has.
    pub fn weigh(&self) {
        self.entered.weigh(&*self.worker);
    }
}
