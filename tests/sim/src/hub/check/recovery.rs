//! What was missed is told whole, or as a gap; and a gap is said only where there is one: another stream, or more than is
//! kept.

use std::collections::BTreeMap;

use crate::hub::event::{Event, Place, Said, Topic};
use crate::hub::guest::KEPT;
use crate::trace::Entry;

/// The streams of the topic that keeps: what each offset is.
type Streams = BTreeMap<u64, BTreeMap<u64, Said>>;

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let mut streams = Streams::new();
    let mut last_seen: BTreeMap<u64, usize> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some((epoch, _)) = place_in(&entry.event) {
            last_seen.insert(epoch, at);
        }
    }
    let mut wrong = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        match &entry.event {
            Event::Published(publication) if publication.topic == Topic::Kept => {
                let (epoch, offset) = publication.place;
                let stream = streams.entry(epoch).or_default();
                stream.insert(offset, publication.said);
            }
            Event::Recovered(session, since, found) => {
                let lives_on = last_seen.get(&since.0).is_some_and(|last| *last > at);
                let complaint = match found {
                    Some((said, to)) => page(&streams, *since, said, *to),
                    None => gap(&streams, *since, lives_on),
                };
                wrong
                    .extend(complaint.map(|it| format!("session {session} since {since:?}: {it}")));
            }
            _ => {}
        }
    }
    wrong
}

/// A stream that is seen to be alive.
fn place_in(event: &Event) -> Option<Place> {
    match event {
        Event::Subscribed(_, Topic::Kept, place) => Some(*place),
        Event::Published(publication) if publication.topic == Topic::Kept => {
            Some(publication.place)
        }
        _ => None,
    }
}

fn page(streams: &Streams, since: Place, said: &[Said], to: Place) -> Option<String> {
    let none = BTreeMap::new();
    let stream = streams.get(&since.0).unwrap_or(&none);
    let newest = stream.keys().last().copied().unwrap_or_default();
    if to.0 != since.0 || to.1 != newest.max(since.1) {
        return Some(format!("it ends at {to:?}, and the newest is {newest}"));
    }
    let missed: Vec<Option<&Said>> = (since.1 + 1..=to.1)
        .map(|offset| stream.get(&offset))
        .collect();
    let told: Vec<Option<&Said>> = said.iter().map(Some).collect();
    (missed != told).then(|| format!("{missed:?} were missed, and {told:?} told"))
}

fn gap(streams: &Streams, since: Place, lives_on: bool) -> Option<String> {
    let newest = streams
        .get(&since.0)
        .and_then(|stream| stream.keys().last().copied());
    let newest = newest.unwrap_or_default();
    let is_kept = since.1 + u64::from(KEPT.messages) >= newest && since.1 <= newest;
    (lives_on && is_kept).then(|| format!("a gap, though all since then is kept up to {newest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::check::{published, told};

    /// A stream of three, and a fourth after the recovery.
    fn found(since: Place, found: Option<(&[Said], Place)>) -> usize {
        let publish = |said: Said| Event::Published(published(Topic::Kept, said, said.into()));
        let found = found.map(|(said, to)| (said.to_vec(), to));
        let events = [
            publish(1),
            publish(2),
            publish(3),
            Event::Recovered(7, since, found),
            publish(4),
        ];
        check(&told(events)).len()
    }

    #[test]
    fn a_part_as_if_it_were_whole_is_found() {
        assert_eq!(found((1, 1), Some((&[2, 3], (1, 3)))), 0);
        assert_eq!(found((1, 3), Some((&[], (1, 3)))), 0);
        for part in [&[3][..], &[2], &[2, 2, 3], &[3, 2], &[1, 2, 3]] {
            assert_eq!(found((1, 1), Some((part, (1, 3)))), 1, "{part:?}");
        }
        assert_eq!(found((1, 1), Some((&[2], (1, 2)))), 1, "it ends too early");
        assert_eq!(found((2, 1), Some((&[2, 3], (2, 3)))), 1, "another stream");
    }

    #[test]
    fn a_gap_where_there_is_none_is_found() {
        assert_eq!(found((1, 1), None), 1);
        assert_eq!(found((2, 1), None), 0, "another stream");
        assert_eq!(found((1, 9), None), 0, "it never came so far");
    }

    #[test]
    fn a_gap_behind_what_is_kept_is_none_of_ours() {
        let publish = |said: Said| Event::Published(published(Topic::Kept, said, said.into()));
        let many = (1..=30).map(publish);
        let asked = [Event::Recovered(7, (1, 9), None), publish(31)];
        assert!(check(&told(many.clone().chain(asked))).is_empty());
        let asked = [Event::Recovered(7, (1, 10), None), publish(31)];
        assert_eq!(check(&told(many.chain(asked))).len(), 1);
    }
}
