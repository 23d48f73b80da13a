//! How sessions join and leave topics.
//!
//! **Invariant:** a session is a member of a topic exactly while the topic is in its list; both change under both locks, the
//! list's first. A session that left for good ([`Subscriptions::Closed`]) joins nothing any more.

use std::sync::Arc;

use rookery_contract::{Position, TopicError};
use tokio::time::Instant;

use crate::hold::Holds;
use crate::session::Session;
use crate::topic::{Topic, TopicState};
use crate::waking::WakeList;

/// Where one session is.
pub(crate) enum Subscriptions {
    Open(Own),
    /// The session is detached.
    Closed,
}

/// The topics of one session.
#[derive(Default)]
pub(crate) struct Own {
    /// It gets their messages.
    pub(crate) topics: Vec<Arc<Topic>>,
    /// It is, or was, present at them.
    pub(crate) present: Vec<Arc<Topic>>,
}

impl Default for Subscriptions {
    fn default() -> Subscriptions {
        Subscriptions::Open(Own::default())
    }
}

impl Session {
    /// Joins a topic and says where the topic is: every later message will come, and no earlier one.
    pub(crate) fn subscribe(self: &Arc<Self>, name: &str) -> Result<Position, TopicError> {
        let mut wakes = WakeList::default();
        let mut subscriptions = self.subscriptions.lock();
        let Subscriptions::Open(Own { topics, .. }) = &mut *subscriptions else {
            return Err(TopicError::Gone);
        };
        let full = topics.len() >= self.realm.config().session_topics_max;
        let result = self.realm.with_topic(name, |topic, state| {
            if state.members.contains_key(&self.id()) {
                return Ok(state.position);
            }
            if full {
                return Err(TopicError::TooMany);
            }
            state.flush(self.realm.counters(), &mut wakes);
            state.members.insert(self.id(), Arc::clone(self));
            topics.push(Arc::clone(topic));
            self.realm.counters().subscriptions.incr();
            Ok(state.position)
        })?;
        drop(subscriptions);
        if result.is_err()
            && let Some(topic) = self.realm.find_topic(name)
        {
            // Refused after the topic had been made for it.
            self.realm.remove_if_vacant(&topic);
        }
        result
    }

    /// Leaves a topic, with everything that was published before.
    pub(crate) fn unsubscribe(&self, name: &str) {
        let mut wakes = WakeList::default();
        let left = {
            let mut subscriptions = self.subscriptions.lock();
            let Subscriptions::Open(Own { topics, .. }) = &mut *subscriptions else {
                return;
            };
            let Some(index) = topics.iter().position(|topic| **topic.name() == *name) else {
                return;
            };
            let topic = topics.swap_remove(index);
            if topics.is_empty() {
                *topics = Vec::new();
            }
            self.leave(&topic, &mut wakes);
            topic
        };
        self.realm.remove_if_vacant(&left);
    }

    /// Leaves all topics for good, and is present nowhere any more. False when it had done so before.
    pub(crate) fn leave_topics(&self) -> bool {
        let mut wakes = WakeList::default();
        let own = {
            let mut subscriptions = self.subscriptions.lock();
            match std::mem::replace(&mut *subscriptions, Subscriptions::Closed) {
                Subscriptions::Open(own) => own,
                Subscriptions::Closed => return false,
            }
        };
        for topic in own.topics {
            self.leave(&topic, &mut wakes);
            self.realm.remove_if_vacant(&topic);
        }
        for topic in own.present {
            self.absent_from(&topic, &Holds::default());
        }
        true
    }

    fn leave(&self, topic: &Topic, wakes: &mut WakeList) {
        // A topic with a member is not removed.
        let mut state = topic.lock().expect("a topic outlives its members");
        state.flush(self.realm.counters(), wakes);
        // The topic will not wake it any more for what it has got.
        self.outbox.rouse(wakes);
        if state.members.swap_remove(&self.id()).is_some() {
            self.realm.counters().subscriptions.sub(1);
        }
        if state.members.is_empty() {
            vacate(&mut state);
        }
    }
}

fn vacate(state: &mut TopicState) {
    if let Some(history) = &mut state.history {
        history.linger(Instant::now());
    }
}
