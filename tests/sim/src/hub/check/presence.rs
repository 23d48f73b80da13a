//! Who was given a list and applied the news knows, when it is quiet, exactly who is there and how many.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::event::{Event, Heard, Roster, Sid, Topic, WriteId};
use crate::trace::Entry;

/// Who is there, what is said about him, and which writes that waits for.
type Truth = BTreeMap<Sid, (String, Vec<WriteId>)>;

/// What a subscriber believes.
#[derive(Default)]
struct Belief {
    /// All news, since those that are newer than a list are applied to it.
    news: Vec<(Roster, Vec<Sid>)>,
    here: Option<BTreeMap<Sid, String>>,
    count: u64,
    /// Lists on their way that were asked for before the subscription: news may have come between the two.
    stale: usize,
}

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let (mut truth, mut kept) = (Truth::new(), BTreeSet::new());
    let mut beliefs: BTreeMap<Sid, Belief> = BTreeMap::new();
    let mut on_their_way: BTreeMap<Sid, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in entries {
        match &entry.event {
            Event::Tracked(session, about, writes) => {
                let before = truth.get(session);
                let is_known = before.is_some_and(|(said, writes)| {
                    said == about && writes.iter().all(|write| kept.contains(write))
                });
                if !is_known {
                    truth.insert(*session, (about.clone(), writes.clone()));
                }
            }
            Event::Untracked(session) => {
                truth.remove(session);
            }
            Event::Gone(session, _) => {
                truth.remove(session);
                beliefs.remove(session);
            }
            Event::Kept(write) => {
                kept.insert(*write);
            }
            Event::Lost(write) => truth.retain(|_, (_, writes)| !writes.contains(write)),
            Event::Subscribed(session, Topic::Talk, _) => {
                beliefs.entry(*session).or_insert_with(|| Belief {
                    stale: on_their_way.get(session).copied().unwrap_or_default(),
                    ..Belief::default()
                });
            }
            Event::Listed(session) => *on_their_way.entry(*session).or_default() += 1,
            Event::Unsubscribed(session, Topic::Talk) => {
                beliefs.remove(session);
            }
            Event::Heard(session, heard) => {
                if let Heard::List(_) = heard
                    && let Some(lists) = on_their_way.get_mut(session)
                {
                    *lists = lists.saturating_sub(1);
                }
                if let Some(belief) = beliefs.get_mut(session) {
                    belief.hear(heard);
                }
            }
            Event::Quiet => {
                let complaints = beliefs.iter().filter_map(|(session, belief)| {
                    let complaint = belief.judge(&truth)?;
                    Some(format!("session {session} believes {complaint}"))
                });
                wrong.extend(complaints);
            }
            _ => {}
        }
    }
    wrong
}

impl Belief {
    fn hear(&mut self, heard: &Heard) {
        match heard {
            Heard::List(_) if self.stale > 0 => self.stale -= 1,
            Heard::List(list) => {
                let here = list.here.iter().cloned().collect();
                let newer = self
                    .news
                    .iter()
                    .filter(|(news, _)| news.version > list.version);
                let newer: Vec<_> = newer.cloned().collect();
                self.here = Some(here);
                self.count = list.count;
                for (news, left) in newer {
                    self.apply(&news, &left);
                }
            }
            Heard::News(news, left) => {
                self.news.push((news.clone(), left.clone()));
                self.apply(news, left);
            }
            _ => {}
        }
    }

    fn apply(&mut self, news: &Roster, left: &[Sid]) {
        self.count = news.count;
        if let Some(here) = &mut self.here {
            here.extend(news.here.iter().cloned());
            here.retain(|session, _| !left.contains(session));
        }
    }

    fn judge(&self, truth: &Truth) -> Option<String> {
        let here = self.here.as_ref()?;
        let is_right = self.count == truth.len() as u64
            && here.len() == truth.len()
            && here
                .iter()
                .all(|(session, about)| truth.get(session).is_some_and(|(said, _)| said == about));
        (!is_right).then(|| format!("{here:?} and {}, and it is {truth:?}", self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::check::told;

    fn roster(version: u64, count: u64, here: &[Sid]) -> Roster {
        Roster {
            version,
            count,
            here: here
                .iter()
                .map(|session| (*session, "here".into()))
                .collect(),
        }
    }

    fn list(version: u64, here: &[Sid]) -> Event {
        Event::Heard(7, Heard::List(roster(version, here.len() as u64, here)))
    }

    fn news(version: u64, count: u64, joined: &[Sid], left: &[Sid]) -> Event {
        let roster = roster(version, count, joined);
        Event::Heard(7, Heard::News(roster, left.to_vec()))
    }

    /// 1 and 2 are there, and 2 left again.
    fn found(heard: &[Event]) -> usize {
        let tracked = |session| Event::Tracked(session, "here".into(), Vec::new());
        let events = [
            Event::Subscribed(7, Topic::Talk, (1, 0)),
            tracked(1),
            tracked(2),
            Event::Gone(2, 1006),
        ];
        let all = events.into_iter().chain(heard.iter().cloned());
        check(&told(all.chain([Event::Quiet]))).len()
    }

    #[test]
    fn a_belief_that_is_wrong_after_quiet_is_found() {
        assert_eq!(found(&[list(3, &[1])]), 0);
        assert_eq!(found(&[list(2, &[1, 2])]), 1);
        assert_eq!(found(&[list(2, &[1, 2]), news(3, 1, &[], &[2])]), 0);
        assert_eq!(found(&[list(0, &[]), news(3, 1, &[1], &[])]), 0);
        assert_eq!(
            found(&[list(0, &[]), news(3, 2, &[1], &[])]),
            1,
            "the count"
        );
        assert_eq!(found(&[list(3, &[])]), 1);
        assert_eq!(
            found(&[news(3, 2, &[], &[])]),
            0,
            "without a list nothing is known"
        );
    }

    #[test]
    fn news_that_overtook_a_list_are_applied_to_it() {
        assert_eq!(found(&[news(3, 1, &[], &[2]), list(2, &[1, 2])]), 0);
        assert_eq!(found(&[news(1, 1, &[], &[1]), list(3, &[1])]), 0);
    }

    #[test]
    fn who_is_there_by_a_write_that_was_lost_is_not() {
        let tracked = Event::Tracked(1, "here".into(), vec![5]);
        let subscribed = Event::Subscribed(7, Topic::Talk, (1, 0));
        let of = |settled, list: Event| {
            check(&told([
                subscribed.clone(),
                tracked.clone(),
                settled,
                list,
                Event::Quiet,
            ]))
            .len()
        };
        assert_eq!(of(Event::Lost(5), list(1, &[])), 0);
        assert_eq!(of(Event::Lost(5), list(1, &[1])), 1);
        assert_eq!(of(Event::Kept(5), list(1, &[1])), 0);
    }
}
