//! When components rest.
//!
//! **Invariant:** the shorter memory is, the sooner, and at the next look at memory rather than at one of ours.
//! **Absent on purpose:** components that isolates have: see [`Component::rest`].

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_lifecycle::Shutdown;
use rookery_pool::Pressure;
use tokio::sync::watch;

use crate::engine::{Slots, Thrift};
use crate::revision::Component;

/// How often components are looked at that may rest, while there is memory.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How long a component stays linked after its last new isolate …
const AWAKE_FOR: Duration = Duration::from_secs(60);
/// … and while memory is short: one that is asked for now and then is not mapped again each time.
const AWAKE_FOR_SHORT: Duration = Duration::from_secs(5);

/// How long a component stays linked that no isolate has.
pub(crate) fn awake_for(thrift: Thrift, pressure: Pressure) -> Duration {
    match (thrift, pressure) {
        (Thrift::Memory, _) | (_, Pressure::Scarce) => Duration::ZERO,
        (Thrift::Speed, Pressure::Short) => AWAKE_FOR_SHORT,
        (Thrift::Speed, Pressure::None) => AWAKE_FOR,
    }
}

/// The components of all revisions.
#[derive(Clone, Default)]
pub(crate) struct Components(
    // Held to look through them, never across an await.
    Arc<Mutex<Vec<Weak<Component>>>>,
);

impl Components {
    /// Looks after this one from now on, as long as somebody has it.
    pub fn add(&self, component: &Arc<Component>) {
        self.0.lock().push(Arc::downgrade(component));
    }

    /// Lets them rest until the shutdown, and gives back what isolates left in these slots.
    pub async fn keep_rested(
        self,
        slots: Slots,
        mut pressure: watch::Receiver<Pressure>,
        shutdown: Shutdown,
    ) {
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
                // Nobody looks at memory any more when its sender is gone; the other looks go on.
                Ok(()) = pressure.changed() => {}
            }
            let pressure = *pressure.borrow_and_update();
            // First, as a slot has the code mapped of who left something in it.
            let left = slots.clone();
            let _ = tokio::task::spawn_blocking(move || left.give_back()).await;
            let resting = self
                .living()
                .iter()
                .filter(|one| one.rest(pressure))
                .count();
            if resting > 0 && pressure != Pressure::None {
                tracing::info!(resting, "memory is short: components rest");
            }
        }
    }

    fn living(&self) -> Vec<Arc<Component>> {
        let mut components = self.0.lock();
        components.retain(|component| component.strong_count() > 0);
        components.iter().filter_map(Weak::upgrade).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_memory_is_the_sooner_a_component_rests() {
        let check = |thrift, pressure, expected_secs| {
            let awake = awake_for(thrift, pressure);
            assert_eq!(awake.as_secs(), expected_secs, "{thrift:?} {pressure:?}");
        };
        check(Thrift::Speed, Pressure::None, 60);
        check(Thrift::Speed, Pressure::Short, 5);
        check(Thrift::Speed, Pressure::Scarce, 0);
        check(Thrift::Memory, Pressure::None, 0);
        check(Thrift::Memory, Pressure::Short, 0);
        check(Thrift::Memory, Pressure::Scarce, 0);
    }
}
