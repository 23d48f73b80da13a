//! Waiting for what is expected, and for no longer than that takes.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// When a test gives up. Far more than anything here takes, even where two cores build guests beside the tests.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How long a look that found nothing is let be: short against any test, long against what a look costs.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// Looks until there is something.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        sleep(LOOK_AGAIN_AFTER).await;
    }
}

/// Awaits a future that is expected to end.
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}
