//! What has to hold of every day, each read from the trace alone.
//!
//! **Invariant:** no checker knows the plan or asks the hub: what clients read and what was done to guests is all there is.

mod codes;
mod counted;
mod durable;
mod once;
mod order;
mod out;
mod presence;
mod recovery;
mod streams;
mod timers;

use super::event::Event;
use crate::trace::Entry;
use streams::Streams;

/// Everything that should not have happened.
pub fn all(entries: &[Entry<Event>]) -> Vec<String> {
    let streams = Streams::of(entries);
    let mut wrong = order::check(entries);
    wrong.extend(once::check(entries));
    wrong.extend(timers::check(entries));
    wrong.extend(out::check(&streams));
    wrong.extend(counted::check(entries, &streams));
    wrong.extend(codes::check(entries));
    wrong.extend(durable::check(entries));
    wrong.extend(recovery::check(entries));
    wrong.extend(presence::check(entries));
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

/// A publication for the tests of checkers, in a stream whose epoch is 1.
#[cfg(test)]
fn published(topic: super::event::Topic, said: u32, offset: u64) -> super::event::Publication {
    super::event::Publication {
        topic,
        said,
        place: (1, offset),
        key: None,
        except: None,
        writes: Vec::new(),
    }
}
