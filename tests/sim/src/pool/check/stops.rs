//! Nobody's work is stopped but that of a client who went away, and nobody's connection but at the end of a drain.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use crate::pool::event::{ClientId, Event, How, WorkerId};
use crate::trace::Entry;

pub fn check(entries: &[Entry<Event>], facts: &Facts) -> Vec<String> {
    let left: BTreeSet<ClientId> = entries
        .iter()
        .filter_map(|entry| match entry.event {
            Event::Left(client) => Some(client),
            _ => None,
        })
        .collect();
    let mut wrong = Vec::new();
    let mut open: BTreeMap<ClientId, WorkerId> = BTreeMap::new();
    let mut draining_at = BTreeMap::new();
    for entry in entries {
        match entry.event {
            Event::Ended(client, worker, How::Stopped) if !left.contains(&client) => {
                wrong.push(format!(
                    "worker {worker} was stopped in its work for client {client}, who had not left"
                ));
            }
            Event::Opened(client, worker) => {
                open.insert(client, worker);
            }
            Event::Closed(client) => {
                open.remove(&client);
            }
            Event::Draining(build) => {
                draining_at.insert(build, entry.at_us);
            }
            Event::Gone(gone) => {
                let build = facts.build_of.get(&gone);
                let since = build.and_then(|build| draining_at.get(build));
                let grace = facts.promise_of(gone).map(|promise| promise.grace_us);
                let is_over = since
                    .zip(grace)
                    .is_some_and(|(since, grace)| entry.at_us + 1000 >= since + grace);
                let cut = open
                    .iter()
                    .filter(|(_, worker)| **worker == gone && !is_over);
                wrong.extend(cut.map(|(client, _)| {
                    format!("worker {gone} went away under the open connection of {client}")
                }));
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

    fn found(events: Vec<Event>) -> usize {
        let opening = [Event::Prepared(0, promise()), Event::Starting(7, 0)];
        let entries = told(opening.into_iter().chain(events));
        check(&entries, &Facts::of(&entries)).len()
    }

    #[test]
    fn work_that_is_stopped_under_a_client_is_found() {
        let stopped = Event::Ended(0, 7, How::Stopped);
        assert_eq!(found(vec![stopped.clone(), Event::Left(0)]), 0);
        assert_eq!(found(vec![Event::Left(0), stopped.clone()]), 0);
        assert_eq!(found(vec![stopped]), 1);
    }

    #[test]
    fn a_connection_that_is_cut_before_the_grace_is_over_is_found() {
        let (opened, gone) = (Event::Opened(0, 7), Event::Gone(7));
        let pause = |ms| (0..ms).map(|_| Event::Live(9));
        let cut_after = |ms| {
            let events = [opened.clone(), Event::Draining(0)].into_iter();
            events.chain(pause(ms)).chain([gone.clone()]).collect()
        };
        assert_eq!(
            found(vec![opened.clone(), Event::Closed(0), gone.clone()]),
            0
        );
        assert_eq!(found(vec![opened.clone(), gone.clone()]), 1);
        assert_eq!(found(cut_after(10)), 1);
        assert_eq!(found(cut_after(20)), 0);
    }
}
