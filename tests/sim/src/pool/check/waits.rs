//! Nobody waits longer for a worker than the queue allows, but for one that was being started when that was over: a
//! start has an end of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use crate::pool::event::{Build, ClientId, Event, Why, WorkerId};
use crate::trace::Entry;

/// How long a start may take.
const START_US: u64 = 60_000_000;
/// Clocks tick in milliseconds.
const TICK_US: u64 = 2_000;

/// Since when somebody waits, and whether a start of his build was on its way when his time was over.
struct Wait {
    build: Build,
    until_us: u64,
    seen_start: Option<bool>,
}

pub fn check(entries: &[Entry<Event>], facts: &Facts) -> Vec<String> {
    let mut waiting: BTreeMap<ClientId, Wait> = BTreeMap::new();
    let mut starting: BTreeSet<WorkerId> = BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in entries {
        for wait in waiting.values_mut() {
            if wait.seen_start.is_none() && entry.at_us > wait.until_us {
                let is_of_it = |worker| facts.build_of.get(worker) == Some(&wait.build);
                wait.seen_start = Some(starting.iter().any(is_of_it));
            }
        }
        let over = match entry.event {
            Event::Starting(worker, _) => {
                starting.insert(worker);
                None
            }
            Event::Started(worker) | Event::NotStarted(worker) => {
                starting.remove(&worker);
                None
            }
            Event::Asked(client, build) => {
                if let Some(promise) = facts.promises.get(&build) {
                    let until_us = entry.at_us + promise.queue_timeout_us + TICK_US;
                    let wait = Wait {
                        build,
                        until_us,
                        seen_start: None,
                    };
                    waiting.insert(client, wait);
                }
                None
            }
            Event::Began(client, _) | Event::Left(client) | Event::Failed(client, _) => {
                waiting.remove(&client).map(|wait| (client, wait))
            }
            _ => None,
        };
        let Some((client, wait)) = over else { continue };
        let grace = if wait.seen_start == Some(true) {
            START_US
        } else {
            0
        };
        let is_left = matches!(entry.event, Event::Left(_));
        if entry.at_us > wait.until_us + grace && !is_left {
            let late_us = entry.at_us - wait.until_us;
            wrong.push(format!("client {client} waited {late_us} µs too long"));
        }
        let is_early = entry.at_us + 2 * TICK_US < wait.until_us;
        if matches!(entry.event, Event::Failed(_, Why::Late)) && is_early {
            wrong.push(format!(
                "client {client} was told too early that it is late"
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::check::{promise, told};

    fn found(before: &[Event], pause_ms: usize, after: Event) -> Vec<String> {
        let pause = (0..pause_ms).map(|_| Event::Live(9));
        let opening = [Event::Prepared(0, promise()), Event::Asked(0, 0)];
        let events = opening.into_iter().chain(before.iter().cloned());
        let entries = told(events.chain(pause).chain([after]));
        check(&entries, &Facts::of(&entries))
    }

    #[test]
    fn a_wait_that_is_too_long_is_found() {
        for after in [Event::Began(0, 7), Event::Failed(0, Why::Late)] {
            assert!(found(&[], 9, after.clone()).is_empty());
            assert_eq!(found(&[], 20, after).len(), 1);
        }
        assert!(found(&[], 20, Event::Left(0)).is_empty());
        assert_eq!(found(&[], 1, Event::Failed(0, Why::Late)).len(), 1);
    }

    #[test]
    fn a_start_that_was_on_its_way_excuses_it() {
        let starting = Event::Starting(7, 0);
        let ended = [starting, Event::Started(7)];
        assert!(found(&ended[..1], 20, Event::Began(0, 7)).is_empty());
        assert_eq!(found(&ended, 20, Event::Began(0, 7)).len(), 1);
    }
}
