//! Claims about workers that take several invocations at once.

use std::sync::atomic::Ordering;

use super::*;

/// Asks that wait for a permit each.
struct Asked(Vec<tokio::task::JoinHandle<Result<String, InvokeError>>>);

fn sharing(at_once: usize) -> impl Fn(&Arc<FakeSpawn>) {
    move |spawn| spawn.concurrency.store(at_once, Ordering::SeqCst)
}

impl House {
    /// A pool whose workers take so many invocations at once.
    fn sharing(
        &self,
        at_once: usize,
        change: impl FnOnce(&mut Policy),
    ) -> (Arc<Pool>, Arc<FakeSpawn>) {
        let change = |policy: &mut Policy| {
            policy.max_requests = 1000;
            change(policy);
        };
        self.pool_of(change, sharing(at_once))
    }
}

async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn held(pool: &Arc<Pool>, spawn: &FakeSpawn, count: usize, gate: &Arc<Semaphore>) -> Asked {
    let asked = (0..count).map(|_| {
        spawn.then(Step::AnswerAfter(Arc::clone(gate)));
        let pool = Arc::clone(pool);
        tokio::spawn(async move { ask(&pool).await })
    });
    let asked = Asked(asked.collect());
    settle().await;
    asked
}

impl Asked {
    /// Their answers, sorted.
    async fn answers(self) -> Vec<String> {
        let mut answers = Vec::new();
        for asked in self.0 {
            answers.push(asked.await.unwrap().unwrap());
        }
        answers.sort();
        answers
    }
}

#[tokio::test(start_paused = true)]
async fn one_worker_serves_as_many_at_once_as_it_takes_and_then_another_one() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(4, |_| ());
    let gate = Arc::new(Semaphore::new(0));
    let four = held(&pool, &spawn, 4, &gate).await;
    assert_eq!((spawn.started(), pool.stats().busy.get()), (1, 4));
    let fifth = held(&pool, &spawn, 1, &gate).await;
    assert_eq!((spawn.started(), house.budget.workers_live()), (2, 2));
    assert_eq!(pool.snapshot().workers.unwrap().workers, 2);
    gate.add_permits(5);
    assert_eq!(four.answers().await, ["1/1", "1/2", "1/3", "1/4"]);
    assert_eq!(fifth.answers().await, ["2/1"]);
    assert_eq!(spawn.alive(), 2, "both are kept");
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_comes_at_once_starts_no_more_workers_than_it_fills() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(4, |policy| policy.workers_max = Some(3));
    let (start, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(100)));
    for _ in 0..3 {
        spawn.then(Step::StartAfter(Arc::clone(&start)));
    }
    let crowd: Vec<_> = (0..9)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { ask(&pool).await.unwrap() })
        })
        .collect();
    settle().await;
    assert_eq!(house.budget.workers_live(), 3);
    start.add_permits(3);
    for asked in crowd {
        asked.await.unwrap();
    }
    assert_eq!(spawn.started(), 3);
    drop(gate);
}

#[tokio::test(start_paused = true)]
async fn the_invocations_at_once_are_workers_times_concurrency_and_the_rest_queues() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(2, |policy| policy.workers_max = Some(2));
    let gate = Arc::new(Semaphore::new(0));
    let asked = held(&pool, &spawn, 6, &gate).await;
    assert_eq!((pool.stats().busy.get(), pool.waiting()), (4, 2));
    assert_eq!(spawn.started(), 2);
    gate.add_permits(6);
    assert_eq!(asked.answers().await.len(), 6);
    assert_eq!((spawn.started(), house.totals.refused.get()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_worker_with_the_fewest_invocations_gets_the_next() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(3, |_| ());
    let (first, second) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let on_one = held(&pool, &spawn, 3, &first).await;
    let on_two = held(&pool, &spawn, 1, &second).await;
    first.add_permits(1);
    settle().await;
    // Two on the first worker, one on the second.
    let next = held(&pool, &spawn, 1, &second).await;
    second.add_permits(2);
    assert_eq!(next.answers().await, ["2/2"]);
    assert_eq!(on_two.answers().await, ["2/1"]);
    first.add_permits(2);
    on_one.answers().await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_retires_the_worker_as_a_whole_and_what_is_in_flight_finishes() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(4, |_| ());
    let gate = Arc::new(Semaphore::new(0));
    let in_flight = held(&pool, &spawn, 2, &gate).await;
    spawn.then(Step::Fail(Fault::Trap("one of them".into())));
    spawn.then(Step::Fail(Fault::Trap("another one".into())));
    ask(&pool).await.unwrap_err();
    assert_eq!(spawn.alive(), 1, "two still have it");
    ask(&pool).await.unwrap_err();
    assert_eq!(ask(&pool).await.unwrap(), "3/1", "by a new one");
    gate.add_permits(2);
    assert_eq!(in_flight.answers().await, ["1/1", "1/2"]);
    assert_eq!((spawn.alive(), house.budget.workers_live()), (1, 1));
    assert_eq!(house.totals.failed.get(), 2, "two workers failed");
}

#[tokio::test(start_paused = true)]
async fn two_faults_of_one_worker_are_one_failed_worker() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(4, |_| ());
    let asked: Vec<_> = (0..3)
        .map(|_| {
            spawn.then(Step::Fail(Fault::Trap("exit".into())));
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { ask(&pool).await.is_err() })
        })
        .collect();
    for asked in asked {
        assert!(asked.await.unwrap());
    }
    assert_eq!((spawn.started(), house.totals.failed.get()), (1, 1));
    assert_eq!(house.budget.workers_live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_shares_serves_exactly_as_many_as_it_may() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(4, |policy| policy.max_requests = 6);
    let gate = Arc::new(Semaphore::new(0));
    let four = held(&pool, &spawn, 4, &gate).await;
    gate.add_permits(4);
    four.answers().await;
    let four = held(&pool, &spawn, 4, &gate).await;
    gate.add_permits(4);
    assert_eq!(four.answers().await, ["1/5", "1/6", "2/1", "2/2"]);
    assert_eq!(spawn.alive(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_leaves_the_worker_to_the_others() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(2, |_| ());
    let gate = Arc::new(Semaphore::new(0));
    let gone = held(&pool, &spawn, 1, &Arc::new(Semaphore::new(0))).await;
    let stays = held(&pool, &spawn, 1, &gate).await;
    gone.0[0].abort();
    settle().await;
    assert_eq!((spawn.alive(), pool.stats().busy.get()), (1, 1));
    assert_eq!(ask(&pool).await.unwrap(), "1/3", "there is room again");
    gate.add_permits(1);
    assert_eq!(stays.answers().await, ["1/2"]);
    assert_eq!(house.totals.failed.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn only_a_worker_that_nobody_has_is_evicted() {
    let house = House::of(1);
    let ((shared, in_shared), (other, _)) = (house.sharing(2, |_| ()), house.pool(|_| ()));
    let gate = Arc::new(Semaphore::new(0));
    let two = held(&shared, &in_shared, 2, &gate).await;
    let waits = tokio::spawn({
        let other = Arc::clone(&other);
        async move { ask(&other).await }
    });
    settle().await;
    gate.add_permits(1);
    settle().await;
    assert_eq!(in_shared.alive(), 1, "one still has it");
    gate.add_permits(1);
    assert_eq!(waits.await.unwrap().unwrap(), "1/1");
    two.answers().await;
    assert_eq!((in_shared.alive(), house.totals.evictions.get()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_never_rests_gives_way_when_another_app_has_waited_for_long() {
    let house = House::of(1);
    let ((shared, in_shared), (other, _)) = (
        house.sharing(2, |_| ()),
        house.pool(|policy| policy.queue_timeout = Duration::from_secs(60)),
    );
    let gate = Arc::new(Semaphore::new(0));
    let first = held(&shared, &in_shared, 1, &gate).await;
    let waits = tokio::spawn({
        let other = Arc::clone(&other);
        async move { ask(&other).await }
    });
    settle().await;
    house.budget.sweep();
    let second = held(&shared, &in_shared, 1, &gate).await;
    assert_eq!(in_shared.started(), 1, "it may be given work still");
    house.budget.sweep();
    let third = held(&shared, &in_shared, 1, &gate).await;
    assert_eq!((shared.stats().busy.get(), shared.waiting()), (2, 1));
    gate.add_permits(2);
    assert_eq!(waits.await.unwrap().unwrap(), "1/1");
    first.answers().await;
    second.answers().await;
    gate.add_permits(1);
    assert_eq!(third.answers().await, ["2/1"], "it got a place in its turn");
}

#[tokio::test(start_paused = true)]
async fn nobody_gives_way_to_the_crowd_of_his_own_app() {
    let house = House::of(2);
    let ((shared, in_shared), (other, in_other)) = (house.sharing(2, |_| ()), house.pool(|_| ()));
    let gate = Arc::new(Semaphore::new(0));
    let elsewhere = held(&other, &in_other, 1, &gate).await;
    let asked = held(&shared, &in_shared, 3, &gate).await;
    assert_eq!((shared.stats().busy.get(), shared.waiting()), (2, 1));
    for _ in 0..3 {
        house.budget.sweep();
    }
    gate.add_permits(4);
    assert_eq!(asked.answers().await, ["1/1", "1/2", "1/3"]);
    elsewhere.answers().await;
}

#[tokio::test(start_paused = true)]
async fn those_that_wait_hear_of_the_start_that_failed() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(4, |_| ());
    let start = Arc::new(Semaphore::new(0));
    spawn.then(Step::StartAfter(Arc::clone(&start)));
    let first = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    settle().await;
    first.abort();
    let second = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    settle().await;
    start.add_permits(1);
    assert_eq!(
        second.await.unwrap().unwrap(),
        "1/1",
        "it outlives who began it"
    );
    spawn.dying.lock().push(1);
    spawn.then(Step::RefuseToStart);
    let failed: Vec<_> = [(); 3]
        .map(|()| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { ask(&pool).await })
        })
        .into();
    for failed in failed {
        let failed = failed.await.unwrap().unwrap_err();
        let is_start = matches!(
            &failed,
            InvokeError::Acquire(AcquireError::Spawn { retry_after, .. })
                if *retry_after > Duration::ZERO
        );
        assert!(is_start, "{failed}");
    }
    assert_eq!(house.budget.workers_live(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_shared_worker_waits_no_longer_than_the_queue_allows() {
    let house = House::of(1);
    let ((shared, in_shared), (busy, in_busy)) = (house.sharing(2, |_| ()), house.pool(|_| ()));
    let gate = Arc::new(Semaphore::new(0));
    let blocks = held(&busy, &in_busy, 1, &gate).await;
    let before = Instant::now();
    let refused = ask(&shared).await.unwrap_err();
    assert!(
        matches!(
            refused,
            InvokeError::Acquire(AcquireError::QueueTimeout { .. })
        ),
        "{refused}"
    );
    assert_eq!(before.elapsed(), Duration::from_secs(1));
    gate.add_permits(1);
    blocks.answers().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    settle().await;
    assert_eq!(in_shared.started(), 0, "nobody waits for it any more");
    assert_eq!(ask(&shared).await.unwrap(), "1/1");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_hangs_is_given_up() {
    let house = House::of(8);
    for at_once in [1, 4] {
        let (pool, spawn) = house.sharing(at_once, |_| ());
        spawn.then(Step::StartAfter(Arc::new(Semaphore::new(0))));
        let failed = ask(&pool).await.unwrap_err();
        assert!(
            matches!(failed, InvokeError::Acquire(AcquireError::Spawn { .. })),
            "{failed}"
        );
        settle().await;
        assert_eq!(house.budget.workers_live(), 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(ask(&pool).await.unwrap(), "1/1");
        assert!(pool.drain(Duration::from_secs(1)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_ttl_a_worker_that_could_share_serves_one_request() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(4, |policy| policy.ttl = Duration::ZERO);
    let gate = Arc::new(Semaphore::new(0));
    let two = held(&pool, &spawn, 2, &gate).await;
    gate.add_permits(2);
    assert_eq!(two.answers().await, ["1/1", "2/1"]);
    assert_eq!(spawn.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn those_kept_ready_share_too() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(2, |policy| policy.workers_min = 1);
    house.budget.sweep();
    settle().await;
    assert_eq!(spawn.alive(), 1);
    let gate = Arc::new(Semaphore::new(0));
    let two = held(&pool, &spawn, 2, &gate).await;
    assert_eq!(spawn.started(), 1);
    gate.add_permits(2);
    two.answers().await;
    tokio::time::advance(Duration::from_secs(600)).await;
    house.budget.sweep();
    settle().await;
    assert_eq!((spawn.started(), spawn.alive()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pool_of_shared_workers_drains_as_any_other() {
    let house = House::of(8);
    let (pool, spawn) = house.sharing(2, |_| ());
    let gate = Arc::new(Semaphore::new(0));
    let inside = held(&pool, &spawn, 1, &gate).await;
    let drained = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.drain(Duration::from_secs(60)).await }
    });
    tokio::time::advance(Duration::from_secs(2)).await;
    settle().await;
    assert!(!drained.is_finished());
    gate.add_permits(1);
    inside.answers().await;
    assert!(drained.await.unwrap());
    assert_eq!((spawn.alive(), house.budget.workers_live()), (0, 0));
    let refused = ask(&pool).await.unwrap_err();
    assert!(
        matches!(refused, InvokeError::Acquire(AcquireError::Draining { .. })),
        "{refused}"
    );
}
