//! A pool that was drained gives out nothing any more, and until its grace is over refuses nobody who was sent to it.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use crate::pool::event::{Event, Why};
use crate::trace::Entry;

/// Clocks tick in milliseconds.
const TICK_US: u64 = 2_000;

pub fn check(entries: &[Entry<Event>], facts: &Facts) -> Vec<String> {
    let (mut draining_at, mut retired) = (BTreeMap::new(), BTreeSet::new());
    let mut wrong = Vec::new();
    for entry in entries {
        match entry.event {
            Event::Draining(build) => {
                draining_at.insert(build, entry.at_us);
            }
            Event::Retired(build) => {
                retired.insert(build);
            }
            Event::Began(client, worker) => {
                let build = facts.build_of.get(&worker);
                if build.is_some_and(|build| retired.contains(build)) {
                    wrong.push(format!(
                        "worker {worker} began with client {client} after its pool had ended"
                    ));
                }
            }
            Event::Failed(client, Why::Draining) => {
                let asked = facts.asked.get(&client);
                let since = asked.and_then(|build| draining_at.get(build));
                let promise = asked.and_then(|build| facts.promises.get(build));
                let is_over = since.zip(promise).is_some_and(|(since, promise)| {
                    entry.at_us + TICK_US >= since + promise.grace_us
                });
                if !is_over {
                    wrong.push(format!(
                        "client {client} was refused before the grace of the drain was over"
                    ));
                }
            }
            _ => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::check::{promise, told};

    fn found(events: impl IntoIterator<Item = Event>) -> usize {
        let opening = [
            Event::Prepared(0, promise()),
            Event::Starting(7, 0),
            Event::Asked(0, 0),
            Event::Draining(0),
        ];
        let entries = told(opening.into_iter().chain(events));
        check(&entries, &Facts::of(&entries)).len()
    }

    #[test]
    fn work_after_the_end_is_found() {
        assert_eq!(found([Event::Began(0, 7), Event::Retired(0)]), 0);
        assert_eq!(found([Event::Retired(0), Event::Began(0, 7)]), 1);
        assert_eq!(found([Event::Retired(1), Event::Began(0, 7)]), 0);
    }

    #[test]
    fn a_refusal_within_the_grace_is_found() {
        let refused = Event::Failed(0, Why::Draining);
        let pause = (0..20).map(|_| Event::Live(9));
        assert_eq!(found([refused.clone()]), 1);
        assert_eq!(found(pause.chain([refused])), 0);
    }
}
