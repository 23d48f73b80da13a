//! Claims about workers that are recycled because memory is short.

use super::*;
use crate::memory::Pressure;

/// So many requests at once, each in a worker of its own.
async fn at_once(pool: &Arc<Pool>, spawn: &FakeSpawn, count: usize) {
    let gate = Arc::new(Semaphore::new(0));
    let asking: Vec<_> = (0..count)
        .map(|_| {
            spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
            let pool = Arc::clone(pool);
            tokio::spawn(async move { ask(&pool).await.unwrap() })
        })
        .collect();
    while pool.stats().busy.get() < i64::try_from(count).unwrap() {
        tokio::task::yield_now().await;
    }
    gate.add_permits(count);
    for asked in asking {
        asked.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn those_idle_longest_are_recycled_first_over_all_apps() {
    let house = House::of(16);
    let ((old, in_old), (young, in_young)) = (house.pool(|_| ()), house.pool(|_| ()));
    at_once(&old, &in_old, 4).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    at_once(&young, &in_young, 4).await;
    assert_eq!(house.budget.relieve(Pressure::None), 0);
    assert_eq!(house.budget.relieve(Pressure::Short), 1);
    assert_eq!((in_old.alive(), in_young.alive()), (3, 4));
    assert_eq!(house.budget.relieve(Pressure::Scarce), 4);
    assert_eq!((in_old.alive(), in_young.alive()), (0, 3));
    let counted = (old.snapshot().relieved, young.snapshot().relieved);
    assert_eq!((counted, house.totals.relieved.get()), ((4, 1), 5));
    assert_eq!(house.totals.evictions.get(), 0, "they gave way to nobody");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_recycled_who_works_or_is_to_be_ready() {
    let house = House::of(16);
    let ((busy, in_busy), (ready, in_ready)) = (
        house.pool(|_| ()),
        house.pool(|policy| policy.workers_min = 2),
    );
    at_once(&ready, &in_ready, 3).await;
    let gate = Arc::new(Semaphore::new(0));
    in_busy.then(Step::AnswerAfter(Arc::clone(&gate)));
    let works = tokio::spawn(async move { ask(&busy).await });
    while in_busy.alive() < 1 {
        tokio::task::yield_now().await;
    }
    for recycled in [1, 0, 0] {
        assert_eq!(house.budget.relieve(Pressure::Scarce), recycled);
    }
    assert_eq!((in_busy.alive(), in_ready.alive()), (1, 2));
    gate.add_permits(1);
    assert_eq!(works.await.unwrap().unwrap(), "1/1");
}

#[tokio::test(start_paused = true)]
async fn each_look_that_finds_memory_short_is_news_to_others() {
    let budget = Budget::new(1);
    let mut pressure = budget.pressure();
    let check = |pressure: &mut tokio::sync::watch::Receiver<Pressure>, found, is_news| {
        budget.relieve(found);
        let was_news = pressure.has_changed().unwrap();
        assert_eq!((was_news, *pressure.borrow_and_update()), (is_news, found));
    };
    for (found, is_news) in [
        (Pressure::None, false),
        (Pressure::Short, true),
        (Pressure::Short, true),
        (Pressure::Scarce, true),
        (Pressure::None, false),
    ] {
        check(&mut pressure, found, is_news);
    }
}
