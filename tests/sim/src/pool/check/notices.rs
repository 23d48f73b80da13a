//! A worker hears that it is idle when it was, once until it has work again; and of its end when nobody has it.

use std::collections::BTreeMap;

use rookery_pool::Notice;

use super::facts::Facts;
use crate::pool::event::{Event, WorkerId};
use crate::trace::Entry;

#[derive(Default)]
struct Rest {
    since_us: u64,
    at_work: usize,
    told_idle: bool,
    told_end: bool,
}

pub fn check(entries: &[Entry<Event>], facts: &Facts) -> Vec<String> {
    let mut rests: BTreeMap<WorkerId, Rest> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in entries {
        match entry.event {
            Event::Started(worker) => {
                rests.entry(worker).or_default().since_us = entry.at_us;
            }
            Event::Began(_, worker) => {
                let rest = rests.entry(worker).or_default();
                rest.at_work += 1;
                rest.told_idle = false;
            }
            Event::Ended(_, worker, _) => {
                let rest = rests.entry(worker).or_default();
                rest.at_work = rest.at_work.saturating_sub(1);
                rest.since_us = entry.at_us;
            }
            Event::Told(worker, notice) => {
                let rest = rests.entry(worker).or_default();
                let idle_us = facts
                    .promise_of(worker)
                    .map(|promise| promise.idle_timeout_us);
                let complaint = match notice {
                    _ if rest.at_work > 0 => Some("at work"),
                    _ if rest.told_end => Some("told of its end already"),
                    Notice::Idle if rest.told_idle => Some("told already"),
                    Notice::Idle
                        if idle_us.is_some_and(|idle| entry.at_us < rest.since_us + idle) =>
                    {
                        Some("not idle for that long")
                    }
                    Notice::Idle | Notice::Terminate => None,
                };
                rest.told_idle |= notice == Notice::Idle;
                rest.told_end |= notice == Notice::Terminate;
                wrong.extend(complaint.map(|complaint| {
                    format!("worker {worker} was told {notice:?}, and was {complaint}")
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
    use crate::pool::event::How;

    const IDLE: Event = Event::Told(7, Notice::Idle);
    const END: Event = Event::Told(7, Notice::Terminate);
    const BEGAN: Event = Event::Began(0, 7);
    const ENDED: Event = Event::Ended(0, 7, How::Well);

    fn found(events: Vec<Event>) -> usize {
        let opening = [
            Event::Prepared(0, promise()),
            Event::Starting(7, 0),
            Event::Started(7),
        ];
        let entries = told(opening.into_iter().chain(events));
        check(&entries, &Facts::of(&entries)).len()
    }

    #[test]
    fn a_worker_hears_once_after_five_milliseconds_and_again_after_work() {
        let rest = vec![Event::Live(9); 5];
        let fine = [
            rest.clone(),
            vec![IDLE, BEGAN, ENDED],
            rest.clone(),
            vec![IDLE, END],
        ];
        assert_eq!(found(fine.concat()), 0);
        assert_eq!(found(vec![IDLE]), 1, "too early");
        assert_eq!(found([rest.clone(), vec![IDLE, IDLE]].concat()), 1);
        assert_eq!(found([vec![BEGAN], rest.clone(), vec![IDLE]].concat()), 1);
        assert_eq!(found(vec![BEGAN, END]), 1);
        assert_eq!(found([vec![END], rest, vec![IDLE]].concat()), 1);
    }
}
