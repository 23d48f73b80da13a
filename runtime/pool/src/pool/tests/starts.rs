//! Claims about workers that do not start.

use super::*;

fn told_not_to_start(failed: &InvokeError) -> bool {
    matches!(failed, InvokeError::Acquire(AcquireError::Spawn { source, .. })
        if source.reason == "told not to start")
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_start_is_an_error_with_the_reason() {
    let house = House::of(1);
    let (pool, spawn) = house.pool(|_| ());
    spawn.then(Step::RefuseToStart);
    let failed = ask(&pool).await.unwrap_err();
    assert!(told_not_to_start(&failed), "{failed}");
    assert_eq!(house.totals.failed.get(), 1);
    assert_eq!(house.budget.workers_live(), 0, "its place is free again");
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_start_the_reason_is_given_at_once_until_the_delay_is_over() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    spawn.then(Step::RefuseToStart);
    ask(&pool).await.unwrap_err();
    tokio::time::advance(Duration::from_millis(49)).await;
    let before = Instant::now();
    for _ in 0..10 {
        let refused = ask(&pool).await.unwrap_err();
        assert!(told_not_to_start(&refused), "{refused}");
    }
    assert_eq!(before.elapsed(), Duration::ZERO, "nobody waited");
    assert_eq!((spawn.started(), house.totals.failed.get()), (0, 1));
    tokio::time::advance(Duration::from_millis(51)).await;
    assert_eq!(ask(&pool).await.unwrap(), "1/1");
}

#[tokio::test(start_paused = true)]
async fn each_further_failure_doubles_the_delay_and_a_success_forgets_it() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.ttl = Duration::ZERO);
    for (attempts, step_ms) in (1..).zip([100, 200, 400]) {
        spawn.then(Step::RefuseToStart);
        ask(&pool).await.unwrap_err();
        tokio::time::advance(Duration::from_millis(step_ms / 2 - 1)).await;
        ask(&pool).await.unwrap_err();
        assert_eq!(house.totals.failed.get(), attempts);
        tokio::time::advance(Duration::from_millis(step_ms / 2 + 1)).await;
    }
    ask(&pool).await.unwrap();
    spawn.then(Step::RefuseToStart);
    ask(&pool).await.unwrap_err();
    tokio::time::advance(Duration::from_millis(100)).await;
    ask(&pool).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_cannot_start_evicts_nobody() {
    let house = House::of(1);
    let ((broken, in_broken), (sound, in_sound)) = (house.pool(|_| ()), house.pool(|_| ()));
    in_broken.then(Step::RefuseToStart);
    ask(&broken).await.unwrap_err();
    ask(&sound).await.unwrap();
    ask(&broken).await.unwrap_err();
    assert_eq!((in_sound.alive(), house.totals.evictions.get()), (1, 0));
    assert_eq!(ask(&sound).await.unwrap(), "1/2");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_shares_and_ends_at_once_is_one_that_did_not_start() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(
        |policy| policy.max_requests = 100,
        |spawn| {
            spawn
                .concurrency
                .store(4, std::sync::atomic::Ordering::SeqCst)
        },
    );
    spawn.dying.lock().extend([1, 2, 3]);
    for (attempts, step_ms) in (1..).zip([100, 200, 400]) {
        for _ in 0..5 {
            let failed = ask(&pool).await.unwrap_err();
            let InvokeError::Acquire(AcquireError::Spawn { source, .. }) = failed else {
                panic!("{failed}");
            };
            assert_eq!(source.reason, "it ended before it had anything to do");
        }
        assert_eq!(
            (spawn.started(), house.totals.failed.get()),
            (attempts, attempts as u64)
        );
        tokio::time::advance(Duration::from_millis(step_ms)).await;
    }
    assert_eq!(ask(&pool).await.unwrap(), "4/1");
    assert_eq!(
        pool.snapshot().start_failure,
        None,
        "it has shown that it lives"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_dies_before_it_had_work_is_not_replaced_at_once() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.workers_min = 1);
    house.budget.sweep();
    while spawn.alive() < 1 {
        tokio::task::yield_now().await;
    }
    spawn.dying.lock().push(1);
    house.budget.sweep();
    let failed = ask(&pool).await.unwrap_err();
    assert!(
        failed.to_string().contains("before it had anything"),
        "{failed}"
    );
    tokio::time::advance(Duration::from_millis(100)).await;
    assert_eq!(ask(&pool).await.unwrap(), "2/1");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lives_serves_while_others_do_not_start() {
    let house = House::of(2);
    let (pool, spawn) = house.pool(|_| ());
    let gate = Arc::new(Semaphore::new(0));
    spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
    let busy = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    while spawn.alive() < 1 || pool.stats().busy.get() < 1 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    spawn.then(Step::RefuseToStart);
    ask(&pool).await.unwrap_err();
    gate.add_permits(1);
    assert_eq!(busy.await.unwrap().unwrap(), "1/1");
    assert_eq!(ask(&pool).await.unwrap(), "1/2");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_worker_that_has_served_enough_before_gets_the_next_one() {
    let house = House::of(8);
    let (pool, _) = house.pool_of(
        |policy| {
            policy.max_requests = 1;
            policy.workers_max = Some(1);
        },
        |spawn| {
            spawn
                .concurrency
                .store(2, std::sync::atomic::Ordering::SeqCst)
        },
    );
    let before = Instant::now();
    let asked = [(); 2].map(|()| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { ask(&pool).await.unwrap() })
    });
    for (asked, expected) in asked.into_iter().zip(["1/1", "2/1"]) {
        assert_eq!(asked.await.unwrap(), expected);
    }
    assert_eq!(
        before.elapsed(),
        Duration::ZERO,
        "nobody waited for a timeout"
    );
}

/// A start ends when nobody waits for it any more. Who comes in between is not told that the pool is at its end.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_start_that_is_given_up_gets_another_one() {
    let house = House::of(8);
    let share = |spawn: &Arc<FakeSpawn>| spawn.concurrency.store(4, Ordering::SeqCst);
    let (pool, spawn) = house.pool_of(|_| (), share);
    let starting = pool.announce_start().unwrap();
    let waits = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    while !pool.shelf.lock().hall.is_waited_in() {
        tokio::task::yield_now().await;
    }
    assert_eq!(spawn.started(), 0, "it waits for the one on its way");
    starting.give_up();
    assert_eq!(waits.await.unwrap().unwrap(), "1/1");
}
