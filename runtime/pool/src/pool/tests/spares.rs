//! Claims about workers that nobody asked for yet: they live in places of the budget, and leave them first.

use std::sync::Weak;

use super::*;
use crate::memory::Pressure;
use crate::spares::{SparePlace, Spares};

/// Keeps places as if workers lived in them.
#[derive(Default)]
struct Kept(Mutex<Vec<SparePlace>>);

impl Spares for Kept {
    fn count(&self) -> usize {
        self.0.lock().len()
    }

    fn give_up(&self) -> bool {
        let place = self.0.lock().pop();
        place.is_some()
    }
}

impl House {
    /// One that has so many spares, if the budget lets it.
    fn spares(&self, count: usize) -> Arc<Kept> {
        let kept = Arc::<Kept>::default();
        let weak: Weak<Kept> = Arc::downgrade(&kept);
        self.budget.evicts_first(weak);
        let places = (0..count).filter_map(|_| self.budget.place_for_spare());
        kept.0.lock().extend(places);
        kept
    }
}

#[tokio::test(start_paused = true)]
async fn spares_live_within_the_budget_and_are_counted() {
    let house = House::of(3);
    let (pool, _) = house.pool(|_| ());
    ask(&pool).await.unwrap();
    let kept = house.spares(3);
    assert_eq!(kept.count(), 2, "one place has the idle worker");
    let budget = &house.budget;
    assert_eq!((budget.workers_live(), budget.workers_spare()), (3, 2));
    drop(kept);
    assert_eq!((budget.workers_live(), budget.workers_spare()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_spare_gives_way_before_a_worker_that_served() {
    let house = House::of(2);
    let ((a, in_a), (b, in_b), (c, _)) =
        (house.pool(|_| ()), house.pool(|_| ()), house.pool(|_| ()));
    ask(&a).await.unwrap();
    let kept = house.spares(1);
    ask(&b).await.unwrap();
    assert_eq!((kept.count(), in_a.alive(), in_b.alive()), (0, 1, 1));
    assert_eq!(house.totals.evictions.get(), 0);
    // With none left it is the turn of the worker idle longest.
    ask(&c).await.unwrap();
    assert_eq!((in_a.alive(), house.totals.evictions.get()), (0, 1));
    assert_eq!(house.budget.workers_live(), 2);
}

#[tokio::test(start_paused = true)]
async fn spares_are_recycled_first_while_memory_is_short_and_not_replaced() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    ask(&pool).await.unwrap();
    let kept = house.spares(2);
    assert_eq!(house.budget.relieve(Pressure::Scarce), 2);
    assert_eq!((kept.count(), spawn.alive()), (0, 1));
    assert!(house.budget.place_for_spare().is_none());
    assert_eq!(house.budget.relieve(Pressure::None), 0);
    assert!(house.budget.place_for_spare().is_some());
}

#[tokio::test(start_paused = true)]
async fn spares_end_with_the_server() {
    let house = House::of(8);
    let kept = house.spares(2);
    let shutdown = Shutdown::new();
    house.budget.keep_swept(&house.tasks, shutdown.clone());
    shutdown.request();
    let left: Vec<&str> = house.tasks.drain(Duration::from_secs(60)).await;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!((kept.count(), house.budget.workers_live()), (0, 0));
}
