//! Claims about invocations that a worker saw nothing of, because it was at its end.

use std::sync::atomic::Ordering;

use http_body_util::Full;

use super::*;

fn is_gone(failed: &InvokeError) -> bool {
    let InvokeError::Fault { fault, .. } = failed else {
        return false;
    };
    matches!(fault, Fault::Gone(_))
}

#[tokio::test(start_paused = true)]
async fn a_request_that_its_worker_did_not_see_is_given_to_another_one() {
    for at_once in [1, 4] {
        let house = House::of(8);
        let share = |spawn: &Arc<FakeSpawn>| spawn.concurrency.store(at_once, Ordering::SeqCst);
        let (pool, spawn) = house.pool_of(|_| (), share);
        assert_eq!(ask(&pool).await.unwrap(), "1/1");
        spawn.then(Step::End);
        assert_eq!(ask(&pool).await.unwrap(), "2/1", "{at_once} at once");
        assert_eq!(house.totals.failed.get(), 1);
        let requests = (house.totals.requests.get(), pool.stats().busy.get());
        assert_eq!(requests, (2, 0), "it was asked once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_given_to_another_worker_has_its_body_still() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let left = Arc::default();
    spawn.then(Step::End);
    spawn.then(Step::Keep(Arc::clone(&left)));
    let body = Full::new(Bytes::from("all of it")).map_err(|never| match never {});
    let request = Request::post("/kept").body(body.boxed_unsync()).unwrap();
    pool.request(request).await.unwrap();
    let kept = left.lock().take().unwrap();
    assert_eq!(
        (kept.method().as_str(), kept.uri().path()),
        ("POST", "/kept")
    );
    let body = kept.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "all of it");
}

#[tokio::test(start_paused = true)]
async fn a_request_is_given_to_a_few_workers_and_then_it_failed() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    for _ in 0..4 {
        spawn.then(Step::End);
    }
    let failed = ask(&pool).await.unwrap_err();
    assert!(is_gone(&failed), "{failed}");
    assert_eq!((spawn.started(), house.totals.failed.get()), (3, 3));
    assert_eq!(
        ask(&pool).await.unwrap(),
        "5/1",
        "the fourth had ended, too"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_a_worker_may_have_seen_is_given_to_no_other() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    spawn.then(Step::End);
    spawn.then(Step::Fail(Fault::NoAnswer));
    let failed = ask(&pool).await.unwrap_err();
    assert!(!is_gone(&failed), "{failed}");
    assert_eq!(spawn.started(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_another_worker_waits_no_longer_than_the_request_may_take() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.timeout = Duration::from_millis(700));
    spawn.then(Step::End);
    spawn.then(Step::StartAfter(Arc::new(Semaphore::new(0))));
    let begun = Instant::now();
    let failed = ask(&pool).await.unwrap_err();
    assert!(is_gone(&failed), "{failed}");
    assert_eq!(begun.elapsed(), Duration::from_millis(700));
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_its_worker_did_not_see_is_given_to_another_one() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let mut handshake = Request::new(());
    *handshake.uri_mut() = "/ends-once".parse().unwrap();
    let tunnel = pool.tunnel(handshake).await.unwrap();
    assert!(matches!(tunnel.answer, TunnelAnswer::Accepted { .. }));
    assert_eq!((spawn.started(), house.totals.failed.get()), (2, 1));
}
