//! A session hears each topic's messages in publish order, none twice, none that was not for it; of those in between only
//! such are missing that may be dropped for one that does not keep up. Who is there when it is quiet has heard all.

use super::streams::{Stream, Streams};
use crate::hub::event::{Pace, Sid, Topic};

pub fn check(streams: &Streams) -> Vec<String> {
    let mut wrong: Vec<String> = streams
        .invented
        .iter()
        .map(|(session, said)| format!("session {session} heard {said}, which nobody published"))
        .collect();
    for (session, topic, stream, whole) in streams.all() {
        wrong.extend(order(session, topic, stream));
        let pace = streams.paces.get(&session).copied();
        for (hole, later) in stream.holes(whole) {
            let excuse = match (topic, pace) {
                (Topic::Cursor, Some(Pace::Slow)) => true,
                (Topic::Price, Some(Pace::Slow)) => later.iter().any(|one| one.key == hole.key),
                _ => false,
            };
            if !excuse {
                let said = hole.said;
                wrong.push(format!(
                    "session {session} missed {said} of {topic:?} ({whole:?})"
                ));
            }
        }
    }
    wrong
}

fn order(session: Sid, topic: Topic, stream: &Stream) -> Option<String> {
    let mut expected = stream.expected.iter();
    let stray = stream
        .heard
        .iter()
        .find(|said| !expected.any(|one| one.said == **said))?;
    Some(format!(
        "session {session} heard {stray} of {topic:?} twice, out of order, or without having been a member"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::check::streams::Whole;
    use crate::hub::check::{published, told};
    use crate::hub::event::{Event, Heard, Publication, Said};

    /// A member hears these of a stream of three, and is there when it is quiet, or not.
    fn found(topic: Topic, pace: Pace, heard: &[Said], whole: Whole) -> usize {
        let key = |said| (topic == Topic::Price).then_some(if said == 2 { 1 } else { 0 });
        let publish = |said: Said| {
            Event::Published(Publication {
                key: key(said),
                ..published(topic, said, said.into())
            })
        };
        let mut events = vec![
            Event::Connected(0, 7, pace),
            publish(9),
            Event::Subscribed(7, topic, (1, 9)),
            publish(1),
            publish(2),
            publish(3),
        ];
        events.extend(
            heard
                .iter()
                .map(|said| Event::Heard(7, Heard::Message(*said))),
        );
        if whole == Whole::AsHeard {
            events.push(Event::Gone(7, 1006));
        }
        events.push(Event::Quiet);
        check(&Streams::of(&told(events))).len()
    }

    #[test]
    fn a_hole_is_found_unless_it_may_be() {
        use Topic::{Cursor, Kept, Price, Talk};
        let slow = |topic, heard: &[Said]| found(topic, Pace::Slow, heard, Whole::All);
        for topic in [Talk, Kept, Cursor, Price] {
            assert_eq!(slow(topic, &[1, 2, 3]), 0);
            assert_eq!(found(topic, Pace::Quick, &[1, 3], Whole::All), 1);
        }
        for topic in [Talk, Kept] {
            assert_eq!(slow(topic, &[1, 3]), 1);
            assert_eq!(slow(topic, &[1, 2]), 1, "it is quiet");
            assert_eq!(found(topic, Pace::Slow, &[1, 2], Whole::AsHeard), 0);
            assert_eq!(found(topic, Pace::Slow, &[2], Whole::AsHeard), 1);
        }
        assert_eq!(slow(Cursor, &[3]), 0);
        assert_eq!(slow(Price, &[2, 3]), 0, "3 has the key of 1");
        assert_eq!(slow(Price, &[1, 3]), 1, "nothing has the key of 2");
        assert_eq!(slow(Price, &[1, 2]), 1, "the last of a key");
    }

    #[test]
    fn what_is_doubled_reordered_or_anothers_is_found() {
        let of = |heard: &[Said]| found(Topic::Cursor, Pace::Slow, heard, Whole::All);
        assert_eq!(of(&[1, 1, 2, 3]), 1);
        assert_eq!(of(&[2, 1, 3]), 1);
        assert_eq!(of(&[9, 1, 2, 3]), 1, "from before it came");
        assert_eq!(of(&[8, 1, 2, 3]), 1, "nobody said that");
    }
}
