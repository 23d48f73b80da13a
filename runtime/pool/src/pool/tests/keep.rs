//! A pool that is out of use and kept for its sessions.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_kept_pool_serves_until_the_last_stake_is_gone_or_its_time_is_over() {
    let house = House::of(8);
    let (pool, _) = house.pool(|_| ());
    let before = Instant::now();
    pool.keep(Duration::from_secs(60)).await;
    assert!(before.elapsed().is_zero(), "nobody has a stake");
    let stake = pool.stake();
    pool.keep(Duration::from_secs(60)).await;
    assert_eq!(before.elapsed().as_secs(), 60);
    assert!(pool.acquire().await.is_ok());
    let (until, gone) = (Instant::now() + Duration::from_secs(10), stake);
    tokio::join!(pool.keep(Duration::from_secs(60)), async {
        sleep_until(until).await;
        drop(gone);
    });
    assert_eq!(before.elapsed().as_secs(), 70);
    assert!(pool.drain(Duration::from_secs(1)).await);
}
