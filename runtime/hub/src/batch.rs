//! Events on their way through one invocation, and what becomes of them after it.
//!
//! **Invariant:** every event of a batch stands, is the culprit's, or goes back to where it was; dropping a batch loses
//! nothing.

use std::sync::Arc;

use rookery_contract::{Event, EventKind};
use tokio::time::Instant;

use crate::inbox::{BatchRoom, Chance};
use crate::ready::ReadyQueue;
use crate::session::{Offer, Session};
use crate::waking::WakeList;

/// What a batch cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Toll {
    /// Nobody.
    None,
    /// A session was closed, if it was not before.
    Closed,
}

/// What came of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventsDone {
    /// The guest went through all of them.
    All,
    /// The guest died while it worked on the event at this index. Those before it stand. Its session is closed with
    /// 1011 and the event is not given again. Those after it are given again, before anything newer.
    Culprit(usize),
    /// As [`Culprit`](EventsDone::Culprit), and the event left nothing outside of the guest: as far as anybody can tell it
    /// was never given. If its session is another revision's by now, that one is given it, marked as given again. Once:
    /// the next guest that dies of it has the culprit.
    Traceless(usize),
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
    chance: Chance,
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
                chance: taken.chance,
            }),
            Offer::Nothing => {}
            Offer::NoRoom => return Err(session),
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, queue: &ReadyQueue, done: EventsDone) -> Toll {
        self.settle(Some(queue), done)
    }

    fn settle(&mut self, queue: Option<&ReadyQueue>, done: EventsDone) -> Toll {
        let suspect = self.parts.first().is_some_and(|part| part.given_before > 0);
        let is_here = |index: usize| index < self.events.len();
        match done {
            EventsDone::Culprit(index) if is_here(index) => self.blame(index, Guilt::Sessions),
            EventsDone::Traceless(index) if is_here(index) => {
                self.blame(index, queue.map_or(Guilt::Sessions, Guilt::Nobodys))
            }
            EventsDone::Excused(index) if is_here(index) => self.blame(index, Guilt::Hosts),
            EventsDone::All
            | EventsDone::Culprit(_)
            | EventsDone::Traceless(_)
            | EventsDone::Excused(_) => {
                self.stand(self.parts.len());
                Toll::None
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

    fn blame(&mut self, index: usize, guilt: Guilt<'_>) -> Toll {
        let mut end = 0;
        let before = self.parts.iter().take_while(|part| {
            end += part.events;
            end <= index
        });
        let before = before.count();
        let start = end - self.parts[before].events;
        self.stand(before);
        let culprit = self.parts.remove(0);
        let mut own: Vec<_> = self
            .events
            .drain(..culprit.events)
            .map(|event| event.kind)
            .collect();
        self.give_back(Held::Behind);
        // The news of a move come first, and are no event of the client's.
        let first = own.iter().position(|kind| !is_news(kind));
        let chance = match culprit.chance {
            Chance::Last if first.is_some_and(|first| first >= index - start) => Chance::Last,
            Chance::First | Chance::Last => Chance::First,
        };
        own.drain(..index - start);
        let session = culprit.session;
        match (guilt, chance) {
            (Guilt::Sessions, _) | (Guilt::Nobodys(_), Chance::Last) => session.blame(own),
            (Guilt::Nobodys(queue), Chance::First) => {
                let own = own.into_iter().map(redelivered).collect();
                return session.spare(queue, own);
            }
            (Guilt::Hosts, chance) => {
                let rest = own.into_iter().skip(1).map(redelivered);
                session.return_events(rest, 0, chance);
                return Toll::None;
            }
        }
        Toll::Closed
    }

    /// Puts all that is left back, in front of whatever came since. From the last to the first, so that the first is
    /// in front.
    fn give_back(&mut self, held: Held) -> Toll {
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
            part.session.return_events(kinds, given_before, part.chance);
        }
        Toll::None
    }
}

/// Whose event it was that the guest died of.
#[derive(Clone, Copy)]
enum Guilt<'q> {
    Sessions,
    Hosts,
    /// Nothing came of it, so it may be given again to who has the session, if that is not whom this queue is for.
    Nobodys(&'q ReadyQueue),
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

fn is_news(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Resumed { .. })
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
            self.settle(None, EventsDone::NoneBegan);
        }
    }
}
