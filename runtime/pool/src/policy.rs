//! When a worker may serve again: a pure decision.
//!
//! **Absent on purpose:** clocks. Instants come in.

use std::time::Duration;

use rookery_bundle::{Manifest, TtlMode};
use tokio::time::Instant;

/// Who writes such a number into a manifest means it: it is for tests, and for apps that leak.
const EXACT_REQUESTS_MAX: u64 = 8;

/// The fraction of the golden ratio, times 2⁶⁴.
const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

/// How long a worker may take to hear a notice: what Buntime lets pass between its notice and the kill.
const NOTICE_GRACE: Duration = Duration::from_millis(100);

/// What a revision's manifest says about its workers.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long an invocation may take.
    pub timeout: Duration,
    /// How long a worker is kept; zero keeps none.
    pub ttl: Duration,
    /// Since when: its last use, or its start.
    pub ttl_mode: TtlMode,
    /// How long a worker may be idle.
    pub idle_timeout: Duration,
    /// How many invocations a worker serves at most; each has a limit of its own a little below.
    pub max_requests: u64,
    /// How many workers are kept ready without an invocation, as far as the budget has room for them.
    pub workers_min: usize,
    /// How many workers run at once at most; the budget of all revisions bounds it, too.
    pub workers_max: Option<usize>,
    /// How many idle workers are kept at most: one, or those that are to be ready, where memory is to be saved.
    pub idle_max: usize,
    /// How many invocations may wait.
    pub queue_length: usize,
    /// How long an invocation may wait.
    pub queue_timeout: Duration,
    /// How long a worker may take to hear a notice, of its end above all.
    pub notice_grace: Duration,
}

/// What a worker has behind it.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// When it was started.
    pub born: Instant,
    /// When it last finished an invocation.
    pub last_used: Instant,
    /// How many it had, those that it has now included.
    pub served: u64,
    /// How many it may have.
    pub requests_max: u64,
    /// Whether it was told that it is idle, since it last had work.
    pub told_idle: bool,
}

/// Whether a worker may have another invocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reuse {
    /// It may.
    Yes,
    /// It had nothing to do for too long: it may only as one of those that are kept ready.
    Idle,
    /// It is tired: another one takes its place.
    No,
    /// Its kind is used once, and it was.
    Never,
}

impl Policy {
    /// What the manifest says.
    pub fn from_manifest(manifest: &Manifest) -> Self {
        let workers_min = manifest.workers.min as usize;
        Policy {
            timeout: manifest.timeout,
            ttl: manifest.ttl,
            ttl_mode: manifest.ttl_mode,
            idle_timeout: manifest.idle_timeout,
            max_requests: manifest.max_requests,
            workers_min,
            workers_max: manifest.workers.max.map(|max| max as usize),
            idle_max: match manifest.low_memory {
                true => workers_min.max(1),
                false => usize::MAX,
            },
            queue_length: manifest.queue.length as usize,
            queue_timeout: manifest.queue.timeout,
            notice_grace: NOTICE_GRACE,
        }
    }

    /// How many idle workers are kept ready while so many are busy. Busy ones come back, unless they are used once.
    pub fn kept_ready(&self, busy: usize) -> usize {
        if self.ttl.is_zero() {
            return self.workers_min;
        }
        self.workers_min.saturating_sub(busy)
    }

    /// How many invocations the pool's `nth` worker may have: all of [`max_requests`](Policy::max_requests), or up to an
    /// eighth less, so that workers that were started together, and get the same share of the work, do not tire
    /// together. Small numbers are exact.
    ///
    /// The multiples of the golden ratio spread evenly whatever their count is, which random numbers do not.
    pub fn requests_max(&self, nth: u64) -> u64 {
        if self.max_requests <= EXACT_REQUESTS_MAX {
            return self.max_requests;
        }
        let choices = u128::from(self.max_requests / 8) + 1;
        let fraction = u128::from(nth.wrapping_mul(GOLDEN_RATIO));
        let less = u64::try_from((fraction * choices) >> 64);
        self.max_requests - less.expect("a fraction of an eighth of a u64 is one")
    }

    /// Whether a worker with this life is to be told that it is idle.
    pub fn is_to_hear_idle(&self, life: Life, now: Instant) -> bool {
        !life.told_idle && now.duration_since(life.last_used) >= self.idle_timeout
    }

    /// Whether a worker with this life may have another invocation now.
    pub fn reuse(&self, life: Life, now: Instant) -> Reuse {
        if self.ttl.is_zero() {
            return match life.served {
                0 => Reuse::Yes,
                _ => Reuse::Never,
            };
        }
        let idle = now.duration_since(life.last_used);
        let (too_old, too_idle) = match self.ttl_mode {
            TtlMode::Sliding => (false, idle >= self.ttl),
            TtlMode::Absolute => (now.duration_since(life.born) >= self.ttl, false),
        };
        if too_old || life.served >= life.requests_max {
            return Reuse::No;
        }
        if too_idle || idle >= self.idle_timeout {
            return Reuse::Idle;
        }
        Reuse::Yes
    }
}

#[cfg(test)]
pub(crate) fn policy_for_tests() -> Policy {
    Policy {
        timeout: Duration::from_secs(5),
        ttl: Duration::from_secs(60),
        ttl_mode: TtlMode::Sliding,
        idle_timeout: Duration::from_secs(30),
        max_requests: 3,
        workers_min: 0,
        workers_max: None,
        idle_max: usize::MAX,
        queue_length: 2,
        queue_timeout: Duration::from_secs(1),
        notice_grace: NOTICE_GRACE,
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
                born: start,
                last_used: start,
                served,
                requests_max: 3,
                told_idle: false,
            };
            let now = start + Duration::from_secs(idle_secs);
            assert_eq!(policy.reuse(life, now), expected, "{served} {idle_secs}");
        };
        check(|_| (), 1, 0, Reuse::Yes);
        check(|_| (), 3, 0, Reuse::No);
        check(|_| (), 1, 29, Reuse::Yes);
        check(|_| (), 1, 30, Reuse::Idle);
        check(|_| (), 3, 30, Reuse::No);
        let ttl_10 = |policy: &mut Policy| policy.ttl = Duration::from_secs(10);
        check(ttl_10, 1, 9, Reuse::Yes);
        check(ttl_10, 1, 10, Reuse::Idle);
        let no_ttl = |policy: &mut Policy| policy.ttl = Duration::ZERO;
        check(no_ttl, 0, 1000, Reuse::Yes);
        check(no_ttl, 1, 0, Reuse::Never);
    }

    #[test]
    fn busy_workers_count_as_ready_unless_they_are_used_once() {
        let mut policy = Policy {
            workers_min: 2,
            ..policy_for_tests()
        };
        let kept = |policy: &Policy| [0, 1, 2, 3].map(|busy| policy.kept_ready(busy));
        assert_eq!(kept(&policy), [2, 1, 0, 0]);
        policy.ttl = Duration::ZERO;
        assert_eq!(kept(&policy), [2, 2, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_absolute_ttl_counts_from_birth_and_a_sliding_one_from_the_last_use() {
        let born = Instant::now();
        let check = |ttl_mode, used_secs, now_secs, expected| {
            let policy = Policy {
                ttl_mode,
                ..policy_for_tests()
            };
            let life = Life {
                born,
                last_used: born + Duration::from_secs(used_secs),
                served: 1,
                requests_max: 3,
                told_idle: false,
            };
            let now = born + Duration::from_secs(now_secs);
            assert_eq!(
                policy.reuse(life, now),
                expected,
                "{ttl_mode:?} {used_secs} {now_secs}"
            );
        };
        check(TtlMode::Sliding, 59, 60, Reuse::Yes);
        check(TtlMode::Sliding, 59, 88, Reuse::Yes);
        check(TtlMode::Absolute, 59, 59, Reuse::Yes);
        check(TtlMode::Absolute, 59, 60, Reuse::No);
        check(TtlMode::Absolute, 60, 60, Reuse::No);
        // Either way nobody is idle for longer than the idle timeout.
        check(TtlMode::Absolute, 10, 39, Reuse::Yes);
        check(TtlMode::Absolute, 10, 40, Reuse::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn idleness_is_told_once_after_the_idle_timeout() {
        let (policy, start) = (policy_for_tests(), Instant::now());
        let check = |told_idle, idle_secs, expected| {
            let life = Life {
                born: start,
                last_used: start,
                served: 1,
                requests_max: 3,
                told_idle,
            };
            let now = start + Duration::from_secs(idle_secs);
            let is_to_hear = policy.is_to_hear_idle(life, now);
            assert_eq!(is_to_hear, expected, "{told_idle} {idle_secs}");
        };
        check(false, 29, false);
        check(false, 30, true);
        check(true, 30, false);
    }

    #[test]
    fn workers_started_together_do_not_tire_together() {
        let limits = |max_requests| {
            let policy = Policy {
                max_requests,
                ..policy_for_tests()
            };
            (0..100).map(move |nth| policy.requests_max(nth))
        };
        for max in [9, 16, 100, 1000, 1_000_000_000, u64::MAX] {
            let least = max - max / 8;
            assert!(limits(max).all(|limit| (least..=max).contains(&limit)));
        }
        let distinct: std::collections::BTreeSet<_> = limits(1000).collect();
        assert!(distinct.len() > 60, "{} of 126 were drawn", distinct.len());
        let first_ten: std::collections::BTreeSet<_> = limits(1000).take(10).collect();
        assert_eq!(first_ten.len(), 10);
    }

    #[test]
    fn a_small_limit_is_exact() {
        for max_requests in 1..=8 {
            let policy = Policy {
                max_requests,
                ..policy_for_tests()
            };
            assert!((0..100).all(|nth| policy.requests_max(nth) == max_requests));
        }
    }
}
