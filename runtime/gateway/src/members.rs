//! The sessions of a site.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_contract::SessionId;

use crate::ws::Berth;

/// Who is served by a site.
#[derive(Default)]
pub(crate) struct Members(Mutex<State>);

#[derive(Default)]
struct State {
    closed: bool,
    berths: HashMap<SessionId, Arc<Berth>>,
}

impl Members {
    /// Takes a session in; false when nobody is taken in any more.
    pub fn enter(&self, berth: &Arc<Berth>) -> bool {
        let mut state = self.0.lock();
        if state.closed {
            return false;
        }
        state.berths.insert(berth.id(), Arc::clone(berth));
        true
    }

    /// Lets a session go; it need not be there.
    pub fn exit(&self, session: SessionId) {
        let gone = self.0.lock().berths.remove(&session);
        drop(gone);
    }

    /// Everybody, now.
    pub fn all(&self) -> Vec<Arc<Berth>> {
        self.0.lock().berths.values().cloned().collect()
    }

    /// Takes nobody in from now on. Everybody who is there.
    pub fn close(&self) -> Vec<Arc<Berth>> {
        self.0.lock().closed = true;
        self.all()
    }

    /// How many are there.
    pub fn count(&self) -> usize {
        self.0.lock().berths.len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.0.lock().berths.is_empty()
    }
}
