//! When a worker may serve again: a pure decision.
//!
//! **Absent on purpose:** clocks. Instants come in.

use std::time::Duration;

use rookery_bundle::Manifest;
use tokio::time::Instant;

/// What a revision's manifest says about its workers.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long an invocation may take.
    pub timeout: Duration,
    /// How long a worker is kept after its last use; zero keeps none.
    pub ttl: Duration,
    /// How long a worker may be idle.
    pub idle_timeout: Duration,
    /// How many invocations a worker serves at most.
    pub max_requests: u64,
    /// How many workers run at once at most; the budget of all revisions bounds it, too.
    pub workers_max: Option<usize>,
    /// How many invocations may wait.
    pub queue_length: usize,
    /// How long an invocation may wait.
    pub queue_timeout: Duration,
}

/// What a worker has behind it.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// When it last finished an invocation.
    pub last_used: Instant,
    /// How many it had.
    pub served: u64,
}

/// Whether a worker may have another invocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reuse {
    /// It may.
    Yes,
    /// It is tired: another one takes its place.
    No,
    /// Its kind is used once: nothing was ever kept.
    Never,
}

impl Policy {
    /// What the manifest says.
    pub fn from_manifest(manifest: &Manifest) -> Self {
        Policy {
            timeout: manifest.timeout,
            ttl: manifest.ttl,
            idle_timeout: manifest.idle_timeout,
            max_requests: manifest.max_requests,
            workers_max: manifest.workers.max.map(|max| max as usize),
            queue_length: manifest.queue.length as usize,
            queue_timeout: manifest.queue.timeout,
        }
    }

    /// Whether a worker with this life may have another invocation now.
    pub fn reuse(&self, life: Life, now: Instant) -> Reuse {
        if self.ttl.is_zero() {
            return Reuse::Never;
        }
        let idle = now.duration_since(life.last_used);
        if life.served >= self.max_requests || idle >= self.ttl || idle >= self.idle_timeout {
            return Reuse::No;
        }
        Reuse::Yes
    }
}

#[cfg(test)]
pub(crate) fn policy_for_tests() -> Policy {
    Policy {
        timeout: Duration::from_secs(5),
        ttl: Duration::from_secs(60),
        idle_timeout: Duration::from_secs(30),
        max_requests: 3,
        workers_max: None,
        queue_length: 2,
        queue_timeout: Duration::from_secs(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_worker_is_reused_within_its_bounds() {
        let start = Instant::now();
        let check = |change: fn(&mut Policy), served, idle_secs, expected| {
            let mut policy = policy_for_tests();
            change(&mut policy);
            let life = Life {
                last_used: start,
                served,
            };
            let now = start + Duration::from_secs(idle_secs);
            assert_eq!(policy.reuse(life, now), expected, "{served} {idle_secs}");
        };
        check(|_| (), 1, 0, Reuse::Yes);
        check(|_| (), 3, 0, Reuse::No);
        check(|_| (), 1, 29, Reuse::Yes);
        check(|_| (), 1, 30, Reuse::No);
        check(
            |policy| policy.ttl = Duration::from_secs(10),
            1,
            10,
            Reuse::No,
        );
        check(|policy| policy.ttl = Duration::ZERO, 0, 0, Reuse::Never);
    }
}
