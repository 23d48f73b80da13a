//! A namespace's part of the hub: its sessions, its topics, its counts.
//!
//! **Invariant:** a guest works on the realm of its namespace and on nothing else, so a session or a topic of another
//! namespace cannot be named.
//! **Absent on purpose:** an end. A realm without sessions and topics is 2 KiB, and there are as many as namespaces were
//! ever served.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rookery_bundle::Namespace;
use rookery_contract::{SessionId, TopicError};
use tokio::time::Instant;

use crate::beat::Beats;
use crate::config::HubConfig;
use crate::counters::Counters;
use crate::pace::Paces;
use crate::session::Session;
use crate::sharded::Sharded;
use crate::stock::Stock;
use crate::timer::Timers;
use crate::topic::{Topic, TopicState, check_name};

/// What all realms share.
pub(crate) struct Shared {
    pub(crate) config: HubConfig,
    pub(crate) timers: Timers,
    pub(crate) beats: Beats,
    pub(crate) paces: Arc<Paces>,
    session_ids: AtomicU64,
    epochs: AtomicU64,
}

impl Shared {
    pub(crate) fn new(config: HubConfig) -> Shared {
        Shared {
            beats: Beats::new(config.presence_interval),
            paces: Arc::new(Paces::new(config.rest_per_member)),
            config,
            timers: Timers::new(),
            session_ids: AtomicU64::new(1),
            // Unlike those of the last run, and exact in a JavaScript number (below 2^53) for a very long time.
            epochs: AtomicU64::new(RandomState::new().hash_one("epoch") >> 12),
        }
    }

    pub(crate) fn next_session_id(&self) -> SessionId {
        SessionId(self.session_ids.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn next_epoch(&self) -> u64 {
        self.epochs.fetch_add(1, Ordering::Relaxed)
    }
}

/// One namespace.
pub(crate) struct Realm {
    namespace: Namespace,
    shared: Arc<Shared>,
    sessions: Sharded<SessionId, Arc<Session>, foldhash::fast::RandomState>,
    /// Clients choose these names through their apps, so the hash must resist them.
    topics: Sharded<Arc<str>, Arc<Topic>, RandomState>,
    topic_count: AtomicUsize,
    history: Arc<Stock>,
    keys: Arc<Stock>,
    counters: Counters,
}

impl Realm {
    pub(crate) fn new(namespace: Namespace, shared: Arc<Shared>) -> Arc<Realm> {
        Arc::new(Realm {
            history: Stock::new(shared.config.namespace_history_bytes_max),
            keys: Stock::new(shared.config.namespace_keys_bytes_max),
            namespace,
            shared,
            sessions: Sharded::new(),
            topics: Sharded::new(),
            topic_count: AtomicUsize::new(0),
            counters: Counters::default(),
        })
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub(crate) fn config(&self) -> &HubConfig {
        &self.shared.config
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(crate) fn timers(&self) -> &Timers {
        &self.shared.timers
    }

    pub(crate) fn beats(&self) -> &Beats {
        &self.shared.beats
    }

    /// What its topics keep for recovery.
    pub(crate) fn history(&self) -> &Arc<Stock> {
        &self.history
    }

    /// What the idempotency keys of its topics take.
    pub(crate) fn keys(&self) -> &Arc<Stock> {
        &self.keys
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn session(&self, id: SessionId) -> Option<Arc<Session>> {
        self.sessions.shard(&id).get(&id).cloned()
    }

    pub(crate) fn list_session(&self, session: &Arc<Session>) {
        let id = session.id();
        self.sessions.shard(&id).insert(id, Arc::clone(session));
    }

    /// The guest has heard of the session's end, or never will.
    pub(crate) fn forget_session(&self, id: SessionId) {
        self.sessions.shard(&id).remove(&id);
    }

    pub(crate) fn session_count(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) fn topic_count(&self) -> usize {
        self.topic_count.load(Ordering::Relaxed)
    }

    /// A topic that exists.
    pub(crate) fn find_topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.shard(name).get(name).cloned()
    }

    /// A topic, made if it does not exist.
    pub(crate) fn topic(&self, name: &str) -> Result<Arc<Topic>, TopicError> {
        check_name(name)?;
        let mut shard = self.topics.shard(name);
        if let Some(topic) = shard.get(name) {
            return Ok(Arc::clone(topic));
        }
        // Two shards may be at this line at once, so the bound is taken first and given back.
        if self.topic_count.fetch_add(1, Ordering::Relaxed) >= self.config().topics_max {
            self.topic_count.fetch_sub(1, Ordering::Relaxed);
            return Err(TopicError::TooMany);
        }
        let name: Arc<str> = name.into();
        let topic = Topic::new(
            Arc::clone(&name),
            self.shared.next_epoch(),
            &self.shared.paces,
        );
        shard.insert(name, Arc::clone(&topic));
        Ok(topic)
    }

    /// Locks a topic that is in the table, looking it up again for as long as the one at hand was just removed.
    pub(crate) fn with_topic<T>(
        &self,
        name: &str,
        act: impl FnOnce(&Arc<Topic>, &mut TopicState) -> T,
    ) -> Result<T, TopicError> {
        loop {
            let topic = self.topic(name)?;
            if let Some(mut state) = topic.lock() {
                return Ok(act(&topic, &mut state));
            }
        }
    }

    /// Removes a topic that nobody would miss. The caller holds no lock.
    pub(crate) fn remove_if_vacant(&self, topic: &Topic) {
        let mut shard = self.topics.shard(topic.name().as_ref());
        let Some(mut state) = topic.lock() else {
            return;
        };
        if state.is_vacant() {
            state.remove();
            shard.remove(topic.name().as_ref());
            self.topic_count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Drops what topics have kept too long, and the topics that are left without anything.
    pub(crate) async fn sweep(&self) {
        let now = Instant::now();
        for shard in 0..self.topics.shard_count() {
            let topics: Vec<_> = self.topics.nth_shard(shard).values().cloned().collect();
            for topic in topics {
                let vacant = topic.lock().is_some_and(|mut state| {
                    state.expire(now);
                    state.is_vacant()
                });
                if vacant {
                    self.remove_if_vacant(&topic);
                }
            }
            tokio::task::yield_now().await;
        }
    }
}
