//! Claims about a pool, on a paused clock with workers that do as they are told.
#![allow(clippy::unwrap_used)]

mod again;
mod deadlines;
mod fair;
mod figures;
mod keep;
mod memory;
mod notices;
mod register;
mod sharing;
mod spares;
mod starts;
mod threads;
mod tunnels;
mod warm;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use rookery_bundle::TtlMode;

use super::*;
use crate::error::InvokeError;
use crate::fake::{FakeSpawn, Step};
use crate::policy::policy_for_tests;
use crate::tunnel::TunnelAnswer;
use crate::worker::{Body, Fault};

struct House {
    budget: Arc<Budget>,
    totals: Arc<Totals>,
    tasks: Tasks,
}

impl House {
    fn of(workers_max: usize) -> House {
        House {
            budget: Budget::new(workers_max),
            totals: Arc::default(),
            tasks: Tasks::new(),
        }
    }

    fn pool(&self, change: impl FnOnce(&mut Policy)) -> (Arc<Pool>, Arc<FakeSpawn>) {
        self.pool_of(change, |_| ())
    }

    fn pool_of(
        &self,
        change: impl FnOnce(&mut Policy),
        make: impl FnOnce(&Arc<FakeSpawn>),
    ) -> (Arc<Pool>, Arc<FakeSpawn>) {
        self.labelled("app@1.0.0", change, make)
    }

    fn labelled(
        &self,
        label: &str,
        change: impl FnOnce(&mut Policy),
        make: impl FnOnce(&Arc<FakeSpawn>),
    ) -> (Arc<Pool>, Arc<FakeSpawn>) {
        let mut policy = policy_for_tests();
        change(&mut policy);
        let spawn = FakeSpawn::new();
        make(&spawn);
        let pool = Pool::new(
            label,
            policy,
            spawn.clone(),
            &self.budget,
            &self.totals,
            &self.tasks,
        );
        (pool, spawn)
    }
}

fn request() -> Request<Body> {
    let body = Empty::<Bytes>::new().map_err(|never| match never {});
    Request::new(body.boxed_unsync())
}

async fn ask(pool: &Arc<Pool>) -> Result<String, InvokeError> {
    let response = pool.request(request()).await?;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_kept_worker_serves_again_until_it_is_tired() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    for expected in ["1/1", "1/2", "1/3", "2/1"] {
        assert_eq!(ask(&pool).await.unwrap(), expected);
    }
    assert_eq!((spawn.started(), spawn.alive()), (2, 1));
    assert_eq!((house.totals.hits.get(), house.totals.misses.get()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn each_worker_is_tired_at_a_limit_of_its_own() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.max_requests = 80);
    let mut shares = Vec::new();
    for _ in 0..300 {
        ask(&pool).await.unwrap();
        shares.resize(spawn.started(), 0);
        *shares.last_mut().unwrap() += 1;
    }
    let policy = pool.policy();
    let limits: Vec<_> = (0..3).map(|nth| policy.requests_max(nth)).collect();
    assert_eq!(&shares[..3], &limits);
    assert!(
        limits[0] != limits[1] && limits[1] != limits[2],
        "{limits:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_ttl_every_request_has_a_worker_of_its_own() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.ttl = Duration::ZERO);
    for expected in ["1/1", "2/1", "3/1"] {
        assert_eq!(ask(&pool).await.unwrap(), expected);
        assert_eq!((spawn.alive(), house.budget.workers_live()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_worker_is_retired_by_the_sweep() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    ask(&pool).await.unwrap();
    tokio::time::advance(Duration::from_secs(29)).await;
    house.budget.sweep();
    assert_eq!(spawn.alive(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    house.budget.sweep();
    assert_eq!((spawn.alive(), house.budget.workers_live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_sweep_finds_the_worker_that_is_too_old_behind_one_that_is_not() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.ttl_mode = TtlMode::Absolute);
    let gate = Arc::new(Semaphore::new(0));
    let busy = |pool: &Arc<Pool>| {
        spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
        let pool = Arc::clone(pool);
        tokio::spawn(async move { ask(&pool).await.unwrap() })
    };
    let old = busy(&pool);
    while spawn.alive() < 1 {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(Duration::from_secs(40)).await;
    let young = busy(&pool);
    while spawn.alive() < 2 {
        tokio::task::yield_now().await;
    }
    // The young one is put back first, so that it lies in front of the old one.
    gate.add_permits(1);
    old.await.unwrap();
    let again = busy(&pool);
    while pool.stats().busy.get() < 2 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(2);
    young.await.unwrap();
    again.await.unwrap();
    tokio::time::advance(Duration::from_secs(20)).await;
    house.budget.sweep();
    assert_eq!(spawn.alive(), 1, "the old one is gone");
    assert!(ask(&pool).await.unwrap().starts_with("2/"));
}

#[tokio::test(start_paused = true)]
async fn a_faulty_worker_is_not_used_again_and_is_counted() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    spawn.then(Step::Fail(Fault::Trap("unreachable".into())));
    let failed = ask(&pool).await.unwrap_err();
    assert!(
        matches!(
            failed,
            InvokeError::Fault {
                fault: Fault::Trap(_),
                ..
            }
        ),
        "{failed}"
    );
    assert_eq!(ask(&pool).await.unwrap(), "2/1");
    assert_eq!(
        (house.totals.failed.get(), pool.stats().failed.get()),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_pool_queues_in_order_and_refuses_beyond_its_queue() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.workers_max = Some(1));
    let gate = Arc::new(Semaphore::new(0));
    spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
    let mut asking: Vec<_> = (0..3)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { ask(&pool).await })
        })
        .collect();
    while pool.waiting() < 2 {
        tokio::task::yield_now().await;
    }
    let refused = ask(&pool).await.unwrap_err();
    assert!(
        matches!(
            refused,
            InvokeError::Acquire(AcquireError::QueueFull { waiting: 2, .. })
        ),
        "{refused}"
    );
    gate.add_permits(1);
    for (asked, expected) in asking.drain(..).zip(["1/1", "1/2", "1/3"]) {
        assert_eq!(asked.await.unwrap().unwrap(), expected);
    }
    assert_eq!((pool.waiting(), pool.stats().refused.get()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_queue_allows() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.workers_max = Some(1));
    let gate = Arc::new(Semaphore::new(0));
    spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
    let busy = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    while pool.stats().busy.get() == 0 {
        tokio::task::yield_now().await;
    }
    let before = Instant::now();
    let refused = ask(&pool).await.unwrap_err();
    assert!(
        matches!(
            refused,
            InvokeError::Acquire(AcquireError::QueueTimeout { .. })
        ),
        "{refused}"
    );
    assert_eq!(before.elapsed(), Duration::from_secs(1));
    gate.add_permits(1);
    busy.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_worker_idle_longest_gives_way_to_another_app() {
    let house = House::of(2);
    let ((a, in_a), (b, in_b), (c, in_c)) =
        (house.pool(|_| ()), house.pool(|_| ()), house.pool(|_| ()));
    ask(&a).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    ask(&b).await.unwrap();
    ask(&c).await.unwrap();
    assert_eq!((in_a.alive(), in_b.alive(), in_c.alive()), (0, 1, 1));
    assert_eq!(
        (house.totals.evictions.get(), house.budget.workers_live()),
        (1, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_busy_worker_is_never_evicted() {
    let house = House::of(1);
    let ((a, in_a), (b, _)) = (house.pool(|_| ()), house.pool(|_| ()));
    let gate = Arc::new(Semaphore::new(0));
    in_a.then(Step::AnswerAfter(Arc::clone(&gate)));
    let busy = tokio::spawn(async move { ask(&a).await });
    while in_a.alive() == 0 {
        tokio::task::yield_now().await;
    }
    let waits = tokio::spawn({
        let b = Arc::clone(&b);
        async move { ask(&b).await }
    });
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!(in_a.alive(), 1);
    gate.add_permits(1);
    assert_eq!(busy.await.unwrap().unwrap(), "1/1");
    assert_eq!(waits.await.unwrap().unwrap(), "1/1");
    assert_eq!(house.budget.workers_live(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_takes_its_worker_with_it() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    spawn.then(Step::AnswerAfter(Arc::new(Semaphore::new(0))));
    let gone = tokio::time::timeout(Duration::from_secs(1), ask(&pool)).await;
    assert!(gone.is_err());
    assert_eq!((spawn.alive(), pool.stats().busy.get()), (0, 0));
    assert_eq!(house.totals.failed.get(), 0, "nobody failed");
}

#[tokio::test(start_paused = true)]
async fn a_streaming_guest_is_stopped_when_its_reader_leaves() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let (gate, body) = (Arc::new(Semaphore::new(0)), request().into_body());
    // A body that is never at its end, as a stream's is.
    let endless = body
        .map_frame(|frame| frame)
        .with_trailers(std::future::pending());
    spawn.then(Step::Stream(
        Arc::new(Mutex::new(Some(endless.boxed_unsync()))),
        gate,
    ));
    let response = pool.request(request()).await.unwrap();
    assert_eq!(spawn.alive(), 1);
    drop(response);
    while spawn.alive() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pool.stats().busy.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn draining_waits_for_those_inside_and_refuses_the_rest() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let gate = Arc::new(Semaphore::new(0));
    spawn.then(Step::AnswerAfter(Arc::clone(&gate)));
    let inside = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    while spawn.alive() == 0 {
        tokio::task::yield_now().await;
    }
    let drained = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.drain(Duration::from_secs(60)).await }
    });
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(!drained.is_finished());
    gate.add_permits(1);
    assert_eq!(inside.await.unwrap().unwrap(), "1/1");
    assert!(drained.await.unwrap());
    let refused = ask(&pool).await.unwrap_err();
    assert!(
        matches!(refused, InvokeError::Acquire(AcquireError::Draining { .. })),
        "{refused}"
    );
    assert_eq!(spawn.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_when_the_grace_ends_is_refused_then() {
    let house = House::of(1);
    let ((other, in_other), (pool, spawn)) = (
        house.pool(|_| ()),
        house.pool(|policy| policy.queue_timeout = Duration::from_secs(60)),
    );
    let gate = Arc::new(Semaphore::new(0));
    in_other.then(Step::AnswerAfter(Arc::clone(&gate)));
    let busy = tokio::spawn(async move { ask(&other).await });
    while in_other.alive() == 0 {
        tokio::task::yield_now().await;
    }
    let waits = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    while pool.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!pool.drain(Duration::from_secs(3)).await);
    let refused = waits.await.unwrap().unwrap_err();
    assert!(
        matches!(refused, InvokeError::Acquire(AcquireError::Draining { .. })),
        "{refused}"
    );
    gate.add_permits(1);
    busy.await.unwrap().unwrap();
    assert_eq!((spawn.started(), house.totals.waiting.get()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn draining_gives_up_after_the_grace_and_waits_for_stakes_within_it() {
    let house = House::of(8);
    let (pool, _) = house.pool(|_| ());
    let stake = pool.stake();
    let before = Instant::now();
    assert!(!pool.drain(Duration::from_secs(3)).await);
    assert_eq!(before.elapsed().as_secs(), 3);
    drop(stake);
}
