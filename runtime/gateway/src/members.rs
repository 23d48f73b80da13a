//! The sessions of a site.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_contract::SessionId;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::ws::Berth;

/// Who is served by a site, and until when those who left may come back.
#[derive(Default)]
pub(crate) struct Members {
    state: Mutex<State>,
    /// Carries one permit for when the last one left.
    emptied: Notify,
}

/// Whom a site takes in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Door {
    #[default]
    Open,
    /// Those who were served before, here or elsewhere; nobody new.
    Known,
    Closed,
}

#[derive(Default)]
struct State {
    door: Door,
    berths: HashMap<SessionId, Arc<Berth>>,
    held_until: Option<Instant>,
}

impl Members {
    /// Takes a session in; false when nobody is taken in any more.
    pub fn enter(&self, berth: &Arc<Berth>) -> bool {
        self.let_in(berth, Door::Known)
    }

    /// Takes a session in that no guest has heard of; false when nobody new is taken in any more.
    pub fn welcome(&self, berth: &Arc<Berth>) -> bool {
        self.let_in(berth, Door::Open)
    }

    fn let_in(&self, berth: &Arc<Berth>, most: Door) -> bool {
        let mut state = self.state.lock();
        let is_let_in = state.door <= most;
        if is_let_in {
            state.berths.insert(berth.id(), Arc::clone(berth));
        }
        is_let_in
    }

    /// Takes nobody new in from now on.
    pub fn turn_away(&self) {
        let mut state = self.state.lock();
        state.door = state.door.max(Door::Known);
    }

    /// Lets a session go; it need not be there.
    pub fn exit(&self, session: SessionId) {
        let mut state = self.state.lock();
        let gone = state.berths.remove(&session);
        let is_empty = state.berths.is_empty();
        drop(state);
        if gone.is_some() && is_empty {
            self.emptied.notify_one();
        }
    }

    /// Stays open until then at least, for those who left; false when it is closed already.
    pub fn hold(&self, until: Instant) -> bool {
        let mut state = self.state.lock();
        let is_open = state.door < Door::Closed;
        if is_open {
            state.held_until = state.held_until.max(Some(until));
        }
        is_open
    }

    /// Until when those who left may come back.
    pub fn held_until(&self) -> Option<Instant> {
        self.state.lock().held_until
    }

    /// One of those who are there.
    pub fn get(&self, session: SessionId) -> Option<Arc<Berth>> {
        self.state.lock().berths.get(&session).cloned()
    }

    /// Everybody, now.
    pub fn all(&self) -> Vec<Arc<Berth>> {
        self.state.lock().berths.values().cloned().collect()
    }

    /// Takes nobody in from now on. Everybody who is there.
    pub fn close(&self) -> Vec<Arc<Berth>> {
        self.state.lock().door = Door::Closed;
        self.all()
    }

    /// Waits until the last one left. May end early, and is for one task.
    pub async fn emptied(&self) {
        self.emptied.notified().await;
    }

    /// How many are there.
    pub fn count(&self) -> usize {
        self.state.lock().berths.len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.state.lock().berths.is_empty()
    }
}
