//! Claims that only several threads at once can break.

use std::sync::atomic::Ordering;

use super::*;
use crate::memory::Pressure;

const CLIENTS: usize = 1500;

/// What a client does, by its number: most wait for their answer, some leave, some fail, some open a tunnel.
async fn come(pool: Arc<Pool>, nth: usize) {
    let path = match nth % 11 {
        3 => "/fail",
        5 => "/stream",
        _ => "/answer",
    };
    let ask = async {
        let (mut parts, body) = request().into_parts();
        parts.uri = http::Uri::from_static(path);
        let answered = pool.request(Request::from_parts(parts, body)).await;
        if let Ok(response) = answered {
            let _ = response.into_body().collect().await;
        }
    };
    match nth % 7 {
        0 => {
            tokio::pin!(ask);
            // Polled a few times, and dropped wherever it stands then.
            for _ in 0..nth % 5 {
                if polled(ask.as_mut()).await {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        1 => {
            let tunnel = pool.tunnel(Request::new(())).await;
            tokio::task::yield_now().await;
            drop(tunnel);
        }
        _ => ask.await,
    }
}

/// Polls once. Whether that was the end.
async fn polled(mut future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
    std::future::poll_fn(|cx| {
        let is_over = future.as_mut().poll(cx).is_ready();
        std::task::Poll::Ready(is_over)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_comes_back_however_many_come_and_go() {
    let house = House::of(3);
    let patient = |policy: &mut Policy| {
        policy.queue_length = CLIENTS;
        policy.queue_timeout = Duration::from_secs(60);
        policy.max_requests = 7;
    };
    let sharing = |spawn: &Arc<FakeSpawn>| spawn.concurrency.store(3, Ordering::SeqCst);
    let once = |policy: &mut Policy| {
        patient(policy);
        policy.ttl = Duration::ZERO;
    };
    let ready = |policy: &mut Policy| {
        patient(policy);
        policy.workers_min = 1;
    };
    let hears = |spawn: &Arc<FakeSpawn>| spawn.hears.store(true, Ordering::SeqCst);
    let pools = [
        house.pool_of(patient, |_| ()),
        house.pool_of(once, hears),
        house.pool_of(ready, sharing),
        house.pool_of(patient, |spawn| {
            sharing(spawn);
            hears(spawn);
        }),
    ];
    let clients = (0..CLIENTS).map(|nth| {
        let (pool, _) = &pools[nth % pools.len()];
        tokio::spawn(come(Arc::clone(pool), nth))
    });
    let clients: Vec<_> = clients.collect();
    for client in clients {
        house.budget.sweep();
        house.budget.relieve(Pressure::Short);
        client.await.unwrap();
    }
    for (pool, _) in &pools {
        assert!(pool.drain(Duration::from_secs(60)).await, "nobody is left");
    }
    assert!(house.tasks.drain(Duration::from_secs(60)).await.is_empty());
    for (pool, spawn) in &pools {
        let stats = pool.stats();
        assert_eq!((spawn.alive(), pool.waiting()), (0, 0));
        assert_eq!((stats.busy.get(), stats.tunnels.get()), (0, 0));
    }
    assert_eq!(house.budget.workers_live(), 0);
    assert_eq!(house.totals.waiting.get(), 0);
}
