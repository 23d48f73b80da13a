//! At the end of the day every worker is gone.

use std::collections::BTreeSet;

use crate::pool::event::Event;
use crate::trace::Entry;

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let mut there = BTreeSet::new();
    for entry in entries {
        match entry.event {
            Event::Starting(worker, _) => there.insert(worker),
            Event::NotStarted(worker) | Event::Gone(worker) => there.remove(&worker),
            _ => false,
        };
    }
    let stays = there
        .iter()
        .map(|worker| format!("worker {worker} never ended"));
    stays.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::check::told;

    #[test]
    fn who_stays_is_found() {
        let fine = [Event::Starting(0, 0), Event::Gone(0)];
        assert!(check(&told(fine)).is_empty());
        let wrong = [
            Event::Starting(0, 0),
            Event::Starting(1, 0),
            Event::NotStarted(0),
        ];
        assert_eq!(check(&told(wrong)), ["worker 1 never ended"]);
    }
}
