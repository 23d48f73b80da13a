//! A session's events reach the guests in order, opened first and closed last, in at most one batch at a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::event::{Event, Item, Said, Sid, What, WorkerId};
use crate::trace::Entry;

#[derive(Default)]
struct Life {
    /// What the client said and no guest began with, in order.
    waiting: Vec<Said>,
    /// Whether a guest began with its opening, and with its end.
    is_open: bool,
    is_closed: bool,
}

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let mut lives: BTreeMap<Sid, Life> = BTreeMap::new();
    let mut batches: BTreeMap<WorkerId, BTreeSet<Sid>> = BTreeMap::new();
    let mut wrong = Vec::new();
    // Of what each session's guest died last.
    let mut culprits: BTreeMap<Sid, What> = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::Said(session, said) => {
                let life = lives.entry(*session).or_default();
                life.waiting.push(*said);
            }
            Event::Given(worker, items) => {
                let sessions: BTreeSet<Sid> = items.iter().map(|item| item.session).collect();
                for session in &sessions {
                    if batches.values().any(|batch| batch.contains(session)) {
                        wrong.push(format!("session {session} is in two batches"));
                    }
                }
                batches.insert(*worker, sessions);
                wrong.extend(torn(items));
            }
            Event::Returned(worker) | Event::Died(worker, None) => {
                batches.remove(worker);
            }
            Event::Died(worker, Some((session, what))) => {
                batches.remove(worker);
                culprits.insert(*session, *what);
            }
            Event::Spared(session) => {
                // As if nobody had begun with it: it comes before everything that waits.
                if let Some(What::Message(said)) = culprits.get(session) {
                    lives.entry(*session).or_default().waiting.insert(0, *said);
                }
            }
            Event::Began(_, session, what) => {
                let life = lives.entry(*session).or_default();
                let complaint = life.begin(*what);
                wrong.extend(complaint.map(|it| format!("session {session}: {what:?} {it}")));
            }
            _ => {}
        }
    }
    wrong
}

impl Life {
    fn begin(&mut self, what: What) -> Option<&'static str> {
        let was_open = std::mem::replace(&mut self.is_open, true);
        if std::mem::replace(&mut self.is_closed, matches!(what, What::Closed(_))) {
            return Some("after its end");
        }
        match what {
            What::Opened if was_open => Some("twice, or after something else"),
            What::Message(said) => match self.waiting.iter().position(|other| *other == said) {
                // What was said before it and was not begun with is not begun with any more.
                Some(at) => {
                    self.waiting.drain(..=at);
                    None
                }
                None => Some("twice, out of order, or without having been said"),
            },
            _ => None,
        }
    }
}

/// The events of one session stand together.
fn torn(items: &[Item]) -> Option<String> {
    let mut seen = Vec::new();
    for item in items {
        match seen.last() {
            Some(last) if *last == item.session => {}
            _ if seen.contains(&item.session) => {
                return Some(format!("session {} stands twice in a batch", item.session));
            }
            _ => seen.push(item.session),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::check::told;
    use crate::hub::event::Redelivered;

    fn began(what: What) -> Event {
        Event::Began(0, 7, what)
    }

    fn item(session: Sid) -> Item {
        Item {
            session,
            what: What::Opened,
            redelivered: Redelivered::No,
        }
    }

    #[test]
    fn what_is_begun_out_of_order_is_found() {
        let said = [Event::Said(7, 1), Event::Said(7, 2)];
        let of = |order: &[What]| {
            let begun = order.iter().map(|what| began(*what));
            check(&told(said.clone().into_iter().chain(begun))).len()
        };
        let (one, two) = (What::Message(1), What::Message(2));
        assert_eq!(of(&[What::Opened, one, two, What::Closed(1000)]), 0);
        assert_eq!(of(&[What::Opened, two]), 0);
        assert_eq!(of(&[What::Opened, two, one]), 1);
        assert_eq!(of(&[What::Opened, one, one]), 1);
        assert_eq!(of(&[one, What::Opened]), 1);
        assert_eq!(of(&[What::Opened, What::Message(3)]), 1);
        assert_eq!(of(&[What::Opened, What::Closed(1000), one]), 1);
    }

    #[test]
    fn a_session_in_two_batches_is_found() {
        let (first, second) = (
            Event::Given(0, vec![item(7)]),
            Event::Given(1, vec![item(7)]),
        );
        let apart = [first.clone(), Event::Returned(0), second.clone()];
        assert!(check(&told(apart)).is_empty());
        let after_a_death = [first.clone(), Event::Died(0, None), second.clone()];
        assert!(check(&told(after_a_death)).is_empty());
        assert_eq!(check(&told([first, second])).len(), 1);
    }

    #[test]
    fn events_that_are_torn_apart_are_found() {
        let given =
            |sessions: &[Sid]| Event::Given(0, sessions.iter().map(|id| item(*id)).collect());
        assert!(check(&told([given(&[7, 7, 8])])).is_empty());
        assert_eq!(check(&told([given(&[7, 8, 7])])).len(), 1);
    }
}
