//! Every message that was dropped for a session was counted, and nothing else was.

use super::streams::{Streams, Whole};
use crate::hub::event::{Event, Topic};
use crate::trace::Entry;

pub fn check(entries: &[Entry<Event>], streams: &Streams) -> Vec<String> {
    let counted = entries.iter().find_map(|entry| match entry.event {
        Event::Counted(dropped, conflated) => Some((dropped, conflated)),
        _ => None,
    });
    let Some((dropped, conflated)) = counted else {
        return Vec::new();
    };
    // Of a session that ended it is not known what was dropped behind the last that it heard.
    let all_stayed = streams.all().all(|(.., whole)| whole == Whole::All);
    let pairs = [
        (Topic::Cursor, dropped, "dropped"),
        (Topic::Price, conflated, "conflated"),
    ];
    let mut wrong = Vec::new();
    for (topic, counted, what) in pairs {
        let missing = streams.missing(topic) as u64;
        if missing > counted || (all_stayed && missing < counted) {
            wrong.push(format!(
                "{counted} were counted as {what}, and {missing} are missing"
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::check::{published, told};
    use crate::hub::event::{Heard, Pace, Said};

    /// Of two messages these were heard, and so many were counted as dropped.
    fn found(heard: &[Said], counted: (u64, u64), ends: &[Event]) -> usize {
        let mut events = vec![
            Event::Connected(0, 7, Pace::Slow),
            Event::Subscribed(7, Topic::Cursor, (1, 0)),
            Event::Published(published(Topic::Cursor, 1, 1)),
            Event::Published(published(Topic::Cursor, 2, 2)),
        ];
        events.extend(
            heard
                .iter()
                .map(|said| Event::Heard(7, Heard::Message(*said))),
        );
        events.extend(ends.iter().cloned());
        events.extend([Event::Quiet, Event::Counted(counted.0, counted.1)]);
        let entries = told(events);
        check(&entries, &Streams::of(&entries)).len()
    }

    #[test]
    fn a_count_that_is_too_low_or_too_high_is_found() {
        assert_eq!(found(&[1, 2], (0, 0), &[]), 0);
        assert_eq!(found(&[2], (1, 0), &[]), 0);
        assert_eq!(found(&[2], (0, 0), &[]), 1);
        assert_eq!(found(&[1, 2], (1, 0), &[]), 1);
        assert_eq!(found(&[1, 2], (0, 1), &[]), 1);
        let gone = [Event::Gone(7, 1006)];
        assert_eq!(found(&[], (2, 0), &gone), 0, "who knows");
        assert_eq!(found(&[2], (0, 0), &gone), 1);
    }
}
