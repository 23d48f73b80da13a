//! The end of all tasks: a grace period, then force.
//!
//! **Invariant:** a drain takes no longer than its grace and [`ABORT_WAIT`], whatever the tasks do.
//! **Absent on purpose:** telling the tasks to stop; that is [`Shutdown`](crate::Shutdown)'s, and comes first.

use std::time::Duration;

use tokio::time::timeout;

use crate::Tasks;

/// How long aborted tasks are given to drop what they hold: child processes to kill, files to remove. A task that
/// computes without yielding does not notice the abort, so the wait needs an end.
pub const ABORT_WAIT: Duration = Duration::from_millis(200);

impl Tasks {
    /// Waits up to `grace` for every task to end by itself; then aborts the rest and returns their names, each once.
    ///
    /// Tasks may still spawn tasks during the grace, for old work may need them. What is spawned later is aborted at once.
    pub async fn drain(&self, grace: Duration) -> Vec<&'static str> {
        if timeout(grace, self.register.idle()).await.is_ok() {
            return Vec::new();
        }
        let mut names = self.register.abort_all();
        names.sort_unstable();
        for same in names.chunk_by(|a, b| a == b) {
            tracing::warn!(
                task = same[0],
                count = same.len(),
                ?grace,
                "aborted: still running after the grace"
            );
        }
        names.dedup();
        if timeout(ABORT_WAIT, self.register.idle()).await.is_err() {
            tracing::warn!(tasks = ?self.running(), "left behind: they do not yield to an abort");
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;
    use crate::Shutdown;

    const GRACE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn tasks_that_listen_are_drained_without_waiting_out_the_grace() {
        let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
        for _ in 0..3 {
            let stop = shutdown.child();
            tasks.spawn("listener", async move { stop.requested().await });
        }
        shutdown.request();
        let before = Instant::now();
        assert!(tasks.drain(GRACE).await.is_empty());
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn work_in_flight_is_waited_for_within_the_grace() {
        let tasks = Tasks::new();
        let (done, is_done) = oneshot::channel();
        tasks.spawn("request", async move {
            tokio::time::sleep(GRACE / 2).await;
            let _ = done.send(());
        });
        assert!(tasks.drain(GRACE).await.is_empty());
        assert_eq!(is_done.await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_outlasts_the_grace_is_aborted_and_named_once() {
        let tasks = Tasks::new();
        let (held, released) = oneshot::channel::<()>();
        tasks.spawn("connection", pending());
        tasks.spawn("connection", pending());
        tasks.spawn("accept", async move {
            let _held = held;
            pending::<()>().await;
        });
        tasks.spawn("quick", async {});
        let before = Instant::now();
        assert_eq!(tasks.drain(GRACE).await, ["accept", "connection"]);
        assert_eq!(before.elapsed(), GRACE);
        assert!(
            released.await.is_err(),
            "what an aborted task holds is dropped before the drain returns"
        );
        assert!(tasks.running().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_spawned_during_the_grace_is_waited_for() {
        let tasks = Tasks::new();
        let (done, is_done) = oneshot::channel();
        let inner = tasks.clone();
        tasks.spawn("outer", async move {
            tokio::time::sleep(GRACE / 2).await;
            inner.spawn("inner", async move {
                tokio::time::sleep(GRACE / 4).await;
                let _ = done.send(());
            });
        });
        assert!(tasks.drain(GRACE).await.is_empty());
        assert_eq!(is_done.await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_spawned_after_the_grace_never_lasts() {
        let tasks = Tasks::new();
        tasks.spawn("stuck", pending());
        assert_eq!(tasks.drain(GRACE).await, ["stuck"]);
        tasks.spawn("late", pending());
        tasks.register.idle().await;
        assert!(tasks.running().is_empty());
    }
}
