//! What a client said is given to a guest, once; again only if a worker died that had not begun with it, or of it before
//! anything came of it, and then it says so. Every end is told. A guest that dies of an event ends its session, unless the
//! event is spared, which it is once at most.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::event::{Event, Item, Redelivered, Said, Sid, What, WorkerId};
use crate::trace::Entry;

#[derive(Default)]
struct Ledger {
    /// Whether it may be given, and must then be marked.
    standing: BTreeMap<Said, Standing>,
    begun: BTreeSet<Said>,
    out: BTreeMap<WorkerId, Vec<Item>>,
    /// Whose messages may have been dropped: the guest closed it, or what it was to hear was lost.
    deaf: BTreeSet<Sid>,
    /// As well: the guest failed on it.
    blamed: BTreeSet<Sid>,
    /// Who was there when a worker died before it began. In front when that happens again, one is taken for the culprit.
    suspects: BTreeSet<Sid>,
    alive: BTreeSet<Sid>,
    told_of_end: BTreeSet<Sid>,
    /// Who is about to die without having left anything.
    traceless: BTreeSet<WorkerId>,
    /// What guests died of without having left anything, by session, until it is known what becomes of it.
    fallen: BTreeMap<Sid, Said>,
    /// What was spared, ever; and of it, what nobody was given again yet.
    spared: BTreeSet<Said>,
    owed: BTreeMap<Said, Sid>,
    wrong: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Out,
    ToComeAgain,
    Over,
}

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let mut ledger = Ledger::default();
    let (mut said, mut gone) = (Vec::new(), Vec::new());
    for entry in entries {
        match &entry.event {
            Event::Connected(_, session, _) => {
                ledger.alive.insert(*session);
            }
            Event::Said(session, what) => said.push((*session, *what)),
            Event::Given(worker, items) => ledger.give(*worker, items),
            Event::Began(_, _, What::Message(what)) => {
                ledger.begun.insert(*what);
            }
            Event::Traceless(worker) => {
                ledger.traceless.insert(*worker);
            }
            Event::Spared(session) => ledger.spare(*session),
            Event::Returned(worker) => ledger.end(*worker, None),
            Event::Died(worker, culprit) => ledger.die(*worker, *culprit),
            Event::Dismissed(session, _) => {
                ledger.deaf.insert(*session);
            }
            // Whoever it concerned hears nothing more; who that is only shows at the clients that stayed.
            Event::Lost(_) => ledger.deaf.extend(&ledger.alive),
            // And one that came to a topic after that is told when the topic begins anew.
            Event::Closed(session, 3003) => {
                ledger.deaf.insert(*session);
            }
            Event::Gone(session, _) => {
                ledger.alive.remove(session);
                gone.push(*session);
            }
            Event::Evening => ledger.settle(&said, &gone),
            _ => {}
        }
    }
    ledger.wrong
}

impl Ledger {
    fn give(&mut self, worker: WorkerId, items: &[Item]) {
        self.out.insert(worker, items.to_vec());
        for item in items {
            let said = match item.what {
                What::Message(said) => said,
                What::Closed(_) => {
                    self.told_of_end.insert(item.session);
                    continue;
                }
                _ => continue,
            };
            self.owed.remove(&said);
            let before = self.standing.insert(said, Standing::Out);
            let expected = match before {
                None => Redelivered::No,
                Some(Standing::ToComeAgain) => Redelivered::Yes,
                Some(Standing::Out | Standing::Over) => {
                    self.wrong.push(format!("{said} was given twice"));
                    continue;
                }
            };
            if item.redelivered != expected {
                self.wrong
                    .push(format!("{said} was marked {:?}", item.redelivered));
            }
        }
    }

    /// The events before this one stand, and what came after it comes again.
    fn end(&mut self, worker: WorkerId, culprit: Option<(Sid, What)>) {
        let items = self.out.remove(&worker).unwrap_or_default();
        let mut standing = Standing::Over;
        for item in items {
            if let What::Message(said) = item.what {
                self.standing.insert(said, standing);
            }
            if culprit == Some((item.session, item.what)) {
                standing = Standing::ToComeAgain;
            }
        }
    }

    fn die(&mut self, worker: WorkerId, culprit: Option<(Sid, What)>) {
        let is_traceless = self.traceless.remove(&worker);
        if let Some((session, what)) = culprit {
            self.blamed.insert(session);
            self.fallen.remove(&session);
            if let (What::Message(said), true) = (what, is_traceless) {
                self.fallen.insert(session, said);
            }
            return self.end(worker, culprit);
        }
        let items = self.out.remove(&worker).unwrap_or_default();
        let first = items.first().map(|first| first.session);
        let known = first.filter(|first| self.suspects.contains(first));
        self.deaf.extend(known);
        self.suspects.extend(items.iter().map(|item| item.session));
        for item in items {
            if let What::Message(said) = item.what {
                self.standing.insert(said, Standing::ToComeAgain);
            }
        }
    }

    /// Whoever has the session now is to be given what its guest died of.
    fn spare(&mut self, session: Sid) {
        let Some(said) = self.fallen.remove(&session) else {
            let complaint = format!("an event of session {session} was spared that left something");
            return self.wrong.push(complaint);
        };
        if !self.spared.insert(said) {
            self.wrong.push(format!("{said} was spared twice"));
        }
        self.standing.insert(said, Standing::ToComeAgain);
        self.owed.insert(said, session);
        self.blamed.remove(&session);
    }

    fn is_deaf(&self, session: Sid) -> bool {
        self.deaf.contains(&session) || self.blamed.contains(&session)
    }

    fn settle(&mut self, said: &[(Sid, Said)], gone: &[Sid]) {
        let missing = said
            .iter()
            .filter(|(session, said)| !self.begun.contains(said) && !self.is_deaf(*session));
        let mut wrong: Vec<_> = missing
            .map(|(session, said)| format!("{said} of session {session} was lost"))
            .collect();
        let owed = self.owed.iter();
        let owed = owed.filter(|(_, session)| !self.is_deaf(**session));
        wrong
            .extend(owed.map(|(said, session)| format!("{said} of {session} was spared and lost")));
        self.wrong.append(&mut wrong);
        let untold = gone
            .iter()
            .filter(|session| !self.told_of_end.contains(session));
        self.wrong
            .extend(untold.map(|session| format!("no guest heard of the end of {session}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::check::told;
    use crate::hub::event::Pace;

    fn given(worker: WorkerId, items: &[(Sid, What, Redelivered)]) -> Event {
        let item = |&(session, what, redelivered): &(Sid, What, Redelivered)| Item {
            session,
            what,
            redelivered,
        };
        Event::Given(worker, items.iter().map(item).collect())
    }

    fn found(events: Vec<Event>) -> Vec<String> {
        let opening = [
            Event::Connected(0, 7, Pace::Quick),
            Event::Said(7, 1),
            Event::Said(7, 2),
        ];
        check(&told(opening.into_iter().chain(events)))
    }

    const ONE: What = What::Message(1);
    const TWO: What = What::Message(2);
    use Redelivered::{No, Yes};

    #[test]
    fn what_is_given_again_without_a_death_is_found() {
        let first = given(0, &[(7, ONE, No), (7, TWO, No)]);
        let died = |culprit| Event::Died(0, culprit);
        let again = |what, mark| given(1, &[(7, what, mark)]);
        let of = |events: &[Event]| found(events.to_vec()).len();
        assert_eq!(
            of(&[first.clone(), died(Some((7, ONE))), again(TWO, Yes)]),
            0
        );
        assert_eq!(
            of(&[first.clone(), died(Some((7, ONE))), again(ONE, Yes)]),
            1
        );
        assert_eq!(
            of(&[first.clone(), died(Some((7, TWO))), again(ONE, Yes)]),
            1
        );
        assert_eq!(of(&[first.clone(), died(None), again(ONE, Yes)]), 0);
        assert_eq!(
            of(&[first.clone(), died(None), again(ONE, No)]),
            1,
            "unmarked"
        );
        assert_eq!(of(&[first.clone(), Event::Returned(0), again(ONE, Yes)]), 1);
        assert_eq!(of(&[given(0, &[(7, ONE, Yes)])]), 1, "marked for nothing");
    }

    #[test]
    fn what_is_spared_wrongly_or_for_nothing_is_found() {
        let first = given(0, &[(7, ONE, No), (7, TWO, No)]);
        let died = |worker| Event::Died(worker, Some((7, ONE)));
        let (left_nothing, spared) = (|worker| Event::Traceless(worker), Event::Spared(7));
        let again = |worker| given(worker, &[(7, ONE, Yes), (7, TWO, Yes)]);
        let of = |events: &[Event]| found([std::slice::from_ref(&first), events].concat());
        let began = [Event::Began(1, 7, ONE), Event::Began(1, 7, TWO)];
        let once = [left_nothing(0), died(0), spared.clone(), again(1)];
        let good = [&once[..], &began, &[Event::Returned(1), Event::Evening]].concat();
        assert!(of(&good).is_empty(), "{:?}", of(&good));
        assert_eq!(
            of(&[died(0), spared.clone(), again(1)]).len(),
            2,
            "it left something"
        );
        let unmarked = given(1, &[(7, ONE, No)]);
        let unmarked = [&once[..3], &[unmarked]].concat();
        assert_eq!(of(&unmarked).len(), 1);
        let twice = [&once[..], &[left_nothing(1), died(1), spared.clone()]].concat();
        assert_eq!(of(&twice), ["1 was spared twice"]);
        let to_nobody = [
            &once[..3],
            &[Event::Began(0, 7, TWO), Event::Began(0, 7, ONE)],
        ]
        .concat();
        let lost = of(&[&to_nobody[..], &[Event::Evening]].concat());
        assert_eq!(lost, ["1 of 7 was spared and lost"]);
        let not_spared = [left_nothing(0), died(0), again(1)];
        assert_eq!(of(&not_spared).len(), 1, "given all the same");
    }

    #[test]
    fn what_no_guest_ever_began_with_is_found() {
        let began = |what| Event::Began(0, 7, what);
        let evening = |mut events: Vec<Event>| {
            events.push(Event::Evening);
            found(events)
        };
        assert!(evening(vec![began(ONE), began(TWO)]).is_empty());
        assert_eq!(evening(vec![began(ONE)]), ["2 of session 7 was lost"]);
        let excuses = [
            Event::Dismissed(7, 4000),
            Event::Died(0, Some((7, ONE))),
            Event::Lost(0),
        ];
        for excuse in excuses {
            assert!(evening(vec![began(ONE), excuse]).is_empty());
        }
        let other = Event::Died(0, Some((8, ONE)));
        assert_eq!(evening(vec![began(ONE), other]).len(), 1);
        let unbegun = |mark| {
            [
                given(0, &[(7, ONE, mark), (7, TWO, mark)]),
                Event::Died(0, None),
            ]
        };
        assert_eq!(evening(unbegun(No).to_vec()).len(), 2, "once is not enough");
        assert!(evening([unbegun(No), unbegun(Yes)].concat()).is_empty());
    }

    #[test]
    fn an_end_that_is_not_told_is_found() {
        let all = [
            Event::Began(0, 7, ONE),
            Event::Began(0, 7, TWO),
            Event::Gone(7, 1006),
        ];
        let told = given(0, &[(7, What::Closed(1006), No)]);
        let of = |more: &[Event]| found([&all[..], more, &[Event::Evening]].concat());
        assert!(of(&[told]).is_empty());
        assert_eq!(of(&[]), ["no guest heard of the end of 7"]);
    }
}
