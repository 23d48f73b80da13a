//! Nobody hears anything of a write before it is durable, nor ever of one that is lost.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::event::{Event, Heard, Said, WriteId};
use crate::trace::Entry;

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let mut waits: BTreeMap<Said, Vec<WriteId>> = BTreeMap::new();
    let mut kept = BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in entries {
        let (session, heard): (_, Vec<Said>) = match &entry.event {
            Event::Published(publication) => {
                waits.insert(publication.said, publication.writes.clone());
                continue;
            }
            Event::Answered(said, writes) => {
                waits.insert(*said, writes.clone());
                continue;
            }
            Event::Kept(write) => {
                kept.insert(*write);
                continue;
            }
            Event::Heard(session, Heard::Message(said) | Heard::Answer(said)) => {
                (session, vec![*said])
            }
            Event::Heard(session, Heard::Page(_, said, _)) => (session, said.clone()),
            _ => continue,
        };
        for said in heard {
            let writes = waits.get(&said).into_iter().flatten();
            wrong.extend(writes.filter(|write| !kept.contains(write)).map(|write| {
                format!("session {session} heard {said} before write {write} was durable")
            }));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::check::{published, told};
    use crate::hub::event::{Publication, Topic};

    fn found(between: &[Event], heard: Heard) -> usize {
        let publication = Publication {
            writes: vec![3],
            ..published(Topic::Kept, 1, 1)
        };
        let said = [Event::Published(publication), Event::Answered(2, vec![3])];
        let events = said.into_iter().chain(between.iter().cloned());
        check(&told(events.chain([Event::Heard(7, heard)]))).len()
    }

    #[test]
    fn what_is_heard_too_early_is_found() {
        let ways = [
            Heard::Message(1),
            Heard::Answer(2),
            Heard::Page((1, 0), vec![1], (1, 1)),
        ];
        for heard in ways {
            assert_eq!(found(&[Event::Kept(3)], heard.clone()), 0);
            assert_eq!(found(&[], heard.clone()), 1);
            assert_eq!(found(&[Event::Lost(3)], heard.clone()), 1);
            assert_eq!(found(&[Event::Kept(4)], heard), 1);
        }
    }
}
