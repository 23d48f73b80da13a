//! What each session should have heard of each topic, and what it did hear, for those checkers that need it.
//!
//! Publications stand in the trace in the order of their streams, and so do the beginnings and ends of memberships: both
//! happen at once, in one thread.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::event::{Event, Heard, Pace, Publication, Said, Sid, Topic};
use crate::trace::Entry;

/// One session on one topic.
#[derive(Default)]
pub struct Stream {
    /// What was published for it while it was a member, in order.
    pub expected: Vec<Publication>,
    /// What it heard, in order.
    pub heard: Vec<Said>,
}

impl Stream {
    /// What it should have heard and did not, each with what comes after it: of all, or as far as it heard anything.
    pub fn holes(&self, whole: Whole) -> impl Iterator<Item = (&Publication, &[Publication])> {
        let heard: BTreeSet<Said> = self.heard.iter().copied().collect();
        let last = self
            .expected
            .iter()
            .rposition(|one| heard.contains(&one.said));
        let end = match whole {
            Whole::All => self.expected.len(),
            Whole::AsHeard => last.map_or(0, |last| last + 1),
        };
        let pairs = (0..end).map(|at| (&self.expected[at], &self.expected[at + 1..]));
        pairs.filter(move |(one, _)| !heard.contains(&one.said))
    }
}

/// How much of a stream is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whole {
    /// All of it: its session is there when it is quiet.
    All,
    /// Up to the last message that was heard: its session ended.
    AsHeard,
}

/// All of them.
#[derive(Default)]
pub struct Streams {
    pub of: BTreeMap<(Sid, Topic), Stream>,
    pub paces: BTreeMap<Sid, Pace>,
    /// Those that are there when it is quiet, and not being closed.
    pub open: BTreeSet<Sid>,
    /// What was heard and never published.
    pub invented: Vec<(Sid, Said)>,
}

impl Streams {
    /// Those of a trace.
    pub fn of(entries: &[Entry<Event>]) -> Streams {
        let mut streams = Streams::default();
        let mut members: BTreeSet<(Sid, Topic)> = BTreeSet::new();
        let mut topics: BTreeMap<Said, Topic> = BTreeMap::new();
        let mut open = BTreeSet::new();
        for entry in entries {
            match &entry.event {
                Event::Connected(_, session, pace) => {
                    streams.paces.insert(*session, *pace);
                    open.insert(*session);
                }
                Event::Subscribed(session, topic, _) => {
                    members.insert((*session, *topic));
                }
                Event::Unsubscribed(session, topic) => {
                    members.remove(&(*session, *topic));
                }
                Event::Gone(session, _) => {
                    members.retain(|(member, _)| member != session);
                    open.remove(session);
                }
                Event::Published(publication) => {
                    topics.insert(publication.said, publication.topic);
                    let topic = publication.topic;
                    for (session, _) in members.iter().filter(|(_, of)| *of == topic) {
                        if publication.except != Some(*session) {
                            let stream = streams.of.entry((*session, topic)).or_default();
                            stream.expected.push(publication.clone());
                        }
                    }
                }
                Event::Heard(session, Heard::Message(said)) => match topics.get(said) {
                    Some(topic) => {
                        let stream = streams.of.entry((*session, *topic)).or_default();
                        stream.heard.push(*said);
                    }
                    None => streams.invented.push((*session, *said)),
                },
                Event::Quiet => streams.open = open.clone(),
                _ => {}
            }
        }
        streams
    }

    /// Each session's stream of each topic, and how much of it counts.
    pub fn all(&self) -> impl Iterator<Item = (Sid, Topic, &Stream, Whole)> {
        self.of.iter().map(|((session, topic), stream)| {
            let whole = match self.open.contains(session) {
                true => Whole::All,
                false => Whole::AsHeard,
            };
            (*session, *topic, stream, whole)
        })
    }

    /// Messages that are missing from all streams of a topic.
    pub fn missing(&self, topic: Topic) -> usize {
        let of_topic = self.all().filter(|(_, of, ..)| *of == topic);
        of_topic
            .map(|(_, _, stream, whole)| stream.holes(whole).count())
            .sum()
    }
}
