//! What has to hold of every day, each read from the trace alone.
//!
//! **Invariant:** no checker knows the plan or asks the pools: what was done to workers and clients is all there is.

mod budget;
mod drains;
mod facts;
mod fair;
mod gap;
mod notices;
mod once;
mod returned;
mod shares;
mod stops;
mod waits;

use super::event::Event;
use super::plan::{Kind, Plan};
use crate::trace::Entry;
use facts::Facts;

/// Everything that should not have happened.
pub fn all(plan: &Plan, entries: &[Entry<Event>]) -> Vec<String> {
    let facts = Facts::of(entries);
    let mut wrong = budget::check(entries, plan.budget);
    wrong.extend(once::check(entries));
    wrong.extend(shares::check(entries, &facts));
    wrong.extend(stops::check(entries, &facts));
    wrong.extend(waits::check(entries, &facts));
    wrong.extend(drains::check(entries, &facts));
    wrong.extend(notices::check(entries, &facts));
    wrong.extend(gap::check(entries));
    wrong.extend(returned::check(entries));
    if plan.kind == Kind::Rush {
        wrong.extend(fair::check(entries, &facts, plan.budget));
    }
    wrong
}

/// A trace for the tests of checkers: an event each millisecond.
#[cfg(test)]
fn told(events: impl IntoIterator<Item = Event>) -> Vec<Entry<Event>> {
    let events = (1_u64..).zip(events);
    let entry = |(ms, event)| Entry {
        at_us: ms * 1000,
        event,
    };
    events.map(entry).collect()
}

/// A promise for the tests of checkers.
#[cfg(test)]
fn promise() -> super::event::Promise {
    super::event::Promise {
        at_once: 2,
        requests_max: 3,
        workers_max: 2,
        queue_timeout_us: 10_000,
        idle_timeout_us: 5_000,
        grace_us: 20_000,
    }
}
