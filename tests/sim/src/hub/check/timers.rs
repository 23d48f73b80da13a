//! A timer runs out once and not early, for a session that is still there; and it does run out.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::event::{Event, Said, Sid, What};
use crate::trace::Entry;

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let mut due: BTreeMap<Said, (Sid, u64)> = BTreeMap::new();
    let (mut excused, mut alive) = (BTreeSet::new(), BTreeSet::new());
    let mut wrong = Vec::new();
    for entry in entries {
        match &entry.event {
            Event::Connected(_, session, _) => {
                alive.insert(*session);
            }
            Event::TimerSet(session, said, at_us) => {
                due.insert(*said, (*session, *at_us));
            }
            Event::Began(_, session, What::Timer(said)) => match due.remove(said) {
                Some((_, at_us)) if entry.at_us < at_us => {
                    wrong.push(format!(
                        "timer {said} of session {session} ran out too early"
                    ));
                }
                Some((owner, _)) if owner == *session => {}
                _ => wrong.push(format!(
                    "timer {said} of session {session} ran out twice, or for another"
                )),
            },
            Event::Gone(session, _) | Event::Dismissed(session, _) => {
                excused.insert(*session);
            }
            Event::Died(_, Some((session, _))) => {
                excused.insert(*session);
            }
            Event::Died(_, None) | Event::Lost(_) => excused.extend(&alive),
            Event::Quiet => {
                let late = due.iter().filter(|(_, (session, at_us))| {
                    !excused.contains(session) && *at_us < entry.at_us
                });
                wrong.extend(late.map(|(said, _)| format!("timer {said} never ran out")));
            }
            _ => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::check::told;

    /// Due at the third millisecond; the first event after it happens at the second.
    fn found(events: &[Event]) -> usize {
        let set = Event::TimerSet(7, 1, 3_000);
        check(&told([set].into_iter().chain(events.iter().cloned()))).len()
    }

    #[test]
    fn a_timer_that_is_early_or_late_or_comes_twice_is_found() {
        let out = Event::Began(0, 7, What::Timer(1));
        let pause = Event::Moved(9);
        assert_eq!(found(&[pause.clone(), out.clone()]), 0);
        assert_eq!(found(std::slice::from_ref(&out)), 1, "early");
        assert_eq!(
            found(&[pause.clone(), out.clone(), out.clone()]),
            1,
            "twice"
        );
        let another = Event::Began(0, 8, What::Timer(1));
        assert_eq!(found(&[pause.clone(), another]), 1);
        assert_eq!(
            found(&[pause.clone(), pause.clone(), Event::Quiet]),
            1,
            "never"
        );
        assert_eq!(found(&[pause, Event::Gone(7, 1006), Event::Quiet]), 0);
    }
}
