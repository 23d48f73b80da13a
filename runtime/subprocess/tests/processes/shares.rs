//! Several requests in one process: what one of them does to the others.

use std::sync::Arc;
use std::time::Duration;

use rookery_pool::{Fault, InvokeError, Pool, PoolTunnel};
use serde_json::json;

use crate::house::{FIXTURE, House, ask, get, handshake, is_running, signal, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_fails_what_was_in_flight_and_the_next_request_is_served() {
    let house = House::new();
    let pool = house
        .pool(json!({"workers": {"max": 2}, "concurrency": 8}))
        .await;
    let pid: u32 = ask(&pool, "/answer").await.unwrap().parse().unwrap();
    let in_flight: Vec<_> = (0..5)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.request(get("/hang")).await.map(drop) })
        })
        .collect();
    until("all of them are in the process", async || {
        pool.stats().busy.get() == 5
    })
    .await;
    let failed_before = house.totals.failed.get();
    signal(pid, "KILL");
    for request in in_flight {
        let failed = request.await.unwrap().unwrap_err();
        let text = failed.to_string();
        assert!(
            matches!(
                &failed,
                InvokeError::Fault {
                    fault: Fault::Gone(_),
                    ..
                }
            ),
            "{text}"
        );
        assert!(text.contains("signal 9"), "{text}");
    }
    let next: u32 = ask(&pool, "/answer").await.unwrap().parse().unwrap();
    assert_ne!(next, pid);
    assert_eq!(house.totals.failed.get() - failed_before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_process_that_dies_is_not_given_a_request() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    for _ in 0..3 {
        let pid: u32 = ask(&pool, "/answer").await.unwrap().parse().unwrap();
        signal(pid, "KILL");
        until("its end is seen", async || house.workers().is_empty()).await;
    }
    ask(&pool, "/answer").await.unwrap();
    assert_eq!(house.totals.failed.get(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_out_of_time_fails_alone_while_others_are_answered() {
    let house = House::new();
    let pool = house.pool(json!({"timeout": "500ms"})).await;
    let pid = ask(&pool, "/answer").await.unwrap();
    let slow = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool, "/hang").await }
    });
    until("it is in the process", async || {
        pool.stats().busy.get() == 1
    })
    .await;
    ask(&pool, "/answer").await.unwrap();
    let failed = slow.await.unwrap().unwrap_err();
    assert!(
        matches!(
            failed,
            InvokeError::Fault {
                fault: Fault::Timeout(_),
                ..
            }
        ),
        "{failed}"
    );
    assert_eq!(ask(&pool, "/answer").await.unwrap(), pid);
    assert_eq!(house.totals.failed.get(), 0);
}

/// A server that does not like a handshake may just hang up, and one that asks somebody first may take too long.
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_fails_fails_alone() {
    let house = House::new();
    let pool = house.pool(json!({"timeout": "500ms"})).await;
    let pid = ask(&pool, "/answer").await.unwrap();
    let told = |opened: Result<PoolTunnel, InvokeError>| match opened {
        Err(InvokeError::Fault { fault, .. }) => fault,
        _ => panic!("it does not open"),
    };
    let cut = told(pool.tunnel(handshake("/close")).await);
    assert!(matches!(cut, Fault::Gone(_)), "{cut}");
    let slow = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.tunnel(handshake("/hang")).await }
    });
    until("it is in the process", async || {
        pool.stats().busy.get() == 1
    })
    .await;
    ask(&pool, "/answer").await.unwrap();
    let late = told(slow.await.unwrap());
    assert!(matches!(late, Fault::Timeout(_)), "{late}");
    assert_eq!(ask(&pool, "/answer").await.unwrap(), pid);
    assert_eq!(house.totals.failed.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_answers_nobody_in_time_is_replaced() {
    let house = House::new();
    let pool = house.pool(json!({"timeout": "300ms"})).await;
    let pid = ask(&pool, "/answer").await.unwrap();
    let failed = ask(&pool, "/hang").await.unwrap_err();
    assert!(
        matches!(
            failed,
            InvokeError::Fault {
                fault: Fault::Timeout(_),
                ..
            }
        ),
        "{failed}"
    );
    assert_ne!(ask(&pool, "/answer").await.unwrap(), pid);
    assert_eq!(house.totals.failed.get(), 1);
}

/// One request finds it out, and has its answer from the next process.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_listens_no_more_is_replaced() {
    let house = House::new();
    let pool = house
        .pool(json!({"command": [FIXTURE, "serve", "--socket"]}))
        .await;
    let pid = ask(&pool, "/answer").await.unwrap();
    assert_eq!(ask(&pool, "/deaf").await.unwrap(), "deaf");
    assert_ne!(ask(&pool, "/answer").await.unwrap(), pid);
    assert_eq!(house.totals.failed.get(), 1);
    let pid: u32 = pid.parse().unwrap();
    until("it is ended", async || !is_running(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_says_nothing_in_time_is_cut_and_its_process_goes_on() {
    let house = House::new();
    let pool = house.pool(json!({"timeout": 1})).await;
    let pid = ask(&pool, "/answer").await.unwrap();
    let body = pool.request(get("/endless")).await.unwrap().into_body();
    // Nobody reads: the process fills what lies between, and then neither side moves.
    until("the invocation is over", async || {
        pool.stats().busy.get() == 0
    })
    .await;
    drop(body);
    assert_eq!(ask(&pool, "/answer").await.unwrap(), pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_ttl_of_zero_each_request_has_a_process_of_its_own() {
    let house = House::new();
    let pool = house.pool(json!({"ttl": 0, "workers": {}})).await;
    let mut pids = Vec::new();
    for _ in 0..3 {
        pids.push(ask(&pool, "/answer").await.unwrap());
    }
    pids.dedup();
    assert_eq!(pids.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_than_it_takes_go_into_one_process() {
    let house = House::new();
    let pool = house
        .pool(json!({"concurrency": 2, "workers": {"max": 2}, "queue": {"length": 0}}))
        .await;
    let ask_slowly = |pool: &Arc<Pool>| {
        let pool = Arc::clone(pool);
        tokio::spawn(async move { pool.request(get("/hang")).await.map(drop) })
    };
    let slow: Vec<_> = (0..4).map(|_| ask_slowly(&pool)).collect();
    until("all places are taken", async || {
        pool.stats().busy.get() == 4
    })
    .await;
    assert!(matches!(
        ask(&pool, "/answer").await,
        Err(InvokeError::Acquire(_))
    ));
    for request in slow {
        request.abort();
    }
    until("they are gone", async || pool.stats().busy.get() == 0).await;
    let waits = Duration::from_secs(30);
    tokio::time::timeout(waits, ask(&pool, "/answer"))
        .await
        .unwrap()
        .unwrap();
}
