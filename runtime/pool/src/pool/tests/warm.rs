//! Claims about workers that are kept ready.

use super::*;

/// Lets everything run that can run now.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

impl House {
    async fn sweep(&self) {
        self.budget.sweep();
        settle().await;
    }
}

/// Two requests at once, each in a worker of its own.
async fn two_at_once(pool: &Arc<Pool>, spawn: &FakeSpawn) {
    let gate = Arc::new(Semaphore::new(0));
    let asking = [(); 2].map(|()| {
        spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
        let pool = Arc::clone(pool);
        tokio::spawn(async move { ask(&pool).await.unwrap() })
    });
    while pool.stats().busy.get() < 2 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(2);
    for asked in asking {
        asked.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_request_finds_a_worker_that_was_kept_ready() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.workers_min = 2);
    house.sweep().await;
    assert_eq!((spawn.started(), spawn.alive()), (2, 2));
    house.sweep().await;
    ask(&pool).await.unwrap();
    settle().await;
    assert_eq!(spawn.started(), 2, "there were enough");
    assert_eq!((house.totals.hits.get(), house.totals.misses.get()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_ttl_the_one_kept_ready_is_used_once_and_replaced_at_once() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| {
        policy.ttl = Duration::ZERO;
        policy.workers_min = 1;
    });
    house.sweep().await;
    for expected in ["1/1", "2/1", "3/1"] {
        assert_eq!(ask(&pool).await.unwrap(), expected);
        settle().await;
        assert_eq!(spawn.alive(), 1);
        tokio::time::advance(Duration::from_secs(3600)).await;
        house.sweep().await;
    }
    assert_eq!((house.totals.hits.get(), house.totals.misses.get()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn idleness_leaves_those_that_are_kept_ready() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.workers_min = 1);
    two_at_once(&pool, &spawn).await;
    assert_eq!(spawn.alive(), 2);
    house.sweep().await;
    let used_last = ask(&pool).await.unwrap();
    assert_eq!(used_last, "2/2");
    tokio::time::advance(Duration::from_secs(30)).await;
    house.sweep().await;
    assert_eq!((spawn.started(), spawn.alive()), (2, 1));
    tokio::time::advance(Duration::from_secs(600)).await;
    house.sweep().await;
    assert_eq!(ask(&pool).await.unwrap(), "2/3");
    assert_eq!(spawn.started(), 2);
}

#[tokio::test(start_paused = true)]
async fn age_and_use_retire_the_ones_kept_ready_too_and_they_are_replaced() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| {
        policy.ttl_mode = TtlMode::Absolute;
        policy.workers_min = 1;
    });
    house.sweep().await;
    tokio::time::advance(Duration::from_secs(60)).await;
    house.sweep().await;
    assert_eq!((spawn.started(), spawn.alive()), (2, 1));
    for expected in ["2/1", "2/2", "2/3"] {
        assert_eq!(ask(&pool).await.unwrap(), expected);
    }
    house.sweep().await;
    assert_eq!((spawn.started(), spawn.alive()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn nobody_gives_way_to_a_worker_that_is_only_kept_ready() {
    let house = House::of(1);
    let ((used, in_used), (_ready, in_ready)) = (
        house.pool(|_| ()),
        house.pool(|policy| policy.workers_min = 1),
    );
    ask(&used).await.unwrap();
    house.sweep().await;
    assert_eq!((in_used.alive(), in_ready.alive()), (1, 0));
    assert_eq!(house.totals.evictions.get(), 0);
    tokio::time::advance(Duration::from_secs(30)).await;
    house.sweep().await;
    assert_eq!((in_used.alive(), in_ready.alive()), (0, 1));
    ask(&used).await.unwrap();
    assert_eq!(
        (in_used.alive(), in_ready.alive()),
        (1, 0),
        "a request is worth more"
    );
}

#[tokio::test(start_paused = true)]
async fn those_kept_ready_count_among_the_workers_that_there_may_be() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| {
        policy.ttl = Duration::ZERO;
        policy.workers_min = 2;
        policy.workers_max = Some(2);
    });
    house.sweep().await;
    let gate = Arc::new(Semaphore::new(0));
    spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
    let busy = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    settle().await;
    house.sweep().await;
    assert_eq!((spawn.started(), spawn.alive()), (2, 2));
    gate.add_permits(1);
    busy.await.unwrap().unwrap();
    house.sweep().await;
    assert_eq!((spawn.started(), spawn.alive()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_start_is_tried_again_after_the_delay() {
    let house = House::of(8);
    let (_pool, spawn) = house.pool(|policy| policy.workers_min = 1);
    spawn.then(Step::RefuseToStart);
    for _ in 0..3 {
        house.sweep().await;
        assert_eq!((spawn.started(), house.totals.failed.get()), (0, 1));
    }
    assert_eq!(house.budget.workers_live(), 0);
    tokio::time::advance(Duration::from_millis(100)).await;
    house.sweep().await;
    assert_eq!((spawn.started(), spawn.alive()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_drained_pool_keeps_none_ready() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.workers_min = 1);
    house.sweep().await;
    assert!(pool.drain(Duration::from_secs(1)).await);
    house.sweep().await;
    assert_eq!((spawn.started(), spawn.alive()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_drains_starts_no_more_of_them() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.workers_min = 1);
    let stake = pool.stake();
    let drained = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.drain(Duration::from_secs(60)).await }
    });
    settle().await;
    tokio::time::advance(Duration::from_secs(1)).await;
    house.sweep().await;
    assert!(!drained.is_finished());
    assert_eq!(spawn.started(), 0);
    assert_eq!(ask(&pool).await.unwrap(), "1/1", "who needs one has one");
    drop(stake);
    assert!(drained.await.unwrap());
}
