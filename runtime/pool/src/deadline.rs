//! How long a guest may still take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// An instant that moves on while the guest makes progress.
///
/// Whoever runs the guest looks at it; whoever sees progress (a piece of the response was taken) extends it. So a
/// stream may last for days, and a guest that says nothing for its timeout is stopped.
#[derive(Clone, Debug)]
pub struct Deadline(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    origin: Instant,
    timeout: Duration,
    after_origin_us: AtomicU64,
}

impl Deadline {
    /// The instant `timeout` from now.
    pub fn after(timeout: Duration) -> Self {
        Deadline(Arc::new(Inner {
            origin: Instant::now(),
            timeout,
            after_origin_us: AtomicU64::new(micros(timeout)),
        }))
    }

    /// How long the guest had at first, and has again after each progress.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Gives the guest its whole timeout again, from now.
    pub fn extend(&self) {
        let at = micros(self.0.origin.elapsed() + self.0.timeout);
        self.0.after_origin_us.fetch_max(at, Ordering::Relaxed);
    }

    /// Whether the guest is out of time.
    pub fn has_passed(&self) -> bool {
        Instant::now() >= self.instant()
    }

    /// Ends when the guest is out of time.
    pub async fn passed(&self) {
        while !self.has_passed() {
            tokio::time::sleep_until(self.instant()).await;
        }
    }

    fn instant(&self) -> Instant {
        self.0.origin + Duration::from_micros(self.0.after_origin_us.load(Ordering::Relaxed))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn progress_moves_the_deadline() {
        let deadline = Deadline::after(Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(2)).await;
        deadline.extend();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!deadline.has_passed());
        let before = Instant::now();
        deadline.passed().await;
        assert_eq!(before.elapsed().as_secs(), 1);
    }
}
