//! One topic: who subscribes, what is pending, what is kept, who is present.
//!
//! **Invariant:** messages are pending only while there are members, and nobody joins or leaves while messages are
//! pending: `subscribe.rs` hands them out first. So a new member gets nothing that was published before it came, and
//! one that leaves misses nothing that was published before it left.
//! **Invariant:** a topic that was removed from its table is never used again; who finds one looks it up anew.

use std::sync::{Arc, Weak};

use indexmap::IndexMap;
use parking_lot::{Mutex, MutexGuard};
use rookery_contract::{Payload, Position, PublishOptions, SessionId, TopicError};
use tokio::time::Instant;

use crate::history::History;
use crate::hold::Holds;
use crate::idempotency::Keys;
use crate::mark::Mark;
use crate::pace::{Pace, Paces};
use crate::pending::Pending;
use crate::presence::Presence;
use crate::realm::Realm;
use crate::session::Session;

/// The longest name.
pub const TOPIC_NAME_BYTES_MAX: usize = 256;

/// Subscribers in an order that is stable while nobody joins or leaves. Ids are the host's own, so the hash need not
/// resist anybody.
pub(crate) type Members = IndexMap<SessionId, Arc<Session>, foldhash::fast::RandomState>;

/// One topic.
pub(crate) struct Topic {
    name: Arc<str>,
    paces: Arc<Paces>,
    state: Mutex<TopicState>,
}

/// What the topic's lock protects.
pub(crate) struct TopicState {
    /// The epoch, and the newest message's offset.
    pub(crate) position: Position,
    pub(crate) members: Members,
    pub(crate) pending: Pending,
    pub(crate) pace: Pace,
    /// The topic itself, for the wheel.
    pub(crate) own: Weak<Topic>,
    pub(crate) history: Option<Box<History>>,
    keys: Option<Box<Keys>>,
    pub(crate) presence: Option<Box<Presence>>,
    /// What its newest messages wait for. Who reads the history waits for it, too.
    pub(crate) holds: Holds,
    listed: Listed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Yes,
    Removed,
}

/// What became of a publication.
pub(crate) enum Published {
    New(Position),
    /// The key was used before; nothing was published.
    Before(Position),
}

/// Checks a name that comes from a guest.
pub(crate) fn check_name(name: &str) -> Result<(), TopicError> {
    let valid =
        (1..=TOPIC_NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    if valid {
        Ok(())
    } else {
        Err(TopicError::InvalidName)
    }
}

impl Topic {
    pub(crate) fn new(name: Arc<str>, epoch: u64, paces: &Arc<Paces>) -> Arc<Topic> {
        Arc::new_cyclic(|own| Topic {
            name,
            paces: Arc::clone(paces),
            state: Mutex::new(TopicState {
                position: Position { epoch, offset: 0 },
                members: Members::default(),
                pending: Pending::default(),
                pace: Pace::new(paces.rest()),
                own: Weak::clone(own),
                history: None,
                keys: None,
                presence: None,
                holds: Holds::default(),
                listed: Listed::Yes,
            }),
        })
    }

    /// The wheel that wakes its members.
    pub(crate) fn paces(&self) -> &Arc<Paces> {
        &self.paces
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Locks the topic; `None` when it was removed.
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, TopicState>> {
        let state = self.state.lock();
        (state.listed == Listed::Yes).then_some(state)
    }
}

impl TopicState {
    /// Gives a message its place, and makes it pending for the members and kept for recovery.
    pub(crate) fn publish(
        &mut self,
        payload: &Payload,
        options: &PublishOptions,
        realm: &Realm,
        holds: &Holds,
    ) -> Published {
        let key = options.idempotency_key.as_deref();
        // Asking for the time costs more than all the rest, and most messages need none.
        let now = (key.is_some() || options.history.is_some()).then(Instant::now);
        if let (Some(key), Some(now)) = (key, now)
            && let Some(keys) = &mut self.keys
            && let Some(position) = keys.find(key, now)
        {
            return Published::Before(position);
        }
        self.position.offset += 1;
        if !self.members.is_empty() {
            let except = options.except.and_then(|id| self.members.get_index_of(&id));
            let stream = self.position.epoch;
            self.pending
                .append(payload, except, Mark::of(stream, &options.when_slow));
            self.pending.holds.add_all(holds);
        }
        self.holds.drop_kept();
        self.holds.add_all(holds);
        match (options.history, now) {
            (Some(retention), Some(now)) => {
                let history = self
                    .history
                    .get_or_insert_with(|| Box::new(History::new(now, realm.history())));
                history.keep(
                    self.position.offset,
                    payload.clone(),
                    retention,
                    realm.config(),
                    now,
                );
            }
            _ => {
                if let Some(history) = &mut self.history {
                    history.interrupt();
                }
            }
        }
        if let (Some(key), Some(now)) = (key, now) {
            let keys = self
                .keys
                .get_or_insert_with(|| Box::new(Keys::new(realm.keys())));
            let keys_max = realm.config().idempotency_keys_max;
            keys.remember(key, self.position, keys_max, now);
        }
        Published::New(self.position)
    }

    /// Drops what is too old and gives back memory that an idle topic does not need.
    pub(crate) fn expire(&mut self, now: Instant) {
        let unused = self
            .history
            .as_mut()
            .is_some_and(|history| history.expire(now));
        if unused && self.members.is_empty() {
            self.history = None;
        }
        if self.keys.as_mut().is_some_and(|keys| keys.expire(now)) {
            self.keys = None;
        }
        self.pending.trim();
    }

    /// Whether nobody would miss the topic.
    pub(crate) fn is_vacant(&self) -> bool {
        let nobody_is_present = |presence: &Presence| presence.is_vacant();
        self.members.is_empty()
            && self.history.is_none()
            && self.keys.is_none()
            && self.presence.as_deref().is_none_or(nobody_is_present)
    }

    /// Messages of it are lost that nobody got: what comes is a new stream. Gives those who have to hear of it.
    pub(crate) fn lose(&mut self, epoch: u64) -> Vec<Arc<Session>> {
        self.position = Position { epoch, offset: 0 };
        // Whoever would have got it is among the members, since nobody joins or leaves while messages are pending.
        self.pending.clear();
        self.history = None;
        self.keys = None;
        self.holds = Holds::default();
        if let Some(presence) = &mut self.presence {
            presence.lose();
        }
        self.members.values().cloned().collect()
    }

    /// Marks a topic that leaves its table.
    pub(crate) fn remove(&mut self) {
        self.listed = Listed::Removed;
    }
}
