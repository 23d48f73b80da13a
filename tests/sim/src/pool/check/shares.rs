//! A worker has as many invocations at once, and in its life, as was promised; none begins after it failed, died, was
//! told of its end or is gone; and the build has no more at once than its workers take.

use std::collections::{BTreeMap, BTreeSet};

use rookery_pool::Notice;

use super::facts::Facts;
use crate::pool::event::{Build, Event, How, WorkerId};
use crate::trace::Entry;

#[derive(Default)]
struct Ledger {
    at_once: BTreeMap<WorkerId, usize>,
    served: BTreeMap<WorkerId, u64>,
    at_once_in: BTreeMap<Build, usize>,
    /// That must not have another one: why, and since when.
    over: BTreeMap<WorkerId, (&'static str, u64)>,
    started: BTreeSet<WorkerId>,
}

pub fn check(entries: &[Entry<Event>], facts: &Facts) -> Vec<String> {
    let (mut ledger, mut wrong) = (Ledger::default(), Vec::new());
    for entry in entries {
        let at_us = entry.at_us;
        match entry.event {
            Event::Started(worker) => {
                ledger.started.insert(worker);
            }
            Event::Died(worker) => {
                ledger.over.insert(worker, ("died", at_us));
            }
            Event::Gone(worker) => {
                ledger.over.insert(worker, ("was gone", at_us));
            }
            Event::Told(worker, Notice::Terminate) => {
                ledger.over.insert(worker, ("was told of its end", at_us));
            }
            Event::Began(client, worker) => {
                let complaints = ledger.begin(worker, at_us, facts);
                wrong.extend(complaints.map(|complaint| {
                    format!("worker {worker} began with client {client}, and {complaint}")
                }));
            }
            Event::Ended(_, worker, how) => ledger.end(worker, how, at_us, facts),
            _ => {}
        }
    }
    wrong
}

impl Ledger {
    fn begin(
        &mut self,
        worker: WorkerId,
        at_us: u64,
        facts: &Facts,
    ) -> impl Iterator<Item = String> + use<> {
        let mut complaints = Vec::new();
        let Some(promise) = facts.promise_of(worker) else {
            return vec!["nobody knows it".to_owned()].into_iter();
        };
        let at_once = self.at_once.entry(worker).or_default();
        *at_once += 1;
        if *at_once > promise.at_once {
            complaints.push(format!("had {at_once} at once"));
        }
        let served = self.served.entry(worker).or_default();
        *served += 1;
        if *served > promise.requests_max {
            complaints.push(format!("had {served} in its life"));
        }
        let in_build = self.at_once_in.entry(facts.build_of[&worker]).or_default();
        *in_build += 1;
        if *in_build > promise.workers_max * promise.at_once {
            complaints.push(format!("its build had {in_build} at once"));
        }
        if let Some((why, since)) = self.over.get(&worker) {
            // Of two that have a handle, one may begin in the moment in which the other ends the worker.
            if promise.at_once == 1 || at_us > *since {
                complaints.push(format!("it {why} before"));
            }
        }
        if !self.started.contains(&worker) {
            complaints.push("it had not started".to_owned());
        }
        complaints.into_iter()
    }

    fn end(&mut self, worker: WorkerId, how: How, at_us: u64, facts: &Facts) {
        if let Some(at_once) = self.at_once.get_mut(&worker) {
            *at_once = at_once.saturating_sub(1);
        }
        let build = facts.build_of.get(&worker);
        if let Some(in_build) = build.and_then(|build| self.at_once_in.get_mut(build)) {
            *in_build = in_build.saturating_sub(1);
        }
        let promise = facts.promise_of(worker);
        let is_whole = promise.is_some_and(|promise| promise.at_once == 1);
        match how {
            How::Fault => self.over.insert(worker, ("failed", at_us)),
            How::Spent => self.over.insert(worker, ("was spent", at_us)),
            How::Stopped if is_whole => self.over.insert(worker, ("was stopped", at_us)),
            How::Well | How::Stopped => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::check::{promise, told};

    fn found(events: &[Event]) -> usize {
        let opening = [
            Event::Prepared(0, promise()),
            Event::Starting(7, 0),
            Event::Started(7),
        ];
        let entries = told(opening.into_iter().chain(events.iter().cloned()));
        check(&entries, &Facts::of(&entries)).len()
    }

    #[test]
    fn two_at_once_and_three_in_all_are_as_promised() {
        let began = |client| Event::Began(client, 7);
        let ended = |client| Event::Ended(client, 7, How::Well);
        let fine = [began(0), began(1), ended(0), began(2), ended(2), ended(1)];
        assert_eq!(found(&fine), 0);
        assert_eq!(found(&[began(0), began(1), began(2)]), 1);
        assert_eq!(found(&[fine.to_vec(), vec![began(3)]].concat()), 1);
    }

    #[test]
    fn whoever_is_over_and_begins_is_found() {
        let ended = |how| Event::Ended(0, 7, how);
        for (over, expected) in [
            (vec![Event::Died(7)], 1),
            (vec![Event::Gone(7)], 1),
            (vec![Event::Told(7, Notice::Terminate)], 1),
            (vec![Event::Told(7, Notice::Idle)], 0),
            (vec![Event::Began(0, 7), ended(How::Fault)], 1),
            (vec![Event::Began(0, 7), ended(How::Spent)], 1),
            (vec![Event::Began(0, 7), ended(How::Stopped)], 0),
        ] {
            let events = [over, vec![Event::Began(1, 7)]].concat();
            assert_eq!(found(&events), expected, "{events:?}");
        }
        assert_eq!(found(&[Event::Began(0, 8)]), 1, "nobody knows it");
        assert_eq!(found(&[Event::Starting(8, 0), Event::Began(0, 8)]), 1);
    }
}
