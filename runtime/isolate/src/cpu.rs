//! How much of the processors the guests of a revision used.
//!
//! Asking the system for a thread's time takes about half a microsecond, a tenth of a short request. So of the calls
//! that end within an epoch every sixty-fourth is measured and counted for all of them, chosen at random; a call that
//! goes on for longer is measured from then on, each time.
//!
//! **Invariant:** whether a call is measured is decided before it runs, so the sum is right on average: after n short
//! calls of equal length it is off by 8 / √n of itself, or less in two cases of three.
//! **Absent on purpose:** what the host does before and after, and clearing a slot.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// One of as many short calls is measured.
const SHORT_CALLS: u64 = 64;

/// The time that the guests of one revision computed, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct CpuTime(AtomicU64);

/// How long a call ran so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    /// It is in its first epoch.
    Short,
    /// It was interrupted at least once.
    Long,
}

impl CpuTime {
    /// The sum so far.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Runs a piece of a call on this thread, and counts it if it is its turn.
    pub fn counted<R>(&self, call: Call, piece: impl FnOnce() -> R) -> R {
        let Some(weight) = weight(call) else {
            return piece();
        };
        let begun = thread_time();
        let result = piece();
        let took = thread_time().saturating_sub(begun);
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0
            .fetch_add(ns.saturating_mul(weight), Ordering::Relaxed);
        result
    }
}

/// As how many calls this one counts; `None` when it is not measured.
fn weight(call: Call) -> Option<u64> {
    match call {
        Call::Long => Some(1),
        Call::Short => draw().is_multiple_of(SHORT_CALLS).then_some(SHORT_CALLS),
    }
}

/// A random number that nobody needs to be surprised by (Marsaglia's xorshift64*).
fn draw() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0x9E37_79B9_7F4A_7C15) };
    }
    let mut state = STATE.get();
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    STATE.set(state);
    state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32
}

/// How long this thread computed since it began.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let secs = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(secs, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes until the thread's clock moved on by this much.
    fn compute(time: Duration) {
        let begun = thread_time();
        while thread_time() - begun < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_long_call_is_counted_whole() {
        let cpu = CpuTime::default();
        cpu.counted(Call::Long, || compute(Duration::from_millis(3)));
        cpu.counted(Call::Long, || compute(Duration::from_millis(2)));
        assert!(cpu.total() >= Duration::from_millis(5), "{cpu:?}");
    }

    #[test]
    fn who_waits_uses_nothing() {
        let cpu = CpuTime::default();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            compute(Duration::from_millis(50));
            drop(release);
        });
        let waited = cpu.counted(Call::Long, || wait.recv());
        assert!(waited.is_err());
        other.join().expect("the other thread only computes");
        assert!(cpu.total() < Duration::from_millis(50), "{cpu:?}");
    }

    /// The numbers are the same in each run, so this either always holds or never.
    #[test]
    fn short_calls_count_in_all_as_many_as_there_were() {
        let calls = 1_000_000;
        let counted: u64 = (0..calls).filter_map(|_| weight(Call::Short)).sum();
        assert!(counted.abs_diff(calls) < calls / 50, "{counted}");
    }

    #[test]
    fn which_short_calls_are_measured_follows_no_pattern() {
        // Every second call of an app may be a long one: the even ones are drawn as often as the odd ones.
        let drawn: Vec<u64> = (0..1_000_000)
            .filter(|_| weight(Call::Short).is_some())
            .collect();
        let even = drawn.iter().filter(|at| *at % 2 == 0).count();
        assert!(even.abs_diff(drawn.len() - even) < drawn.len() / 20);
    }
}
