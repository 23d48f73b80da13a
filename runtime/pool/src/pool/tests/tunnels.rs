//! Claims about connections in both directions.

use std::sync::atomic::Ordering;

use super::*;

async fn tunnel(pool: &Arc<Pool>) -> PoolTunnel {
    let tunnel = pool.tunnel(Request::new(())).await.unwrap();
    assert!(matches!(tunnel.answer, TunnelAnswer::Accepted { .. }));
    tunnel
}

#[tokio::test(start_paused = true)]
async fn bytes_go_both_ways_through_a_tunnel() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let TunnelAnswer::Accepted { mut io, .. } = tunnel(&pool).await.answer else {
        panic!("it was accepted");
    };
    let mut far = spawn.tunnels.lock().pop().unwrap();
    let mut read = [0; 4];
    io.write_all(b"ping").await.unwrap();
    far.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"ping");
    far.write_all(b"pong").await.unwrap();
    io.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"pong");
}

#[tokio::test(start_paused = true)]
async fn an_open_tunnel_takes_no_turn_and_keeps_its_worker() {
    let house = House::of(1);
    for at_once in [1, 2] {
        let (pool, spawn) = house.pool_of(
            |policy| policy.workers_max = Some(1),
            |spawn| spawn.concurrency.store(at_once, Ordering::SeqCst),
        );
        let open = tunnel(&pool).await;
        assert_eq!((pool.snapshot().tunnels, pool.snapshot().busy), (1, 0));
        assert_eq!(ask(&pool).await.unwrap(), "1/1", "it has work beside");
        tokio::time::advance(Duration::from_secs(3600)).await;
        house.budget.sweep();
        assert_eq!(spawn.alive(), 1, "it is not idle");
        let (other, _) = house.pool(|_| ());
        ask(&other).await.unwrap_err();
        assert_eq!(spawn.alive(), 1, "it does not give way");
        drop(open);
        assert_eq!(pool.snapshot().tunnels, 0);
        house.budget.sweep();
        assert_eq!(spawn.alive(), 1, "the tunnel was work");
        assert_eq!(ask(&other).await.unwrap(), "1/1");
        assert_eq!(spawn.alive(), 0);
        assert!(other.drain(Duration::from_secs(1)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tired_worker_lasts_as_long_as_its_tunnels_and_gets_no_other_work() {
    let house = House::of(8);
    for at_once in [1, 2] {
        let (pool, spawn) = house.pool_of(
            |policy| policy.max_requests = 2,
            |spawn| spawn.concurrency.store(at_once, Ordering::SeqCst),
        );
        let (first, second) = (tunnel(&pool).await, tunnel(&pool).await);
        assert_eq!(ask(&pool).await.unwrap(), "2/1");
        assert_eq!(spawn.alive(), 2);
        drop(first);
        assert_eq!(spawn.alive(), 2);
        drop(second);
        assert_eq!(spawn.alive(), 1);
        assert!(pool.drain(Duration::from_secs(1)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_ttl_each_tunnel_has_a_worker_of_its_own() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.ttl = Duration::ZERO);
    let (one, two) = (tunnel(&pool).await, tunnel(&pool).await);
    assert_eq!(spawn.alive(), 2);
    drop((one, two));
    assert_eq!((spawn.alive(), house.budget.workers_live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_fault_beside_it_does_not_cut_a_tunnel() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let open = tunnel(&pool).await;
    spawn.then(Step::Fail(Fault::NoAnswer));
    ask(&pool).await.unwrap_err();
    assert_eq!(spawn.alive(), 1);
    assert_eq!(ask(&pool).await.unwrap(), "2/1");
    drop(open);
    assert_eq!(spawn.alive(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let request = Request::builder().uri("/refused").body(()).unwrap();
    let tunnel = pool.tunnel(request).await.unwrap();
    assert!(matches!(tunnel.answer, TunnelAnswer::Refused(_)));
    drop(tunnel);
    assert_eq!(ask(&pool).await.unwrap(), "1/1");
    assert_eq!(spawn.started(), 1);
}

/// The worker says which of the two it is.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_fails_ends_its_worker_only_when_that_failed() {
    for at_once in [1, 2] {
        let house = House::of(8);
        let (pool, spawn) = house.pool_of(
            |policy| policy.max_requests = 8,
            |spawn| spawn.concurrency.store(at_once, Ordering::SeqCst),
        );
        let handshake = |path| {
            let request = Request::builder().uri(path).body(()).unwrap();
            pool.tunnel(request)
        };
        assert!(handshake("/broken").await.is_err());
        assert_eq!(ask(&pool).await.unwrap(), "1/1");
        assert_eq!((spawn.started(), pool.stats().failed.get()), (1, 0));
        assert!(handshake("/fail").await.is_err());
        assert_eq!((spawn.alive(), pool.stats().failed.get()), (0, 1));
        assert_eq!(ask(&pool).await.unwrap(), "2/1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_says_when_it_begins_and_when_tunnels_are_cut() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let open = tunnel(&pool).await;
    let drained = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.drain(Duration::from_secs(30)).await }
    });
    let before = Instant::now();
    open.hold.draining().await;
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(spawn.alive(), 1);
    open.hold.cut().await;
    assert_eq!(before.elapsed(), Duration::from_secs(29));
    assert_eq!(spawn.alive(), 1, "there is a second to say goodbye");
    assert!(drained.await.unwrap(), "the invocations were done in time");
    assert_eq!(before.elapsed(), Duration::from_secs(30));
    assert_eq!((spawn.alive(), house.budget.workers_live()), (0, 0));
    drop(open);
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_over_when_the_last_tunnel_is() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|_| ());
    let open = tunnel(&pool).await;
    let drained = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.drain(Duration::from_secs(30)).await }
    });
    let before = Instant::now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(open);
    assert!(drained.await.unwrap());
    assert_eq!(before.elapsed(), Duration::from_secs(5));
    assert_eq!(spawn.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_invocation_leaves_tunnels_their_second_to_say_goodbye() {
    let house = House::of(8);
    let (pool, spawn) = house.pool(|policy| policy.timeout = Duration::from_secs(600));
    let open = tunnel(&pool).await;
    spawn.then(Step::Hang);
    let hangs = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { ask(&pool).await }
    });
    while pool.stats().busy.get() < 1 {
        tokio::task::yield_now().await;
    }
    let before = Instant::now();
    let drained = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.drain(Duration::from_secs(30)).await }
    });
    open.hold.cut().await;
    assert_eq!(before.elapsed(), Duration::from_secs(29));
    drop(open);
    assert!(!drained.await.unwrap());
    hangs.abort();
}
