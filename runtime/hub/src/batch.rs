//! Events on their way through one invocation, and what becomes of them after it.
//!
//! **Invariant:** every event of a batch stands, is the culprit's, or goes back to where it was; dropping a batch loses
//! nothing.

use std::sync::Arc;

use rookery_contract::{Event, EventKind};
use tokio::time::Instant;

use crate::inbox::BatchRoom;
use crate::ready::ReadyQueue;
use crate::session::{Offer, Session};
use crate::waking::WakeList;

/// What came of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventsDone {
    /// The guest went through all of them.
    All,
    /// The guest died while it worked on the event at this index. Those before it stand. Its session is closed with
    /// 1011 and the event is not given again. Those after it are given again, before anything newer.
    Culprit(usize),
    /// As [`Culprit`](EventsDone::Culprit), but the event was the host's own and its session was moved away because of it:
    /// it stays open, and hears what comes next where it is now.
    Excused(usize),
    /// The worker died before it began with any. All are given again; if the first one had been given before, it is
    /// taken for the culprit, so that a batch cannot kill workers for ever.
    NoneBegan,
    /// No worker was there to get them. All are given again, and it is not held against them.
    NotGiven,
}

/// Up to a batch's worth of events. The events of one session are next to each other and in order.
#[derive(Default)]
pub struct Batch {
    events: Vec<Event>,
    parts: Vec<Part>,
    woken: Option<Instant>,
}

/// One session's events in a batch.
struct Part {
    session: Arc<Session>,
    events: usize,
    given_before: usize,
}

impl Batch {
    /// The events. An event's place in this slice is its index for [`EventsDone::Culprit`].
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many sessions have events in it.
    pub fn sessions(&self) -> usize {
        self.parts.len()
    }

    /// When the first of its sessions came to wait, if none waited before it: then somebody had to wake up for this batch.
    pub fn woken(&self) -> Option<Instant> {
        self.woken
    }

    pub(crate) fn woke_somebody(&mut self, at: Option<Instant>) {
        self.woken = at;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Takes a session's events as far as there is room. Gives the session back when none fits.
    pub(crate) fn add(
        &mut self,
        session: Arc<Session>,
        queue: &ReadyQueue,
        room: &mut BatchRoom,
        wakes: &mut WakeList,
    ) -> Result<(), Arc<Session>> {
        match session.offer(queue, room, &mut self.events, wakes) {
            Offer::Took(taken) => self.parts.push(Part {
                session,
                events: taken.events,
                given_before: taken.given_before,
            }),
            Offer::Nothing => {}
            Offer::NoRoom => return Err(session),
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, done: EventsDone) {
        self.settle(done);
    }

    fn settle(&mut self, done: EventsDone) {
        let suspect = self.parts.first().is_some_and(|part| part.given_before > 0);
        match done {
            EventsDone::Culprit(index) if index < self.events.len() => {
                self.blame(index, Guilt::Sessions);
            }
            EventsDone::Excused(index) if index < self.events.len() => {
                self.blame(index, Guilt::Hosts);
            }
            EventsDone::All | EventsDone::Culprit(_) | EventsDone::Excused(_) => {
                self.stand(self.parts.len());
            }
            EventsDone::NoneBegan if suspect => self.blame(0, Guilt::Sessions),
            EventsDone::NoneBegan => self.give_back(Held::Against),
            EventsDone::NotGiven => self.give_back(Held::AsBefore),
        }
    }

    /// The first `parts` are done with.
    fn stand(&mut self, parts: usize) {
        let mut at = 0;
        for part in self.parts.drain(..parts) {
            at += part.events;
            part.session.stand(&self.events[at - 1].kind);
        }
        self.events.drain(..at);
    }

    fn blame(&mut self, index: usize, guilt: Guilt) {
        let mut end = 0;
        let before = self.parts.iter().take_while(|part| {
            end += part.events;
            end <= index
        });
        let before = before.count();
        let start = end - self.parts[before].events;
        self.stand(before);
        let culprit = self.parts.remove(0);
        let own: Vec<_> = self
            .events
            .drain(..culprit.events)
            .map(|event| event.kind)
            .collect();
        self.give_back(Held::Behind);
        let own = own.into_iter().skip(index - start);
        match guilt {
            Guilt::Sessions => culprit.session.blame(own),
            Guilt::Hosts => {
                let rest = own.skip(1).map(redelivered);
                culprit.session.return_events(rest, 0);
            }
        }
    }

    /// Puts all that is left back, in front of whatever came since. From the last to the first, so that the first is
    /// in front.
    fn give_back(&mut self, held: Held) {
        while let Some(part) = self.parts.pop() {
            let from = self.events.len() - part.events;
            let kinds = self.events.drain(from..).map(|event| match held {
                Held::Against | Held::Behind => redelivered(event.kind),
                Held::AsBefore => event.kind,
            });
            let given_before = match held {
                Held::Against => part.events,
                Held::Behind | Held::AsBefore => part.given_before,
            };
            part.session.return_events(kinds, given_before);
        }
    }
}

/// Whose event it was that the guest died of.
#[derive(Clone, Copy)]
enum Guilt {
    Sessions,
    Hosts,
}

/// Whether it counts against events that they were given.
#[derive(Clone, Copy)]
enum Held {
    Against,
    /// Somebody else's event was in their way.
    Behind,
    /// Nobody was given them.
    AsBefore,
}

fn redelivered(kind: EventKind) -> EventKind {
    match kind {
        EventKind::Message { payload, .. } => EventKind::Message {
            payload,
            redelivered: true,
        },
        other => other,
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !self.parts.is_empty() {
            self.settle(EventsDone::NoneBegan);
        }
    }
}
