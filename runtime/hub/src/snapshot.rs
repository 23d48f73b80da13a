//! The hub's numbers at one moment, for the dashboard and the metrics.

use serde::Serialize;

use crate::hub::Hub;
use crate::realm::Realm;

/// All namespaces together, and each.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HubSnapshot {
    /// Everything together.
    #[serde(flatten)]
    pub total: RealmSnapshot,
    /// Timers that are set.
    pub timers: u64,
    /// Each namespace that was ever served, by name.
    pub namespaces: Vec<NamespaceSnapshot>,
}

/// One namespace.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSnapshot {
    /// Which.
    pub namespace: String,
    /// Its numbers.
    #[serde(flatten)]
    pub numbers: RealmSnapshot,
}

/// Numbers of sessions and topics. The first three are of now, the others of all time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RealmSnapshot {
    /// Sessions that are attached, or whose end the guest has not heard of.
    pub sessions: u64,
    /// Topics with subscribers, history or idempotency keys.
    pub topics: u64,
    /// Memberships of sessions in topics.
    pub subscriptions: u64,
    /// Messages published on topics.
    pub published: u64,
    /// Copies of them that were queued for subscribers.
    pub deliveries: u64,
    /// Frames queued for single sessions.
    pub sent: u64,
    /// Bytes of frames queued.
    pub bytes_out: u64,
    /// Sessions closed because they did not keep up.
    pub slow_closed: u64,
    /// Copies of messages that were dropped, oldest first, for sessions that did not keep up.
    pub dropped: u64,
    /// Copies of messages that were dropped for a later one of the same key.
    pub conflated: u64,
    /// Sessions closed because the guest died of their event.
    pub guest_faults: u64,
    /// Events that the guest died of, that left nothing, and that another revision was given.
    pub spared: u64,
}

impl RealmSnapshot {
    fn of(realm: &Realm) -> RealmSnapshot {
        let counters = realm.counters();
        RealmSnapshot {
            sessions: realm.session_count() as u64,
            topics: realm.topic_count() as u64,
            subscriptions: counters.subscriptions.get(),
            published: counters.published.get(),
            deliveries: counters.deliveries.get(),
            sent: counters.sent.get(),
            bytes_out: counters.bytes_out.get(),
            slow_closed: counters.slow_closed.get(),
            dropped: counters.dropped.get(),
            conflated: counters.conflated.get(),
            guest_faults: counters.guest_faults.get(),
            spared: counters.spared.get(),
        }
    }

    fn add(&mut self, other: &RealmSnapshot) {
        self.sessions += other.sessions;
        self.topics += other.topics;
        self.subscriptions += other.subscriptions;
        self.published += other.published;
        self.deliveries += other.deliveries;
        self.sent += other.sent;
        self.bytes_out += other.bytes_out;
        self.slow_closed += other.slow_closed;
        self.dropped += other.dropped;
        self.conflated += other.conflated;
        self.guest_faults += other.guest_faults;
        self.spared += other.spared;
    }
}

impl Hub {
    /// The numbers of now.
    pub fn snapshot(&self) -> HubSnapshot {
        let mut snapshot = HubSnapshot {
            timers: self.timer_count() as u64,
            ..HubSnapshot::default()
        };
        for realm in self.realms() {
            let numbers = RealmSnapshot::of(&realm);
            snapshot.total.add(&numbers);
            snapshot.namespaces.push(NamespaceSnapshot {
                namespace: realm.namespace().as_str().to_owned(),
                numbers,
            });
        }
        snapshot
            .namespaces
            .sort_by(|one, other| one.namespace.cmp(&other.namespace));
        snapshot
    }
}
