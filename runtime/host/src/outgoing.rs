//! What an invocation says, and what it waits for.
//!
//! **Invariant:** once an invocation wrote, nothing that it says gets out before what it wrote is durable, and nothing
//! of it ever does when that is lost. What goes through the hub is held there; an answer to a request is held by
//! whoever gives it, its head with [`Outgoing::take`] and each piece of its body with [`Outgoing::piece`].
//! **Invariant:** that an invocation is stopped half way loses nothing of what it wrote and said before.

use std::sync::Arc;

use parking_lot::Mutex;
use rookery_hub::{Hold, Keeper, Outcome};
use rookery_lifecycle::Tasks;
use rookery_storage::Owed;

use crate::hub::GuestHub;

/// The output of one invocation. Clones are of the same one.
#[derive(Clone)]
pub struct Outgoing(Arc<Mutex<Waits>>);

struct Waits {
    /// Where the ends of writes are waited for.
    tasks: Tasks,
    /// What was written, and the end of the hub's hold on what is said of it.
    owed: Option<(Owed, Keeper)>,
    /// What was written before that, and somebody waits for already. Whatever is said next has to wait for it, too.
    awaited: Option<Owed>,
    /// What was read of others' before it was durable.
    inherited: Vec<Arc<Hold>>,
}

/// What has to happen before output may go.
pub struct Held {
    own: Option<(Owed, Keeper)>,
    awaited: Option<Owed>,
    inherited: Vec<Arc<Hold>>,
}

impl Outgoing {
    /// Nothing was written yet. The ends of writes are waited for by tasks of these.
    pub fn new(tasks: &Tasks) -> Outgoing {
        Outgoing(Arc::new(Mutex::new(Waits::new(tasks))))
    }

    /// The invocation wrote: from now on what it says waits.
    pub(crate) fn owe(&self, owed: Owed, hub: &mut GuestHub) {
        let mut waits = self.0.lock();
        let before = waits.owed.take();
        let keeper = before.map_or_else(|| hub.hold(), |(_, keeper)| keeper);
        waits.owed = Some((owed, keeper));
    }

    /// The invocation read what others said and what is not durable yet.
    pub fn inherit(&self, hub: &GuestHub) {
        self.0.lock().inherited = hub.holds();
    }

    /// What an answer that begins now has to wait for; `None` when it may go. The hub's output is let go with it.
    pub fn take(&self) -> Option<Held> {
        let mut waits = self.0.lock();
        let own = waits.hand_over();
        let held = waits.held(own);
        held.must_wait().then_some(held)
    }

    /// What a piece of an answer has to wait for that is said now; `None` when it may go. The piece may be given up: the
    /// hub's output is let go by a task.
    pub fn piece(&self) -> Option<Held> {
        let mut waits = self.0.lock();
        waits.let_go();
        let held = waits.held(None);
        held.must_wait().then_some(held)
    }

    /// The invocation is over: what it said goes as soon as it may. What this gives afterwards is the next one's.
    pub fn finish(&mut self) {
        let next = {
            let mut waits = self.0.lock();
            waits.let_go();
            Waits::new(&waits.tasks)
        };
        match Arc::get_mut(&mut self.0) {
            Some(waits) => *waits.get_mut() = next,
            // The answer's body is still on its way, and waits for what is in here.
            None => *self = Outgoing(Arc::new(Mutex::new(next))),
        }
    }
}

impl Waits {
    fn new(tasks: &Tasks) -> Waits {
        Waits {
            tasks: tasks.clone(),
            owed: None,
            awaited: None,
            inherited: Vec::new(),
        }
    }

    /// What was written, to be waited for by somebody else.
    fn hand_over(&mut self) -> Option<(Owed, Keeper)> {
        let own = self.owed.take()?;
        self.awaited = Some(own.0.clone());
        Some(own)
    }

    fn let_go(&mut self) {
        if let Some((owed, keeper)) = self.hand_over() {
            self.tasks.spawn("output commit", async move {
                settle(owed, keeper).await;
            });
        }
    }

    /// What is said now waits for this, and for what it may still wait for.
    fn held(&mut self, own: Option<(Owed, Keeper)>) -> Held {
        let awaited = self.awaited.as_ref().filter(|owed| !owed.is_kept());
        let inherited = self.inherited.iter();
        Held {
            awaited: awaited.cloned().filter(|_| own.is_none()),
            own,
            inherited: inherited
                .filter(|hold| hold.outcome() != Outcome::Kept)
                .cloned()
                .collect(),
        }
    }
}

impl Drop for Waits {
    /// An invocation that was stopped, as one is whose client went away, has others waiting for what it said.
    fn drop(&mut self) {
        // Without a runtime the server is gone, and everybody who waited with it.
        if self.owed.is_some() && tokio::runtime::Handle::try_current().is_ok() {
            self.let_go();
        }
    }
}

impl Held {
    fn must_wait(&self) -> bool {
        self.own.is_some() || self.awaited.is_some() || !self.inherited.is_empty()
    }

    /// Waits. False when something is lost, and the output must not go.
    pub async fn settle(self) -> bool {
        // First its own: its hold may be among those that it read.
        let mut kept = match self.own {
            Some((owed, keeper)) => settle(owed, keeper).await,
            None => true,
        };
        if let Some(awaited) = self.awaited {
            kept &= awaited.wait().await.is_ok();
        }
        for hold in self.inherited {
            kept &= hold.settled().await == Outcome::Kept;
        }
        kept
    }
}

async fn settle(owed: Owed, keeper: Keeper) -> bool {
    let outcome = owed.wait().await;
    match &outcome {
        Ok(()) => keeper.keep(),
        Err(error) => {
            tracing::error!(%error, "what a guest said is dropped with what it wrote");
            keeper.lose();
        }
    }
    outcome.is_ok()
}

#[cfg(test)]
mod tests;
