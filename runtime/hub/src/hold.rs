//! Output that waits: what an invocation says after it wrote something that is not durable yet.
//!
//! The frames are in their outboxes, in their places, and the writers stop in front of them until the hold is settled.
//! So no order changes, and no guest waits for a disk.
//!
//! **Invariant:** a hold is settled once. When its [`Keeper`] is dropped unsettled, what it holds is lost.
//! **Invariant:** what was lost is never delivered and never recovered: every topic that had a part of it begins a new
//! stream, and every session that would have got some is closed with [`WRITES_LOST`], which tells it to come back.
//! **Absent on purpose:** what it waits for. Whoever has the keeper knows.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::close::WRITES_LOST;
use crate::realm::Shared;
use crate::session::Session;
use crate::topic::Topic;
use crate::waking::WakeList;

/// How it stands with what a hold waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Not known yet.
    Open,
    /// It is durable: the output may go.
    Kept,
    /// It is lost, and the output with it.
    Lost,
}

/// What holds output back.
pub struct Hold {
    shared: Arc<Shared>,
    outcome: watch::Sender<Outcome>,
    // Taken before any lock of a session or a topic is, and never with one held but by `join` and `mark`.
    affected: Mutex<Affected>,
}

/// Whom it concerns.
#[derive(Default)]
struct Affected {
    sessions: Vec<Arc<Session>>,
    topics: Vec<Arc<Topic>>,
}

/// Settles a hold.
pub struct Keeper(Arc<Hold>);

impl Hold {
    /// A hold that is open.
    pub(crate) fn open(shared: Arc<Shared>) -> (Arc<Hold>, Keeper) {
        let hold = Arc::new(Hold {
            shared,
            outcome: watch::Sender::new(Outcome::Open),
            affected: Mutex::default(),
        });
        (Arc::clone(&hold), Keeper(hold))
    }

    /// How it stands.
    pub fn outcome(&self) -> Outcome {
        *self.outcome.borrow()
    }

    /// Waits until it is settled. Never [`Outcome::Open`].
    pub async fn settled(&self) -> Outcome {
        let mut outcome = self.outcome.subscribe();
        let settled = outcome.wait_for(|outcome| *outcome != Outcome::Open).await;
        // The sender is in this very hold.
        settled.map_or(Outcome::Lost, |outcome| *outcome)
    }

    /// A session is about to get a frame that waits for this.
    pub(crate) fn join(&self, session: &Arc<Session>) -> Outcome {
        let mut affected = self.affected.lock();
        let outcome = self.outcome();
        let known = affected.sessions.last();
        if known.is_none_or(|last| !Arc::ptr_eq(last, session)) && outcome == Outcome::Open {
            affected.sessions.push(Arc::clone(session));
        }
        outcome
    }

    /// A topic is about to have a message that waits for this.
    pub(crate) fn mark(&self, topic: &Arc<Topic>) -> Outcome {
        let mut affected = self.affected.lock();
        let outcome = self.outcome();
        let known = affected
            .topics
            .iter()
            .any(|known| Arc::ptr_eq(known, topic));
        if !known && outcome == Outcome::Open {
            affected.topics.push(Arc::clone(topic));
        }
        outcome
    }

    fn settle(&self, outcome: Outcome) {
        let affected = {
            let mut affected = self.affected.lock();
            // Within the lock: whoever joins later sees it.
            let first = self.outcome.send_if_modified(|now| {
                let first = *now == Outcome::Open;
                if first {
                    *now = outcome;
                }
                first
            });
            if !first {
                return;
            }
            std::mem::take(&mut *affected)
        };
        let mut wakes = WakeList::default();
        if outcome == Outcome::Kept {
            for session in affected.sessions {
                session.outbox.release(&mut wakes);
            }
            return;
        }
        for topic in affected.topics {
            let members = topic
                .lock()
                .map(|mut state| state.lose(self.shared.next_epoch()));
            for session in members.into_iter().flatten() {
                session.close_lost(WRITES_LOST, &mut wakes);
            }
        }
        for session in affected.sessions {
            session.close_lost(WRITES_LOST, &mut wakes);
        }
    }
}

impl Keeper {
    /// What was written is durable: the output goes.
    pub fn keep(self) {
        self.0.settle(Outcome::Kept);
    }

    /// What was written is lost.
    pub fn lose(self) {
        self.0.settle(Outcome::Lost);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.settle(Outcome::Lost);
    }
}

/// The holds that something waits for, few or none.
#[derive(Clone, Default)]
pub(crate) struct Holds(Vec<Arc<Hold>>);

impl Holds {
    /// Waits for one more.
    pub(crate) fn add(&mut self, hold: &Arc<Hold>) {
        if !self.0.iter().any(|known| Arc::ptr_eq(known, hold)) {
            self.0.push(Arc::clone(hold));
        }
    }

    /// Waits for all of these, too, as far as they are open.
    pub(crate) fn add_all(&mut self, others: &Holds) {
        for hold in &others.0 {
            if hold.outcome() != Outcome::Kept {
                self.add(hold);
            }
        }
    }

    /// Forgets those that hold nothing back any more.
    pub(crate) fn drop_kept(&mut self) {
        self.0.retain(|hold| hold.outcome() != Outcome::Kept);
    }

    /// Whether all of these are among them.
    pub(crate) fn covers(&self, others: &Holds) -> bool {
        others
            .0
            .iter()
            .all(|other| self.0.iter().any(|known| Arc::ptr_eq(known, other)))
    }

    /// Whether nothing is held back any more.
    pub(crate) fn are_kept(&self) -> bool {
        self.0.iter().all(|hold| hold.outcome() == Outcome::Kept)
    }

    /// Whether what waits for them will never be true.
    pub(crate) fn are_lost(&self) -> bool {
        self.0.iter().any(|hold| hold.outcome() == Outcome::Lost)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A session is about to get a frame that waits for all of them. [`Outcome::Lost`] if one of them is lost.
    pub(crate) fn join(&self, session: &Arc<Session>) -> Outcome {
        worst(self.0.iter().map(|hold| hold.join(session)))
    }

    /// A topic is about to have a message that waits for all of them.
    pub(crate) fn mark(&self, topic: &Arc<Topic>) -> Outcome {
        worst(self.0.iter().map(|hold| hold.mark(topic)))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Hold>> {
        self.0.iter()
    }
}

fn worst(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    outcomes.fold(Outcome::Kept, |worst, outcome| match (worst, outcome) {
        (Outcome::Lost, _) | (_, Outcome::Lost) => Outcome::Lost,
        (Outcome::Open, _) | (_, Outcome::Open) => Outcome::Open,
        (Outcome::Kept, Outcome::Kept) => Outcome::Kept,
    })
}
