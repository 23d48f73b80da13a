//! Every close has a code of the table or the app's own, and a cause that goes with it.

use std::collections::{BTreeMap, BTreeSet};

use rookery_hub::close::TABLE;

use crate::hub::event::{Event, Pace, Sid};
use crate::trace::Entry;

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let (mut failed, mut dismissed) = (BTreeSet::new(), BTreeMap::new());
    let (mut paces, mut suspects) = (BTreeMap::new(), BTreeSet::<Sid>::new());
    let (mut ended, mut lost, mut wrong) = (BTreeSet::new(), 0, Vec::new());
    let mut batches: BTreeMap<u32, Sid> = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::Connected(_, session, pace) => {
                paces.insert(*session, *pace);
            }
            Event::Given(worker, items) => {
                batches.extend(items.first().map(|first| (*worker, first.session)));
            }
            Event::Died(_, Some((session, _))) => {
                failed.insert(*session);
            }
            Event::Spared(session) => {
                failed.remove(session);
            }
            Event::Died(worker, None) => {
                suspects.extend(batches.get(worker));
            }
            Event::Dismissed(session, code) => {
                dismissed.insert(*session, *code);
            }
            Event::Lost(_) => lost += 1,
            Event::Closed(session, code) => {
                let is_fit = match code {
                    1011 => failed.contains(session) || suspects.contains(session),
                    3001 => paces.get(session) == Some(&Pace::Slow),
                    3003 => lost > 0,
                    4000.. => dismissed.get(session) == Some(code),
                    _ => false,
                };
                let is_known = *code >= 4000 || TABLE.iter().any(|row| row.code == *code);
                if !is_fit || !is_known {
                    wrong.push(format!(
                        "session {session} was closed with {code}, for nothing"
                    ));
                }
            }
            Event::Gone(session, _) => {
                ended.insert(*session);
            }
            Event::Quiet => {
                let stays = failed.iter().filter(|session| !ended.contains(session));
                wrong.extend(stays.map(|session| {
                    format!("a guest died of session {session}, and it was not closed")
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
    use crate::hub::check::told;
    use crate::hub::event::What;

    fn found(pace: Pace, events: &[Event]) -> usize {
        let opening = [Event::Connected(0, 7, pace)];
        check(&told(opening.into_iter().chain(events.iter().cloned()))).len()
    }

    #[test]
    fn a_code_without_its_cause_is_found() {
        let closed = |code| Event::Closed(7, code);
        let died = Event::Died(0, Some((7, What::Opened)));
        let causes = [
            (1011, Some(died)),
            (3003, Some(Event::Lost(0))),
            (4000, Some(Event::Dismissed(7, 4000))),
        ];
        for (code, cause) in causes {
            let cause: Vec<Event> = cause.into_iter().collect();
            assert_eq!(found(Pace::Quick, &[closed(code)]), 1, "{code}");
            assert_eq!(
                found(Pace::Quick, &[&cause[..], &[closed(code)]].concat()),
                0
            );
        }
        assert_eq!(found(Pace::Quick, &[closed(3001)]), 1);
        assert_eq!(found(Pace::Slow, &[closed(3001)]), 0);
        for code in [1000, 1012, 1999, 3050, 4001] {
            assert_eq!(found(Pace::Slow, &[closed(code)]), 1, "{code}");
        }
    }

    #[test]
    fn a_session_that_outlives_its_fault_is_found() {
        let died = Event::Died(0, Some((7, What::Opened)));
        let gone = Event::Gone(7, 1011);
        assert_eq!(found(Pace::Quick, &[died.clone(), gone, Event::Quiet]), 0);
        assert_eq!(found(Pace::Quick, &[died, Event::Quiet]), 1);
    }
}
