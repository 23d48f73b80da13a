//! Claims about what a pool tells of itself.

use super::*;

fn ms(us: u64) -> u64 {
    us / 1000
}

/// Asks, and has the answer after so long.
async fn ask_for(pool: &Arc<Pool>, spawn: &FakeSpawn, took_ms: u64) {
    let gate = Arc::new(Semaphore::new(0));
    spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
    let asked = tokio::spawn({
        let pool = Arc::clone(pool);
        async move { ask(&pool).await.unwrap() }
    });
    while pool.stats().busy.get() < 1 {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(Duration::from_millis(took_ms)).await;
    gate.add_permits(1);
    asked.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_revision_has_response_times_of_its_own() {
    let house = House::of(8);
    let ((quick, in_quick), (slow, in_slow)) = (house.pool(|_| ()), house.pool(|_| ()));
    for _ in 0..98 {
        ask_for(&quick, &in_quick, 1).await;
    }
    for _ in 0..2 {
        ask_for(&quick, &in_quick, 50).await;
    }
    ask_for(&slow, &in_slow, 400).await;
    let (of_quick, of_slow) = (quick.snapshot(), slow.snapshot());
    let quantiles = [0.50, 0.95, 0.99].map(|q| of_quick.response_time.quantile(q));
    assert!(
        quantiles[..2].iter().all(|us| ms(*us) <= 1),
        "{quantiles:?}"
    );
    assert!((46..=54).contains(&ms(quantiles[2])), "{quantiles:?}");
    let slow_us = of_slow.response_time.quantile(0.5);
    assert!((375..=425).contains(&ms(slow_us)), "{slow_us}");
    assert_eq!((of_quick.requests, of_slow.requests), (100, 1));
    assert_eq!(of_quick.created, of_quick.cold_start.count());
    assert_eq!(of_quick.workers.unwrap().workers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_revision_tells_why_it_does_not_start_until_it_does() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    assert_eq!(pool.snapshot().start_failure, None);
    spawn.then(Step::RefuseToStart);
    ask(&pool).await.unwrap_err();
    let before = pool.snapshot().start_failure.unwrap();
    assert!(
        before.retry_after >= Duration::from_millis(50),
        "{before:?}"
    );
    tokio::time::advance(Duration::from_secs(60)).await;
    let figures = pool.snapshot();
    let failure = StartFailure {
        reason: "told not to start".into(),
        attempts: 1,
        retry_after: Duration::ZERO,
    };
    assert_eq!(figures.start_failure, Some(failure));
    assert_eq!((figures.failed, figures.created), (1, 0));
    assert!(figures.workers.is_none());
    ask(&pool).await.unwrap();
    assert_eq!(pool.snapshot().start_failure, None);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_seen_and_how_long_he_did_is_kept() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.workers_max = Some(1));
    let gate = Arc::new(Semaphore::new(0));
    spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
    let asking = [(); 2].map(|()| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { ask(&pool).await.unwrap() })
    });
    while pool.waiting() < 1 {
        tokio::task::yield_now().await;
    }
    let now = pool.snapshot();
    assert_eq!((now.busy, now.waiting, now.queue_wait.count()), (1, 1, 0));
    tokio::time::advance(Duration::from_millis(100)).await;
    gate.add_permits(1);
    for asked in asking {
        asked.await.unwrap();
    }
    let then = pool.snapshot();
    assert_eq!(
        (then.busy, then.waiting, then.queue_wait.count()),
        (0, 0, 1)
    );
    assert_eq!(ms(then.queue_wait.max_us()), 100);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_fails_at_what_was_to_be_its_last_is_a_failed_worker() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(
        |policy| policy.max_requests = 1,
        |spawn| spawn.concurrency.store(4, Ordering::SeqCst),
    );
    spawn.then(Step::Fail(Fault::Trap("at the end".into())));
    ask(&pool).await.unwrap_err();
    assert_eq!((spawn.alive(), house.totals.failed.get()), (0, 1));
    assert_eq!(ask(&pool).await.unwrap(), "2/1");
    assert_eq!((spawn.alive(), house.totals.failed.get()), (0, 1));
}
