//! Workers that nobody asked for, kept as whoever starts processes keeps them: as many as there are free places for, up to
//! a third of the budget, and given up when they are asked back.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Budget, SparePlace, Spares};
use tokio::time::sleep;

use super::event::{Event, Presence};
use super::guest::Stage;

/// How often there is a look whether one is missing.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Those that are kept.
struct Larder {
    stage: Arc<Stage>,
    kept: Mutex<Vec<SparePlace>>,
}

impl Spares for Larder {
    fn count(&self) -> usize {
        self.kept.lock().len()
    }

    fn give_up(&self) -> bool {
        let place = self.kept.lock().pop();
        if place.is_some() {
            self.stage.trace.add(Event::Spare(Presence::No));
        }
        place.is_some()
    }
}

/// Keeps some until the shutdown.
pub fn keep(stage: &Arc<Stage>, budget: &Arc<Budget>, tasks: &Tasks, shutdown: &Shutdown) {
    let larder = Arc::new(Larder {
        stage: Arc::clone(stage),
        kept: Mutex::default(),
    });
    let weak = Arc::downgrade(&larder);
    budget.evicts_first(weak);
    let (budget, shutdown) = (Arc::clone(budget), shutdown.clone());
    tasks.spawn("spares", async move {
        while !shutdown.is_requested() {
            if larder.count() < budget.workers_max() / 3
                && let Some(place) = budget.place_for_spare()
            {
                larder.stage.trace.add(Event::Spare(Presence::Yes));
                larder.kept.lock().push(place);
            }
            sleep(LOOK_EVERY).await;
        }
        while larder.give_up() {}
    });
}
