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

#[derive(Default)]
struct State {
    closed: bool,
    berths: HashMap<SessionId, Arc<Berth>>,
    held_until: Option<Instant>,
}

impl Members {
    /// Takes a session in; false when nobody is taken in any more.
    pub fn enter(&self, berth: &Arc<Berth>) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        state.berths.insert(berth.id(), Arc::clone(berth));
        true
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
        if !state.closed {
            state.held_until = state.held_until.max(Some(until));
        }
        !state.closed
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
        self.state.lock().closed = true;
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
