//! What an invocation says, and what it waits for.
//!
//! **Invariant:** once an invocation wrote, nothing that it says gets out before what it wrote is durable, and nothing
//! of it ever does when that is lost. What goes through the hub is held there; an answer to a request is held by
//! whoever gives it, with [`Outgoing::take`].

use std::sync::Arc;

use parking_lot::Mutex;
use rookery_hub::{Hold, Keeper, Outcome};
use rookery_lifecycle::Tasks;
use rookery_storage::Owed;

use crate::hub::GuestHub;

/// The output of one invocation. Clones are of the same one.
#[derive(Clone, Default)]
pub struct Outgoing(Arc<Mutex<Waits>>);

#[derive(Default)]
struct Waits {
    /// What was written, and the end of the hub's hold on what is said of it.
    owed: Option<(Owed, Keeper)>,
    /// What was read of others' before it was durable.
    inherited: Vec<Arc<Hold>>,
}

/// What has to happen before output may go.
pub struct Held(Waits);

impl Outgoing {
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

    /// What output that goes now has to wait for; `None` when it may go. The hub's output is let go with it.
    pub fn take(&self) -> Option<Held> {
        let waits = std::mem::take(&mut *self.0.lock());
        let waits_for_none = waits.owed.is_none() && waits.inherited.is_empty();
        (!waits_for_none).then_some(Held(waits))
    }

    /// The invocation is over: what it said goes as soon as it may.
    pub fn finish(&self, tasks: &Tasks) {
        // What was inherited is settled by whoever holds it.
        let Waits { owed, inherited: _ } = std::mem::take(&mut *self.0.lock());
        if let Some((owed, keeper)) = owed {
            tasks.spawn("output commit", async move {
                settle(owed, keeper).await;
            });
        }
    }
}

impl Held {
    /// Waits. False when something is lost, and the output must not go.
    pub async fn settle(self) -> bool {
        // First its own: its hold may be among those that it read.
        let mut kept = match self.0.owed {
            Some((owed, keeper)) => settle(owed, keeper).await,
            None => true,
        };
        for hold in self.0.inherited {
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
