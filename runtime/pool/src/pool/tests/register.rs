//! Claims about what a pool tells of each worker.

use std::sync::atomic::Ordering;

use super::*;
use crate::register::{WorkerFigures, WorkerState};

async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn each(pool: &Pool) -> Vec<WorkerFigures> {
    pool.each_worker(50).listed
}

/// Asks for what waits for a permit.
fn ask_behind(
    pool: &Arc<Pool>,
    spawn: &FakeSpawn,
    gate: &Arc<Semaphore>,
) -> tokio::task::JoinHandle<Result<String, InvokeError>> {
    spawn.then(Step::AnswerAfter(Arc::clone(gate)));
    let pool = Arc::clone(pool);
    tokio::spawn(async move { ask(&pool).await })
}

#[tokio::test(start_paused = true)]
async fn a_worker_is_told_of_while_somebody_has_it_and_when_it_rests() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    assert!(each(&pool).is_empty());
    let gate = Arc::new(Semaphore::new(0));
    let asked = ask_behind(&pool, &spawn, &gate);
    settle().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    let busy = WorkerFigures {
        number: 1,
        state: WorkerState::Busy,
        age: Duration::from_secs(2),
        idle: None,
        leases: 1,
        served: 1,
        memory_bytes: Some(1024),
        process: None,
    };
    assert_eq!(each(&pool), std::slice::from_ref(&busy));
    gate.add_permits(1);
    asked.await.unwrap().unwrap();
    tokio::time::advance(Duration::from_secs(3)).await;
    let idle = WorkerFigures {
        state: WorkerState::Idle,
        age: Duration::from_secs(5),
        idle: Some(Duration::from_secs(3)),
        leases: 0,
        memory_bytes: Some(2048),
        ..busy
    };
    assert_eq!(each(&pool), [idle]);
    house.budget.sweep();
    tokio::time::advance(Duration::from_secs(60)).await;
    house.budget.sweep();
    settle().await;
    assert!(each(&pool).is_empty(), "it is gone");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_shares_says_how_many_have_it_and_what_process_it_is() {
    let house = House::of(8);
    let (pool, spawn) = house.pool_of(
        |policy| policy.max_requests = 1000,
        |spawn| spawn.concurrency.store(3, Ordering::SeqCst),
    );
    let gate = Arc::new(Semaphore::new(0));
    let asked: Vec<_> = (0..4).map(|_| ask_behind(&pool, &spawn, &gate)).collect();
    settle().await;
    let seen: Vec<_> = each(&pool)
        .iter()
        .map(|one| (one.number, one.state, one.leases, one.served, one.process))
        .collect();
    let process = Some(4711);
    assert_eq!(
        seen,
        [
            (1, WorkerState::Busy, 3, 3, process),
            (2, WorkerState::Busy, 1, 1, process)
        ]
    );
    // Not only when it comes back.
    assert_eq!(each(&pool)[0].memory_bytes, Some(4096));
    gate.add_permits(4);
    for asked in asked {
        asked.await.unwrap().unwrap();
    }
    assert!(
        each(&pool)
            .iter()
            .all(|one| one.state == WorkerState::Idle && one.idle.is_some())
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_is_being_started_is_told_of_and_one_that_does_not_start_is_gone() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let gate = Arc::new(Semaphore::new(0));
    spawn.then(Step::StartAfter(Arc::clone(&gate)));
    let asked = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    settle().await;
    let states = || each(&pool).iter().map(|one| one.state).collect::<Vec<_>>();
    assert_eq!(states(), [WorkerState::Starting]);
    gate.add_permits(1);
    asked.await.unwrap().unwrap();
    assert_eq!(states(), [WorkerState::Idle]);
    let (other, spawn) = house.pool(|_| ());
    spawn.then(Step::RefuseToStart);
    ask(&other).await.unwrap_err();
    assert!(each(&other).is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_only_a_tunnel_keeps_is_ending() {
    let house = House::of(8);
    let (pool, _) = house.pool(|policy| policy.max_requests = 1);
    let open = pool.tunnel(Request::new(())).await.unwrap();
    let seen: Vec<_> = each(&pool)
        .iter()
        .map(|one| (one.state, one.leases))
        .collect();
    assert_eq!(seen, [(WorkerState::Ending, 0)]);
    drop(open);
    assert!(each(&pool).is_empty());
}

#[tokio::test(start_paused = true)]
async fn those_that_are_not_listed_are_counted() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let gate = Arc::new(Semaphore::new(0));
    let asked: Vec<_> = (0..5).map(|_| ask_behind(&pool, &spawn, &gate)).collect();
    settle().await;
    let list = pool.each_worker(2);
    let numbers: Vec<u64> = list.listed.iter().map(|one| one.number).collect();
    assert_eq!((numbers, list.more), (vec![1, 2], 3));
    gate.add_permits(5);
    for asked in asked {
        asked.await.unwrap().unwrap();
    }
}
