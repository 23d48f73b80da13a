//! Claims about what workers are told, and about workers that die.

use std::sync::atomic::Ordering;

use super::*;

fn hears(spawn: &Arc<FakeSpawn>) {
    spawn.hears.store(true, Ordering::SeqCst);
}

/// Lets workers hear what they are told.
async fn heard() {
    for _ in 0..20 {
        tokio::time::advance(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
    }
}

impl House {
    async fn swept(&self) {
        self.budget.sweep();
        heard().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_worker_is_told_and_then_told_of_its_end() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(|_| (), hears);
    ask(&pool).await.unwrap();
    tokio::time::advance(Duration::from_secs(29)).await;
    house.swept().await;
    assert!(spawn.told.lock().is_empty());
    tokio::time::advance(Duration::from_secs(1)).await;
    house.swept().await;
    assert_eq!(
        *spawn.told.lock(),
        [(1, Notice::Idle), (1, Notice::Terminate)]
    );
    assert_eq!((spawn.alive(), house.budget.workers_live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_kept_ready_is_told_once_and_again_only_after_new_work() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(|policy| policy.workers_min = 1, hears);
    ask(&pool).await.unwrap();
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(30)).await;
        house.swept().await;
        assert_eq!(*spawn.told.lock(), [(1, Notice::Idle)]);
    }
    assert_eq!(ask(&pool).await.unwrap(), "1/2", "the same one");
    tokio::time::advance(Duration::from_secs(30)).await;
    house.swept().await;
    assert_eq!(*spawn.told.lock(), [(1, Notice::Idle), (1, Notice::Idle)]);
    assert_eq!(spawn.alive(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_being_told_is_not_to_be_had_and_none_replaces_it() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(|policy| policy.workers_min = 1, hears);
    ask(&pool).await.unwrap();
    tokio::time::advance(Duration::from_secs(30)).await;
    house.budget.sweep();
    tokio::task::yield_now().await;
    assert_eq!(spawn.told.lock().len(), 1);
    house.budget.sweep();
    assert_eq!(ask(&pool).await.unwrap(), "2/1");
    heard().await;
    assert_eq!(spawn.started(), 2);
}

#[tokio::test(start_paused = true)]
async fn every_other_end_is_told_too_but_for_failures() {
    let house = House::of(1);
    let (tired, in_tired) = house.pool_of(|policy| policy.max_requests = 1, hears);
    ask(&tired).await.unwrap();
    heard().await;
    assert_eq!(*in_tired.told.lock(), [(1, Notice::Terminate)]);
    let (evicted, in_evicted) = house.pool_of(|_| (), hears);
    ask(&evicted).await.unwrap();
    let (drained, in_drained) = house.pool_of(|_| (), hears);
    assert_eq!(ask(&drained).await.unwrap(), "1/1");
    assert_eq!(*in_evicted.told.lock(), [(1, Notice::Terminate)]);
    assert!(drained.drain(Duration::from_secs(1)).await);
    heard().await;
    assert_eq!(*in_drained.told.lock(), [(1, Notice::Terminate)]);
    let (fails, in_fails) = house.pool_of(|_| (), hears);
    in_fails.then(Step::Fail(Fault::NoAnswer));
    ask(&fails).await.unwrap_err();
    heard().await;
    assert!(in_fails.told.lock().is_empty());
    assert_eq!(house.budget.workers_live(), 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_worker_to_hear_but_who_needs_its_place() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(|policy| policy.max_requests = 1, hears);
    let before = Instant::now();
    for expected in ["1/1", "2/1", "3/1"] {
        assert_eq!(ask(&pool).await.unwrap(), expected);
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    heard().await;
    assert_eq!((spawn.told.lock().len(), spawn.alive()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_finish_hearing_ends_within_the_grace() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(
        |policy| {
            policy.max_requests = 1;
            policy.notice_grace = Duration::from_micros(500);
        },
        hears,
    );
    ask(&pool).await.unwrap();
    assert_eq!(spawn.alive(), 1);
    tokio::time::sleep(Duration::from_micros(500)).await;
    heard().await;
    assert_eq!((spawn.alive(), house.budget.workers_live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_died_while_it_was_idle_is_replaced_and_counted() {
    let house = House::of(8);
    for at_once in [1, 4] {
        let failed = house.totals.failed.get();
        let (pool, spawn) = house.pool_of(
            |_| (),
            |spawn| {
                spawn.concurrency.store(at_once, Ordering::SeqCst);
                hears(spawn);
            },
        );
        assert_eq!(ask(&pool).await.unwrap(), "1/1");
        spawn.dying.lock().push(1);
        assert_eq!(ask(&pool).await.unwrap(), "2/1", "{at_once}");
        assert_eq!(house.totals.failed.get(), failed + 1);
        spawn.dying.lock().push(2);
        house.swept().await;
        assert_eq!((spawn.alive(), house.totals.failed.get()), (0, failed + 2));
        assert!(spawn.told.lock().is_empty(), "the dead hear nothing");
        assert!(pool.drain(Duration::from_secs(1)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn one_kept_ready_that_died_is_replaced_by_the_sweep() {
    let house = House::of(8);
    let (_pool, spawn) = house.pool(|policy| policy.workers_min = 1);
    house.swept().await;
    spawn.dying.lock().push(1);
    house.swept().await;
    assert_eq!(
        (spawn.started(), spawn.alive()),
        (1, 0),
        "it never had work"
    );
    tokio::time::advance(Duration::from_millis(100)).await;
    house.swept().await;
    assert_eq!((spawn.started(), spawn.alive()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_low_memory_app_keeps_one_idle_worker() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.idle_max = 1);
    let gate = Arc::new(Semaphore::new(0));
    let asked = [(); 3].map(|()| {
        spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { ask(&pool).await.unwrap() })
    });
    while pool.stats().busy.get() < 3 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(3);
    for asked in asked {
        asked.await.unwrap();
    }
    assert_eq!((spawn.started(), spawn.alive()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_server_every_worker_hears_of_it_when_it_is_done() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(|_| (), hears);
    let gate = Arc::new(Semaphore::new(0));
    let shutdown = Shutdown::new();
    house.budget.keep_swept(&house.tasks, shutdown.clone());
    ask(&pool).await.unwrap();
    spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
    let busy = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    while pool.stats().busy.get() < 1 {
        tokio::task::yield_now().await;
    }
    let (other, in_other) = house.pool_of(|_| (), hears);
    ask(&other).await.unwrap();
    shutdown.request();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(*in_other.told.lock(), [(1, Notice::Terminate)]);
    assert!(spawn.told.lock().is_empty(), "it works");
    gate.add_permits(1);
    assert_eq!(busy.await.unwrap().unwrap(), "1/2");
    assert!(house.tasks.drain(Duration::from_secs(5)).await.is_empty());
    assert_eq!(*spawn.told.lock(), [(1, Notice::Terminate)]);
    assert_eq!(house.budget.workers_live(), 0);
}
