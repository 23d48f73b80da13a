//! The register of a pool's workers: what can be told of each, also while somebody has it.
//!
//! A worker that is leased lies in its lease and nowhere else, so it writes down here what it does.
//!
//! **Invariant:** an entry is there from the begin of a worker's start until the worker was dropped, or did not start.
//! **Invariant:** who reads takes as long as for those that are listed, however many there are.
//! **Absent on purpose:** decisions. Nothing is leased, evicted or ended by what stands here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::state::State;
use crate::worker::Worker;

/// What a worker does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkerState {
    /// It is being started.
    Starting,
    /// It has nothing to do.
    Idle,
    /// Somebody has it.
    Busy,
    /// It gets nothing any more, and ends when nobody has it.
    Ending,
}

/// One worker at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkerFigures {
    /// Tells it from the other workers of its revision, past and present: the first one is 1.
    pub number: u64,
    /// What it does.
    pub state: WorkerState,
    /// Since its start began.
    pub age: Duration,
    /// Since it had something to do; `None` unless it is idle.
    pub idle: Option<Duration>,
    /// Invocations that have it now.
    pub leases: u64,
    /// Invocations that it had, those of now included.
    pub served: u64,
    /// Its memory in bytes when it was last looked at, after an invocation at the latest; `None` where nobody knows.
    pub memory_bytes: Option<u64>,
    /// The id of its process; `None` where it is none of its own.
    pub process: Option<u32>,
}

/// The workers of a revision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkerList {
    /// Those that were started first.
    pub listed: Vec<WorkerFigures>,
    /// How many there are besides.
    pub more: u64,
}

/// All workers of a pool.
#[derive(Default)]
pub(crate) struct Register {
    /// How many starts were begun, ever.
    begun: AtomicU64,
    // Held to enter, to leave and to read a few; never while a worker runs or is dropped.
    entries: Mutex<BTreeMap<u64, Arc<Entry>>>,
}

/// What is known of a worker.
struct Entry {
    born: Instant,
    /// A [`WorkerState`] and by how many it is held.
    state: AtomicU64,
    /// Milliseconds from `born` to when it last finished something.
    used_ms: AtomicU64,
    served: AtomicU64,
    /// 0 where nobody knows.
    memory_bytes: AtomicU64,
    /// 0 where there is none.
    process: AtomicU32,
}

/// A worker's place in the register; left when it is dropped.
pub(crate) struct Entered {
    register: Arc<Register>,
    number: u64,
    entry: Arc<Entry>,
}

impl Register {
    /// A worker whose start begins now.
    pub fn enter(self: &Arc<Self>, now: Instant) -> Entered {
        let number = self.begun.fetch_add(1, Relaxed) + 1;
        let entry = Arc::new(Entry {
            born: now,
            state: AtomicU64::new(packed(State::Starting)),
            used_ms: AtomicU64::new(0),
            served: AtomicU64::new(0),
            memory_bytes: AtomicU64::new(0),
            process: AtomicU32::new(0),
        });
        self.entries.lock().insert(number, Arc::clone(&entry));
        Entered {
            register: Arc::clone(self),
            number,
            entry,
        }
    }

    /// The first of them, so many at most.
    pub fn list(&self, limit: usize, now: Instant) -> WorkerList {
        let entries = self.entries.lock();
        let first = entries.iter().take(limit);
        let listed: Vec<WorkerFigures> = first
            .map(|(number, entry)| entry.figures(*number, now))
            .collect();
        let more = entries.len() - listed.len();
        WorkerList {
            listed,
            more: more as u64,
        }
    }
}

impl Entry {
    fn figures(&self, number: u64, now: Instant) -> WorkerFigures {
        let (state, leases) = unpacked(self.state.load(Relaxed));
        let age = now.saturating_duration_since(self.born);
        let used = Duration::from_millis(self.used_ms.load(Relaxed));
        let memory_bytes = self.memory_bytes.load(Relaxed);
        let process = self.process.load(Relaxed);
        WorkerFigures {
            number,
            state,
            age,
            idle: (state == WorkerState::Idle).then(|| age.saturating_sub(used)),
            leases,
            served: self.served.load(Relaxed),
            memory_bytes: (memory_bytes > 0).then_some(memory_bytes),
            process: (process > 0).then_some(process),
        }
    }
}

impl Entered {
    /// Which one it is.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// It is in this state now.
    pub fn is(&self, state: State) {
        self.entry.state.store(packed(state), Relaxed);
    }

    /// It finished something then, or its start.
    pub fn used(&self, worker: &dyn Worker, now: Instant) {
        let since = now.saturating_duration_since(self.entry.born).as_millis();
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        self.entry.used_ms.store(since, Relaxed);
        self.weigh(worker);
    }

    /// It had so many invocations.
    pub fn served(&self, served: u64) {
        self.entry.served.store(served, Relaxed);
    }

    /// What it is, and how much it has.
    pub fn weigh(&self, worker: &dyn Worker) {
        let memory_bytes = worker.memory_bytes().unwrap_or_default();
        self.entry.memory_bytes.store(memory_bytes, Relaxed);
        let process = worker.process().unwrap_or_default();
        self.entry.process.store(process, Relaxed);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.register.entries.lock().remove(&self.number);
    }
}

/// A state in one number, so that whoever reads it sees one state.
fn packed(state: State) -> u64 {
    let kind = match state {
        State::Starting => 0,
        State::Idle => 1,
        State::Busy(_) => 2,
        State::Retiring(_) | State::Gone => 3,
    };
    kind | (state.leases() as u64) << 2
}

fn unpacked(packed: u64) -> (WorkerState, u64) {
    let state = match packed & 3 {
        0 => WorkerState::Starting,
        1 => WorkerState::Idle,
        2 => WorkerState::Busy,
        _ => WorkerState::Ending,
    };
    (state, packed >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_and_who_holds_it_are_read_as_they_were_written() {
        for (state, expected) in [
            (State::Starting, (WorkerState::Starting, 0)),
            (State::Idle, (WorkerState::Idle, 0)),
            (State::Busy(1), (WorkerState::Busy, 1)),
            (State::Busy(300), (WorkerState::Busy, 300)),
            (State::Retiring(2), (WorkerState::Ending, 2)),
            (State::Gone, (WorkerState::Ending, 0)),
        ] {
            assert_eq!(unpacked(packed(state)), expected, "{state:?}");
        }
    }

    #[tokio::test]
    async fn the_first_are_listed_and_the_others_counted_until_they_leave() {
        let register = Arc::new(Register::default());
        let now = Instant::now();
        let mut entered: Vec<Entered> = (0..5).map(|_| register.enter(now)).collect();
        let numbers = |limit| {
            let list = register.list(limit, now);
            let numbers: Vec<u64> = list.listed.iter().map(|one| one.number).collect();
            (numbers, list.more)
        };
        assert_eq!(numbers(3), (vec![1, 2, 3], 2));
        entered.remove(1);
        assert_eq!(numbers(3), (vec![1, 3, 4], 1));
        assert_eq!(numbers(9), (vec![1, 3, 4, 5], 0));
        assert_eq!(numbers(0), (vec![], 4));
        entered.clear();
        assert_eq!(register.list(3, now), WorkerList::default());
    }
}
